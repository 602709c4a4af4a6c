/** The edge inside a Hono server of one's own, in Node. Vectors come from the folder that `armmt publish --folder .armmt/server/kv` writes. */
import { serve } from "@hono/node-server";
import { elasticsearch } from "armmt-edge/backends/elasticsearch";
import { rerank } from "armmt-edge/hono";
import { folderKv, nodeScorer } from "armmt-edge/node";
import { Hono } from "hono";

const products = elasticsearch({ url: process.env["ENGINE_URL"] ?? "http://127.0.0.1:9200", window: 100 });
const { scorer } = await nodeScorer();

const app = new Hono();
app.get("/health", (c) => c.text("ok"));
app.route("/", rerank({ indexes: { products }, vectors: folderKv(".armmt/server/kv"), scorer }));

serve({ fetch: app.fetch, port: Number(process.env["PORT"] ?? 8788), hostname: "127.0.0.1" }, ({ port }) =>
  console.log(`http://127.0.0.1:${port}`),
);
