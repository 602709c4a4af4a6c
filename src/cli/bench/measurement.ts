/**
 * What the bench reports: named figures with percentiles over all samples, never a best case or a mean.
 *
 * Does not measure anything.
 */

export type Unit = "ms" | "requests/s" | "MB" | "bytes";

/** One line of the report. For a single figure (a size) p50 and p99 are that figure. */
export interface Measurement {
  readonly name: string;
  readonly unit: Unit;
  readonly p50: number;
  /** The bad end: of times the slow one, of rates the rate that 99 % of the sampled intervals reached. */
  readonly p99: number;
  /** What `ratio` compares with. */
  readonly peer?: string;
  /** p50 divided by the peer's p50. */
  readonly ratio?: number;
}

export interface Peer {
  readonly peer: string;
  /** The peer's p50, same unit. */
  readonly p50: number;
}

/** Percentiles of all samples; throws on none. */
export function measured(name: string, unit: Unit, samples: readonly number[], peer?: Peer): Measurement {
  const p50 = percentile(samples, 0.5);
  const p99 = percentile(samples, unit === "requests/s" ? 0.01 : 0.99);
  const compared = peer === undefined ? {} : { peer: peer.peer, ratio: round(p50 / peer.p50) };
  return { name, unit, p50: round(p50), p99: round(p99), ...compared };
}

/** Linear between the two nearest ranks; 0 <= share <= 1. */
export function percentile(samples: readonly number[], share: number): number {
  if (samples.length === 0) throw new Error("A percentile of no samples");
  const sorted = Float64Array.from(samples).toSorted();
  const at = share * (sorted.length - 1);
  const below = sorted[Math.floor(at)]!;
  const above = sorted[Math.ceil(at)]!;
  return below + (above - below) * (at - Math.floor(at));
}

export const median = (samples: readonly number[]): number => percentile(samples, 0.5);

/** Sample by sample, for series taken in the same rounds. */
export function differences(minuends: readonly number[], subtrahends: readonly number[]): number[] {
  if (minuends.length !== subtrahends.length) throw new Error(`${minuends.length} samples against ${subtrahends.length}`);
  return minuends.map((value, i) => value - subtrahends[i]!);
}

/** Three digits after the point: microseconds, which is more than the noise allows. */
function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
