/**
 * How steady the machine is: the same native work again and again with nothing beside it. Where its slow ones are so many times slower than
 * its usual ones, those of every other part are too, and no code of ours is the reason.
 */
import { hash } from "node:crypto";
import { performance } from "node:perf_hooks";
import type { Bench } from "./context.ts";
import type { Measurement } from "./measurement.ts";
import { measured, median } from "./measurement.ts";

/** SHA-256 of these: less than a millisecond of the processor, and V8 has no part in it. */
const PIECE = new Uint8Array(500_000);

/** A short piece of work, and about as much as a search waits for on 8 connections. */
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
    const pieces = Math.max(1, Math.round(lengthMs / pieceMs));
    return measured(`the same work of about ${lengthMs} ms, nothing beside it`, "ms", sumsOf(times, pieces));
  });
}

/** Of every `length` neighbours. */
function sumsOf(times: readonly number[], length: number): number[] {
  const count = Math.max(1, times.length - length + 1);
  return Array.from({ length: count }, (_, from) => times.slice(from, from + length).reduce((sum, ms) => sum + ms, 0));
}
