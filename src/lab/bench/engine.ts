/** Elasticsearch's replies, with drawn products. A query selects one of STARTS positions; replies are cached: no search waits for them. */
import { type DrawnProduct, drawCatalogue } from "../../demo/catalogue/catalogue.ts";
import { fnv1a } from "../../ranking/tokenizer.ts";

const STARTS = 61;
const DEFAULT_SIZE = 10;

let drawn: readonly DrawnProduct[] | undefined;

/** The catalogue of the bench. */
export const products = (): readonly DrawnProduct[] => (drawn ??= drawCatalogue());

/** Search texts as shoppers type them, all different: the first words of a title, and a number. */
export function createQueries(): () => string {
  let count = 0;
  return () => {
    const { title } = products()[(count * 131) % products().length]!;
    return `${title.split(" ").slice(0, 3).join(" ")} ${++count}`;
  };
}

export const searchBody = (text: string, size: number): string => JSON.stringify({ query: { match: { title: text } }, size });

const replies = new Map<string, Buffer<ArrayBuffer>>();

/** `body`: of a search request. */
export function replyTo(body: string): Buffer<ArrayBuffer> {
  const { query, from = 0, size = DEFAULT_SIZE } = Object(JSON.parse(body));
  const start = Math.floor(((fnv1a(JSON.stringify(query)) % STARTS) * products().length) / STARTS);
  const key = `${start} ${from} ${size}`;
  const reply = replies.get(key) ?? Buffer.from(printReply(start, Number(from), Number(size)));
  replies.set(key, reply);
  return reply;
}

function printReply(start: number, from: number, size: number): string {
  const { length } = products();
  const hits = Array.from({ length: size }, (_, i) => printHit(products()[(start + from + i) % length]!, from + i));
  const total = `{"value":${length},"relation":"eq"}`;
  return `{"took":1,"timed_out":false,"_shards":{"total":1,"successful":1,"skipped":0,"failed":0},"hits":{"total":${total},"max_score":30.0,"hits":[${hits.join(",")}]}}`;
}

function printHit({ id, title, category, price, rating, ratingCount, popularity, inStock, image }: DrawnProduct, index: number): string {
  const source = { title, category, price, rating, rating_count: ratingCount, popularity, in_stock: inStock, image };
  const score = (30 / (1 + index / 10)).toFixed(5);
  return `{"_index":"products","_id":${JSON.stringify(id)},"_score":${score},"_source":${JSON.stringify(source)}}`;
}
