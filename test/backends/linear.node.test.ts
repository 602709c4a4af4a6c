/**
 * Reading a request is linear in its bytes, whatever its shape, without the limits on its members. And a request that the limits admit is read
 * in a moment.
 */
import { describe, expect, it } from "vitest";
import type { Dialect, RequestLimits } from "../../src/backends/dialect.ts";
import { DEFAULT_LIMITS } from "../../src/backends/limits.ts";
import { type Asked, CLIENTS_KEY, OWN_KEY, PARAMS, requestOf, REQUESTS, URLS } from "./hostile.ts";

const MEGABYTE = 1_048_576;
const NO_LIMITS: RequestLimits = { ...DEFAULT_LIMITS, searches: Infinity, members: Infinity, depth: Infinity, params: Infinity };

/** Milliseconds of the processor, which other programs do not add to. */
function cpuMs(run: () => unknown): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** Below it a time says nothing. */
const MEASURABLE_MS = 3;
/** Far enough apart that caches and collections of garbage, a factor of two or three, are no matter beside a quadratic step's 256. */
const TIMES = 16;
/** Time grows with this power of the bytes; linear is 1, quadratic 2. */
const MAX_EXPONENT = 1.6;
/** Below it one measurement is enough: of a quadratic step, each of four runs of the part would have to take seven times its time. */
const CLEAR_EXPONENT = 1.3;

/** From 1/TIMES to all of the bytes. Other work only ever adds to a time: the quickest runs count, and a few more are made where in doubt. */
function exponentOf(part: () => unknown, whole: () => unknown): number {
  let ms = Infinity;
  let partMs = Infinity;
  for (let round = 0; round < 10; round++) {
    ms = Math.min(ms, cpuMs(whole));
    if (ms < MEASURABLE_MS) return 0;
    // Of a part of a millisecond, several runs.
    for (let run = 0; run < 4; run++) partMs = Math.min(partMs, cpuMs(part));
    if (Math.log(ms / partMs) / Math.log(TIMES) < (round === 0 ? CLEAR_EXPONENT : MAX_EXPONENT)) break;
  }
  return Math.log(ms / partMs) / Math.log(TIMES);
}

function planner(dialects: ReadonlyMap<string, Dialect>, dialect: string, asked: Asked, limits: RequestLimits): () => unknown {
  const backend = dialects.get(`${dialect}-goods`)!;
  const request = requestOf(asked, limits);
  return () => {
    const plan = backend.plan(request, asked.index);
    // Written too: a widened request is a part of every search.
    return plan.ok ? plan.value.widen(plan.value.searches.map(({ limit }) => limit + 1)) : plan;
  };
}

/** Of a megabyte within the limits, on a slow machine: a quadratic step takes minutes. */
const MAX_MS = 1000;

describe.each([
  ["with the edge's key", OWN_KEY],
  ["with the client's key", CLIENTS_KEY],
] as const)("%s, time grows with the bytes", (_, dialects) => {
  it.each(Object.entries(REQUESTS))("%s", { timeout: 120_000 }, (_name, [dialect, build]) => {
    const planOf = (bytes: number) => planner(dialects, dialect, build(bytes), NO_LIMITS);
    expect(exponentOf(planOf(12 * 1024), planOf(TIMES * 12 * 1024))).toBeLessThan(MAX_EXPONENT);
    expect(cpuMs(planner(dialects, dialect, build(MEGABYTE), DEFAULT_LIMITS))).toBeLessThan(MAX_MS);
  });

  const urls = URLS.flatMap(([dialect, asked]) =>
    Object.entries(PARAMS).map(([shape, build]) => [`${dialect}: ${shape}`, dialect, asked, build] as const),
  );
  it.each(urls)("%s in the URL", { timeout: 120_000 }, (_name, dialect, asked, build) => {
    const planOf = (bytes: number) => planner(dialects, dialect, { ...asked, method: "GET", search: build(bytes) }, NO_LIMITS);
    expect(exponentOf(planOf(4 * 1024), planOf(TIMES * 4 * 1024))).toBeLessThan(MAX_EXPONENT);
  });
});
