/**
 * A search engine that takes next to no time: replays Elasticsearch replies of drawn products, so that what is measured is the edge.
 * Runs as a process of its own (`fork`), tells its port, and ends with its parent.
 *
 * Ranks nothing: a query text picks where in the catalogue its hits begin.
 */
import { createServer } from "node:http";
import { drawCatalogue } from "../../demo/catalogue.ts";
import { fnv1a } from "../../ranking/tokenizer.ts";

/** Everything of a hit but its score, which depends on the place. */
interface HitText {
  readonly before: string;
  readonly after: string;
}

const products = drawCatalogue().map(({ id, title, category, price, rating, ratingCount, popularity, inStock, image }): HitText => {
  const source = { title, category, price, rating, rating_count: ratingCount, popularity, in_stock: inStock, image };
  return {
    before: `{"_index":"products","_id":${JSON.stringify(id)},"_score":`,
    after: `,"_source":${JSON.stringify(source)}}`,
  };
});

const DEFAULT_SIZE = 10;

function reply(body: string): string {
  const { query, from = 0, size = DEFAULT_SIZE } = Object(JSON.parse(body));
  const start = fnv1a(JSON.stringify(query)) % products.length;
  const hits: string[] = [];
  for (let place = Number(from); place < Number(from) + Number(size); place++) {
    const { before, after } = products[(start + place) % products.length]!;
    hits.push(`${before}${(30 / (1 + place / 10)).toFixed(5)}${after}`);
  }
  const total = `{"value":${products.length},"relation":"eq"}`;
  return `{"took":1,"timed_out":false,"_shards":{"total":1,"successful":1,"skipped":0,"failed":0},"hits":{"total":${total},"max_score":30.0,"hits":[${hits.join(",")}]}}`;
}

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const body = reply(Buffer.concat(chunks).toString("utf8"));
    response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(body) });
    response.end(body);
  });
});
server.keepAliveTimeout = 600_000;
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  process.send?.(typeof address === "object" ? address?.port : undefined);
});
process.on("disconnect", () => process.exit(0));
