/**
 * Moving the hits of a reply as byte spans, against what one would write first: JSON.parse, reverse, JSON.stringify. In Node, on replies of
 * about a megabyte, taking turns; the edge's own V8 is the same.
 */
import { performance } from "node:perf_hooks";
import { createElasticsearch } from "../../backends/elasticsearch.ts";
import type { DrawnProduct } from "../../demo/catalogue.ts";
import type { Bench } from "./context.ts";
import { DRAWN_ITEMS } from "./edge.ts";
import type { Measurement } from "./measurement.ts";
import { measured, median } from "./measurement.ts";
import { productsOf } from "./products.ts";
import { UserError } from "../../web.ts";

const REPLY_BYTES = 1_000_000;

/** What shops put into a hit: short fields only, a text for people beside them, or many numbers. */
const KINDS = {
  "short fields": () => ({}),
  "long texts": ({ title, category }: DrawnProduct) => ({
    description: `${title}. Made for “every day”, and for the days that are not.\n`.repeat(12),
    breadcrumbs: [category, "Shop"],
  }),
  "many numbers": ({ price }: DrawnProduct) => ({
    sizes: Array.from({ length: 60 }, (_, i) => ({ eu: 30 + i / 2, price: price + i / 100 })),
  }),
} as const;

export async function benchReplies({ plan }: Bench): Promise<Measurement[]> {
  const { runSamples: samples, warmUpRunSamples: warmUpSamples } = plan;
  const products = productsOf(DRAWN_ITEMS);
  return Object.entries(KINDS).flatMap(([kind, moreOf]) => {
    const bytes = replyOf(products, moreOf);
    const spans: number[] = [];
    const values: number[] = [];
    for (let sample = -warmUpSamples; sample < samples; sample++) {
      const times = [timeOf(() => moveSpans(bytes)), timeOf(() => moveValues(bytes))] as const;
      if (sample < 0) continue;
      spans.push(times[0]);
      values.push(times[1]);
    }
    const peer = "JSON.parse + JSON.stringify";
    const name = `moving all hits of a ${(bytes.length / 1e6).toFixed(1)} MB reply, ${kind}`;
    return [measured(name, "ms", spans, { peer, p50: median(values) }), measured(`${name}, ${peer}`, "ms", values)];
  });
}

function replyOf(products: readonly DrawnProduct[], moreOf: (product: DrawnProduct) => object): Uint8Array {
  const hits: object[] = [];
  for (let length = 0, place = 0; length < REPLY_BYTES; place++) {
    const product = products[place % products.length]!;
    const { title, category, price, rating, inStock, image } = product;
    const source = { title, category, price, rating, inStock, image, ...moreOf(product) };
    const hit = { _index: "products", _id: `${product.id}-${place}`, _score: 30 / (1 + place / 10), _source: source };
    hits.push(hit);
    length += JSON.stringify(hit).length;
  }
  const total = { value: hits.length, relation: "eq" };
  return new TextEncoder().encode(JSON.stringify({ took: 1, timed_out: false, hits: { total, max_score: 30, hits } }));
}

function timeOf(work: () => Uint8Array): number {
  const startedAt = performance.now();
  work();
  return performance.now() - startedAt;
}

const backend = createElasticsearch(new Map([["products", {}]]));

function moveSpans(bytes: Uint8Array): Uint8Array {
  const path = "/products/_search";
  const plan = backend.plan({ method: "GET", path, search: "?q=a", body: new Uint8Array() }, "products");
  const reply = plan.ok ? backend.parseReply(bytes, plan.value) : undefined;
  const part = reply?.ok === true ? reply.value.searches[0] : undefined;
  if (reply?.ok !== true || part?.ok !== true) throw new UserError("The bench cannot read its own reply");
  return reply.value.assemble([[...part.value.hits.keys()].toReversed()]);
}

function moveValues(bytes: Uint8Array): Uint8Array {
  const reply: { hits: { hits: object[] } } = JSON.parse(new TextDecoder().decode(bytes));
  reply.hits.hits.reverse();
  return new TextEncoder().encode(JSON.stringify(reply));
}
