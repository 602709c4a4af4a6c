/** What two orders show first for each query of the list, from what the demo's engine finds, by the functions that serve. */
import { createOrderMaker, ENGINE, MODEL, SEMANTIC, type EmbeddedSet } from "../../cli/evaluate/orders.ts";
import { openModelFolder } from "../../cli/evaluate/model.ts";
import { drawCatalogue } from "../../demo/catalogue/catalogue.ts";
import { createRandom } from "../../demo/catalogue/random.ts";
import { SYNONYMS } from "../../demo/catalogue/synonyms.ts";
import { createEngine } from "../../demo/engine.ts";
import { UserError } from "../../web.ts";
import { type Query, QUERIES } from "./queries.ts";

export const ORDERS = [ENGINE, SEMANTIC, MODEL] as const;
export type Order = (typeof ORDERS)[number];

/** As the demo's index is configured. */
const WINDOW = 100;

/** What a shopper sees without scrolling far. */
const SHOWN = 10;

export interface PairOptions {
  /** What the drawn catalogue was embedded into. */
  readonly embedded: EmbeddedSet;
  /** The order in question, and the one it is held against. */
  readonly of: Order;
  readonly against: Order;
  /** Of the model, 0 to 1. */
  readonly trust: number;
}

export interface Pair extends Query {
  /** Product ids, best first. */
  readonly of: readonly string[];
  readonly against: readonly string[];
}

export interface Pairs {
  readonly pairs: readonly Pair[];
  readonly model: string;
  readonly set: string;
}

/** Throws a UserError where the vectors are not the drawn catalogue's, or an order cannot be made. */
export async function findPairs({ embedded, of, against, trust }: PairOptions): Promise<Pairs> {
  const drawn = drawCatalogue();
  const engine = createEngine(drawn, SYNONYMS);
  const orders = createOrderMaker({ ...embedded, set: { ...embedded.set, trust } }, await openModelFolder());
  const pairs: Pair[] = [];
  for (const { text, kind } of QUERIES) {
    const hits = engine.hits(text, WINDOW);
    const made = await orders.order(text, hits); // oxlint-disable-line no-await-in-loop -- one model, one run at a time
    const first = (name: Order): string[] => made.get(name)!.slice(0, SHOWN).map((i) => hits[i]!.id); // prettier-ignore
    pairs.push({ text, kind, of: first(of), against: first(against) });
  }
  // Of an order that could not be made the engine's stands in its place, and nobody would see it.
  const left = orders.notes().filter((note) => [of, against].some((name) => note.includes(` ${name} is the engine's order`)));
  if (left.length > 0) throw new UserError(`Not the orders that were asked for: ${left.join("; ")}; run armmt embed first`);
  return { pairs, model: orders.model.version, set: orders.set.version };
}

export type Side = "left" | "right";

/** Where the order in question stands: by chance, and known to whoever knows the seed. */
export function sideOf(seed: string, query: string): Side {
  return createRandom(`${seed}:${query}`).chance(0.5) ? "left" : "right";
}

export function isSame({ of, against }: Pair): boolean {
  return of.length === against.length && of.every((id, i) => id === against[i]);
}
