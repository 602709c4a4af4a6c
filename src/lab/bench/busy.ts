/**
 * 8 connections: what re-ranking adds to a search while others wait, and searches per second and per second of processor time, against our
 * own passthrough and against the least that can stand before an engine (proxy-worker.ts). All take turns in short slices.
 *
 * On one thread a search waits for up to seven others, so what is added is mostly their work, not its own. Per processor second is the
 * rate to quote: on a small machine client, engine and stores compete with the server for its cores.
 */
import { join } from "node:path";
import type { Bench } from "./context.ts";
import type { Index } from "./edge.ts";
import { engineUrl, searchPath } from "./edge.ts";
import type { Load, Target } from "./load.ts";
import { loadInTurns, PAGE_SIZE, passedBy, rerankedBy } from "./load.ts";
import type { Measurement } from "./measurement.ts";
import { differenceOf, measured, median, percentile, placed, withP999 } from "./measurement.ts";
import { withShop } from "./shop.ts";
import { startWorkerd, writeWorkerdConfig } from "./workerd.ts";

const CONNECTIONS = 8;

const WINDOWS = [50, 100] as const;

export async function benchBusy(bench: Bench): Promise<Measurement[]> {
  const indexes = WINDOWS.map((window): Index => ({ window }));
  return withShop(bench, indexes, async ({ edge, client, engine, nextQuery }) => {
    const vars = { ENGINE: engineUrl(engine.address, indexes[0]!) };
    const proxy = await startWorkerd(writeWorkerdConfig(join(bench.folder, "proxy"), await bench.bundle("proxy"), { vars }));
    try {
      const at = { ...edge, client };
      const bare: Target = {
        ...proxy,
        path: searchPath(indexes[0]!),
        headers: { "content-type": "application/json" },
        pageSize: PAGE_SIZE,
      };
      const named: readonly (readonly [string, Target])[] = [
        ["bare proxy Worker", bare],
        ["passthrough", passedBy(at, indexes[0]!)],
        ...indexes.flatMap((index) => [
          [`passthrough with a page of ${index.window}`, passedBy(at, index, index.window)] as const,
          [rerankedName(index.window), rerankedBy(at, index)] as const,
        ]),
      ];
      const targets = named.map(([, target]) => target);
      const loads = await loadInTurns(bench, targets, {
        label: `Searches on ${CONNECTIONS} connections`,
        connections: CONNECTIONS,
        nextQuery,
      });
      const peers = { bare: loads[0]!, passthrough: loads[1]! };
      const passthrough = all(peers.passthrough);
      return [
        withP999(measured(`search, passthrough, ${CONNECTIONS} connections`, "ms", passthrough), passthrough),
        ...WINDOWS.flatMap((k) => {
          const place = named.findIndex(([name]) => name === rerankedName(k));
          return [...describeAdded(k, passthrough, all(loads[place]!)), ...describeWaiting(k, loads[place]!)];
        }),
        ...named.flatMap(([name], i) => describeRates(name, loads[i]!, peers)),
      ];
    } finally {
      proxy.stop();
    }
  });
}

/** Under an axis there is little room. */
const shortName = (name: string): string => name.replace(/^re-ranked, |^passthrough with a | Worker$/, "");

const rerankedName = (k: number): string => `re-ranked, K = ${k}`;

const all = (loads: readonly Load[]): number[] => loads.flatMap(({ ms }) => [...ms]);

function describeAdded(k: number, passthrough: readonly number[], reranked: readonly number[]): Measurement[] {
  const at = `${CONNECTIONS} connections, K = ${k}`;
  const addedP50 = percentile(reranked, 0.5) - percentile(passthrough, 0.5);
  const addedP99 = percentile(reranked, 0.99) - percentile(passthrough, 0.99);
  const peer = { peer: "passthrough", p50: percentile(passthrough, 0.5) };
  const added = differenceOf(`added time per search, ${at}`, "ms", reranked, passthrough);
  return [
    withP999(measured(`search, re-ranked, ${at}`, "ms", reranked, peer), reranked),
    placed(added, "added-by-window", `added, ${CONNECTIONS} connections`, String(k)),
    measured(`added p99 per search, ${at}`, "ms", [addedP99], { peer: "added p50", p50: addedP50 }),
  ];
}

/** Client, engine and stores want cores as well: how much of a search's time workerd had none. */
function describeWaiting(k: number, loads: readonly Load[]): Measurement[] {
  const waited = loads.flatMap(({ waitedMs }) => waitedMs ?? []);
  const cpu = loads.flatMap(({ cpuMs }) => cpuMs ?? []);
  if (waited.length === 0) return [];
  const peer = { peer: "its processor time per search", p50: median(cpu) };
  return [measured(`workerd waited for a core per search, ${CONNECTIONS} connections, K = ${k}`, "ms", waited, peer)];
}

const rates = (loads: readonly Load[]): number[] => loads.flatMap(({ perSecond }) => [...perSecond]);

/** Searches per second of processor time, one number per slice; none where it cannot be read. */
const perCpuSecond = (loads: readonly Load[]): number[] => loads.flatMap(({ cpuMs }) => (cpuMs === undefined ? [] : [1000 / cpuMs]));

interface Peers {
  readonly bare: readonly Load[];
  readonly passthrough: readonly Load[];
}

function describeRates(name: string, loads: readonly Load[], { bare, passthrough }: Peers): Measurement[] {
  const isPeer = loads === bare || loads === passthrough;
  const suffix = `${name}, ${CONNECTIONS} connections`;
  const rate = measured(
    `searches per second, ${suffix}`,
    "requests/s",
    rates(loads),
    isPeer ? undefined : { peer: "passthrough", p50: median(rates(passthrough)) },
  );
  const cpu = perCpuSecond(loads);
  if (cpu.length === 0) return [rate];
  const against = (peer: string, others: readonly Load[]) => ({ peer, p50: median(perCpuSecond(others)) });
  const ours = measured(
    `searches per CPU second, ${suffix}`,
    "requests/CPU-s",
    cpu,
    isPeer ? undefined : against("passthrough", passthrough),
  );
  const more =
    loads === bare
      ? []
      : [measured(`searches per CPU second against the bare proxy, ${suffix}`, "requests/CPU-s", cpu, against("bare proxy Worker", bare))];
  return [rate, placed(ours, "searches-per-cpu-second", "searches per CPU second", shortName(name)), ...more];
}
