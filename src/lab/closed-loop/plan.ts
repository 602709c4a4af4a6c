/** How large each part of the story is. Fixed before anything of it was looked at: what came is reported, also where it tells nothing. */
import { type Recipe, RECIPE } from "../../cli/train/recipe.ts";

const FULL = {
  items: 2400,
  /** Searches; so are all below. A fifth as many shoppers, an eighth of whom judge the model: the gate wants 200. */
  log: 10_000,
  climb: { batch: 500, most: 8000 },
  alike: 10_000,
  first: 25_000,
  reversed: { batch: 250, most: 2000 },
  second: 25_000,
  /** Each arm's order is asked for at every so many searches, for the truth. */
  judgeEvery: 8,
  /** Clicked lists below which nothing is trained; `undefined`: as for a real shop. With fewer than that, no gate can tell: then the round goes on. */
  fewest: undefined as number | undefined,
  /** How long to train; `undefined`: as for a real shop. */
  recipe: undefined as Recipe | undefined,
  /** The last part; the second round is the first one again. */
  until: "second",
};

export type Sizes = typeof FULL;

/** A tenth: everything runs, and most questions stay open. */
const TENTH: Sizes = {
  items: 1200,
  log: 800,
  climb: { batch: 300, most: 600 },
  alike: 1000,
  first: 2500,
  reversed: { batch: 250, most: 1000 },
  second: 2500,
  judgeEvery: 4,
  fewest: 300,
  recipe: undefined,
  until: "second",
};

/** For CI: searches at the edge, their log, one round of the loop up to the ladder, and searches in the ladder's trial. */
const QUICK: Sizes = {
  ...TENTH,
  items: 240,
  log: 300,
  climb: { batch: 60, most: 60 },
  // The truth of so few says nothing.
  judgeEvery: 50,
  fewest: 100,
  recipe: { ...RECIPE, nets: [1], netEpochs: 1, studentEpochs: 1, treeRounds: 20 },
  until: "first-climb",
};

export const SIZES = { full: FULL, tenth: TENTH, quick: QUICK } as const;
export type SizeName = keyof typeof SIZES;

export const SEARCHES_PER_SHOPPER = 5;

/** Of the drawn catalogue: the committed model learned on another one. */
export const CATALOG_SEED = 23;

/** Of the shoppers, who are others in every part; a part in batches takes one for each. */
export const SEEDS = { log: 101, "first-climb": 200, alike: 300, first: 301, reversed: 400, "second-climb": 500, second: 600 } as const;
