/** How much the bench measures: everything, or just enough to see that everything runs. */

export interface Plan {
  /** Candidates in one model run, and hits in one window. */
  readonly sizes: readonly number[];
  /** Fresh processes. */
  readonly starts: number;
  /** Before a search counts as warm; memory is read after them. */
  readonly warmSearches: number;
  /** Warm searches whose processor time counts, one by one. */
  readonly countedSearches: number;
  readonly runSamples: number;
  readonly warmUpRunSamples: number;
  readonly rounds: number;
  readonly warmUpRounds: number;
  /** For all searches one by one, and for all runs of the model; shared by the sizes. */
  readonly maxSeconds: number;
  /** Loads that take turns: slices of each, and seconds of a slice. */
  readonly slices: number;
  /** Slices of each that come first and do not count. */
  readonly warmUpSlices: number;
  readonly sliceSeconds: number;
  /** Sustained load. */
  readonly loadConnections: readonly number[];
  readonly loadSeconds: number;
  readonly passthroughSeconds: number;
  /** Scaling. */
  readonly catalogueSizes: readonly number[];
  readonly hitBytes: readonly number[];
  readonly scalingRounds: number;
  readonly soakSeconds: number;
  /** From here on memory must not grow. */
  readonly soakSettledSeconds: number;
  /** Of the cross-encoder: candidates per list, and as many of them in one run. */
  readonly pairSizes: readonly number[];
  readonly pairBatch: number;
  readonly pairSamples: number;
}

export const FULL: Plan = {
  sizes: [20, 50, 100, 200],
  starts: 10,
  warmSearches: 300,
  countedSearches: 20,
  runSamples: 200,
  warmUpRunSamples: 20,
  rounds: 500,
  warmUpRounds: 100,
  maxSeconds: 80,
  slices: 6,
  warmUpSlices: 1,
  sliceSeconds: 3,
  loadConnections: [1, 8, 64],
  loadSeconds: 60,
  passthroughSeconds: 15,
  catalogueSizes: [2400, 10_000, 100_000],
  hitBytes: [500, 2000, 8000],
  scalingRounds: 150,
  soakSeconds: 600,
  soakSettledSeconds: 60,
  pairSizes: [20, 50, 100],
  pairBatch: 20,
  pairSamples: 2,
};

export const QUICK: Plan = {
  sizes: [50, 100],
  starts: 1,
  warmSearches: 10,
  countedSearches: 2,
  runSamples: 3,
  warmUpRunSamples: 1,
  rounds: 3,
  warmUpRounds: 2,
  maxSeconds: 20,
  slices: 1,
  warmUpSlices: 0,
  sliceSeconds: 1,
  loadConnections: [1, 8],
  loadSeconds: 1,
  passthroughSeconds: 1,
  catalogueSizes: [2400, 5000],
  hitBytes: [500, 2000],
  scalingRounds: 2,
  soakSeconds: 4,
  soakSettledSeconds: 1,
  pairSizes: [2],
  pairBatch: 1,
  pairSamples: 1,
};
