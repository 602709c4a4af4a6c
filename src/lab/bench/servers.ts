/** The same edge as a server in Node (src/runtimes/node/node.ts) beside workerd, on 8 connections in turns, before the same engine. */
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import * as v from "valibot";
import { writeKey } from "../../runtimes/node/folder-kv.ts";
import { publishCatalogue } from "./catalogue.ts";
import { createClient } from "./client.ts";
import type { Bench } from "./context.ts";
import type { Index } from "./edge.ts";
import { catalogOf, DRAWN_ITEMS } from "./edge.ts";
import type { Load } from "./load.ts";
import { loadInTurns, passedBy, rerankedBy } from "./load.ts";
import type { Measurement, Peer } from "./measurement.ts";
import { measured, median, withP999 } from "./measurement.ts";
import { residentMb } from "./resident.ts";
import { productsOf } from "./products.ts";
import { readManifest, withShop } from "./shop.ts";
import type { Vars } from "./workerd.ts";
import { UserError } from "../../web.ts";

const INDEX: Index = { window: 100 };

const CONNECTIONS = 8;

const START_TIMEOUT_MS = 30_000;

export async function benchServers(bench: Bench): Promise<Measurement[]> {
  return withShop(bench, [INDEX], async ({ edge, client, vars, nextQuery }) => {
    const node = await startNode(join(bench.folder, "node"), vars);
    const nodeClient = createClient(node.url);
    try {
      const inWorkerd = { ...edge, client };
      const inNode = { ...node, client: nodeClient };
      const targets = [passedBy(inWorkerd, INDEX), rerankedBy(inWorkerd, INDEX), passedBy(inNode, INDEX), rerankedBy(inNode, INDEX)];
      const loads = await loadInTurns(bench, targets, { label: "Servers", connections: CONNECTIONS, nextQuery });
      const found = ["passthrough", "re-ranked"].flatMap((kind, i) => describe(kind, loads[i]!, loads[i + 2]!));
      const memory = { peer: "workerd", p50: residentMb(edge.pid) };
      return [...found, measured("resident memory, server in Node", "MB", [residentMb(node.pid)], memory)];
    } finally {
      nodeClient.close();
      node.stop();
    }
  });
}

const all = (loads: readonly Load[]): number[] => loads.flatMap(({ ms }) => [...ms]);
const rates = (loads: readonly Load[]): number[] => loads.flatMap(({ perSecond }) => [...perSecond]);
const cpu = (loads: readonly Load[]): number[] => loads.flatMap(({ cpuMs }) => cpuMs ?? []);
const peer = (samples: readonly number[]): Peer => ({ peer: "workerd", p50: median(samples) });

function describe(kind: string, workerd: readonly Load[], node: readonly Load[]): Measurement[] {
  const at = `${CONNECTIONS} connections, K = ${INDEX.window}`;
  const found = [
    withP999(measured(`search, ${kind}, workerd, ${at}`, "ms", all(workerd)), all(workerd)),
    withP999(measured(`search, ${kind}, server in Node, ${at}`, "ms", all(node), peer(all(workerd))), all(node)),
    measured(`searches per second, ${kind}, server in Node, ${at}`, "requests/s", rates(node), peer(rates(workerd))),
  ];
  if (cpu(node).length === 0) return found;
  return [...found, measured(`processor time per search, ${kind}, server in Node, ${at}`, "ms CPU", cpu(node), peer(cpu(workerd)))];
}

interface RunningNode {
  readonly url: string;
  readonly pid: number;
  stop(): void;
}

const readySchema = v.object({ event: v.literal("ready"), url: v.string() });

/** With its own files for KV and D1, below `folder`. */
async function startNode(folder: string, vars: Vars): Promise<RunningNode> {
  const kvFolder = join(folder, "kv");
  mkdirSync(kvFolder, { recursive: true });
  const kv = { put: (key: string, value: string | Uint8Array) => writeKey(kvFolder, key, value) };
  await publishCatalogue(kv, catalogOf(INDEX), { products: productsOf(DRAWN_ITEMS), manifest: readManifest() });
  const config = join(folder, "wrangler.toml");
  writeFileSync(config, "[vars]\n");

  const script = fileURLToPath(new URL("../../runtimes/node/node.ts", import.meta.url));
  const args = [script, "--no-demo", "--json", "--port", "0", "--provider", "wasm", "--data", folder, "--config", config];
  const env = Object.fromEntries(
    Object.entries(vars).map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)]),
  );
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, ...env } });
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  const stop = () => {
    process.removeListener("exit", kill);
    kill();
  };
  const lines = createInterface(child.stdout);
  const url = await new Promise<string>((resolve, reject) => {
    const fail = () => reject(new UserError("The server in Node did not become ready; its own message is above"));
    const timer = setTimeout(fail, START_TIMEOUT_MS);
    child.once("exit", fail);
    lines.on("line", (line) => {
      if (line.includes('"level":"warn"') || line.includes('"level":"error"')) process.stderr.write(`${line}\n`);
      if (!line.startsWith("{")) return;
      const ready = v.safeParse(readySchema, JSON.parse(line));
      if (!ready.success) return;
      clearTimeout(timer);
      resolve(ready.output.url);
    });
  }).catch((error: unknown) => {
    stop();
    throw error;
  });
  if (child.pid === undefined) throw new Error("Cannot start the server in Node");
  return { url, pid: child.pid, stop };
}
