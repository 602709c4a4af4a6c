/**
 * What the page reads of an answer: Elasticsearch's JSON, the edge's `armmt` member, the `x-armmt` header, the shop's `/catalog.json`.
 *
 * Parsed once with valibot, trusted afterwards. Knows nothing of the document.
 */
import * as v from "valibot";

const sourceSchema = v.object({
  title: v.string(),
  category: v.optional(v.string()),
  price: v.optional(v.number()),
  rating: v.optional(v.number()),
  rating_count: v.optional(v.number()),
  in_stock: v.optional(v.boolean()),
  image: v.string(),
});

const explainedSchema = v.object({
  id: v.string(),
  /** 1-based place in the engine's order. */
  rank: v.number(),
  /** 1-based place as shown. */
  position: v.number(),
  /** How much the model leaned on text and on the picture; sums to 1. Absent where the search was left alone. */
  gate: v.nullish(v.object({ text: v.number(), image: v.number() })),
});

const replySchema = v.object({
  hits: v.object({
    total: v.object({ value: v.number(), relation: v.string() }),
    hits: v.array(v.object({ _id: v.string(), _source: sourceSchema })),
  }),
  armmt: v.optional(
    v.object({
      history: v.optional(v.object({ given: v.number(), known: v.number() })),
      items: v.optional(v.array(explainedSchema), []),
    }),
  ),
});

export interface Product extends v.InferOutput<typeof sourceSchema> {
  readonly id: string;
}

export type Explained = v.InferOutput<typeof explainedSchema>;

export interface Page {
  readonly total: number;
  /** True where the engine stopped counting at `total`. */
  readonly isLowerBound: boolean;
  readonly products: readonly Product[];
  readonly explained: ReadonlyMap<string, Explained>;
  readonly history: { readonly given: number; readonly known: number } | undefined;
}

/** Throws (valibot's message) where the JSON is no search reply. */
export function parsePage(json: unknown): Page {
  const { hits, armmt } = v.parse(replySchema, json);
  return {
    total: hits.total.value,
    isLowerBound: hits.total.relation !== "eq",
    products: hits.hits.map(({ _id: id, _source: source }) => ({ id, ...source })),
    explained: new Map((armmt?.items ?? []).map((item) => [item.id, item])),
    history: armmt?.history,
  };
}

export type Outcome =
  | { readonly kind: "applied"; readonly model: string; readonly window: number }
  | { readonly kind: "bypass"; readonly reason: string }
  /** No edge in between: the page was opened at the shop itself. */
  | { readonly kind: "absent" };

/** Reads `applied; model=<version>; window=<W>; list=<id>` or `bypass; reason=<code>`. */
export function parseOutcome(header: string | undefined): Outcome {
  if (header === undefined) return { kind: "absent" };
  const [kind, ...pairs] = header.split(";").map((part) => part.trim());
  const values = new Map(pairs.map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]));
  if (kind === "applied") return { kind, model: values.get("model") ?? "unknown", window: Number(values.get("window") ?? 0) };
  return { kind: "bypass", reason: values.get("reason") ?? "unknown" };
}

export interface DeviceAnswer {
  /** "wasm" or "webgpu". */
  readonly provider: string;
  /** Where the engine's own list came from: "network", or "device" without one. */
  readonly engine: string | undefined;
}

/** Reads `provider=wasm; engine=network`, the header of the service worker. */
export function parseDevice(header: string | undefined): DeviceAnswer | undefined {
  const provider = /provider=(\w+)/.exec(header ?? "")?.[1];
  return provider === undefined ? undefined : { provider, engine: /engine=(\w+)/.exec(header ?? "")?.[1] };
}

const catalogSchema = v.object({
  name: v.string(),
  /** A line about the catalogue. */
  note: v.optional(v.string()),
  count: v.number(),
  /** Width over height at which pictures are shown, e.g. 1 or 0.75. */
  pictureAspect: v.optional(v.number(), 1),
  exampleQueries: v.optional(v.array(v.string()), []),
  /** Lets this page ask for explanations; only a local demo has one. */
  explainToken: v.optional(v.string()),
});

export type Catalog = v.InferOutput<typeof catalogSchema>;

export function parseCatalog(json: unknown): Catalog {
  return v.parse(catalogSchema, json);
}

/** Parses JSON from localStorage: recently viewed products, most recent first; anything else reads as none. */
const recentSchema = v.array(v.object({ id: v.string(), title: v.string(), image: v.string() }));

export type RecentProduct = v.InferOutput<typeof recentSchema>[number];

export function parseRecent(json: unknown): RecentProduct[] {
  const parsed = v.safeParse(recentSchema, json);
  return parsed.success ? parsed.output : [];
}
