/** How long to train: the same for every shop, so that two of them can be compared. Chosen in docs/design/training-recipe.md, measured in docs/guide/training.md. */

export const RECIPE = {
  /** Seeds of the nets that teach. */
  nets: [1, 2],
  /** Passes over the lists: after two, a net has not learned what 8,000 lists tell; after eight, it knows them by heart. */
  netEpochs: 4,
  studentEpochs: 4,
  /** Lists read at most, over all passes: of 100,000 lists two and a half passes. */
  mostReadings: 250_000,
  /** Trees at most; the validation lists end it before. */
  treeRounds: 400,
  /** Training lists at most, the newest: they are held in memory, and the study trains as many. */
  mostLists: 100_000,
} as const;

export type Recipe = Readonly<Record<Exclude<keyof typeof RECIPE, "nets">, number> & { nets: readonly number[] }>;

/** At most `epochs`, and fewer where the lists are many; a part of a pass counts. */
export const passesOver = (lists: number, epochs: number, { mostReadings }: Pick<Recipe, "mostReadings">): number =>
  Math.min(epochs, mostReadings / lists);
