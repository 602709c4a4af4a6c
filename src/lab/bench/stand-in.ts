/** Servers beside the edge, each in its own process, so that their time and memory are not the edge's. They end with their parent. */
import { fork } from "node:child_process";
import { createServer } from "node:http";
import { buffer } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import * as v from "valibot";
import { sleep, UserError } from "../../web.ts";

/** `delayMs`: before each reply. `port`: default any free one. */
export async function startStandIn(name: "engine" | "stores" | "model", { delayMs = 0, port = 0 } = {}) {
  const options = [name, String(delayMs), String(port)];
  const child = fork(fileURLToPath(import.meta.url), options, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const listening = await new Promise<number>((resolve, reject) => {
    child.once("message", (message) => resolve(Number(message)));
    child.once("exit", (code) => reject(new Error(`The process of the ${name} ended with code ${code}`)));
  });
  /** `address`: host:port */
  return { address: `127.0.0.1:${listening}`, port: listening, stop: () => child.kill() };
}

export async function startStores() {
  const stores = await startStandIn("stores");
  const origin = `http://${stores.address}`;
  return {
    ...stores,
    kv: {
      async put(key: string, value: string | Uint8Array<ArrayBuffer>) {
        const reply = await fetch(`${origin}/${encodeURIComponent(key)}`, { method: "PUT", body: value });
        if (!reply.ok) throw new UserError(`The stand-in stores answered ${reply.status} to key ${key}`);
      },
      async get(key: string): Promise<string | undefined> {
        const reply = await fetch(`${origin}/${encodeURIComponent(key)}`);
        return reply.ok ? reply.text() : undefined;
      },
    },
    /** D1 statements run since the start. */
    statements: async () => v.parse(v.number(), await (await fetch(`${origin}/statements`)).json()),
  };
}

type Reply = Readonly<{ status: number; body: Buffer | string }>;

type Handler = (method: string, url: URL, body: Buffer) => Promise<Reply> | Reply;

const ROW_WRITTEN = {
  success: true,
  results: { columns: [], rows: [] },
  meta: { served_by: "stand-in", duration: 0, changes: 1, last_row_id: 1, changed_db: true, size_after: 0, rows_read: 0, rows_written: 1 },
};

/** KV and D1 in workerd's own protocol. KV stores values (PUT, GET); D1 answers every statement (POST) with one row written, and counts it. */
function openStores(): Handler {
  const values = new Map<string, Buffer>();
  let statements = 0;
  return (method, { pathname }, body) => {
    const key = decodeURIComponent(pathname.slice(1));
    if (method === "PUT") {
      values.set(key, body);
      return { status: 200, body: "" };
    }
    if (method === "POST") {
      const requested: unknown = JSON.parse(body.toString("utf8"));
      statements += Array.isArray(requested) ? requested.length : 1;
      return { status: 200, body: JSON.stringify(Array.isArray(requested) ? requested.map(() => ROW_WRITTEN) : ROW_WRITTEN) };
    }
    if (key === "statements") return { status: 200, body: String(statements) };
    const value = values.get(key);
    return value === undefined ? { status: 404, body: "" } : { status: 200, body: value };
  };
}

/** The model in Node: `GET /wasm?k=50&runs=10` or `/native?…`, as model-worker.ts in workerd. */
async function openModel(): Promise<Handler> {
  const { readModelFiles } = await import("../../runtimes/node/models.ts");
  const { createNodeScorer } = await import("../../inference/node-scorer.ts");
  const { runModel } = await import("./model-run.ts");
  const { model, manifest } = await readModelFiles();
  const scorerOn = (runtime: "wasm" | "native") => createNodeScorer({ model: new Uint8Array(model), manifest, runtime });
  const scorers = { wasm: await scorerOn("wasm"), native: await scorerOn("native") };
  return (_method, { pathname, searchParams }) => runModel(pathname === "/native" ? scorers.native : scorers.wasm, searchParams);
}

const HANDLERS: Readonly<Record<string, () => Promise<Handler> | Handler>> = {
  async engine() {
    const { replyTo } = await import("./engine.ts");
    return (_method, _url, body) => ({ status: 200, body: replyTo(body.toString("utf8")) });
  },
  stores: openStores,
  model: openModel,
};

/** Keep-alive connections outlast every pause of the bench. */
const KEEP_ALIVE_MS = 600_000;

async function serveParent(open: () => Promise<Handler> | Handler, delayMs: number, port: number): Promise<void> {
  const handler = await open();
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? "/", "http://stand-in");
    const { status, body } = await handler(request.method ?? "", url, await buffer(request));
    if (delayMs > 0) await sleep(delayMs);
    response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(body) }).end(body);
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.listen(port, "127.0.0.1", () => {
    const address = server.address();
    process.send?.(typeof address === "object" ? address?.port : undefined);
  });
  process.on("disconnect", () => process.exit(0));
}

const open = HANDLERS[process.argv[2] ?? ""];
if (import.meta.main && open !== undefined) await serveParent(open, Number(process.argv[3]), Number(process.argv[4]));
