/**
 * An experiment with a planned end: its verdict may be looked at every day, and is nearly as sure as that of one look at the end.
 *
 * The looks that count are fixed in advance, one at the end of each day (UTC) until the planned end, and all of them can be computed from the log.
 * So it does not matter when, or how often, anybody reads a report: the verdict is that of the first day at whose end the boundary was crossed, and
 * today, which is not over, decides nothing. The end comes with the planned day or with the planned number of shoppers, whichever is first; there
 * everything of α that is left is used up, and whatever comes later changes nothing.
 */
import type { Judgment } from "./verdict.ts";
import { normalQuantile } from "./statistics/distributions.ts";
import { boundariesOf, type Look, spentAt } from "./statistics/group-sequential.ts";
import { DAY_MS, UserError } from "../web.ts";

/** At least one of them. */
export interface Plan {
  /** Shoppers in each of two arms of the same size; arms of other sizes count as many as say as much. */
  readonly unitsPerArm?: number | undefined;
  /** The last day (UTC) that counts, 2026-12-24. */
  readonly lastDay?: string | undefined;
}

export interface PlannedLook {
  /** From the first day of the report on, which is 0. */
  readonly day: number;
  /** Of the plan, 0..1. */
  readonly fraction: number;
  /** Of α, used up so far. */
  readonly spent: number;
  readonly isLast: boolean;
}

export interface Calendar {
  readonly firstDayMs: number;
  /** With a search, and those between. */
  readonly days: number;
  /** Days that end later are not over. */
  readonly asOfMs: number;
  readonly alpha: number;
}

/**
 * Of α, used up by all looks together. The rest is for what boundaries take for granted and a log gives only nearly: means that are normal, variances
 * that are known. Chosen on simulated experiments (`armmt report --check`) by other seeds than the figures in docs/experiments.md.
 */
export const USED = 0.8;

/** An edge refuses such a plan too, but a report may read the configuration of another one. Throws a UserError. */
function requirePlan({ unitsPerArm, lastDay }: Plan): void {
  if (unitsPerArm !== undefined && !(unitsPerArm >= 1))
    throw new UserError(`plan.unitsPerArm of the experiment is ${unitsPerArm}: give a number of shoppers`);
  if (lastDay !== undefined && Number.isNaN(Date.parse(lastDay)))
    throw new UserError(`plan.lastDay of the experiment is "${lastDay}": give a day such as 2026-12-24`);
}

/** `shoppersAt`: of control and of the arm, up to and including a day. The end of each day that is over, until the planned end. */
export function looksOf(
  plan: Plan,
  { firstDayMs, days, asOfMs, alpha }: Calendar,
  shoppersAt: (day: number) => readonly [number, number],
): readonly PlannedLook[] {
  requirePlan(plan);
  const { unitsPerArm, lastDay } = plan;
  const over = Math.min(days, Math.floor((asOfMs - firstDayMs) / DAY_MS));
  const plannedDays = lastDay === undefined ? Infinity : Math.max(1, Math.round((Date.parse(lastDay) - firstDayMs) / DAY_MS) + 1);
  const isEnded = asOfMs >= firstDayMs + plannedDays * DAY_MS;
  const count = Math.min(over, plannedDays);
  const looks: PlannedLook[] = [];
  for (let day = 0; day < count; day++) {
    const [theirs, mine] = shoppersAt(day);
    const units = theirs + mine > 0 ? (2 * theirs * mine) / (theirs + mine) : 0;
    const fraction = Math.min(1, unitsPerArm === undefined ? (day + 1) / plannedDays : units / unitsPerArm);
    const isLast = fraction >= 1 || (isEnded && day === count - 1);
    looks.push({ day, fraction, spent: isLast ? USED * alpha : spentAt(fraction, USED * alpha), isLast });
    if (isLast) break;
  }
  return looks;
}

interface Judging {
  /** Of verdict.ts; 0 where nothing can be compared. */
  readonly informationAt: (day: number) => number;
  /** With that boundary, in standard errors. */
  readonly judgeAt: (day: number, factor: number) => Judgment;
}

/** Looks that can be compared, with boundaries. Days without new information are no looks, but the last one. */
function withBoundaries(looks: readonly PlannedLook[], { informationAt }: Judging) {
  let information = 0;
  const counted = looks.flatMap((look): (PlannedLook & Look)[] => {
    const before = information;
    information = Math.max(information, informationAt(look.day));
    return information > before || (look.isLast && information > 0) ? [{ ...look, information }] : [];
  });
  const boundaries = boundariesOf(counted);
  return counted.map((look, i) => ({ ...look, factor: boundaries[i]! }));
}

export type PlannedVerdict = NonNullable<ReturnType<typeof callPlanned>>;

/** The verdict of the first look that calls an effect, else of the last one. `undefined` without a look. */
export function callPlanned(looks: readonly PlannedLook[], judging: Judging) {
  const judged = withBoundaries(looks, judging)
    .filter(({ factor }) => factor < Infinity)
    .map((look) => ({ look, ...judging.judgeAt(look.day, look.factor) }));
  return judged.find(({ verdict }) => verdict !== "open") ?? judged.at(-1);
}

/** Whether there may be an effect to call: no boundary is lower than if all that is used up so far were used up by one look. Costs little. */
export function mayCall(looks: readonly PlannedLook[], { judgeAt }: Judging): boolean {
  return looks.some(({ day, spent }) => spent > 0 && judgeAt(day, normalQuantile(1 - spent / 2)).verdict !== "open");
}
