/** What must hold of a model whatever shoppers do: its files, its arithmetic in the runtime that serves, its size and its time. */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { parseGolden } from "../../inference/golden.ts";
import { matchShards, type ShardSetIdentity } from "../../inference/manifest.ts";
import { MAX_GRAPH_BYTES, type Scorer } from "../../inference/scorer.ts";
import { emptyTensors, type ListTensors, MAX_HISTORY } from "../../ranking/features.ts";
import { MAX_QUERY_TOKENS } from "../../ranking/tokenizer.ts";
import { errorText } from "../../web.ts";
import { createList, xorshift } from "../build/sample-list.ts";
import { runGolden } from "../evaluate/model.ts";

/** In the order in which they are read. */
export const CHECKS = ["catalogue", "golden", "order", "padding", "finite", "size", "time", "split", "sample_ratio"] as const;
export type CheckName = (typeof CHECKS)[number];

export interface Check {
  readonly name: CheckName;
  /** "skipped": nothing to check it by, which the detail names. */
  readonly state: "passed" | "refused" | "skipped";
  readonly detail: string;
}

const passed = (name: CheckName, detail: string): Check => ({ name, state: "passed", detail });
const refused = (name: CheckName, detail: string): Check => ({ name, state: "refused", detail });
export const skipped = (name: CheckName, detail: string): Check => ({ name, state: "skipped", detail });

/** As the golden cases have it at most: sums in another order differ in the last bits. */
const TOLERANCE = 1e-4;

/** The window that serves at most. */
const FULL = 100;

export interface HardOptions {
  readonly folder: string;
  readonly scorer: Scorer;
  /** Of the catalogue for which the lists were made. */
  readonly identity: ShardSetIdentity;
  readonly budgetMs: number;
  readonly runs: number;
}

export async function checkHard(options: HardOptions): Promise<Check[]> {
  const { scorer, folder } = options;
  return [
    checkCatalogue(options),
    await checkGolden(folder, scorer),
    await checkOrder(scorer),
    await checkPadding(scorer),
    await checkFinite(scorer),
    checkSize(folder),
    await checkTime(options),
  ];
}

/** Dims and encoders; features and graph were checked when the model was opened. */
function checkCatalogue({ scorer: { manifest }, identity }: HardOptions): Check {
  const fit = matchShards(manifest, identity);
  if (!fit.ok) return refused("catalogue", fit.error.detail);
  return passed("catalogue", `${manifest.features.length} features, image ${manifest.encoders.image}, text ${manifest.encoders.text}`);
}

async function checkGolden(folder: string, scorer: Scorer): Promise<Check> {
  try {
    const golden = parseGolden(JSON.parse(readFileSync(join(folder, "golden.json"), "utf8")));
    if (golden.sha256 !== scorer.manifest.sha256) {
      return refused("golden", `golden.json is of another graph (SHA-256 ${golden.sha256}): export both again`);
    }
    const results = await runGolden(scorer, golden);
    const worst = results.reduce((most, result) => (result.error > most.error || Number.isNaN(result.error) ? result : most));
    const detail = `${results.length} cases, off by ${worst.error.toExponential(1)} at most ("${worst.name}"), ${golden.tolerance} allowed`;
    return worst.error <= golden.tolerance ? passed("golden", detail) : refused("golden", detail);
  } catch (error) {
    return refused("golden", `golden.json cannot be used: ${errorText(error)}`);
  }
}

/** Rows of candidates in another order: `order[i]` is the old row of the new row i. Rank and score go with their candidate. */
export function permute(list: ListTensors, order: readonly number[]): ListTensors {
  const rows = (values: Float32Array): Float32Array => {
    const width = values.length / list.k;
    const moved = new Float32Array(values.length);
    order.forEach((from, to) => moved.set(values.subarray(from * width, (from + 1) * width), to * width));
    return moved;
  };
  return {
    ...list,
    image: rows(list.image),
    text: rows(list.text),
    features: rows(list.features),
    presence: rows(list.presence),
    mask: rows(list.mask),
  };
}

/** More rows, tokens and history items, all masked. What is masked holds `filler`. */
export function pad(list: ListTensors, more: { readonly k: number; readonly lq: number; readonly h: number }, filler: number): ListTensors {
  const padded = emptyTensors({ ...list, k: list.k + more.k, lq: list.lq + more.lq, h: list.h + more.h });
  for (const name of ["image", "text", "features", "historyImage", "historyText"] as const) padded[name].fill(filler);
  for (const name of ["image", "text", "features", "presence", "historyImage", "historyText", "historyMask", "queryMask"] as const) {
    padded[name].set(list[name]);
  }
  padded.queryTokenIds.set(list.queryTokenIds);
  padded.mask.fill(0);
  padded.mask.set(list.mask);
  return padded;
}

/** Largest difference of the first `k` scores, or why there are none. */
async function differenceOf(scorer: Scorer, a: ListTensors, b: ListTensors, order?: readonly number[]): Promise<number | string> {
  const [one, other] = [await scorer.score(a), await scorer.score(b)];
  if (!one.ok) return one.error.detail;
  if (!other.ok) return other.error.detail;
  const [first, second] = [one.value.score, other.value.score];
  return Math.max(...Array.from({ length: a.k }, (_, i) => Math.abs(first[order?.[i] ?? i]! - second[i]!)));
}

/** Scores go with their candidates: whoever stands where in the tensors, a candidate's score is the same. */
async function checkOrder(scorer: Scorer): Promise<Check> {
  return worstOf(
    "order",
    "candidates in another order",
    [2, 24, FULL].map((k) => async () => {
      const list = createList(k, scorer.manifest);
      const next = xorshift(k);
      const order = Array.from({ length: k }, (_, i) => [next(), i] as const)
        .toSorted(([a], [b]) => a - b)
        .map(([, i]) => i);
      return differenceOf(scorer, list, permute(list, order), order);
    }),
  );
}

/** A masked candidate, token or history item changes no score. */
async function checkPadding(scorer: Scorer): Promise<Check> {
  return worstOf(
    "padding",
    "masked rows beside the list",
    [0, 3].flatMap((filler) =>
      [2, 24].map((k) => async () => {
        const list = createList(k, scorer.manifest);
        return differenceOf(scorer, list, pad(list, { k: 7, lq: 3, h: 2 }, filler));
      }),
    ),
  );
}

async function worstOf(name: CheckName, what: string, cases: readonly (() => Promise<number | string>)[]): Promise<Check> {
  let worst = 0;
  for (const difference of cases) {
    const found = await difference(); // oxlint-disable-line no-await-in-loop
    if (typeof found === "string") return refused(name, `${what}: ${found}`);
    worst = Math.max(worst, found);
  }
  const detail = `${what} change a score by ${worst.toExponential(1)} at most, ${TOLERANCE} allowed`;
  return worst <= TOLERANCE ? passed(name, detail) : refused(name, detail);
}

/** Lists as they can come: the scorer refuses what is no number. */
async function checkFinite(scorer: Scorer): Promise<Check> {
  const { manifest } = scorer;
  const shape = { f: manifest.features.length, imageDim: manifest.dims.image, textDim: manifest.dims.text };
  const extreme = createList(24, manifest);
  for (let i = 0; i < extreme.features.length; i++) extreme.features[i] = i % 2 === 0 ? 4 : -4;
  const lists: readonly (readonly [string, ListTensors])[] = [
    ["nothing known of two candidates", emptyTensors({ ...shape, k: 2, lq: 1, h: 1 })],
    ["nothing known of a full window", emptyTensors({ ...shape, k: FULL, lq: 1, h: 1 })],
    [
      "a full window, the longest query and history",
      createList(FULL, manifest, { queryTokens: MAX_QUERY_TOKENS, historyItems: MAX_HISTORY }),
    ],
    ["features at both ends", extreme],
    ["a long list without history", { ...createList(FULL, manifest), historyMask: new Float32Array(5) }],
  ];
  for (const [name, list] of lists) {
    const scored = await scorer.score(list); // oxlint-disable-line no-await-in-loop
    if (!scored.ok) return refused("finite", `${name}: ${scored.error.detail}`);
  }
  return passed("finite", `${lists.length} lists at the edges of what can come`);
}

function checkSize(folder: string): Check {
  const { size } = statSync(join(folder, "student.onnx"));
  const detail = `student.onnx has ${(size / 1e6).toFixed(2)} MB, an isolate carries ${MAX_GRAPH_BYTES / 1e6} MB of graphs`;
  return size <= MAX_GRAPH_BYTES ? passed("size", detail) : refused("size", detail);
}

/** Processor time, so that a machine with other work refuses nobody. */
async function checkTime({ scorer, budgetMs, runs }: HardOptions): Promise<Check> {
  const list = createList(FULL, scorer.manifest);
  const times: number[] = [];
  for (let run = 0; run < runs; run++) {
    const before = process.cpuUsage();
    const scored = await scorer.score(list); // oxlint-disable-line no-await-in-loop
    const { user, system } = process.cpuUsage(before);
    if (!scored.ok) return refused("time", scored.error.detail);
    times.push((user + system) / 1000);
  }
  // The first runs compile.
  const sorted = times.slice(Math.min(3, runs >> 2)).toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  const [p50, p99] = [at(0.5), at(0.99)];
  const detail = `${FULL} candidates take ${p50.toFixed(1)} ms of processor time (p50), ${p99.toFixed(1)} ms (p99) in wasm; the budget is ${budgetMs} ms`;
  // What must not happen to more than one search in a hundred; half of the budget is left for vectors and the rest.
  return p50 <= budgetMs / 2 && p99 <= budgetMs ? passed("time", detail) : refused("time", detail);
}

const trainingSchema = v.object({
  training: v.optional(v.object({ taught: v.optional(v.string()), catalogVersion: v.optional(v.string()) })),
});

/** SHA-256 over the query ids of lists, as `armmt train` writes them into the manifest: those it learned from, and those it must not have. */
export interface Taught {
  readonly training: string;
  readonly all: string;
  readonly test: string;
}

export function checkSplit(folder: string, { training, all, test }: Taught): Check {
  const parsed = v.safeParse(trainingSchema, JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8")));
  const taught = parsed.success ? parsed.output.training?.taught : undefined;
  if (taught === undefined) return skipped("split", "manifest.json does not say which lists taught the model");
  if (taught === training) return passed("split", "the model learned from these lists, without those of the test split");
  if (taught === all || taught === test)
    return refused("split", "the model learned from the shoppers by whom it would be judged: train it again");
  return passed(
    "split",
    "the model learned from other lists; shoppers of the test split are kept out of all of them by the hash of their name",
  );
}
