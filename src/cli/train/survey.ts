/** What a folder of training lists holds, and whether that is enough for a model. */
import { createHash } from "node:crypto";
import { readLists } from "../lists/read.ts";
import { DAY_MS, UserError } from "../../web.ts";

/** Clicked lists from which a model learns more than noise (docs/guide/training.md has the measurement). */
export const FEWEST_CLICKED = 5000;

/** A rate per day of a shorter log would be a guess. */
const SHORTEST_DAYS = 1;

/** Counts of lists.parquet. */
export type Survey = Awaited<ReturnType<typeof surveyLists>>;

export async function surveyLists(folder: string) {
  const counts = { train: 0, validation: 0, test: 0 };
  const clicked = { train: 0, validation: 0, test: 0 };
  const units = new Set<string>();
  /** Who taught the model: a gate must not judge it by the same shoppers. */
  const taught = createHash("sha256");
  let [from, to] = [Infinity, -Infinity];
  for await (const row of readLists(folder)) {
    counts[row.split]++;
    if (row.clicks.some((click) => click > 0)) clicked[row.split]++;
    if (row.unit !== "") units.add(row.unit);
    if (row.split !== "test") taught.update(`${row.query_id}\0`);
    if (row.at > 0) [from, to] = [Math.min(from, row.at), Math.max(to, row.at)];
  }
  const sumOf = ({ train, validation, test }: typeof counts): number => train + validation + test;
  const isDated = to >= from;
  return {
    lists: sumOf(counts),
    clicked: sumOf(clicked),
    bySplit: counts,
    clickedBySplit: clicked,
    /** Shoppers who consented to be told apart. */
    units: units.size,
    /** ISO days; absent where the lists carry no time. */
    ...(isDated && { from: dayOf(from), to: dayOf(to) }),
    days: isDated ? (to - from) / DAY_MS : 0,
    taught: taught.digest("hex"),
  };
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** Throws a UserError that says how many clicked lists there are, how many are missing, and how long the log takes for them at its own rate. */
export function requireEnough({ lists, clicked, bySplit, clickedBySplit, days }: Survey, fewest = FEWEST_CLICKED): void {
  if (clicked < fewest) {
    const missing = fewest - clicked;
    const rate = days >= SHORTEST_DAYS ? clicked / days : 0;
    const wait = rate > 0 ? `, about ${count(Math.ceil(missing / rate))} more days at this log's ${count(Math.round(rate))} a day` : "";
    throw new UserError(
      `${count(clicked)} of ${count(lists)} lists have a click, and a model needs ${count(fewest)}: ${count(missing)} more${wait}. ` +
        "Until then the catalogue is served by engine and meaning",
    );
  }
  for (const split of ["train", "validation", "test"] as const) {
    if (clickedBySplit[split] > 0) continue;
    throw new UserError(
      `None of the ${count(bySplit[split])} lists of the ${split} split has a click: nothing could be ${split === "train" ? "learned" : "judged"}. ` +
        "Shoppers are split by a hash of their pseudonym: does the log tell them apart?",
    );
  }
}

function count(value: number): string {
  return value.toLocaleString("en-US");
}
