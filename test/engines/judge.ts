/**
 * What a shopper gets from the edge beside what the engine itself answers: `off` is the same bytes; a re-ranked page holds hits of the
 * engine's own window, byte for byte, each once, and nothing around them has changed.
 */
import { report } from "./figures.ts";

export interface Shape {
  readonly label: string;
  readonly method?: "GET" | "POST";
  readonly path: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The outcome of the edge: "applied", a reason, one of both per search, or "any". */
  readonly outcome: string;
}

export interface Reply {
  readonly status: number;
  readonly body: string;
  readonly outcome: string;
}

/** Parts of a reply that differ from request to request, and are no part of the answer. */
export interface Dialect {
  readonly mask: (body: string) => string;
  /** Members that lead to the list of hits. */
  readonly hits: readonly string[];
  /** Paths of several searches in one request, and the list of their replies. */
  readonly several?: { readonly path: string; readonly replies: string };
  /** A member of the reply with one entry per shown hit, by its id. */
  readonly byHit?: string;
  /** The member of a hit by whose values that part is named. Default: id. */
  readonly id?: string;
  /** The same search for hits [0, size). */
  readonly window: (shape: Shape, size: number) => Shape;
}

export async function ask(
  base: string,
  { method, path, body, headers }: Omit<Shape, "label" | "outcome">,
  more: Readonly<Record<string, string>> = {},
): Promise<Reply> {
  const sent = method ?? (body === undefined ? "GET" : "POST");
  const type = body === undefined ? {} : { "content-type": "application/json" };
  const response = await fetch(`${base}${path}`, {
    method: sent,
    headers: { ...type, ...headers, ...more },
    ...(body !== undefined && { body }),
  });
  return { status: response.status, body: await response.text(), outcome: outcomeOf(response.headers.get("x-armmt")) };
}

/** "applied", the reason, or both for several searches. */
function outcomeOf(header: string | null): string {
  if (header === null) return "none";
  return header
    .split(", ")
    .map((entry) => /reason=(\w+)/.exec(entry)?.[1] ?? entry.split(";")[0])
    .join(", ");
}

interface Judgement {
  /** What is wrong; empty where all is well. */
  readonly faults: readonly string[];
  /** With re-ranking off, the edge answers as the engine does. */
  readonly isSame: boolean;
  readonly outcome: string;
}

async function judge(shape: Shape, engine: string, edge: string, dialect: Dialect): Promise<Judgement> {
  const direct = await ask(engine, shape);
  const off = await ask(edge, shape, { "x-armmt": "off" });
  const served = await ask(edge, shape);
  const faults: string[] = [];
  const say = (fault: string): void => void faults.push(`${shape.label}: ${fault}`);
  if (off.status !== direct.status) say(`off is ${off.status}, the engine says ${direct.status}: ${off.body.slice(0, 200)}`);
  else if (dialect.mask(off.body) !== dialect.mask(direct.body))
    say(`off differs: ${difference(dialect.mask(off.body), dialect.mask(direct.body))}`);
  const isSame = faults.length === 0;
  if (shape.outcome !== "any" && served.outcome !== shape.outcome) say(`outcome ${served.outcome}, expected ${shape.outcome}`);
  if (served.status !== direct.status) say(`${served.status}, the engine says ${direct.status}`);
  else if (served.outcome.includes("applied") && dialect.several !== undefined && shape.path.includes(dialect.several.path))
    faults.push(...judgeParts(shape, direct, served, dialect));
  else if (served.outcome === "applied") faults.push(...(await judgeOrder(shape, direct, served, engine, dialect)));
  else if (dialect.mask(served.body) !== dialect.mask(direct.body))
    say(`not the engine's bytes: ${difference(dialect.mask(served.body), dialect.mask(direct.body))}`);
  return { faults, isSame, outcome: served.outcome };
}

/** Several searches in one reply: as many hits in each as the engine gives, none twice, and the same parts around them. */
function judgeParts(shape: Shape, direct: Reply, served: Reply, dialect: Dialect): string[] {
  const [own, page] = [direct, served].map(({ body }) =>
    listAt(dialect.mask(body), [dialect.several?.replies ?? ""])?.elements.map((part) => ({ part, list: listAt(part, dialect.hits) })),
  );
  const isSame = own?.every(({ part, list }, i) => {
    const given = page?.[i];
    // An error has no list.
    if (list === undefined) return given?.part === part;
    const { elements = [], around } = given?.list ?? {};
    return list.elements.length === elements.length && new Set(elements).size === elements.length && list.around === around;
  });
  return isSame === true && own?.length === page?.length ? [] : [`${shape.label}: the parts differ from the engine's`];
}

/** Engines themselves answer some requests now so, now so: a fault counts that is there three times in a row. Others are printed. */
async function judgeRepeatedly(shape: Shape, engine: string, edge: string, dialect: Dialect): Promise<Judgement> {
  let judgement = await judge(shape, engine, edge, dialect);
  for (let again = 0; again < 2 && judgement.faults.length > 0; again++) {
    console.warn(`Once, and asked again: ${judgement.faults.join("; ")}`);
    judgement = await judge(shape, engine, edge, dialect); // oxlint-disable-line no-await-in-loop
  }
  return judgement;
}

/** As judge(), a few at a time; what is wrong. The figures are printed at the end of the run. */
export async function judgeAll(shapes: readonly Shape[], engine: string, edge: string, dialect: Dialect): Promise<string[]> {
  const judgements: Judgement[] = [];
  for (let i = 0; i < shapes.length; i += AT_ONCE) {
    judgements.push(...(await Promise.all(shapes.slice(i, i + AT_ONCE).map((shape) => judgeRepeatedly(shape, engine, edge, dialect))))); // oxlint-disable-line no-await-in-loop
  }
  report({
    asked: judgements.length,
    same: judgements.filter(({ isSame }) => isSame).length,
    outcomes: judgements.flatMap(({ outcome }) => outcome.split(", ")),
  });
  return judgements.flatMap(({ faults }) => faults);
}

const AT_ONCE = 4;

async function judgeOrder(shape: Shape, direct: Reply, served: Reply, engine: string, dialect: Dialect): Promise<string[]> {
  const wide = await ask(engine, dialect.window(shape, 200));
  const [own, page, window] = [direct, served, wide].map(({ body }) => listAt(dialect.mask(body), dialect.hits));
  // Beyond the last hit some engines have no list.
  if (own === undefined && dialect.mask(served.body) === dialect.mask(direct.body)) return [];
  if (own === undefined || page === undefined || window === undefined) return [`${shape.label}: a reply has no list of hits`];
  const faults: string[] = [];
  const say = (fault: string): void => void faults.push(`${shape.label}: ${fault}`);
  if (page.elements.length !== own.elements.length) say(`${page.elements.length} hits, the engine gives ${own.elements.length}`);
  if (new Set(page.elements).size !== page.elements.length) say("a hit is there twice");
  const known = new Set(window.elements);
  const foreign = page.elements.filter((hit) => !known.has(hit));
  if (foreign.length > 0) say(`${foreign.length} hits are not the engine's bytes: ${foreign[0]?.slice(0, 200)}`);
  const [around, ownAround] = [page.around, own.around].map((text) => withoutMember(text, dialect.byHit));
  if (around !== ownAround) say(`around the hits: ${difference(around ?? "", ownAround ?? "")}`);
  const described = dialect.byHit === undefined ? undefined : memberOf(JSON.parse(served.body), dialect.byHit);
  if (described !== undefined) {
    const ids = page.elements.map((hit) => memberOf(JSON.parse(hit), dialect.id ?? "id"));
    // Where the shopper asks for ids.
    if (ids.every((id) => id !== undefined) && JSON.stringify(Object.keys(described)) !== JSON.stringify(ids))
      say(`${dialect.byHit} is not about the shown hits`);
  }
  return faults;
}

function memberOf(value: unknown, name: string): object | string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const member: unknown = Object.getOwnPropertyDescriptor(value, name)?.value;
  return typeof member === "object" && member !== null ? member : typeof member === "string" ? member : undefined;
}

/** The text with one of its members in the order of names: some engines write it in the order of a hash table, which changes. */
export function withSortedMember(text: string, name: string): string {
  const at = valueOf(text, 0, name);
  if (at === undefined) return text;
  const end = endOf(text, at);
  return text.slice(0, at) + JSON.stringify(sorted(JSON.parse(text.slice(at, end)))) + text.slice(end);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}

function withoutMember(text: string, name: string | undefined): string {
  const at = name === undefined ? undefined : valueOf(text, 0, name);
  return at === undefined ? text : text.slice(0, at) + text.slice(endOf(text, at));
}

function difference(left: string, right: string): string {
  let at = 0;
  while (at < left.length && left[at] === right[at]) at++;
  return `…${left.slice(Math.max(0, at - 30), at + 60)}… instead of …${right.slice(Math.max(0, at - 30), at + 60)}…`;
}

/** The elements of a list in a JSON text, as they are written there, and the text without them. Reads JSON in its own way, not as the edge does. */
export function listAt(
  text: string,
  path: readonly string[],
): { readonly elements: readonly string[]; readonly around: string } | undefined {
  let at = 0;
  for (const name of path) {
    const found = valueOf(text, at, name);
    if (found === undefined) return undefined;
    at = found;
  }
  at = skipSpace(text, at);
  if (text[at] !== "[") return undefined;
  const start = at + 1;
  const elements: string[] = [];
  at = skipSpace(text, start);
  while (at < text.length && text[at] !== "]") {
    const end = endOf(text, at);
    elements.push(text.slice(at, end));
    at = skipSpace(text, end);
    if (text[at] === ",") at = skipSpace(text, at + 1);
  }
  return { elements, around: text.slice(0, start) + text.slice(at) };
}

/** Where the value of a member begins. */
function valueOf(text: string, from: number, name: string): number | undefined {
  let at = skipSpace(text, from);
  if (text[at] !== "{") return undefined;
  at = skipSpace(text, at + 1);
  while (at < text.length && text[at] !== "}") {
    const keyEnd = endOf(text, at);
    const key: unknown = JSON.parse(text.slice(at, keyEnd));
    const value = skipSpace(text, skipSpace(text, keyEnd) + 1);
    if (key === name) return value;
    at = skipSpace(text, endOf(text, value));
    if (text[at] === ",") at = skipSpace(text, at + 1);
  }
  return undefined;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (" \t\r\n".includes(text[at] ?? "x")) at++;
  return at;
}

/** Behind the value that begins at `from`. */
function endOf(text: string, from: number): number {
  let depth = 0;
  let at = from;
  for (; at < text.length; at++) {
    const character = text[at];
    if (character === '"') {
      at++;
      while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
      if (depth === 0) return at + 1;
    } else if (character === "{" || character === "[") depth++;
    else if (character === "}" || character === "]") {
      if (depth === 0) return at;
      depth--;
      if (depth === 0) return at + 1;
    } else if (depth === 0 && (character === "," || " \t\r\n".includes(character ?? ""))) return at;
  }
  return at;
}
