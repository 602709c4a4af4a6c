/** A page's judgments, read with the key: better, same or worse, and whether that is more than chance. */
import * as v from "valibot";
import { exactShare, signTest } from "../../report/statistics/preference.ts";
import { ORDERS, sideOf } from "./pairs.ts";
import { KINDS, QUERIES } from "./queries.ts";

export const CHOICES = ["left", "right", "same"] as const;

/** What the page saves. */
export const JudgmentsSchema = v.object({
  format: v.literal(1),
  /** The key to the sides. */
  seed: v.string(),
  of: v.picklist(ORDERS),
  against: v.picklist(ORDERS),
  trust: v.number(),
  model: v.string(),
  set: v.string(),
  /** Who judged, and how. */
  judge: v.pipe(v.string(), v.minLength(1)),
  /** By query. */
  choices: v.record(v.string(), v.picklist(CHOICES)),
  /** Queries whose sides are the same list: nobody is asked. */
  identical: v.array(v.string()),
});

export type Judgments = v.InferOutput<typeof JudgmentsSchema>;

const ALPHA = 0.05;

export interface Tally {
  readonly name: string;
  readonly better: number;
  readonly same: number;
  readonly worse: number;
}

export type Verdict = ReturnType<typeof verdictOf>;

/** Of the first order against the other. Ties say nothing of which is better, and are left out of the test. */
export function verdictOf({ seed, choices, identical }: Judgments) {
  const sameLists = new Set(identical);
  const outcomes = QUERIES.flatMap(({ text, kind }) => {
    const choice = sameLists.has(text) ? "same" : choices[text];
    if (choice === undefined) return [];
    return [{ text, kind, outcome: choice === "same" ? ("same" as const) : choice === sideOf(seed, text) ? ("better" as const) : ("worse" as const) }]; // prettier-ignore
  });
  const tally = (name: string, some: typeof outcomes): Tally => {
    const count = (wanted: "better" | "same" | "worse") => some.filter(({ outcome }) => outcome === wanted).length;
    return { name, better: count("better"), same: count("same"), worse: count("worse") };
  };
  const all = tally("all", outcomes);
  const decided = all.better + all.worse;
  return {
    judged: outcomes.length,
    asked: QUERIES.length,
    identical: identical.length,
    all,
    kinds: KINDS.map((kind) => tally(kind, outcomes.filter((one) => one.kind === kind))), // prettier-ignore
    /** Of the queries in which one is better, how often it is the first order; `undefined` without any. */
    share: decided === 0 ? undefined : { value: all.better / decided, ...exactShare(all.better, decided, ALPHA) },
    /** Two-sided sign test. */
    p: signTest(all.better, all.worse),
    better: outcomes.filter(({ outcome }) => outcome === "better").map(({ text }) => text),
    worse: outcomes.filter(({ outcome }) => outcome === "worse").map(({ text }) => text),
  };
}

/** One sentence. */
export function sayVerdict({ share, p, all }: Verdict, { of, against }: Pick<Judgments, "of" | "against">): string {
  if (share === undefined) return `No query in which ${of} or ${against} is better`;
  const figures = `${all.better} of ${all.better + all.worse} decided queries, ${percent(share.value)} (95 %: ${percent(share.low)} .. ${percent(share.high)}), sign test p ${p < 0.0001 ? "< 0.0001" : `= ${p.toFixed(p < 0.01 ? 4 : 3)}`}`;
  if (share.low > 0.5) return `${of} is better than ${against}: ${figures}`;
  if (share.high < 0.5) return `${of} is worse than ${against}: ${figures}`;
  return `We cannot tell ${of} from ${against}: better in ${figures}`;
}

const percent = (part: number): string => `${Math.round(part * 100)} %`;
