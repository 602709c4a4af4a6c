/** A shop's own Worker in front of Elasticsearch. It carries no other engine's dialect. */
import { elasticsearch } from "armmt-edge/backends/elasticsearch";
import { createWorker } from "armmt-edge/cloudflare";
import rulesPage from "armmt-edge/rules-page.bin";
import edge from "../.armmt/edge/edge.bin";
import runtime from "../.armmt/edge/runtime.wasm";

const products = elasticsearch({ url: "http://127.0.0.1:9200", window: 100 });

export default await createWorker({ models: { edge, runtime }, rulesPage, indexes: { products }, engineTimeoutMs: 3000 });
