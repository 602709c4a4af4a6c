/** How steady the machine is: the same native work again and again. Every other figure has this spread too, without our code. */
import { hash } from "node:crypto";
import { performance } from "node:perf_hooks";
import { type Measurement, measured, median } from "./measurement.ts";
import type { Bench } from "./run.ts";

/** One SHA-256 of it takes less than a millisecond of the processor, without V8. */
const PIECE = new Uint8Array(500_000);

/** A short piece of work, and about as long as a search waits on 8 connections. */
const LENGTHS_MS = [5, 30] as const;

export async function benchMachine({ plan }: Bench): Promise<Measurement[]> {
  const times: number[] = [];
  const until = performance.now() + plan.passthroughSeconds * 1000;
  while (performance.now() < until) {
    const startedAt = performance.now();
    hash("sha256", PIECE);
    times.push(performance.now() - startedAt);
  }
  const pieceMs = median(times);
  return LENGTHS_MS.map((lengthMs) => {
    const pieces = Math.min(times.length, Math.max(1, Math.round(lengthMs / pieceMs)));
    // Of that many neighbours, from each piece on.
    const sums = times.slice(pieces - 1).map((_, from) => times.slice(from, from + pieces).reduce((sum, ms) => sum + ms, 0));
    return measured(`the same work of about ${lengthMs} ms, nothing beside it`, "ms", sums);
  });
}
