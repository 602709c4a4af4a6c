/** How long to train, by the number of lists: the same for every shop, so that two of them can be compared. Measured in docs/guide/training.md. */

export interface Recipe {
  /** Seeds of the nets that teach. */
  readonly nets: readonly number[];
  /** Passes over the lists. */
  readonly netEpochs: number;
  readonly studentEpochs: number;
  /** Trees at most; the validation lists end it before. */
  readonly treeRounds: number;
}

export function recipeFor(_lists: number): Recipe {
  return { nets: [1, 2], netEpochs: 2, studentEpochs: 3, treeRounds: 400 };
}
