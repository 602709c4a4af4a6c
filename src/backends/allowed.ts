/**
 * What clients may say with the edge's key: tables of the parameters that are understood, each with a rule for its value. Anything else is
 * refused, because an engine may read in it another index, an address or a key. An index that forwards the client's own key has no table.
 *
 * Linear in the bytes of a request. Knows no engine.
 */
import { err, ok, type Result } from "../result.ts";
import type { DialectOptions, Refusal } from "./dialect.ts";
import { type Body, bodyOf, memberAt, type Param, repeatedKey } from "./json/request.ts";
import { members } from "./json/spans.ts";
import { isObject, member } from "./json/values.ts";

/** A value as it is given: of a parameter always a text. */
export interface Given {
  readonly value: unknown;
  /** The object that it is, or that its text holds. Errors: another kind, or a member that is repeated. */
  object(): Result<Body, string>;
}

/** Why a value must not be passed on: what it is or does, without its name. */
export type Rule = (given: Given) => string | undefined;

/** Name of a parameter or member → its rule. */
export type Rules = Pick<ReadonlyMap<string, Rule>, "get">;

/** The parameters of a request or of one of its searches. */
export interface Said {
  readonly params: readonly Param[];
  readonly body: Body | undefined;
}

/** `undefined`: all of it may be passed on. */
export type Check = (index: string, said: Said) => Refusal | undefined;

const ELSEWHERE = "take it out, or let the index forward the client's own key (forwardCredentials)";

/** Text, a number, true, false, null, and lists of these. */
export const plain: Rule = ({ value }) => (isPlain(value) ? undefined : "holds an object");

/** Whatever it holds. */
export const anything: Rule = () => undefined;

/** One of these texts, or nothing. */
export const oneOf =
  (...texts: readonly string[]): Rule =>
  ({ value }) =>
    value === null || texts.some((text) => text === value) ? undefined : `is none of ${texts.join(", ")}`;

/** An object of these members, or nothing. */
export function shape(rules: Rules): Rule {
  return (given) => {
    if (given.value === null || given.value === "") return undefined;
    const read = given.object();
    if (!read.ok) return read.error;
    const problem = problemIn({ params: [], body: read.value }, rules);
    return problem && `.${problem}`;
  };
}

/** An object with names of its own. */
export const mapOf = (rule: Rule): Rule => shape({ get: () => rule });

/** Names that stand in a text, separated by white space. */
export function rulesOf(names: string, special: Readonly<Record<string, Rule>> = {}): ReadonlyMap<string, Rule> {
  const plainOnes = names.split(/\s+/).filter(Boolean);
  return new Map([...plainOnes.map((name) => [name, plain] as const), ...Object.entries(special)]);
}

/** Indexes that the edge's key is for. The others are reached with the client's key only. */
export function ownIndexes(options: ReadonlyMap<string, DialectOptions>): ReadonlySet<string> {
  return new Set([...options].flatMap(([name, { forwardCredentials }]) => (forwardCredentials === true ? [] : [name])));
}

/** `rules`: of all indexes, to which each adds what its `allowParams` names. */
export function createCheck(options: ReadonlyMap<string, DialectOptions>, rules: ReadonlyMap<string, Rule>): Check {
  const byIndex = new Map(
    [...options].flatMap(([name, { forwardCredentials, allowParams = [] }]) => {
      if (forwardCredentials === true) return [];
      return [[name, new Map([...rules, ...allowParams.map((param) => [param, anything] as const)])] as const];
    }),
  );
  return (index, said) => {
    const own = byIndex.get(index);
    const problem = own && problemIn(said, own);
    return problem === undefined ? undefined : notPassedOn(problem);
  };
}

/** `problem` begins with the name of the parameter. */
export function notPassedOn(problem: string): Refusal {
  return { status: 400, type: "bad_request", message: `${problem}: ${ELSEWHERE}` };
}

/** The first parameter that must not be passed on, and why. */
export function problemIn({ params, body }: Said, rules: Rules): string | undefined {
  for (const { key, value } of params) {
    const problem = problemOf(rules.get(key), { value, object: () => objectIn(value) });
    if (problem !== undefined) return named(key, problem);
  }
  if (body === undefined) return undefined;
  for (const { key } of body.members) {
    const value = member(body.values, key);
    const problem = problemOf(rules.get(key), { value, object: () => (typeof value === "string" ? objectIn(value) : objectAt(body, key)) });
    if (problem !== undefined) return named(key, problem);
  }
  return undefined;
}

const problemOf = (rule: Rule | undefined, given: Given): string | undefined =>
  rule === undefined ? "is not a parameter that this edge passes on with its own key" : rule(given);

/** The problem of an object begins with a dot and the name inside. */
const named = (key: string, problem: string): string => `${shown(key)}${problem.startsWith(".") ? "" : " "}${problem}`;

/** A client may have written anything. */
const shown = (key: string): string => (/^[\w.$-]{1,64}$/.test(key) ? key : JSON.stringify(key.slice(0, 64)));

function isPlain(value: unknown): boolean {
  return typeof value !== "object" || value === null || (Array.isArray(value) && value.every(isPlain));
}

function objectIn(text: string): Result<Body, string> {
  const read = bodyOf(new TextEncoder().encode(text));
  if (!read.ok) return err("holds no object that could be read");
  return read.value === undefined ? err("is empty") : ok(read.value);
}

/** An object inside of one that was read. */
export function objectAt(body: Body, key: string): Result<Body, string> {
  const span = memberAt(body, key)?.value;
  const values = member(body.values, key);
  if (span === undefined || !isObject(values)) return err("is not an object");
  const all = members(body.text, span);
  const repeated = repeatedKey(all);
  return repeated === undefined ? ok({ text: body.text, span, members: all, values }) : err(`names ${shown(repeated)} twice`);
}
