/**
 * Overload: more searches than the processor can re-rank, all different, in front of an engine that takes 2 ms. What is re-ranked, in which
 * time, and whether shoppers who wait for no model wait longer than they would without re-ranking.
 *
 * Every tenth search is passed through (`off`), as in an experiment's control. "off alone": the same number of connections, all passed
 * through, in turns with the mixture.
 */
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import autocannon from "autocannon";
import { OUTCOME_HEADER, parseOutcomes } from "../../protocol.ts";
import { startWorkerd, writeWorkerdConfig } from "../harness/workerd.ts";
import { createClient } from "./client.ts";
import { searchBody } from "./engine.ts";
import { passedThrough, reranked, type Target } from "./load.ts";
import { against, inChart, type Measurement, measured, measuredLoad, percentile } from "./measurement.ts";
import { type Bench, inTurns } from "./run.ts";
import { startNode } from "./servers.ts";
import { connect, type Edge, openSurroundings, WINDOW } from "./shop.ts";
import { sleep } from "../../web.ts";

const ENGINE_MS = 2;
const RANK_BUDGET_MS = 200;
const ENGINE_TIMEOUT_MS = 1500;
const OFF_SHARE = 0.1;

/** Of a load: not counted. */
const RAMP_SHARE = 0.2;

/** Of shoppers who come by chance: as many as could be waiting. */
const OPEN_CONNECTIONS = 256;

export async function benchOverload(bench: Bench): Promise<Measurement[]> {
  const bundle = await bench.bundle("edge");
  const { vars: usual, stores, nextQuery } = await openSurroundings(bench, [WINDOW], ENGINE_MS);
  const vars = { ...usual, RANK_BUDGET_MS, ENGINE_TIMEOUT_MS };
  const startWorker = async (): Promise<Edge> => {
    const config = writeWorkerdConfig(join(bench.folder, "overload"), bundle, { vars, stores: stores.address });
    return connect(bench, await startWorkerd(config, showUnexpected));
  };
  const runtimes = [
    ["workerd", startWorker],
    ["Node", () => startNode(bench, vars, showUnexpected)],
  ] as const;
  const found: Measurement[] = [];
  for (const [runtime, start] of runtimes) {
    const edge = await start(); // oxlint-disable-line no-await-in-loop
    found.push(...(await benchEdge(bench, runtime, edge, nextQuery))); // oxlint-disable-line no-await-in-loop
    edge.stop();
  }
  return found;
}

async function benchEdge(bench: Bench, runtime: string, edge: Edge, nextQuery: () => string): Promise<Measurement[]> {
  const { overloadConnections, overloadRates, overloadRounds: rounds, overloadSeconds: seconds } = bench.plan;
  const [ranked, off] = [reranked(edge, WINDOW), passedThrough(edge, WINDOW)];
  const both = async (ask: (target: Target, share: number) => Promise<Answers>): Promise<Answers> =>
    merged(await Promise.all([ask(off, OFF_SHARE), ask(ranked, 1 - OFF_SHARE)]));
  const mixed = (connections: number): Promise<Answers> =>
    both((target, share) => flood(target, { connections: Math.max(1, Math.round(connections * share)), seconds, nextQuery }));
  const alone = (connections: number): Promise<Answers> => flood(off, { connections, seconds, nextQuery });
  // V8 compiles, vectors are read.
  await mixed(8);

  const found: Measurement[] = [];
  for (const connections of overloadConnections) {
    const turns = { label: `Overload, ${runtime}, ${connections} connections`, kinds: [["alone"], ["mixed"]], rounds, warmUpRounds: 1 };
    // oxlint-disable-next-line no-await-in-loop
    const taken = await inTurns(bench, turns, (kind) => (kind === "alone" ? alone(connections) : mixed(connections)));
    found.push(
      ...describe(
        `${runtime}, ${connections} connections`,
        merged(taken("alone")),
        merged(taken("mixed")),
        seconds * rounds * (1 - RAMP_SHARE),
      ),
    );
  }
  const progress = bench.progress(`Offered load, ${runtime}`, overloadRates.length);
  for (const rate of overloadRates) {
    const answers = await both((target, share) => offer(target, { rate: rate * share, seconds, nextQuery })); // oxlint-disable-line no-await-in-loop
    found.push(...describeRate(runtime, rate, answers));
    progress.increment();
  }
  progress.stop();
  return found;
}

function describe(at: string, alone: Answers, mixed: Answers, seconds: number): Measurement[] {
  const [off, applied, shed] = [mixed.ms("off"), mixed.ms("applied"), mixed.ms("over_budget")];
  const passthrough = alone.ms("off");
  const bound = RANK_BUDGET_MS + 3 * (passthrough.length === 0 ? 0 : percentile(passthrough, 0.99));
  const wanted = Math.max(1, mixed.count - off.length);
  return [
    ...loadIfAny(`search under overload, off alone, ${at}`, passthrough),
    ...loadIfAny(`search under overload, off beside re-ranked, ${at}`, off, passthrough),
    ...loadIfAny(`search under overload, re-ranked, ${at}`, applied, passthrough),
    ...loadIfAny(`search under overload, shed, ${at}`, shed, passthrough),
    ...(applied.length === 0
      ? []
      : [measured(`re-ranked p99, of RANK_BUDGET_MS + 3 × p99 of off alone, ${at}`, "%", [(100 * percentile(applied, 0.99)) / bound])]),
    measured(`re-ranked of those that would be, ${at}`, "%", [(100 * applied.length) / wanted]),
    measured(`re-ranked per second under overload, ${at}`, "requests/s", [applied.length / seconds]),
    measured(`all searches per second under overload, ${at}`, "requests/s", [mixed.count / seconds], {
      peer: "off alone",
      p50: alone.count / seconds,
    }),
    measured(`failed of ${mixed.count + alone.count} under overload, ${at}`, "count", [mixed.failed + alone.failed]),
  ];
}

/** Beside a machine that is too busy, all of one kind may fail: that is counted elsewhere. */
function loadIfAny(name: string, ms: readonly number[], alone?: readonly number[]): Measurement[] {
  return ms.length === 0 ? [] : [measuredLoad(name, "ms", ms, alone && against("off alone", alone))];
}

function describeRate(runtime: string, rate: number, answers: Answers): Measurement[] {
  const at = `${rate} searches/s offered, ${runtime}`;
  const off = answers.ms("off");
  const applied = answers.ms("applied");
  const latency = (name: string, ms: readonly number[]) =>
    loadIfAny(`${name}, ${at}`, ms).map((figure) => inChart(figure, "latency-by-offered-load", `${name}, ${runtime}`, String(rate)));
  const share = measured(`re-ranked of those that would be, ${at}`, "%", [
    (100 * applied.length) / Math.max(1, answers.count - off.length),
  ]);
  return [
    ...latency("off", off),
    ...latency("re-ranked", applied),
    inChart(share, "share-by-offered-load", runtime, String(rate)),
    measured(`failed of ${answers.count}, ${at}`, "count", [answers.failed]),
  ];
}

type Answers = ReturnType<typeof answersOf>;

/** `byOutcome`: times of the answers with status 200. */
function answersOf(byOutcome: ReadonlyMap<string, readonly number[]>, failed: number) {
  return {
    byOutcome,
    ms: (outcome: string): readonly number[] => byOutcome.get(outcome) ?? [],
    count: [...byOutcome.values()].reduce((sum, { length }) => sum + length, 0),
    failed,
  };
}

function merged(all: readonly Answers[]): Answers {
  const outcomes = new Set(all.flatMap(({ byOutcome }) => [...byOutcome.keys()]));
  const byOutcome = new Map([...outcomes].map((outcome) => [outcome, all.flatMap(({ ms }) => ms(outcome))]));
  return answersOf(
    byOutcome,
    all.reduce((sum, { failed }) => sum + failed, 0),
  );
}

interface Searches {
  readonly seconds: number;
  readonly nextQuery: () => string;
}

/** Each connection searches as soon as it has its reply. */
async function flood(
  { url, path, headers, pageSize }: Target,
  { connections, seconds, nextQuery }: Searches & { readonly connections: number },
): Promise<Answers> {
  const byOutcome = new Map<string, number[]>();
  const outcomes = new WeakMap<object, string>();
  const setupRequest = (request: object) => ({
    ...request,
    method: "POST",
    path,
    headers: { ...headers },
    body: searchBody(nextQuery(), pageSize),
  });
  const instance = autocannon({
    url,
    connections,
    duration: seconds,
    requests: [{ setupRequest }],
    setupClient: (client) => void client.on("headers", ({ headers: raw }) => outcomes.set(client, outcomeIn(raw))),
  });
  const startedAt = performance.now();
  instance.on("response", (client, status, _bytes, ms) => {
    // All connections begin at once: what was sent in this crowd is not counted, whenever it is answered.
    if (status !== 200 || performance.now() - ms - startedAt < RAMP_SHARE * seconds * 1000) return;
    const outcome = outcomes.get(client) ?? "none";
    const times = byOutcome.get(outcome) ?? [];
    times.push(ms);
    byOutcome.set(outcome, times);
  });
  const { non2xx, errors, timeouts } = await instance;
  return answersOf(byOutcome, non2xx + errors + timeouts);
}

/**
 * Shoppers who come by chance, `rate` per second (a Poisson process), whatever becomes of those before them. Times are from when a search was due.
 * autocannon would send all searches of a second at once.
 */
async function offer(
  { url, path, headers, pageSize }: Target,
  { rate, seconds, nextQuery }: Searches & { readonly rate: number },
): Promise<Answers> {
  const client = createClient(url, OPEN_CONNECTIONS);
  const byOutcome = new Map<string, number[]>();
  let failed = 0;
  const ask = async (dueAt: number): Promise<void> => {
    const reply = await client.ask(path, { headers, body: searchBody(nextQuery(), pageSize) }).catch(() => undefined);
    if (reply?.status !== 200) {
      failed++;
      return;
    }
    const outcome = outcomeOf(reply.armmt);
    byOutcome.set(outcome, [...(byOutcome.get(outcome) ?? []), performance.now() - dueAt]);
  };
  const asked: Promise<void>[] = [];
  const startedAt = performance.now();
  const gapMs = (): number => (-Math.log(1 - Math.random()) * 1000) / rate;
  for (let dueMs = gapMs(); dueMs < seconds * 1000; dueMs += gapMs()) {
    await sleep(Math.max(0, startedAt + dueMs - performance.now())); // oxlint-disable-line no-await-in-loop
    asked.push(ask(startedAt + dueMs));
  }
  await Promise.all(asked);
  client.close();
  return answersOf(byOutcome, failed);
}

function outcomeIn(raw: readonly string[]): string {
  const at = raw.findIndex((name, i) => i % 2 === 0 && name.toLowerCase() === OUTCOME_HEADER);
  return outcomeOf(raw[at + 1] ?? "");
}

function outcomeOf(header: string): string {
  const [outcome] = parseOutcomes(header);
  if (outcome === undefined) return "none";
  return outcome.kind === "applied" ? "applied" : outcome.reason;
}

/** Searches that are shed or fail are this part's subject: they are counted. */
function showUnexpected(line: string): void {
  if (!line.includes('"level":"info"') && !line.includes('"event":"bypass"')) process.stderr.write(`${line}\n`);
}
