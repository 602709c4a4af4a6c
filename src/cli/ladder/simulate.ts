/**
 * Good, useless and harmful models in simulated shops, through the same moves, store and team draft as in real ones. Every figure of it is simulated.
 *
 * A shopper searches three times; a click depends on position and relevance; meaning knows a part of the relevance, the model more of it, the same,
 * or the opposite of what meaning does not know.
 */
import { createRandom, type Random } from "../../demo/catalogue/random.ts";
import { draftTeams } from "../../ranking/interleave.ts";
import type { Votes } from "../../report/statistics/preference.ts";
import { readRanking, writeRanking } from "../publish/ranking.ts";
import { MEANING } from "./moves.ts";
import { climb, type LadderOptions, type Store } from "./store.ts";

export const KINDS = ["good", "useless", "harmful"] as const;

export type Kind = (typeof KINDS)[number];

const ITEMS = 24;
const PAGE = 10;
const SEARCHES_PER_SHOPPER = 3;
/** Shoppers between two runs of the command. */
const SHOPPERS_PER_LOOK = 250;
const SHARE = 0.2;
const MOST_LOOKS = 120;
const MODEL = "simulated";
const CATALOG = "shop";

const NONE: Votes = { a: 0, b: 0, ties: 0 };
const OPTIONS: Omit<LadderOptions, "at" | "votes"> = {
  catalog: CATALOG,
  model: MODEL,
  share: SHARE,
  indexes: [CATALOG],
  configured: [],
  isAgain: false,
  isTrial: false,
};

export interface SimulatedRun {
  readonly kind: Kind;
  /** At the end. */
  readonly trust: number;
  /** Mean nDCG@10 of all searches, those in trials too, minus that of meaning on the same lists. */
  readonly served: number;
  /** Of the model at trust 1. */
  readonly difference: number;
  /** Of the whole shop until trust 1; null where it was not reached. */
  readonly searchesToFull: number | null;
  /** Until the ladder found it worse; null where it did not. */
  readonly searchesToStop: number | null;
}

interface List {
  readonly relevance: readonly number[];
  readonly meaning: readonly number[];
  readonly model: readonly number[];
  /** Scores of the model that serves, where that is another one. */
  readonly live?: readonly number[];
}

/** `shop` is the seed; its kind goes round. */
export async function simulateLadder(shop: number, kind: Kind = KINDS[shop % KINDS.length]!): Promise<SimulatedRun> {
  const random = createRandom(`ladder ${shop}`);
  const strength = 0.5 + random.next();
  const draw = (): List => drawList(random, kind, strength);
  const sample = Array.from({ length: 300 }, draw);
  /** Mean difference from meaning, by trust. */
  const gain = new Map<number, number>();
  const gainOf = (trust: number): number => {
    const known = gain.get(trust);
    if (known !== undefined) return known;
    const mean = sample.reduce((sum, list) => sum + ndcg(orderOf(list, trust), list) - ndcg(orderOf(list, 0), list), 0) / sample.length;
    gain.set(trust, mean);
    return mean;
  };

  const store = memoryStore();
  let votes: Votes = { a: 0, b: 0, ties: 0 };
  let [searches, quality] = [0, 0];
  let searchesToFull: number | null = null;
  let searchesToStop: number | null = null;
  let trying: string | null = null;
  for (let look = 0; look < MOST_LOOKS; look++) {
    // oxlint-disable-next-line no-await-in-loop
    const report = await climb(store, {
      ...OPTIONS,
      at: new Date(look * 3_600_000),
      votes: async () => ({ clicks: votes, purchases: NONE }),
    });
    if (report.trust === 1) searchesToFull ??= searches;
    if (report.isHarm) searchesToStop ??= searches;
    if (report.trying !== trying) votes = { a: 0, b: 0, ties: 0 };
    trying = report.trying;
    const tried = trying === null ? 0 : Math.round(SHOPPERS_PER_LOOK * SHARE);
    const counted = { ...votes };
    for (let shopper = 0; shopper < tried; shopper++) {
      countVote(counted, { trying: trying ?? "", seed: `${shop} ${look} ${shopper}`, draw, random }, (order, list) => {
        quality += ndcg(order, list) - ndcg(orderOf(list, 0), list);
      });
    }
    votes = counted;
    quality += (SHOPPERS_PER_LOOK - tried) * SEARCHES_PER_SHOPPER * gainOf(report.trust);
    searches += SHOPPERS_PER_LOOK * SEARCHES_PER_SHOPPER;
  }
  const trust = (await readRanking(store, CATALOG))?.trust ?? 0;
  return { kind, trust, served: quality / searches, difference: gainOf(1), searchesToFull, searchesToStop };
}

interface Visit {
  /** The interleaved variant. */
  readonly trying: string;
  readonly seed: string;
  readonly draw: () => List;
  readonly random: Random;
}

/** The searches of one shopper, and whom their clicks vote for. */
function countVote(
  votes: { -readonly [name in keyof Votes]: number },
  { trying, seed, draw, random }: Visit,
  onList: (order: readonly number[], list: List) => void = () => undefined,
): void {
  const [a = "", b = ""] = /^interleave\((.+), (.+)\)$/.exec(trying)?.slice(1) ?? [];
  let [forA, forB] = [0, 0];
  for (let n = 0; n < SEARCHES_PER_SHOPPER; n++) {
    const list = draw();
    const drafted = draftTeams(orderBy(list, a), orderBy(list, b), [], `${seed} ${n}`);
    onList(drafted.order, list);
    for (let position = 0; position < PAGE; position++) {
      const attraction = 0.35 / (1 + Math.exp(2 - 1.5 * list.relevance[drafted.order[position]!]!));
      if (random.next() >= attraction / (position + 1) ** 0.7) continue;
      if (drafted.teams[position] === "a") forA++;
      else forB++;
    }
  }
  if (forA + forB === 0) return;
  if (forA === forB) votes.ties++;
  else if (forA > forB) votes.a++;
  else votes.b++;
}

const LIVE = "live";

export interface WatchedRun {
  /** Searches of the whole shop until the new model had lost; null where it never did. */
  readonly searchesToLoss: number | null;
  /** Of the model that has served all along, from then on until it lost its trust; null where it kept it. */
  readonly searchesToStop: number | null;
}

/**
 * A good model serves with all trust, and a harmful one loses its trial against it. From then on the taste of the shoppers turns against the one that
 * serves (`isSpoilt`), or it does not. The command is run from cron, by the name of the one that has lost.
 */
export async function simulateWatch(shop: number, isSpoilt: boolean, looks = MOST_LOOKS): Promise<WatchedRun> {
  const random = createRandom(`watch ${shop}`);
  const strength = 0.5 + random.next();
  const store = memoryStore();
  await writeRanking(store, CATALOG, { model: LIVE, trust: 1, evidence: "earlier", at: new Date(0) });
  let votes: Votes = { a: 0, b: 0, ties: 0 };
  let lost: number | null = null;
  let trying: string | null = null;
  for (let look = 1; look <= looks; look++) {
    // oxlint-disable-next-line no-await-in-loop
    const report = await climb(store, {
      ...OPTIONS,
      at: new Date(look * 3_600_000),
      votes: async () => ({ clicks: votes, purchases: NONE }),
    });
    const searches = (look - 1) * SHOPPERS_PER_LOOK * SEARCHES_PER_SHOPPER;
    if (report.did === "stayed") lost = searches;
    if (report.did === "stopped") return { searchesToLoss: lost, searchesToStop: searches - (lost ?? 0) };
    if (report.trying !== trying) votes = NONE;
    trying = report.trying;
    if (trying === null) continue;
    const turned = isSpoilt && lost !== null;
    const draw = (): List => {
      const { model: live, ...list } = drawList(random, turned ? "harmful" : "good", strength);
      return { ...list, live, model: list.meaning.map((read, i) => 2 * read - live[i]!) };
    };
    const counted = { ...votes };
    for (let shopper = 0; shopper < Math.round(SHOPPERS_PER_LOOK * SHARE); shopper++)
      countVote(counted, { trying, seed: `${shop} ${look} ${shopper}`, draw, random });
    votes = counted;
  }
  return { searchesToLoss: lost, searchesToStop: null };
}

export function summariseWatch(runs: readonly WatchedRun[]) {
  return {
    runs: runs.length,
    lost: runs.filter(({ searchesToLoss }) => searchesToLoss !== null).length,
    stopped: runs.filter(({ searchesToStop }) => searchesToStop !== null).length,
    medianSearchesToStop: median(runs.map(({ searchesToStop }) => searchesToStop)),
    slowestSearchesToStop: Math.max(0, ...runs.map(({ searchesToStop }) => searchesToStop ?? 0)),
  };
}

/** By kind of model. */
export function summarise(runs: readonly SimulatedRun[]) {
  return KINDS.map((kind) => {
    const of = runs.filter((run) => run.kind === kind);
    return {
      kind,
      runs: of.length,
      fullTrust: of.filter(({ trust }) => trust === 1).length,
      someTrust: of.filter(({ trust }) => trust > 0 && trust < 1).length,
      noTrust: of.filter(({ trust }) => trust === 0).length,
      foundWorse: of.filter(({ searchesToStop }) => searchesToStop !== null).length,
      servedMean: of.reduce((sum, { served }) => sum + served, 0) / Math.max(1, of.length),
      servedWorst: Math.min(...of.map(({ served }) => served)),
      medianSearchesToFull: median(of.map(({ searchesToFull }) => searchesToFull)),
      slowestSearchesToFull: Math.max(0, ...of.map(({ searchesToFull }) => searchesToFull ?? 0)),
      medianSearchesToStop: median(of.map(({ searchesToStop }) => searchesToStop)),
      slowestSearchesToStop: Math.max(0, ...of.map(({ searchesToStop }) => searchesToStop ?? 0)),
    };
  });
}

/** Two parts of relevance: the words, which meaning reads with some noise, and the taste of the shoppers. */
function drawList(random: Random, kind: Kind, strength: number): List {
  const relevance: number[] = [];
  const meaning: number[] = [];
  const model: number[] = [];
  for (let i = 0; i < ITEMS; i++) {
    const [words, taste, noise] = [normal(random), normal(random), normal(random)];
    relevance.push(words + 0.7 * taste);
    const read = words + 0.5 * noise;
    meaning.push(read);
    const known = kind === "good" ? taste : kind === "harmful" ? -taste : 0.4 * normal(random);
    model.push(read + 0.5 * strength * known);
  }
  return { relevance, meaning, model };
}

function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}

/** Of meaning, or of a model at a trust, as the variant names it. */
function orderBy({ live, ...list }: List, variant: string): readonly number[] {
  const isLive = live !== undefined && variant.startsWith(`armmt@${LIVE}:`);
  return orderOf(isLive ? { ...list, model: live } : list, trustOf(variant));
}

function orderOf({ meaning, model }: List, trust: number): readonly number[] {
  const score = meaning.map((value, i) => (1 - trust) * value + trust * model[i]!);
  return [...score.keys()].toSorted((a, b) => score[b]! - score[a]!);
}

/** Grades 0 to 3. */
function ndcg(order: readonly number[], { relevance }: List): number {
  const gains = relevance.map((value) => 2 ** Math.min(3, Math.max(0, Math.round(value + 0.5))) - 1);
  const best = sum(gains.toSorted((a, b) => b - a));
  return best === 0 ? 1 : sum(order.map((index) => gains[index]!)) / best;
}

export function memoryStore(): Store & { readonly values: Map<string, string> } {
  const values = new Map<string, string>();
  return {
    values,
    place: "memory",
    get: async (key) => values.get(key),
    put: async (entries) => {
      for (const { key, value } of entries) values.set(key, String(value));
    },
  };
}

const trustOf = (variant: string): number => (variant === MEANING ? 0 : Number(variant.split(":")[1]));

const sum = (list: readonly number[]): number => list.slice(0, PAGE).reduce((all, gain, i) => all + gain / Math.log2(i + 2), 0);

const median = (values: readonly (number | null)[]): number | null => {
  const known = values.filter((value) => value !== null).toSorted((a, b) => a - b);
  return known[Math.floor(known.length / 2)] ?? null;
};
