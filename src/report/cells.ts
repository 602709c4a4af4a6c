/**
 * The sums of one arm, one metric and one day, as plain numbers in an array: of shoppers and of single searches, as they are and capped.
 *
 * A cluster that no cap touches is in the first part only; one that is, with all of it in the second and with what the cap leaves in the third.
 * So nothing large is ever added and taken out again, which would leave its rounding behind.
 */
import type { Caps, Weight } from "./caps.ts";
import { addCluster, type ClusterSums, mergeSums, NO_SUMS, readSums, SUM_COUNT } from "./statistics/ratio.ts";

/** `known`: shoppers. `alone`: searches that name no shopper, each a cluster. */
export interface Sums {
  readonly known: ClusterSums;
  readonly alone: ClusterSums;
}

export interface ArmSums {
  readonly raw: Sums;
  readonly capped: Sums;
  /** Not capped, Σ y² over the single searches of known shoppers: what the squares would be if the searches of a shopper did not hang together. */
  readonly searchSquares: number;
  /** Clusters that the cap touches. */
  readonly touched: number;
  /** Of all clusters, capped: the one with the largest sum and the one with the most searches. Only where all days are read. */
  readonly extremes: readonly Extreme[];
}

export interface Extreme extends Weight {
  readonly isKnown: boolean;
}

export const NO_ARM: ArmSums = {
  raw: { known: NO_SUMS, alone: NO_SUMS },
  capped: { known: NO_SUMS, alone: NO_SUMS },
  searchSquares: 0,
  touched: 0,
  extremes: [],
};

const [PLAIN, RAW, CAPPED] = [0, 2 * SUM_COUNT, 4 * SUM_COUNT];
const SEARCH_SQUARES = 6 * SUM_COUNT;

/** Numbers per cell in an array. */
export const CELL_SIZE = SEARCH_SQUARES + 1;

/** `squares`: Σ y² over the single searches. */
export interface Counted extends Weight {
  readonly isKnown: boolean;
  readonly squares: number;
}

/** Adds (`times` 1, or so many alike) a cluster to the cell at `at`, or takes it out (`times` −1). `m`: index in METRICS. */
export function addToCell(cells: Float64Array, at: number, caps: Caps, m: number, counted: Counted, times = 1): void {
  const { y, x, isKnown, squares } = counted;
  const part = at + (isKnown ? 0 : SUM_COUNT);
  if (caps.isOver(m, y, x)) {
    const cut = caps.cut(m, counted);
    addCluster(cells, part + RAW, y, x, times);
    addCluster(cells, part + CAPPED, cut.y, cut.x, times);
  } else addCluster(cells, part + PLAIN, y, x, times);
  if (isKnown && squares !== 0) cells[at + SEARCH_SQUARES] = (cells[at + SEARCH_SQUARES] ?? 0) + times * squares;
}

export function readCell(cells: Float64Array, at: number, extremes: readonly Extreme[]): ArmSums {
  const part = (offset: number): ClusterSums => readSums(cells, at + offset);
  const both = (offset: number): Sums => ({
    known: mergeSums(part(PLAIN), part(offset)),
    alone: mergeSums(part(PLAIN + SUM_COUNT), part(offset + SUM_COUNT)),
  });
  return {
    raw: both(RAW),
    capped: both(CAPPED),
    searchSquares: cells[at + SEARCH_SQUARES] ?? 0,
    touched: part(CAPPED).clusters + part(CAPPED + SUM_COUNT).clusters,
    extremes,
  };
}

/** What one cluster can do to an arm: the largest sum as it is, and the extremes after the cap. */
export function emptyExtremes() {
  return { largest: 0, heaviest: undefined as Extreme | undefined, widest: undefined as Extreme | undefined };
}

export function noteExtremes(extremes: ReturnType<typeof emptyExtremes>, caps: Caps, m: number, { y, x, isKnown }: Counted): void {
  if (y > extremes.largest) extremes.largest = y;
  if (y <= (extremes.heaviest?.y ?? 0) && x <= (extremes.widest?.x ?? 0)) return;
  const cut = caps.isOver(m, y, x) ? caps.cut(m, { y, x }) : { y, x };
  if (cut.y > (extremes.heaviest?.y ?? 0)) extremes.heaviest = { ...cut, isKnown };
  if (cut.x > (extremes.widest?.x ?? 0)) extremes.widest = { ...cut, isKnown };
}
