/** How long to train: the same for every shop, so that two of them can be compared. Measured in docs/guide/training.md. */

export const RECIPE = {
  /** Seeds of the nets that teach. */
  nets: [1, 2],
  /** Passes over the lists. */
  netEpochs: 2,
  studentEpochs: 3,
  /** Trees at most; the validation lists end it before. */
  treeRounds: 400,
  /** Training lists at most, the newest: they are held in memory, and the study trains as many. */
  mostLists: 100_000,
} as const;

export type Recipe = Readonly<Record<Exclude<keyof typeof RECIPE, "nets">, number> & { nets: readonly number[] }>;
