/**
 * What the stand-in engine answers: Elasticsearch replies with drawn products as hits.
 *
 * `POST /<items>/<bytes>/…`: the size of the catalogue, and of one hit (0 is as the product is). Ranks nothing: a query text picks one of
 * STARTS places where its hits begin, so that replies can be kept and no search waits for its hits to be printed.
 */
import { fnv1a } from "../../ranking/tokenizer.ts";
import { productAt } from "./products.ts";

const STARTS = 61;

const DEFAULT_SIZE = 10;

/** Of kept replies; then all are dropped. */
const MAX_KEPT_BYTES = 192 * 1024 * 1024;

interface Page {
  readonly items: number;
  readonly hitBytes: number;
  readonly start: number;
  readonly from: number;
  readonly size: number;
}

const kept = new Map<string, Buffer>();
let keptBytes = 0;

function hitAt(place: number, rank: number, hitBytes: number): string {
  const { id, title, category, price, rating, ratingCount, popularity, inStock, image } = productAt(place);
  const source = { title, category, price, rating, rating_count: ratingCount, popularity, in_stock: inStock, image };
  const print = (more: object): string =>
    `{"_index":"products","_id":${JSON.stringify(id)},"_score":${(30 / (1 + rank / 10)).toFixed(5)},"_source":${JSON.stringify({ ...source, ...more })}}`;
  const plain = print({});
  if (hitBytes <= plain.length) return plain;
  const sentence = `${title}. Made for the days that are like others, and for “those” that are not.\n`;
  const fill = Math.max(0, hitBytes - print({ description: "" }).length);
  return print({ description: sentence.repeat(Math.ceil(fill / sentence.length)).slice(0, fill) });
}

function printReply({ items, hitBytes, start, from, size }: Page): Buffer {
  const hits: string[] = [];
  for (let rank = from; rank < from + size; rank++) hits.push(hitAt((start + rank) % items, rank, hitBytes));
  const total = `{"value":${items},"relation":"eq"}`;
  return Buffer.from(
    `{"took":1,"timed_out":false,"_shards":{"total":1,"successful":1,"skipped":0,"failed":0},"hits":{"total":${total},"max_score":30.0,"hits":[${hits.join(",")}]}}`,
  );
}

/** `url`: path of the request; `body`: Elasticsearch's. */
export function replyTo(url: string, body: string): Buffer {
  const [, items, hitBytes] = url.split("/").map(Number);
  const { query, from = 0, size = DEFAULT_SIZE } = Object(JSON.parse(body));
  const start = Math.floor(((fnv1a(JSON.stringify(query)) % STARTS) * items!) / STARTS);
  const page: Page = { items: items!, hitBytes: hitBytes!, start, from: Number(from), size: Number(size) };
  const key = JSON.stringify(page);
  const known = kept.get(key);
  if (known !== undefined) return known;
  const printed = printReply(page);
  keptBytes += printed.length;
  if (keptBytes > MAX_KEPT_BYTES) {
    kept.clear();
    keptBytes = printed.length;
  }
  kept.set(key, printed);
  return printed;
}
