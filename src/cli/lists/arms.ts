/**
 * How many shoppers each arm of a log's experiments has, and how many it should have: for the sample ratio of what a model learns from. An experiment
 * that was changed on the way is told apart by what its records say of its arms; each time of it is judged by itself.
 */
import type { DatabaseSync } from "node:sqlite";
import * as v from "valibot";
import { readSettings, StartError } from "../../runtimes/node/settings.ts";
import { armsOf } from "../../experiment/assign.ts";
import { designEffect, testSampleRatio } from "../../report/sample-ratio.ts";
import { errorText } from "../../web.ts";
import { secretsBeside } from "../doctor/secrets.ts";
import { weightsIn } from "../report/weights.ts";
import type { PageRecord } from "./records.ts";

const shares = v.record(v.string(), v.number());
const count = v.number();

/** An arm as the report's sample ratio takes it. Who was seen in two of them is in none. */
const arm = v.object({ variant: v.string(), shoppers: count, shopperSearches: count, squaredShopperSearches: count, searches: count });

/** Of lists.json. */
export const loggedExperiments = v.array(
  v.object({
    experiment: v.string(),
    /** ISO days of its first and its last search. */
    first: v.string(),
    last: v.string(),
    /** Variation → share of the shoppers, and where that is said; null where nobody says it, and why. */
    shares: v.nullable(shares),
    from: v.string(),
    arms: v.array(arm),
    /** Shoppers in several arms. */
    crossed: count,
  }),
);
export type LoggedExperiment = v.InferOutput<typeof loggedExperiments>[number];

const rowSchema = v.object({
  ...arm.entries,
  experiment: v.string(),
  shares: v.string(),
  crossed: count,
  first: count,
  last: count,
});

const TABLE = "CREATE TABLE exposure (experiment TEXT, shares TEXT, variant TEXT, unit TEXT, query_id TEXT, at INTEGER) STRICT";

/** By experiment, what its records say of its arms, and variant. `members`: shoppers, with how often they searched in each arm, and in how many they were. */
const COUNT = `
WITH members AS (SELECT experiment, shares, unit, variant, COUNT(DISTINCT query_id) AS searches,
    COUNT(*) OVER (PARTITION BY experiment, shares, unit) AS arms
  FROM exposure WHERE unit IS NOT NULL GROUP BY experiment, shares, unit, variant),
known AS (SELECT experiment, shares, variant, SUM(arms = 1) AS shoppers, SUM(arms > 1) AS crossed,
    SUM(searches * (arms = 1)) AS searches, SUM(searches * searches * (arms = 1)) AS squared
  FROM members GROUP BY experiment, shares, variant),
seen AS (SELECT experiment, shares, variant, MIN(at) AS first, MAX(at) AS last,
    COUNT(DISTINCT CASE WHEN unit IS NULL THEN query_id END) AS others
  FROM exposure GROUP BY experiment, shares, variant)
SELECT seen.experiment, seen.shares, seen.variant, first, last, COALESCE(shoppers, 0) AS shoppers, COALESCE(crossed, 0) AS crossed,
  COALESCE(searches, 0) AS shopperSearches, COALESCE(squared, 0) AS squaredShopperSearches, COALESCE(searches, 0) + others AS searches
FROM seen LEFT JOIN known USING (experiment, shares, variant) ORDER BY seen.experiment, first, seen.variant`;

/** Keeps the searches in `database`, and counts them there. */
export function createArmCounts(database: DatabaseSync) {
  database.exec(TABLE);
  const insert = database.prepare("INSERT INTO exposure VALUES (?, ?, ?, ?, ?, ?)");
  return {
    add({ armmt: { experiment, arms, variant }, unit, query_id: queryId }: PageRecord, atMs: number): void {
      if (!experiment || !variant) return;
      const own = Object.entries(arms ?? {}).filter(([, share]) => share !== null);
      const text = own.length === 0 ? "" : JSON.stringify(Object.fromEntries(own.toSorted(([a], [b]) => (a < b ? -1 : 1))));
      insert.run(experiment, text, variant, unit ?? null, queryId, atMs);
    },
    /** `sources` are asked for what the records do not say, and only then. */
    async describe(sources: Definitions): Promise<LoggedExperiment[]> {
      const rows = v.parse(v.array(rowSchema), database.prepare(COUNT).all());
      const times = Map.groupBy(rows, ({ experiment, shares: own }) => JSON.stringify([experiment, own]));
      const described: LoggedExperiment[] = [];
      for (const arms of times.values()) {
        const { experiment, shares: own } = arms[0]!;
        const told =
          own === "" ? await definitionOf(experiment, sources) : { shares: v.parse(shares, JSON.parse(own)), from: "its records" }; // oxlint-disable-line no-await-in-loop
        described.push({
          experiment,
          first: dayOf(Math.min(...arms.map(({ first }) => first))),
          last: dayOf(Math.max(...arms.map(({ last }) => last))),
          ...told,
          arms: arms.map(({ variant, shoppers, shopperSearches, squaredShopperSearches, searches }) => ({
            variant,
            shoppers,
            shopperSearches,
            squaredShopperSearches,
            searches,
          })),
          crossed: arms.reduce((sum, { crossed }) => sum + crossed, 0),
        });
      }
      return described;
    },
  };
}

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/** Where experiments may stand that the log's records do not describe. */
export interface Definitions {
  /** Of the sources of the log. Rejects where a store cannot be read. */
  readonly live: () => Promise<string | undefined>;
  /** wrangler.toml of the edge. */
  readonly config: string;
}

const nobodySays = (why: string) => ({ shares: null, from: `the records do not say its arms, and ${why}` });

/** As a report finds them: the KV key goes before the configuration. */
async function definitionOf(experiment: string, { live, config }: Definitions): Promise<Pick<LoggedExperiment, "shares" | "from">> {
  let text: string | undefined;
  try {
    text = await live();
  } catch (error) {
    return nobodySays(`the KV key "experiments" cannot be read: ${errorText(error).split("\n")[0]}`);
  }
  if (text !== undefined) {
    const from = 'KV key "experiments"';
    const found = weightsIn(text, experiment, from);
    return found === undefined ? nobodySays(`the ${from} does not name it (any more)`) : { shares: Object.fromEntries(found.arms), from };
  }
  try {
    const { experiments } = readSettings({ file: config, env: { ...secretsBeside(config), ...process.env } }).config;
    const found = experiments.find(({ key }) => key === experiment);
    return found === undefined ? nobodySays(`${config} does not name it`) : { shares: armsOf(found), from: config };
  } catch (error) {
    if (error instanceof StartError) return nobodySays(`${config} does not say them (${error.problems.join("; ")})`);
    throw error;
  }
}

export const NO_EXPERIMENT = "no search of the log took part in an experiment";

/** What the sample ratio of one time of an experiment says. */
export interface ArmJudgment {
  readonly state: "passed" | "refused" | "skipped";
  readonly detail: string;
}

/** Expected in each arm: with fewer, chi-square is no distribution of such counts (Cochran 1954). */
const FEWEST_EXPECTED = 5;

/** Where no shopper is known, nobody can tell how many searches come from one: by so many times more do they vary than single ones at most. */
const ASSUMED_EFFECT = 10;

export function judgeArms({ experiment, first, last, shares: own, from, arms, crossed }: LoggedExperiment): ArmJudgment {
  const name = first === "" ? experiment : `${experiment} (${first === last ? first : `${first} to ${last}`})`;
  const unchecked = (why: string): ArmJudgment => ({ state: "skipped", detail: `${name} not checked, because ${why}` });
  if (own === null) return unchecked(from);
  const expected = Object.entries(own).filter(([, share]) => share > 0);
  if (expected.length < 2) return unchecked(`by ${from} it has one arm only`);
  const smallest = Math.min(...expected.map(([, share]) => share)) / expected.reduce((sum, [, share]) => sum + share, 0);
  const sum = (of: (each: LoggedExperiment["arms"][number]) => number): number => arms.reduce((all, each) => all + of(each), 0);
  const known = sum(({ shoppers }) => shoppers);
  const effect =
    known === 0
      ? ASSUMED_EFFECT
      : designEffect(
          sum(({ shopperSearches }) => shopperSearches),
          sum(({ squaredShopperSearches }) => squaredShopperSearches),
        );
  const tests = [
    { of: "shoppers", inflation: 1, count: ({ shoppers }: LoggedExperiment["arms"][number]) => shoppers },
    {
      of: "searches without a shopper",
      inflation: effect,
      count: ({ searches, shopperSearches }: LoggedExperiment["arms"][number]) => searches - shopperSearches,
    },
  ].flatMap(({ of, inflation, count: countOf }) => {
    const counts = expected.map(([variant]) =>
      arms.filter((each) => each.variant === variant).reduce((all, each) => all + countOf(each), 0),
    );
    const whole = counts.reduce((all, size) => all + size, 0);
    if ((smallest * whole) / inflation < FEWEST_EXPECTED) return [];
    const { p, isMismatch } = testSampleRatio(
      counts,
      expected.map(([, share]) => share),
      inflation,
    )!;
    const sizes = expected.map(([variant], i) => `${variant} ${counts[i]}`).join(", ");
    return [{ isMismatch, detail: `${sizes} ${of}, p ${p < 0.001 ? p.toExponential(1) : p.toFixed(3)}` }];
  });
  if (tests.length === 0) return unchecked("too few shoppers took part");
  const others = crossed === 0 ? [] : [`${crossed} times a shopper of several arms, left out`];
  const detail = [...tests.map((test) => test.detail), ...others].join("; ");
  if (!tests.some(({ isMismatch }) => isMismatch)) return { state: "passed", detail: `${name}: ${detail}` };
  return {
    state: "refused",
    detail: `the arms of ${name} do not have the sizes of ${from} (${detail}): find the cause first (armmt report), or leave that time out (armmt lists --since)`,
  };
}
