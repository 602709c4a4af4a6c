/** One judgment of one model: hard checks, then every list of held-out shoppers scored by the runtime that serves, then evidence and verdict. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import type { Scorer } from "../../inference/scorer.ts";
import { addDelta, blend } from "../../ranking/meaning.ts";
import { errorText, UserError } from "../../web.ts";
import { type Progress, progressBar } from "../command.ts";
import { orderByScore } from "../evaluate/metrics.ts";
import { openModelFolder } from "../evaluate/model.ts";
import { type ArmJudgment, judgeArms, type LoggedExperiment, loggedExperiments, NO_EXPERIMENT } from "../lists/arms.ts";
import type { ListRow } from "../lists/columns.ts";
import { readLists } from "../lists/read.ts";
import { configuredWeights } from "../report/weights.ts";
import { readJson } from "../train/stages.ts";
import { createExposures, ENGINE, type KnownOrders, modelOrder, SEMANTIC, surveyArms } from "./arms.ts";
import { type DescribedList, fitAttraction, measureLooks } from "./click-model.ts";
import { type Evidence, gatherEvidence, type GateList, MODEL } from "./evidence.ts";
import { type Check, checkHard, checkSplit, type HardOptions, skipped, type Taught } from "./hard-checks.ts";
import { readItems, tensorMaker } from "./tensors.ts";
import { DEFAULT_MARGIN, type Judgment, judge } from "./verdict.ts";

export interface GateOptions {
  /** Folder with student.onnx, manifest.json and golden.json. */
  readonly model: string;
  /** What `armmt lists` has written. */
  readonly lists: string;
  /** Folder of the model that serves now. */
  readonly live?: string | undefined;
  /** wrangler.toml of the edge, for the weights of the arms. */
  readonly config?: string | undefined;
  /** File of `armmt report --json`, for its sample ratio. */
  readonly report?: string | undefined;
  /** Share of the other order's clicks that may be lost. */
  readonly margin?: number | undefined;
  /** Milliseconds. */
  readonly budget?: number | undefined;
  readonly json?: boolean | undefined;
}

export const DEFAULT_BUDGET_MS = 200;
const TIMED_RUNS = 60;
/** Lists of the training split that the click model learns from. */
const MOST_TAUGHT = 10_000;
const LIVE = "live";

export type Verdict = "passes" | "refused" | "cannot_tell";

/** What `--json` prints. */
export interface GateReport {
  readonly format: 1;
  readonly verdict: Verdict;
  /** Names: of checks, and "worse than <order>". Empty unless refused. */
  readonly refused: readonly string[];
  /** What the log lacks, in words. Empty unless it cannot be told. */
  readonly missing: readonly string[];
  readonly model: { readonly version: string; readonly sha256: string; readonly trainedOn: string };
  readonly live: string | null;
  readonly margin: number;
  readonly checks: readonly Check[];
  readonly judgments: readonly Judgment[];
  /** `null` where a hard check refused the model before a list was scored. */
  readonly evidence: Evidence | null;
  readonly notes: readonly string[];
}

/** Throws a UserError where there is nothing to judge: a file is missing, or cannot be used. */
export async function runGate(options: GateOptions): Promise<GateReport> {
  const { margin = DEFAULT_MARGIN, budget = DEFAULT_BUDGET_MS } = options;
  const scorer = await openModelFolder(options.model);
  const live = options.live === undefined ? undefined : await openModelFolder(options.live);
  const items = readItems(options.lists);
  const hard: HardOptions = { folder: options.model, scorer, identity: items.identity, budgetMs: budget, runs: TIMED_RUNS };
  const survey = await surveyLists(options.lists);
  const checks = [...(await checkHard(hard)), checkSplit(options.model, survey.taught), await checkSampleRatio(options, survey.arms)];
  const { version, sha256, trainedOn } = scorer.manifest;
  const report = {
    format: 1,
    model: { version, sha256, trainedOn },
    live: live?.manifest.version ?? null,
    margin,
    checks,
  } as const;
  const refused: string[] = checks.filter(({ state }) => state === "refused").map(({ name }) => name);
  if (refused.some((name) => name !== "sample_ratio" && name !== "split")) {
    const notes = ["No list was scored: what the checks refuse cannot serve"];
    return { ...report, verdict: "refused", refused, missing: [], judgments: [], evidence: null, notes };
  }
  const { evidence, notes, failure } = await judgeLists(options, { scorer, live, survey, items });
  if (failure !== undefined) {
    const finite: Check = { name: "finite", state: "refused", detail: failure };
    const all = checks.map((check) => (check.name === "finite" ? finite : check));
    return {
      ...report,
      checks: all,
      verdict: "refused",
      refused: [...refused, "finite"],
      missing: [],
      judgments: [],
      evidence: null,
      notes,
    };
  }
  const { judgments, missing } = judge(evidence, margin);
  const lost = judgments.filter(({ outcome }) => outcome === "worse").map(({ against }) => `worse than ${against}`);
  const isOpen = missing.length > 0 || judgments.some(({ outcome }) => outcome === "cannot_tell");
  const all = [...refused, ...(missing.length > 0 ? [] : lost)];
  return {
    ...report,
    verdict: all.length > 0 ? "refused" : isOpen ? "cannot_tell" : "passes",
    refused: all,
    missing,
    judgments,
    evidence,
    notes,
  };
}

type ListSurvey = Awaited<ReturnType<typeof surveyLists>>;

/** First pass: splits, arms, and who was taught. */
async function surveyLists(folder: string) {
  const counts = { train: 0, validation: 0, test: 0 };
  const arms = surveyArms();
  const [training, all, test] = [createHash("sha256"), createHash("sha256"), createHash("sha256")];
  for await (const row of readLists(folder)) {
    counts[row.split]++;
    arms.add(row);
    all.update(`${row.query_id}\0`);
    (row.split === "test" ? test : training).update(`${row.query_id}\0`);
  }
  if (counts.test === 0) throw new UserError(`${folder} has no list of the test split: more shoppers are needed`);
  const taught: Taught = { training: training.digest("hex"), all: all.digest("hex"), test: test.digest("hex") };
  return { counts, arms, taught };
}

const reportSchema = v.object({ sampleRatio: v.object({ isMismatch: v.boolean(), verdict: v.string() }) });

/** As `armmt lists` writes it; lists of an older release do not have the experiments. */
const madeSchema = v.object({ experiments: v.optional(loggedExperiments) });

async function checkSampleRatio({ config, report, lists }: GateOptions, arms: ListSurvey["arms"]): Promise<Check> {
  const name = "sample_ratio";
  if (report !== undefined) {
    const ratio = readReport(report);
    return { name, state: ratio.isMismatch ? "refused" : "passed", detail: ratio.verdict };
  }
  const made = join(lists, "lists.json");
  const logged = (existsSync(made) ? readJson(made, madeSchema).experiments : undefined) ?? experimentsOf(arms);
  if (logged.length === 0) return skipped(name, `not checked, because ${NO_EXPERIMENT}`);
  const judged: ArmJudgment[] = [];
  for (const each of logged) judged.push(judgeArms(each.shares === null ? await withConfigured(each, config) : each)); // oxlint-disable-line no-await-in-loop
  const of = (wanted: ArmJudgment["state"]) => judged.flatMap(({ state, detail }) => (state === wanted ? [detail] : []));
  const [bad, good, open] = [of("refused"), of("passed"), of("skipped")];
  return {
    name,
    state: bad.length > 0 ? "refused" : good.length > 0 ? "passed" : "skipped",
    detail: [...bad, ...good, ...open].join("; "),
  };
}

/** Of lists that do not bring them: what the lists themselves say. */
function experimentsOf(arms: ListSurvey["arms"]): readonly LoggedExperiment[] {
  return Array.from(arms.counts(), ([experiment, counts]) => ({
    experiment,
    first: "",
    last: "",
    shares: null,
    from: "these lists do not say its arms: make them again with armmt lists, or give --config, or --report",
    arms: Array.from(counts, ([variant, shoppers]) => ({
      variant,
      shoppers,
      shopperSearches: shoppers,
      squaredShopperSearches: shoppers,
      searches: shoppers,
    })),
    crossed: 0,
  }));
}

async function withConfigured(logged: LoggedExperiment, config: string | undefined): Promise<LoggedExperiment> {
  if (config === undefined) return logged;
  try {
    const weights = await configuredWeights(config, logged.experiment);
    if (weights !== undefined) return { ...logged, shares: Object.fromEntries(weights.arms), from: config };
    return { ...logged, from: `${logged.from}; ${config} does not name it` };
  } catch (error) {
    // Of a shop with a server alone.
    const why = errorText(error).split("\n")[0];
    return { ...logged, from: `${logged.from}; ${config} cannot be read without wrangler (${why}): npm install --save-dev wrangler` };
  }
}

function readReport(file: string): { readonly isMismatch: boolean; readonly verdict: string } {
  try {
    return v.parse(reportSchema, JSON.parse(readFileSync(file, "utf8"))).sampleRatio;
  } catch (error) {
    throw new UserError(`Cannot use the report ${file} (${errorText(error)}): write it with armmt report --json`, { cause: error });
  }
}

interface Opened {
  readonly scorer: Scorer;
  readonly live: Scorer | undefined;
  readonly survey: ListSurvey;
  readonly items: ReturnType<typeof readItems>;
}

type Judged =
  | { readonly evidence: Evidence; readonly notes: string[]; readonly failure?: undefined }
  | { readonly failure: string; readonly notes: string[]; readonly evidence?: undefined };

async function judgeLists(options: GateOptions, { scorer, live, survey, items }: Opened): Promise<Judged> {
  const { counts } = survey;
  const share = Math.min(1, MOST_TAUGHT / Math.max(1, counts.train));
  const every = 1 / share;
  const bar = progressBar("Scoring lists", counts.test + Math.ceil(counts.train * share), options);
  const makers = new Map([scorer, ...(live === undefined ? [] : [live])].map((each) => [each, tensorMaker(items, each.manifest)]));
  /** Why it fails, or the list's order at each of `trusts`. Throws nothing. */
  const ordersBy = async (by: Scorer, row: ListRow, trusts: readonly number[]): Promise<string | readonly (readonly number[])[]> => {
    const scored = await by.score(makers.get(by)!(row));
    if (!scored.ok) return `${by.manifest.version} fails on query "${row.query}": ${scored.error.detail}`;
    const { score } = scored.value;
    const { prior } = row;
    const isDelta = by.manifest.form === "delta";
    if (prior !== null)
      return trusts.map((trust) =>
        orderByScore(isDelta ? addDelta(prior, score, trust) : trust === 1 ? score : blend(prior, score, trust)),
      );
    if (isDelta) return `${by.manifest.version} adds to the order of engine and meaning, and the lists lack the column prior`;
    return trusts.map(() => orderByScore(score));
  };
  // Of lists without the column prior the order at another trust is not known.
  const trusts = [1, ...survey.arms.trusts()];
  /** Without the model that is judged: what the edge served. */
  const servedOrders = async (row: ListRow): Promise<KnownOrders> => {
    const orders = new Map<string, readonly number[]>([[ENGINE, row.item_rows.map((_, i) => i)]]);
    if (row.prior !== null) orders.set(SEMANTIC, orderByScore(row.prior));
    if (live !== undefined) {
      const wanted = row.prior === null ? [1] : trusts;
      const by = await ordersBy(live, row, wanted);
      if (typeof by === "string") throw new UserError(`The live model cannot be compared with: ${by}`);
      for (const [i, order] of by.entries()) orders.set(modelOrder(live.manifest.version, wanted[i]), order);
    }
    return orders;
  };

  let exposures = createExposures(survey.arms, live?.manifest.version);
  const taught = await readTaught(options.lists, every, servedOrders, (row, orders) => exposures.find(row, orders), bar);
  const notes: string[] = [];
  const doubtful = exposures.doubtful();
  if (doubtful.size > 0) {
    notes.push(
      `What these arms showed is not the order that is computed for them (pinned hits, rules, another model or trust), so of their lists only what single records say was randomised is used: ${[...doubtful].join(", ")}`,
    );
    exposures = createExposures(survey.arms, live?.manifest.version, doubtful);
    taught.forEach((list, i) => (taught[i] = { ...list, cells: exposures.find(list.row, list.orders) }));
  }
  const curve = measureLooks(taught);
  const width = items.features.length;
  const attraction = fitAttraction(taught, width, curve.looks);
  const sum = (of: (row: ListRow) => readonly number[]): number =>
    taught.reduce((total, { row }) => total + of(row).reduce((all, value) => all + value, 0), 0);
  const perClick =
    sum(({ purchases }) => purchases) /
    Math.max(
      1,
      sum(({ clicks }) => clicks),
    );

  const lists: GateList[] = [];
  let [withoutMeaning, failures] = [0, 0];
  let failure = "";
  for await (const row of readLists(options.lists, "test")) {
    bar.increment();
    const served = await servedOrders(row);
    const own = await ordersBy(scorer, row, [1]);
    if (typeof own === "string") {
      failures++;
      failure ||= own;
      continue;
    }
    if (row.prior === null) withoutMeaning++;
    const orders = new Map([[ENGINE, served.get(ENGINE)!]]);
    const semantic = served.get(SEMANTIC);
    if (semantic !== undefined) orders.set(SEMANTIC, semantic);
    if (live !== undefined) orders.set(LIVE, served.get(live.manifest.version)!);
    orders.set(MODEL, own[0]!);
    lists.push({
      unit: row.unit,
      queryId: row.query_id,
      positions: row.positions,
      clicks: row.clicks,
      purchases: row.purchases,
      cells: exposures.find(row, served),
      attraction: attraction(row.features),
      orders,
    });
  }
  bar.stop();
  if (failures > 0) return { failure: `${failures} of ${counts.test} lists: model ${failure}`, notes };
  if (withoutMeaning > 0) {
    notes.push(
      `${withoutMeaning} of ${lists.length} lists lack the column prior: the model is not compared with engine and meaning (semantic)`,
    );
    for (const { orders } of lists) if (orders instanceof Map) orders.delete(SEMANTIC);
  }
  if (live === undefined) notes.push("No live model is named (--live): the model is compared with engine and meaning only");
  const { byArms, byRecord, fixed } = exposures.counts();
  notes.push(
    `Lists of both splits whose places were random: ${byArms} by the arms of their experiment, ${byRecord} by their own record alone` +
      Object.entries(fixed)
        .map(([reason, count]) => `; not random (${reason}): ${count}`)
        .join(""),
  );
  return { evidence: gatherEvidence({ lists, curve, perClick }), notes };
}

/** Lists of the training split, evenly from the whole of it. */
async function readTaught(
  folder: string,
  every: number,
  ordersOf: (row: ListRow) => Promise<KnownOrders>,
  cellsOf: (row: ListRow, orders: KnownOrders) => DescribedList["cells"],
  bar: Progress,
): Promise<(DescribedList & { readonly row: ListRow; readonly orders: KnownOrders })[]> {
  const taught = [];
  let [seen, taken] = [0, 0];
  for await (const row of readLists(folder, "train")) {
    if (seen++ < taken * every - 1e-9) continue;
    taken++;
    bar.increment();
    const { positions, clicks, features } = row;
    const orders = await ordersOf(row); // oxlint-disable-line no-await-in-loop
    taught.push({ row, positions, clicks, features, orders, cells: cellsOf(row, orders) });
  }
  return taught;
}
