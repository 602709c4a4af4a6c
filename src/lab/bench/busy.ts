/**
 * 8 connections: the time that re-ranking adds to a search while others wait, and searches per second and per second of processor time,
 * beside our own passthrough and a bare proxy Worker in front of the same engine. All take turns in short slices.
 *
 * On one thread a search waits for up to seven others, so most of the added time is their work. Quote the rate per processor second: on a
 * small machine client, engine and stores compete with the server for its cores.
 */
import { join } from "node:path";
import { startWorkerd, writeWorkerdConfig } from "../harness/workerd.ts";
import { type Load, loadInTurns, passedThrough, reranked, type Target } from "./load.ts";
import { against, differenceOf, inChart, measured, measuredIfAny, measuredLoad, type Measurement, percentile } from "./measurement.ts";
import type { Bench } from "./run.ts";
import { PAGE_SIZE, openShop } from "./shop.ts";

const CONNECTIONS = 8;
const WINDOWS = [50, 100] as const;

/** The least that can stand in front of an engine: sends it the request and streams its reply back. */
const PROXY = `export default {
  async fetch({ url, method, body }, { ENGINE }) {
    const { pathname, search } = new URL(url);
    const headers = { "content-type": "application/json" };
    const reply = await fetch(ENGINE + pathname + search, { method, body, headers });
    return new Response(reply.body, { status: reply.status, headers });
  },
};`;

export async function benchBusy(bench: Bench): Promise<Measurement[]> {
  const { compatibilityDate } = await bench.bundle("edge");
  const modules = [{ name: "proxy.js", type: "ESModule", bytes: Buffer.from(PROXY) }] as const;
  const { edge, engine, nextQuery } = await openShop(bench, WINDOWS);
  const vars = { ENGINE: `http://${engine.address}` };
  const proxy = await startWorkerd(writeWorkerdConfig(join(bench.folder, "proxy"), { modules, compatibilityDate }, { vars }));
  bench.defer(proxy.stop);
  const { url, pid } = proxy;
  const targets: readonly (readonly [name: string, Target])[] = [
    ["bare proxy Worker", { url, pid, path: "/_search", headers: { "content-type": "application/json" }, pageSize: PAGE_SIZE }],
    ["passthrough", passedThrough(edge, WINDOWS[0])],
    ...WINDOWS.flatMap((window) => [
      [`passthrough with a page of ${window}`, passedThrough(edge, window, window)] as const,
      [rerankedName(window), reranked(edge, window)] as const,
    ]),
  ];
  const options = { label: `Searches on ${CONNECTIONS} connections`, connections: CONNECTIONS, nextQuery };
  return describe(await loadInTurns(bench, new Map(targets), options));
}

const rerankedName = (window: number): string => `re-ranked, K = ${window}`;

/** For the axis of the chart. */
const shortName = (name: string): string => name.replace(/^re-ranked, |^passthrough with a | Worker$/, "");

function describe(loads: ReadonlyMap<string, Load>): Measurement[] {
  const named = (name: string): Load => loads.get(name)!;
  const [bare, passthrough] = [named("bare proxy Worker"), named("passthrough")];
  return [
    measuredLoad(`search, passthrough, ${CONNECTIONS} connections`, "ms", passthrough.ms),
    ...WINDOWS.flatMap((window) => describeAdded(window, passthrough, named(rerankedName(window)))),
    ...[...loads].flatMap(([name, load]) => describeRates(name, load, bare, passthrough)),
  ];
}

function describeAdded(window: number, passthrough: Load, { ms, cpuMs, waitedMs }: Load): Measurement[] {
  const at = `${CONNECTIONS} connections, K = ${window}`;
  const added = (share: number) => percentile(ms, share) - percentile(passthrough.ms, share);
  const difference = differenceOf(`added time per search, ${at}`, "ms", ms, passthrough.ms);
  return [
    measuredLoad(`search, re-ranked, ${at}`, "ms", ms, against("passthrough", passthrough.ms)),
    inChart(difference, "added-by-window", `added, ${CONNECTIONS} connections`, String(window)),
    measured(`added p99 per search, ${at}`, "ms", [added(0.99)], { peer: "added p50", p50: added(0.5) }),
    // Client, engine and stores compete for the cores.
    ...measuredIfAny(`workerd waited for a core per search, ${at}`, "ms", waitedMs, against("its processor time per search", cpuMs)),
  ];
}

const perSecond = (load: Load) => load.perSecond;

/** Searches per second of processor time, one number per slice. */
const perCpuSecond = ({ cpuMs }: Load): number[] => cpuMs.map((ms) => 1000 / ms);

function describeRates(name: string, load: Load, bare: Load, passthrough: Load): Measurement[] {
  const isPeer = load === bare || load === passthrough;
  const suffix = `${name}, ${CONNECTIONS} connections`;
  const peer = (of: (load: Load) => readonly number[]) => (isPeer ? undefined : against("passthrough", of(passthrough)));
  const cpu = perCpuSecond(load);
  const unit = "requests/CPU-s";
  const overBare = against("bare proxy Worker", perCpuSecond(bare));
  return [
    measured(`searches per second, ${suffix}`, "requests/s", load.perSecond, peer(perSecond)),
    ...measuredIfAny(`searches per CPU second, ${suffix}`, unit, cpu, peer(perCpuSecond)).map((figure) =>
      inChart(figure, "searches-per-cpu-second", "searches per CPU second", shortName(name)),
    ),
    ...(load === bare ? [] : measuredIfAny(`searches per CPU second against the bare proxy, ${suffix}`, unit, cpu, overBare)),
  ];
}
