/**
 * The ladder of trust: which move the votes of interleaved lists allow. Pure, so that the same code climbs in shops and in simulated ones.
 *
 * A model's next trust is interleaved with what is live; an always-valid interval over shoppers' votes decides, so the command may look as often
 * as it likes. At the top, and wherever a trial is lost, what serves is watched against the order by meaning for as long as it serves: the model
 * itself, or the other one that it has lost against.
 */
import { preferenceOf, type Votes } from "../../report/statistics/preference.ts";

/** Trust, step by step. */
export const STEPS: readonly number[] = [0.3, 1];

/** Votes at which the bounds are tightest; fixed here, because it must not depend on what the votes say. */
export const TUNING = 300;

/** Each phase errs with at most this probability, in both directions together. */
export const ALPHA = 0.05;

/** Without an answer after so many votes the difference is too small to matter: below 1 vote in 80. */
export const MOST_VOTES = 30_000;

export const MEANING = "semantic";

export type Phase =
  /** `trust` against what is live. */
  | "trial"
  /** What is live against meaning. */
  | "watch";

export interface Standing {
  readonly model: string;
  readonly phase: Phase;
  /** Of the model in the interleaved list. */
  readonly trust: number;
  /** The other order of the list. */
  readonly against: string;
}

export interface Evidence {
  /** Of shoppers, a for what is live, b for the model. */
  readonly clicks: Votes;
  readonly purchases: Votes;
}

export type Move =
  | { readonly kind: "wait" }
  /** The trial is won: the catalogue follows the model by `trust`. */
  | { readonly kind: "raise"; readonly trust: number }
  /** The trial is lost or has no answer: what is live stays. */
  | { readonly kind: "stay"; readonly isHarm: boolean }
  /** What serves is worse than meaning. */
  | { readonly kind: "stop" };

export function modelName(model: string, trust: number): string {
  return `armmt@${model}:${trust}`;
}

/** The variant that is tried: team a is what is live. */
export function variantOf({ model, trust, against }: Standing): string {
  return `interleave(${against}, ${modelName(model, trust)})`;
}

/** A model, and how far a catalogue follows it. */
export interface Followed {
  readonly model: string;
  readonly trust: number;
}

/**
 * A first trial; `live`: what the catalogue follows. Another model is tried by the trust that the live one has earned: by less it would lose against
 * it although it is better, and no model could ever be replaced.
 */
export function firstTrial(model: string, live: Followed | undefined): Standing {
  const isOn = live !== undefined && live.trust > 0;
  const trust = STEPS.find((step) => !isOn || (live.model === model ? step > live.trust : step >= live.trust));
  if (trust === undefined) return watching(model, live?.trust ?? 0);
  return { model, phase: "trial", trust, against: isOn ? modelName(live.model, live.trust) : MEANING };
}

export function watching(model: string, trust: number): Standing {
  return { model, phase: "watch", trust, against: MEANING };
}

export function moveOf({ phase, trust }: Standing, { clicks, purchases }: Evidence): Move {
  const options = { alpha: ALPHA, tuning: TUNING };
  const [byClicks, byPurchases] = [clicks, purchases].map((votes) => preferenceOf(votes, options)?.always);
  const isWorse = [byClicks, byPurchases].some((interval) => interval !== undefined && interval.high < 0.5);
  if (phase === "watch") return isWorse ? { kind: "stop" } : { kind: "wait" };
  if (isWorse) return { kind: "stay", isHarm: true };
  if (byClicks !== undefined && byClicks.low > 0.5) return { kind: "raise", trust };
  return clicks.a + clicks.b >= MOST_VOTES ? { kind: "stay", isHarm: false } : { kind: "wait" };
}

/** The phase after a move; `live`: what the catalogue follows then. `undefined`: nothing serves that could be tried or watched. */
export function standingAfter(standing: Standing, move: Move, live: Followed | undefined): Standing | undefined {
  if (move.kind === "wait") return standing;
  if (move.kind === "raise") return firstTrial(standing.model, { model: standing.model, trust: move.trust });
  // A lost step does not undo the one before, and a lost trial not the model that it was lost against.
  return move.kind === "stay" && live !== undefined && live.trust > 0 ? watching(live.model, live.trust) : undefined;
}
