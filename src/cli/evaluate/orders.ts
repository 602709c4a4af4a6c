/** The orders that are compared: the engine's, and what the edge would make of it, by the functions that serve. */
import {
  createItemStore,
  type ItemLookup,
  kvOf,
  type KvReader,
  pointerKey,
  type PublishedSet,
  queryTableKey,
  setKey,
  ShardCache,
  shardKey,
} from "../../embeddings/store.ts";
import type { Scorer } from "../../inference/scorer.ts";
import { servedOrder } from "../../inference/trust.ts";
import { rerank } from "../../ranking/rerank.ts";
import { type Bypass, err, ok, type Result } from "../../result.ts";
import { type Followed, followedBy, scoreList, vectorsMissing } from "../../search/follow.ts";
import { DAY_MS, UserError } from "../../web.ts";
import { type Fit, fitOf, SAMPLE } from "./fit.ts";
import type { FoundHit } from "./lists.ts";

/** A catalogue's set as `armmt embed` leaves it. */
export interface EmbeddedSet {
  readonly set: PublishedSet;
  /** By shard number. */
  readonly shards: readonly Uint8Array[];
  readonly queryTable?: Uint8Array<ArrayBuffer> | undefined;
}

export interface OrderMaker {
  /** The engine's first, then the one without a model, then models. */
  readonly names: readonly string[];
  readonly set: Pick<PublishedSet, "version" | "textEncoder" | "imageEncoder">;
  /** `order`: what the variant `armmt` is made of. */
  readonly model: { readonly version: string } & ReturnType<typeof servedOrder>;
  /** By name: indices of `hits`, best first. */
  order(query: string, hits: readonly FoundHit[]): Promise<ReadonlyMap<string, readonly number[]>>;
  /** Of these products; `undefined` where the set has no query table. Throws a UserError where it has none of them. */
  fit(products: readonly { readonly id: string; readonly title: string }[]): Promise<Fit | undefined>;
  /** What could not be ranked so far, and why. */
  notes(): readonly string[];
}

export const ENGINE = "engine";
export const SEMANTIC = "semantic";
/** As it would be served: with the trust that the set has published. */
export const MODEL = "armmt";

/** Shares of a model's order besides the published one. */
const TRUSTS = [0, 0.3, 1];

const CATALOG = "evaluated";
const TIMEOUT_MS = 60_000;

/** `scorer`: of the model that would serve. */
export function createOrderMaker(embedded: EmbeddedSet, scorer: Scorer): OrderMaker {
  const { set } = embedded;
  const store = createItemStore({
    kv: kvOfSet(embedded, CATALOG),
    catalog: CATALOG,
    shards: new ShardCache(Infinity),
    timeoutMs: TIMEOUT_MS,
    now: () => Date.now(),
  });
  const served = servedOrder(scorer.manifest, set);
  const canTrust = servedOrder(scorer.manifest, { ...set, trust: 1 }).trust === 1;
  const trusts = canTrust ? TRUSTS.filter((trust) => trust !== served.trust) : [];
  /** By name: what decides, given what the store has found. */
  const followers: readonly (readonly [string, (lookup: ItemLookup) => Result<Followed, Bypass>])[] = [
    [SEMANTIC, (lookup) => followedBy(undefined, lookup)],
    [MODEL, (lookup) => followedBy(scorer, lookup)],
    ...trusts.map(
      (trust) => [`${MODEL} at trust ${trust}`, (lookup: ItemLookup) => followedBy(scorer, { ...lookup, set: { ...set, trust } })] as const,
    ),
  ];
  /** With the first detail of each kind. */
  const left = new Map<string, { readonly lists: number; readonly detail: string }>();
  const seen = { hits: 0, known: 0 };

  async function rank(
    query: string,
    hits: readonly FoundHit[],
    lookup: ItemLookup,
    followed: Result<Followed, Bypass>,
  ): Promise<Result<readonly number[], Bypass>> {
    if (!followed.ok) return followed;
    const { items } = lookup;
    const missing = vectorsMissing(items, set.version);
    if (missing !== undefined) return err(missing);
    const candidates = hits.map(({ id: itemId, score }, i) => ({ itemId, rank: i + 1, score }));
    const isPinned = hits.map(() => false);
    const list = { queryText: query, candidates, items, history: [], nowDay: Math.floor(Date.now() / DAY_MS) };
    const scores = await scoreList(
      list,
      isPinned,
      followed.value,
      () => true,
      (run) => run(),
    );
    return scores.ok ? rerank(scores.value.score, isPinned) : scores;
  }

  return {
    names: [ENGINE, ...followers.map(([name]) => name)],
    set,
    model: { version: scorer.manifest.version, ...served },
    async order(query, hits) {
      const engine = [...hits.keys()];
      const orders = new Map<string, readonly number[]>([[ENGINE, engine]]);
      const lookup = await store.lookup(hits.map(({ id }) => id));
      if (!lookup.ok) throw new UserError(`Cannot look up the hits of "${query}": ${lookup.error.detail}`);
      seen.hits += hits.length;
      seen.known += lookup.value.items.filter((item) => item !== undefined).length;
      for (const [name, follow] of followers) {
        // As at the edge: nothing to order.
        const ranked = hits.length < 2 ? ok(engine) : await rank(query, hits, lookup.value, follow(lookup.value)); // oxlint-disable-line no-await-in-loop
        if (!ranked.ok) {
          const kind = `${name} is the engine's order, ${ranked.error.reason}`;
          const { lists = 0, detail = ranked.error.detail } = left.get(kind) ?? {};
          left.set(kind, { lists: lists + 1, detail });
        }
        orders.set(name, ranked.ok ? ranked.value : engine);
      }
      return orders;
    },
    async fit(products) {
      const step = Math.max(1, Math.floor(products.length / SAMPLE));
      const sample = products.filter((_, i) => i % step === 0).slice(0, SAMPLE);
      const lookup = await store.lookup(sample.map(({ id }) => id));
      if (!lookup.ok) throw new UserError(`Cannot look up products in set ${set.version}: ${lookup.error.detail}`);
      if (lookup.value.items.every((item) => item === undefined)) {
        throw new UserError(
          `Set ${set.version} has none of the catalogue's products: embed this catalogue, or name its folder with --from`,
        );
      }
      return fitOf(lookup.value, sample.map(({ title }) => title)); // prettier-ignore
    },
    notes: () => [
      `${MODEL} is ${described(served)}: ${served.why}`,
      ...(seen.known === seen.hits
        ? []
        : [`${seen.hits - seen.known} of ${seen.hits} hits are not in set ${set.version}: embed the catalogue again`]),
      ...Array.from(left, ([kind, { lists, detail }]) => `${lists} lists in which ${kind}: ${detail}`),
    ],
  };
}

function described({ order, trust }: ReturnType<typeof servedOrder>): string {
  if (order === "engine") return "the engine's order";
  if (order === "semantic") return `the order "${SEMANTIC}"`;
  return order === "model" ? "the model's order" : `the order "${SEMANTIC}" with the model's by ${trust}`;
}

function jsonBytes(value: unknown): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(value));
}

/** The set as the edge reads it from KV, published for `catalog`. */
export function kvOfSet({ set, shards, queryTable }: EmbeddedSet, catalog: string): KvReader {
  const values = new Map<string, Uint8Array<ArrayBuffer>>([
    [pointerKey(catalog), jsonBytes({ version: set.version, previous: null, publishedAt: "" })],
    [setKey(catalog, set.version), jsonBytes(set)],
    ...shards.map((shard, n) => [shardKey(catalog, set.version, n), Uint8Array.from(shard)] as const),
    ...(queryTable === undefined ? [] : [[queryTableKey(catalog, set.version), queryTable] as const]),
  ]);
  return kvOf(async (key) => values.get(key));
}
