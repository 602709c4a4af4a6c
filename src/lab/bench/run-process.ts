/**
 * The model alone in Node, asked in the same way as the Worker of run-worker.ts, so that the two compare: `GET /?k=50&runs=10` on the wasm
 * of onnxruntime-web, with `&runtime=native` on onnxruntime-node. Runs as a process of its own (`fork`), tells its port, ends with its
 * parent.
 */
import { createServer } from "node:http";
import type { ListTensors } from "../../ranking/features.ts";
import { serveParent } from "./child-server.ts";
import { createList } from "../../cli/build/sample-list.ts";
import { openPeers } from "./peers.ts";

const peers = await openPeers();

const lists = new Map<number, ListTensors>();

async function answer(url: string): Promise<{ readonly status: number; readonly text: string }> {
  const { searchParams } = new URL(url, "http://peers");
  const scorer = searchParams.get("runtime") === "native" ? peers.native : peers.nodeWasm;
  const k = Number(searchParams.get("k"));
  const list = lists.get(k) ?? createList(k, scorer.manifest.dims);
  lists.set(k, list);
  for (let run = 0; run < Number(searchParams.get("runs")); run++) {
    const scores = await scorer.score(list); // oxlint-disable-line no-await-in-loop
    if (!scores.ok) return { status: 500, text: scores.error.detail };
  }
  return { status: 200, text: "done" };
}

const server = createServer((request, response) => {
  void answer(request.url ?? "/").then(({ status, text }) => {
    response.writeHead(status, { "content-length": Buffer.byteLength(text) });
    response.end(text);
  });
});
serveParent(server);
