/** The same edge as a server in Node (src/runtimes/node/node.ts) beside workerd, on 8 connections in turns, in front of the same engine. */
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import * as v from "valibot";
import { writeKey } from "../../runtimes/node/folder-kv.ts";
import { publishCatalogue } from "../harness/catalogue.ts";
import { endWithThisProcess, type Vars } from "../harness/workerd.ts";
import { products } from "./engine.ts";
import { type Load, loadInTurns, passedThrough, reranked } from "./load.ts";
import { against, type Measurement, measured, measuredIfAny, measuredLoad } from "./measurement.ts";
import { residentMb } from "./processes.ts";
import type { Bench } from "./run.ts";
import { CATALOG, connect, type Edge, openShop, WINDOW } from "./shop.ts";
import { UserError, withTimeout } from "../../web.ts";

const CONNECTIONS = 8;
const START_TIMEOUT_MS = 30_000;

export async function benchServers(bench: Bench): Promise<Measurement[]> {
  const { edge, vars, nextQuery } = await openShop(bench, [WINDOW]);
  const node = await startNode(bench, vars);
  const targets = new Map([
    ["passthrough", passedThrough(edge, WINDOW)],
    ["re-ranked", reranked(edge, WINDOW)],
    ["passthrough, Node", passedThrough(node, WINDOW)],
    ["re-ranked, Node", reranked(node, WINDOW)],
  ]);
  const loads = await loadInTurns(bench, targets, { label: "Servers", connections: CONNECTIONS, nextQuery });
  return [
    ...["passthrough", "re-ranked"].flatMap((kind) => describe(kind, loads.get(kind)!, loads.get(`${kind}, Node`)!)),
    measured("resident memory, server in Node", "MB", [residentMb(node.pid)], against("workerd", [residentMb(edge.pid)])),
  ];
}

function describe(kind: string, workerd: Load, node: Load): Measurement[] {
  const at = `${CONNECTIONS} connections, K = ${WINDOW}`;
  return [
    measuredLoad(`search, ${kind}, workerd, ${at}`, "ms", workerd.ms),
    measuredLoad(`search, ${kind}, server in Node, ${at}`, "ms", node.ms, against("workerd", workerd.ms)),
    measured(`searches per second, ${kind}, server in Node, ${at}`, "requests/s", node.perSecond, against("workerd", workerd.perSecond)),
    ...measuredIfAny(`processor time per search, ${kind}, server in Node, ${at}`, "ms CPU", node.cpuMs, against("workerd", workerd.cpuMs)),
  ];
}

function showLine(line: string): void {
  process.stderr.write(`${line}\n`);
}

const readySchema = v.pipe(v.string(), v.parseJson(), v.object({ event: v.literal("ready"), url: v.string() }));

/** With files for KV and D1. Throws a UserError if the server does not become ready. */
export async function startNode(bench: Bench, vars: Vars, onProblem = showLine): Promise<Edge> {
  const folder = join(bench.folder, "node");
  const kvFolder = join(folder, "kv");
  mkdirSync(kvFolder, { recursive: true });
  await publishCatalogue({ put: (key, value) => writeKey(kvFolder, key, value) }, CATALOG, products());
  const config = join(folder, "wrangler.toml");
  writeFileSync(config, "[vars]\n");

  const script = fileURLToPath(new URL("../../runtimes/node/node.ts", import.meta.url));
  const args = [script, "--no-demo", "--json", "--port", "0", "--provider", "wasm", "--data", folder, "--config", config];
  const texts = Object.entries(vars).map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)]);
  const child = spawn(process.execPath, args, {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...Object.fromEntries(texts) },
  });
  const stop = endWithThisProcess(child);
  bench.defer(stop);
  const ready = new Promise<string | undefined>((resolve) => {
    child.once("exit", () => resolve(undefined));
    createInterface(child.stdout).on("line", (line) => {
      if (line.includes('"level":"warn"') || line.includes('"level":"error"')) onProblem(line);
      const found = v.safeParse(readySchema, line);
      if (found.success) resolve(found.output.url);
    });
  });
  const url = await withTimeout(ready, START_TIMEOUT_MS, () => undefined);
  if (url === undefined || child.pid === undefined) {
    throw new UserError("The server in Node did not become ready; its own message is above");
  }
  return connect(bench, { url, pid: child.pid, stop });
}
