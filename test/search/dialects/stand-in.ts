/**
 * The stand-ins of the engines, for the contract (src/testing.ts), the README's matrix and the official clients. Plain HTTP and JSON, no
 * code of ours, so that the edge is not tested against itself.
 */
import type { Ask, DialectCase, StandIn } from "../../../src/testing.ts";

export type { Ask, Page, ReadSearch, StandInItem } from "../../../src/testing.ts";

/** Columns of the README's matrix. */
export const FEATURES = [
  "search",
  "multi-search",
  "paging",
  "facets",
  "highlighting",
  "sort",
  "grouping",
  "pinned hits",
  "cursor",
  "no hits",
] as const;

export type Feature = (typeof FEATURES)[number];

/** One line of the matrix: its title has the engine's own parameters. */
export interface Case extends DialectCase {
  readonly feature: Feature;
}

export interface EngineStandIn extends StandIn {
  /** As in the matrix. */
  readonly title: string;
  /** Name in the configuration. */
  readonly backend: string;
  readonly cases: readonly Case[];
}

/** Thrown at a request that a stand-in does not answer as its engine would: a test that asks it fails, instead of passing on an invention. */
export class NotModelled extends Error {}

export const post = (path: string, body: unknown): Ask => ({
  path,
  init: { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) },
});

export const get = (path: string, params: Readonly<Record<string, string | number>>): Ask => ({
  path: `${path}?${new URLSearchParams(Object.entries(params).map(([name, value]) => [name, String(value)])).toString()}`,
  init: {},
});

/** A JSON object, or a failing test. */
export function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error(`Not an object: ${JSON.stringify(value)}`);
  return { ...value };
}

export function listOf(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new Error(`Not a list: ${JSON.stringify(value)}`);
  return value;
}

/** A number given as number or text; `fallback` where there is none. */
export function numberOf(value: unknown, fallback: number): number {
  return value === undefined || value === null || value === "" ? fallback : Number(value);
}

/** Hits of a page, as the engine cuts them. */
export function cut<T>(items: readonly T[], offset: number, limit: number): readonly T[] {
  return items.slice(offset, offset + limit);
}
