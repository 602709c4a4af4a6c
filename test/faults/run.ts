/** The matrix fault × dialect × runtime: each try sends one search with one fault, and is judged. */
import { randomUUID } from "node:crypto";
import { performance } from "node:perf_hooks";
import type { EngineStandIn } from "../search/dialects/stand-in.ts";
import { type ClientFault, CLIENT_FAULTS } from "./client-faults.ts";
import { receive, type Received, type Sent } from "./client.ts";
import { catalogueKv, ENGINE_TIMEOUT_MS, openBare, openNode, openWorkerd, type RunningEdge, type RuntimeName } from "./edges.ts";
import { ENGINE_FAULTS, type EngineFault, incompleteFaults, ITEMS } from "./engine-faults.ts";
import { type Exchange, type HostileEngine, ID_HEADER, send, startHostileEngine } from "./engine.ts";
import { HOST_FAULTS, type HostFault } from "./host-faults.ts";
import { judge, type Violation } from "./judge.ts";
import { startStores } from "./stores.ts";

/** One search, judged. */
export interface Try {
  readonly group: string;
  readonly fault: string;
  readonly dialect: string;
  readonly runtime: RuntimeName;
  readonly violations: readonly Violation[];
  /** No violation, because the runtime's own fetch gives the same without an edge. */
  readonly isLimit: boolean;
}

export interface Matrix {
  readonly runtimes: readonly RuntimeName[];
  readonly dialects: readonly EngineStandIn[];
  /** Parts of the names of groups and faults, in lower case; empty for all. */
  readonly only: readonly string[];
  readonly isShort: boolean;
  readonly onTry: (tried: Try) => void;
  /** How many tries there will be, and what comes next. */
  readonly onPart: (label: string, tries: number) => void;
}

/** A busy machine may take that much longer than the edge's own limits. */
const SLACK_MS = 3000;
const MAX_MS = ENGINE_TIMEOUT_MS + SLACK_MS;
const LONG_MS = 60_000;

/** Tries at the same time. */
const PARALLEL = 8;

/** Searches of a host's fault, one after the other: what fails later, what is remembered. */
const SEARCHES = 6;

/** Another shopper's search while hostile bytes are read, beyond the time that it takes alone. */
const VICTIM_MS = 1000;

const CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36";

export async function runMatrix(matrix: Matrix): Promise<void> {
  const { only, isShort } = matrix;
  const isChosen = (fault: { readonly name: string; readonly isShort?: boolean }, group: string): boolean =>
    (!isShort || fault.isShort === true) &&
    (only.length === 0 || only.some((part) => `${group}: ${fault.name}`.toLowerCase().includes(part)));
  for (const standIn of matrix.dialects) {
    const engineFaults = [...ENGINE_FAULTS, ...incompleteFaults(standIn.backend)].filter((fault) => isChosen(fault, fault.group));
    const hostFaults = HOST_FAULTS.filter((fault) => isChosen(fault, fault.group));
    const clientFaults = CLIENT_FAULTS.filter((fault) => isChosen(fault, "client"));
    const engine = await startHostileEngine(standIn, ITEMS);
    const stores = await startStores(catalogueKv());
    const bench: Bench = { standIn, engine, stores, alone: new Map() };
    try {
      for (const runtime of matrix.runtimes) {
        const onHost = hostFaults.filter((fault) => (runtime === "Node" ? fault.inNode : fault.inWorkerd) !== undefined);
        matrix.onPart(`${standIn.title}, ${runtime}`, engineFaults.length + onHost.length * SEARCHES + clientFaults.length);
        const report: Report = (group, fault, violations, isLimit = false) =>
          matrix.onTry({ group, fault, dialect: standIn.title, runtime, violations, isLimit });
        await runEngineFaults(bench, runtime, engineFaults, report);
        await runClientFaults(bench, runtime, clientFaults, report);
        for (const fault of onHost) await runHostFault(bench, runtime, fault, report);
      }
    } finally {
      engine.close();
      stores.close();
    }
  }
}

interface Bench {
  readonly standIn: EngineStandIn;
  readonly engine: HostileEngine;
  readonly stores: Awaited<ReturnType<typeof startStores>>;
  /** By fault: what a client without an edge gets. */
  readonly alone: Map<EngineFault, Promise<Received>>;
}

type Report = (group: string, fault: string, violations: readonly Violation[], isLimit?: boolean) => void;

function openEdge({ standIn, engine, stores }: Bench, runtime: RuntimeName): Promise<RunningEdge> {
  return runtime === "Node" ? openNode(standIn, engine.port) : openWorkerd(standIn, engine.port, stores.address);
}

async function runEngineFaults(bench: Bench, runtime: RuntimeName, faults: readonly EngineFault[], report: Report): Promise<void> {
  if (faults.length === 0) return;
  const edge = await openEdge(bench, runtime);
  const bare = faults.some(({ isOfRuntime }) => isOfRuntime === true) ? await openBare(runtime, bench.engine.port) : undefined;
  try {
    const tryOne = async (fault: EngineFault): Promise<void> => {
      const maxMs = fault.isLong === true ? LONG_MS : MAX_MS;
      const alone = await (bench.alone.get(fault) ?? askAlone(bench, fault));
      const { served, wide } = await search(bench, edge.url, fault, maxMs);
      const mayRefuse = fault.mayRefuse === true;
      const one = { standIn: bench.standIn, alone, served, wide, maxMs, mayRefuse, isOtherWindow: fault.isOtherWindow === true };
      const violations = judge(one);
      if (violations.length > 0 && fault.isOfRuntime === true && bare !== undefined) {
        const { served: plain } = await search(bench, bare.url, fault, maxMs);
        if (judge({ ...one, alone: plain }).length === 0) return report(fault.group, fault.name, [], true);
      }
      report(fault.group, fault.name, violations);
    };
    await inParallel(
      faults.filter(({ isLong }) => isLong !== true),
      PARALLEL,
      tryOne,
    );
    await inParallel(
      faults.filter(({ isLong }) => isLong === true),
      1,
      tryOne,
    );
  } finally {
    await Promise.all([edge.stop(), bare?.stop()]);
  }
}

function askAlone(bench: Bench, fault: EngineFault): Promise<Received> {
  const url = `http://127.0.0.1:${bench.engine.port}`;
  const received = search(bench, url, fault, fault.isLong === true ? LONG_MS : ENGINE_TIMEOUT_MS + 500).then(({ served }) => served);
  bench.alone.set(fault, received);
  return received;
}

/** The dialect's ordinary search, with this fault of the engine. */
async function search({ standIn, engine }: Bench, url: string, fault: Pick<EngineFault, "misbehave" | "isWideOnly">, maxMs: number) {
  const { ask } = standIn.cases[0]!;
  const id = randomUUID();
  const exchange: Exchange = { ask, misbehave: fault.misbehave, isWideOnly: fault.isWideOnly === true, asked: [], wide: [] };
  engine.exchanges.set(id, exchange);
  const { path, init } = ask;
  const headers = { "user-agent": CHROME, "x-armmt-session": id, "cf-connecting-ip": "203.0.113.7", ...init.headers, [ID_HEADER]: id };
  const served = await receive(`${url}${path}`, { method: init.method ?? "GET", headers, body: init.body }, maxMs);
  engine.exchanges.delete(id);
  if (exchange.asked.length === 0 && served.kind === "whole" && served.status === 200)
    throw new Error(`The engine cannot tell the exchanges apart: no request of ${standIn.title} has the header ${ID_HEADER}`);
  return { served, wide: exchange.wide };
}

const HEALTHY = { misbehave: send, isWideOnly: false };

async function runHostFault(bench: Bench, runtime: RuntimeName, fault: HostFault, report: Report): Promise<void> {
  const { standIn, engine, stores } = bench;
  const { served: alone } = await search(bench, `http://127.0.0.1:${engine.port}`, HEALTHY, MAX_MS);
  const edge =
    runtime === "Node"
      ? await openNode(standIn, engine.port, await fault.inNode?.())
      : await openWorkerd(standIn, engine.port, stores.address);
  stores.set(fault.inWorkerd ?? (() => false));
  try {
    for (let i = 0; i < SEARCHES; i++) {
      const { served, wide } = await search(bench, edge.url, HEALTHY, MAX_MS);
      report(
        fault.group,
        fault.name,
        judge({ standIn, alone, served, wide, maxMs: MAX_MS, mayRefuse: false, isBug: fault.isBug === true }),
      );
    }
  } finally {
    stores.set(() => false);
    // What hangs would hold the server for its ten seconds.
    void edge.stop();
  }
}

async function runClientFaults(bench: Bench, runtime: RuntimeName, faults: readonly ClientFault[], report: Report): Promise<void> {
  if (faults.length === 0) return;
  const { standIn, engine } = bench;
  const edge = await openEdge(bench, runtime);
  const engineUrl = `http://127.0.0.1:${engine.port}`;
  try {
    const { served: alone } = await search(bench, engineUrl, HEALTHY, MAX_MS);
    // Warm, so that the first victim does not wait for the start.
    await search(bench, edge.url, HEALTHY, MAX_MS);
    for (const fault of faults) {
      const violations: Violation[] = [];
      const { path, ...hostile } = fault.request(standIn.cases[0]!.ask);
      const before = engine.strays.length;
      const usual = await search(bench, edge.url, HEALTHY, MAX_MS);
      const sending = sendHostile(`${edge.url}${path}`, hostile, fault.leavesAfterMs ?? MAX_MS + 10_000);
      const startedAt = performance.now();
      const { served, wide } = await search(bench, edge.url, HEALTHY, MAX_MS + 10_000);
      const waited = performance.now() - startedAt - usual.served.ms;
      violations.push(...judge({ standIn, alone, served, wide, maxMs: Infinity, mayRefuse: false }));
      if (waited > VICTIM_MS) violations.push({ promise: "time", detail: `another shopper waited for ${Math.round(waited)} ms` });
      const answer = await sending;
      violations.push(...judgeAnswer(fault, answer, alone));
      const foreign = engine.strays.slice(before).find((stray) => stray.includes("secret"));
      if (foreign !== undefined) violations.push({ promise: "answer", detail: `the engine got ${foreign}` });
      report("client", fault.name, violations);
    }
  } finally {
    await edge.stop();
  }
}

const sendHostile = (url: string, hostile: Sent, timeoutMs: number): Promise<Received> =>
  receive(url, { ...hostile, headers: { "user-agent": CHROME, ...hostile.headers } }, timeoutMs);

function judgeAnswer(fault: ClientFault, answer: Received, alone: Received): Violation[] {
  if (fault.leavesAfterMs !== undefined) return [];
  if (answer.kind !== "whole") return [{ promise: "time", detail: `the answer is ${answer.kind} after ${Math.round(answer.ms)} ms` }];
  const violations: Violation[] = [];
  if (answer.status >= 500) violations.push({ promise: "reason", detail: `status ${answer.status}` });
  if (fault.isOff === true) {
    const outcome = answer.headers["x-armmt"] ?? "";
    if (!/^bypass; reason=off$/.test(outcome)) violations.push({ promise: "reason", detail: `x-armmt is ${JSON.stringify(outcome)}` });
    if (alone.kind !== "whole" || !answer.body.equals(alone.body))
      violations.push({ promise: "answer", detail: "other bytes than the engine's" });
  }
  return violations;
}

async function inParallel<T>(all: readonly T[], width: number, work: (one: T) => Promise<void>): Promise<void> {
  const left = [...all];
  const worker = async (): Promise<void> => {
    for (let one = left.shift(); one !== undefined; one = left.shift()) await work(one); // oxlint-disable-line no-await-in-loop
  };
  await Promise.all(Array.from({ length: width }, worker));
}
