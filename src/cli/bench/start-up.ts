/**
 * What a Worker costs before its first request: fresh workerd processes, run directly on the modules that would be deployed, from spawn
 * to first answer, and the memory they hold then.
 *
 * Bindings are there but lead nowhere: the first request does not use them.
 */
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import type { Readable } from "node:stream";
import { CommandError } from "../command.ts";
import type { Bundle, BundledModule } from "./bundle.ts";
import { createClient } from "./client.ts";
import { workerd } from "./machine.ts";
import type { Measurement } from "./measurement.ts";
import { measured, median } from "./measurement.ts";
import { residentMb } from "./resident.ts";
import type { Vars } from "./running.ts";

export interface Start {
  /** From spawn to the end of the first answer. */
  readonly ms: number;
  readonly residentMb: number;
}

const FIELDS: Readonly<Record<BundledModule["type"], string>> = { ESModule: "esModule", CompiledWasm: "wasm", Data: "data" };

const START_TIMEOUT_MS = 20_000;

/** Cap'n Proto's text literals are JSON's. */
const text = (value: string): string => JSON.stringify(value);

/** Writes modules and a workerd configuration into `folder`; returns the configuration's path. */
export function writeWorkerdConfig(folder: string, bundle: Bundle, vars: Vars): string {
  mkdirSync(folder, { recursive: true });
  for (const { name, bytes } of bundle.modules) writeFileSync(join(folder, name), bytes);
  const modules = bundle.modules.map(({ name, type }) => `(name = ${text(name)}, ${FIELDS[type]} = embed ${text(name)})`);
  const bindings = Object.entries(vars).map(([name, value]) =>
    typeof value === "string"
      ? `(name = ${text(name)}, text = ${text(value)})`
      : `(name = ${text(name)}, json = ${text(JSON.stringify(value))})`,
  );
  bindings.push(`(name = "EMBEDDINGS", kvNamespace = "nowhere")`, `(name = "EVENTS", json = "{}")`);
  const path = join(folder, "workerd.capnp");
  writeFileSync(
    path,
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      compatibilityDate = ${text(bundle.compatibilityDate)},
      modules = [${modules.join(", ")}],
      bindings = [${bindings.join(", ")}],
    )),
    (name = "nowhere", external = (address = "127.0.0.1:9", http = ())),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
`,
  );
  return path;
}

/** Starts workerd once, asks `path` once, and ends it. */
export async function startOnce(config: string, path: string): Promise<Start> {
  const startedAt = performance.now();
  const child = spawn(workerd().path, ["serve", config, "--control-fd=3"], { stdio: ["ignore", "ignore", "inherit", "pipe"] });
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  try {
    const control = child.stdio[3];
    if (child.pid === undefined || control === null || control === undefined || !("read" in control))
      throw new Error("Cannot start workerd");
    const port = await listeningPort(control);
    const client = createClient(`http://127.0.0.1:${port}`);
    await client.get(path);
    const ms = performance.now() - startedAt;
    client.close();
    return { ms, residentMb: residentMb(child.pid) };
  } finally {
    kill();
    process.removeListener("exit", kill);
  }
}

/** workerd writes one JSON line per socket to the control pipe once it listens. */
function listeningPort(control: Readable): Promise<number> {
  return new Promise((resolve, reject) => {
    let written = "";
    const timer = setTimeout(() => reject(new CommandError(`workerd does not listen after ${START_TIMEOUT_MS} ms`)), START_TIMEOUT_MS);
    const settle = (finish: () => void) => {
      clearTimeout(timer);
      finish();
    };
    control.on("data", (chunk: Buffer) => {
      written += chunk.toString("utf8");
      const port = /"event":"listen".*?"port":(\d+)/.exec(written)?.[1];
      if (port !== undefined) settle(() => resolve(Number(port)));
    });
    control.once("end", () => settle(() => reject(new CommandError("workerd ended before it listened; its own message is above"))));
  });
}

export function describeStarts(starts: readonly { readonly empty: Start; readonly edge: Start }[]): Measurement[] {
  const emptyMs = starts.map(({ empty }) => empty.ms);
  const emptyMb = starts.map(({ empty }) => empty.residentMb);
  const against = { peer: "empty Worker" };
  return [
    measured("workerd from spawn to first answer, empty Worker", "ms", emptyMs),
    measured(
      "workerd from spawn to first answer, edge Worker",
      "ms",
      starts.map(({ edge }) => edge.ms),
      { ...against, p50: median(emptyMs) },
    ),
    measured("resident memory of workerd after its first answer, empty Worker", "MB", emptyMb),
    measured(
      "resident memory of workerd after its first answer, edge Worker",
      "MB",
      starts.map(({ edge }) => edge.residentMb),
      { ...against, p50: median(emptyMb) },
    ),
  ];
}
