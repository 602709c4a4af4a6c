/** One run of the ladder over a store: what it has found so far, its experiment, and the catalogue's ranking. */
import * as v from "valibot";
import { parseExperiments } from "../../config/experiments.ts";
import type { Experiment } from "../../experiment/assign.ts";
import { EXPERIMENTS_KEY } from "../../search/live-experiments.ts";
import { UserError } from "../../web.ts";
import type { Namespace } from "../publish/namespace.ts";
import { readRanking, writeRanking } from "../publish/ranking.ts";
import {
  type Evidence,
  firstTrial,
  type Followed,
  type Move,
  moveOf,
  type Phase,
  type Standing,
  standingAfter,
  variantOf,
  watching,
} from "./moves.ts";

export type Store = Pick<Namespace, "place" | "get" | "put">;

const share = v.pipe(v.number(), v.minValue(0), v.maxValue(1));

const standing = v.object({ model: v.string(), phase: v.picklist(["trial", "watch"]), trust: share, against: v.string() });

const entry = v.object({ at: v.string(), what: v.string(), model: v.string(), trust: share, evidence: v.string() });

const schema = v.object({
  format: v.literal(1),
  /** The model that climbs, or climbed last. */
  model: v.string(),
  /** `null`: nothing is tried any more. */
  standing: v.nullable(standing),
  /** Votes count from then on. */
  since: v.string(),
  /** Newest last. */
  history: v.array(entry),
});

export type LadderState = v.InferOutput<typeof schema>;

const MOST_ENTRIES = 100;

export function ladderKey(catalog: string): string {
  return `${catalog}/ladder`;
}

/** Of its experiment. */
export function experimentKey(catalog: string): string {
  return `ladder-${catalog}`;
}

export async function readLadder(store: Store, catalog: string): Promise<LadderState | undefined> {
  const text = await store.get(ladderKey(catalog));
  if (text === undefined) return undefined;
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), text);
  if (parsed.success) return parsed.output;
  throw new UserError(
    `Key ${ladderKey(catalog)} in ${store.place} is not as armmt ladder writes it: delete it, and the ladder starts anew`,
  );
}

export interface LadderOptions {
  readonly catalog: string;
  /** The model that climbs; absent: the one that climbs already. */
  readonly model: string | undefined;
  /** Of the shoppers, in the trial. */
  readonly share: number;
  /** Names of the indexes that search the catalogue. */
  readonly indexes: readonly string[];
  readonly configured: readonly Experiment[];
  /** What the published set follows, where no ranking says otherwise. */
  readonly bySet?: Followed | undefined;
  /** A model that was stopped is tried again. */
  readonly isAgain: boolean;
  readonly isTrial: boolean;
  readonly at: Date;
  /** Votes of a variant of the experiment since then. */
  readonly votes: (variant: string, since: string) => Promise<Evidence>;
}

export interface LadderReport {
  readonly catalog: string;
  readonly model: string;
  readonly did: "started" | "watches" | "waits" | "raised" | "stayed" | "stopped" | "ended" | "undone";
  readonly isHarm: boolean;
  /** Of the model, then; before its first votes that of what is live. */
  readonly trust: number;
  /** Model and trust that the catalogue follows then; null without one. */
  readonly live: Followed | null;
  readonly trying: string | null;
  /** `watch`: it has climbed as far as it will. */
  readonly phase: Phase | null;
  readonly evidence: Evidence | null;
  readonly history: LadderState["history"];
}

const NO_EVIDENCE: Evidence = { clicks: { a: 0, b: 0, ties: 0 }, purchases: { a: 0, b: 0, ties: 0 } };

/** Judges the votes and makes at most one move. Doing it twice, or twice at once, does what doing it once does. Throws a UserError. */
export async function climb(store: Store, options: LadderOptions): Promise<LadderReport> {
  const { catalog, at, isAgain, votes } = options;
  const known = await readLadder(store, catalog);
  const model = options.model ?? known?.model;
  if (model === undefined) throw new UserError(`No model climbs for "${catalog}" in ${store.place}: name one with --model`);
  const ranking = await readRanking(store, catalog);
  const follows = ranking ?? options.bySet;
  const since = at.toISOString();
  // One that is watched after another has lost against it goes on, by whichever name the command is called.
  const isOwn = known?.standing?.model === model;
  if (known === undefined || (!isOwn && (known.model !== model || isAgain))) {
    const first = firstTrial(model, follows);
    const state = after(known, { model, standing: first, since }, entryOf(at, "started", first, `tries ${variantOf(first)}`));
    return keep(store, options, state, { did: "started", isHarm: false, trust: follows?.trust ?? 0, live: follows, evidence: null });
  }
  const trustOf = (name: string, live = follows): number => (live?.model === name ? live.trust : 0);
  const unwatched = unwatchedIn(known, follows);
  if (unwatched !== undefined) {
    const begun = entryOf(at, "watches", unwatched, `watches ${variantOf(unwatched)}`);
    const state = after(known, { model, standing: unwatched, since }, begun);
    return keep(store, options, state, { did: "watches", isHarm: false, trust: trustOf(model), live: follows, evidence: null });
  }
  const { standing: now } = known;
  if (now === null) return reportOf(options, known, { did: "ended", isHarm: false, trust: trustOf(model), live: follows, evidence: null });
  const evidence = await votes(variantOf(now), known.since);
  const move = moveOf(now, evidence);
  const said = { isHarm: move.kind === "stop" || (move.kind === "stay" && move.isHarm), evidence };
  if (move.kind === "wait") {
    // Its experiment may have been taken out by hand, or a run may have ended before it was written.
    return keep(store, options, { ...known, model }, { did: "waits", ...said, trust: trustOf(model), live: follows });
  }
  const before = trustOf(now.model);
  const trust = move.kind === "raise" ? move.trust : move.kind === "stop" ? 0 : before;
  const words = inWords(move, evidence);
  if (!options.isTrial && trust !== before) {
    const { changed } = await writeRanking(store, catalog, { model: now.model, trust, evidence: words, at, expected: ranking?.since });
    if (!changed) throw new UserError(`Another command has changed ${catalog}'s ranking in the meantime: run it again`);
  }
  const live = trust === before ? follows : { model: now.model, trust };
  const next = standingAfter(now, move, live) ?? null;
  const did = move.kind === "raise" ? "raised" : move.kind === "stop" ? "stopped" : "stayed";
  const state = after(known, { model, standing: next, since }, entryOf(at, did, { ...now, trust }, words));
  return keep(store, options, state, { did, ...said, trust: trustOf(model, live), live });
}

/** Wherever nothing is tried, what serves is watched, whoever has put it there; but not once somebody has ended the ladder by hand. */
function unwatchedIn({ standing: now, history }: LadderState, follows: Followed | undefined): Standing | undefined {
  if (now?.phase === "trial" || follows === undefined || follows.trust === 0 || history.at(-1)?.what === UNDONE) return undefined;
  const isWatched = now?.model === follows.model && now.trust === follows.trust;
  return isWatched ? undefined : watching(follows.model, follows.trust);
}

const UNDONE = "undone";

/** Nothing is tried any more; the caller takes the ranking back. */
export async function undo(store: Store, options: Omit<LadderOptions, "votes">, trust: number): Promise<LadderReport> {
  const known = await readLadder(store, options.catalog);
  if (known === undefined) throw new UserError(`No model climbs for "${options.catalog}" in ${store.place}: there is nothing to undo`);
  const last = { model: known.model, trust };
  const since = options.at.toISOString();
  const state = after(
    known,
    { model: known.model, standing: null, since },
    entryOf(options.at, UNDONE, last, "by hand: armmt ladder --undo"),
  );
  return keep(store, options, state, {
    did: UNDONE,
    isHarm: false,
    trust,
    live: (await readRanking(store, options.catalog)) ?? options.bySet,
    evidence: null,
  });
}

function entryOf(at: Date, what: string, { model, trust }: Pick<Standing, "model" | "trust">, evidence: string) {
  return { at: at.toISOString(), what, model, trust, evidence };
}

function after(
  known: LadderState | undefined,
  state: Pick<LadderState, "model" | "standing" | "since">,
  last: LadderState["history"][number],
): LadderState {
  return { format: 1, ...state, history: [...(known?.history ?? []), last].slice(-MOST_ENTRIES) };
}

function inWords(move: Move, { clicks, purchases }: Evidence): string {
  const counts = `clicks of shoppers ${clicks.b} for it, ${clicks.a} against, purchases ${purchases.b} to ${purchases.a}`;
  if (move.kind === "raise") return `preferred in interleaved lists: ${counts}`;
  if (move.kind === "stop") return `worse than meaning in interleaved lists: ${counts}`;
  return move.kind === "stay" && move.isHarm ? `worse than what is live: ${counts}` : `no answer: ${counts}`;
}

type Said = Pick<LadderReport, "did" | "isHarm" | "trust" | "evidence"> & { readonly live: Followed | undefined };

function reportOf(
  { catalog }: Pick<LadderOptions, "catalog">,
  { model, standing: next, history }: LadderState,
  { live, ...said }: Said,
): LadderReport {
  const follows = live === undefined ? null : { model: live.model, trust: live.trust };
  return { catalog, model, trying: next === null ? null : variantOf(next), phase: next?.phase ?? null, live: follows, history, ...said };
}

/** Writes what differs. */
async function keep(store: Store, options: Omit<LadderOptions, "votes">, state: LadderState, said: Said): Promise<LadderReport> {
  const { catalog, isTrial } = options;
  if (isTrial) return reportOf(options, state, said);
  const text = await store.get(EXPERIMENTS_KEY);
  const parsed = text === undefined ? undefined : parseExperiments(text);
  if (parsed?.ok === false) throw new UserError(`Key ${EXPERIMENTS_KEY} in ${store.place} is not valid: ${parsed.error.join("; ")}`);
  const experiments = parsed?.value ?? options.configured;
  const others = experiments.filter(({ key }) => key !== experimentKey(catalog));
  const mine = state.standing === null ? [] : [experimentOf(options, state.standing, state.since)];
  const list = JSON.stringify([...mine, ...others]);
  const checked = parseExperiments(list);
  if (!checked.ok) throw new UserError(`The experiments would not be valid: ${checked.error.join("; ")}`);
  const json = JSON.stringify(state);
  const entries = [
    { key: ladderKey(catalog), value: json, was: await store.get(ladderKey(catalog)) },
    { key: EXPERIMENTS_KEY, value: list, was: text },
  ];
  for (const { key, value, was } of entries) if (value !== was) await store.put([{ key, value }]); // oxlint-disable-line no-await-in-loop
  return reportOf(options, state, said);
}

/** First in the list: a share of the shoppers is in it, and all others go on to the experiments behind it. */
function experimentOf(
  { catalog, share: coverage, indexes }: Pick<LadderOptions, "catalog" | "share" | "indexes">,
  now: Standing,
  since: string,
): Experiment {
  return {
    key: experimentKey(catalog),
    seed: `${experimentKey(catalog)} ${since}`,
    variations: [variantOf(now), "armmt"],
    weights: [1, 0],
    coverage,
    condition: { index: { $in: [...indexes] } },
  };
}

export { NO_EVIDENCE };
