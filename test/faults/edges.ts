/** Edges in front of a hostile engine: the server in Node, inside this process, and the Worker that is deployed, in a workerd of its own. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { type KvReader, memoryKv } from "../../src/embeddings/store.ts";
import { fnv1a } from "../../src/ranking/tokenizer.ts";
import { ok } from "../../src/result.ts";
import { type Bundle, bundleWorker } from "../../src/lab/harness/bundle.ts";
import { readManifest } from "../../src/lab/harness/catalogue.ts";
import { startWorkerd, writeWorkerdConfig } from "../../src/lab/harness/workerd.ts";
import { ITEM_FEATURES, type ItemRecord } from "../../src/ranking/candidate.ts";
import { nodeScorer } from "../../src/runtimes/node/node.ts";
import { serve, type ServeOptions } from "../../src/runtimes/node/index.ts";
import type { EngineStandIn } from "../search/dialects/stand-in.ts";
import { ID_HEADER } from "./engine.ts";
import { ITEMS } from "./engine-faults.ts";
import { GENERIC_SIGN } from "./incomplete.ts";
import { listen } from "./listen.ts";

export const RUNTIMES = ["workerd", "Node"] as const;
export type RuntimeName = (typeof RUNTIMES)[number];

export const WINDOW = 20;
export const CATALOG = "faults";
export const ENGINE_TIMEOUT_MS = 1500;

export interface RunningEdge {
  readonly url: string;
  /** Lines of its log with level "error". */
  readonly errors: readonly string[];
  stop(): Promise<void> | void;
}

/** The configuration of an edge that has this one index. */
export function variables({ index, backend, config }: EngineStandIn, enginePort: number): Readonly<Record<string, unknown>> {
  const generic = backend === "generic" ? { generic: { ...Object(config).generic, incomplete: GENERIC_SIGN } } : {};
  return {
    INDEXES: { [index]: { backend, url: `http://127.0.0.1:${enginePort}`, window: WINDOW, ...config, ...generic, catalog: CATALOG } },
    ENGINE_TIMEOUT_MS,
    // Below the outer budget, and generous: a busy machine is no fault.
    RANK_BUDGET_MS: 1000,
    DEFAULT_VARIANT: "armmt",
    EVENT_SECRET: "a-secret-for-tests-only-of-32-characters",
    ADMIN_TOKEN: "a-token-for-tests-only",
    // Hono then makes each reply anew, which must not change it.
    ALLOW_ORIGINS: ["*"],
  };
}

/** A vector of unit length that follows from the item's id. */
const vector = (id: string, length: number): Float32Array => {
  const values = Float32Array.from({ length }, (_, i) => (fnv1a(`${id} ${i}`) % 2000) / 1000 - 1);
  const norm = Math.hypot(...values);
  return values.map((value) => value / norm);
};

function recordsOf(dims: { readonly image: number; readonly text: number }): ItemRecord[] {
  return ITEMS.map(({ id }) => ({
    itemId: id,
    image: vector(id, dims.image),
    text: vector(`text ${id}`, dims.text),
    features: ITEM_FEATURES.map(() => undefined),
  }));
}

/** The published items. */
export function catalogueKv(): KvReader {
  const manifest = readManifest();
  return memoryKv(CATALOG, recordsOf(manifest.dims), manifest);
}

let model: ReturnType<typeof nodeScorer> | undefined;

/** The committed model; one session for all servers of this process. */
export async function modelInNode() {
  return (await (model ??= nodeScorer({ provider: "wasm", log: () => undefined }))).scorer;
}

export async function openNode(standIn: EngineStandIn, enginePort: number, more: Partial<ServeOptions> = {}): Promise<RunningEdge> {
  const data = mkdtempSync(join(tmpdir(), "armmt-faults-"));
  const errors: string[] = [];
  const server = await serve({
    env: variables(standIn, enginePort),
    port: 0,
    data,
    kv: catalogueKv(),
    sinks: { write: async () => ok(true), writeEvents: async () => ok({ written: 0, duplicates: 0, deferred: 0 }) },
    scorer: await modelInNode(),
    log: (entry) => void (entry["level"] === "error" && errors.push(JSON.stringify(entry))),
    ...more,
  });
  const stop = async (): Promise<void> => {
    await server.stop();
    rmSync(data, { recursive: true, force: true });
  };
  return { url: server.url, errors, stop };
}

/** No edge: what the runtime's own fetch makes of the engine's replies. */
export async function openBare(runtime: RuntimeName, enginePort: number): Promise<RunningEdge> {
  const engine = `http://127.0.0.1:${enginePort}`;
  if (runtime === "workerd") {
    const worker = `export default { fetch: ({ url, method, headers, body }) =>
      fetch(${JSON.stringify(engine)} + url.slice(new URL(url).origin.length), { method, headers, body }) };`;
    const { compatibilityDate } = await (built ??= bundle());
    const modules = [{ name: "bare.js", type: "ESModule" as const, bytes: Buffer.from(worker) }];
    const { url, stop } = await startWorkerd(writeWorkerdConfig(join(folder, `bare-${++folders}`), { modules, compatibilityDate }));
    return { url, errors: [], stop };
  }
  const server = createServer((request, response) => {
    const { method = "GET", url = "/", headers } = request;
    const named = [ID_HEADER, "content-type"].flatMap((name) =>
      headers[name] === undefined ? [] : [[name, String(headers[name])] as const],
    );
    buffer(request)
      .then((body) => fetch(`${engine}${url}`, { method, headers: Object.fromEntries(named), ...(body.length > 0 && { body }) }))
      .then(async (reply) => response.writeHead(reply.status).end(await reply.bytes()))
      .catch(() => request.socket.destroy());
  });
  const { port, close } = await listen(server);
  return { url: `http://127.0.0.1:${port}`, errors: [], stop: close };
}

let built: Promise<Bundle> | undefined;
let folders = 0;

/** Temporary, for bundles and configurations; removed with this process. */
const folder = mkdtempSync(join(tmpdir(), "armmt-faults-workerd-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));

const bundle = (): Promise<Bundle> => bundleWorker(fileURLToPath(new URL("../../wrangler.toml", import.meta.url)), join(folder, "bundle"));

/** `stores`: host:port of a server with workerd's protocols for KV and D1. */
export async function openWorkerd(standIn: EngineStandIn, enginePort: number, stores: string): Promise<RunningEdge> {
  built ??= bundle();
  const vars = JSON.parse(JSON.stringify(variables(standIn, enginePort)));
  const config = writeWorkerdConfig(join(folder, `edge-${++folders}`), await built, { vars, stores });
  const errors: string[] = [];
  const { url, stop } = await startWorkerd(config, (line) => void (line.includes('"level":"error"') && errors.push(line)));
  return { url, errors, stop };
}
