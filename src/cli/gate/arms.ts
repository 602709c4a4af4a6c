/**
 * Who could have stood where, list by list: by the arms of its experiment whose orders are known for this search, each in proportion to its shoppers;
 * otherwise by what its own record says was randomised.
 */
import { parseTreatment, type Ranker, rankersOf, type Treatment } from "../../experiment/treatment.ts";
import type { ListRow } from "../lists/columns.ts";
import { type Cells, draftCells, exploredCells, isDraftOf, mixCells, servedCells, shownOrder, swapCells } from "./exposure.ts";

/** Orders of one list by name: "engine", "semantic" and those of `modelOrder`. */
export type KnownOrders = ReadonlyMap<string, readonly number[]>;

export const ENGINE = "engine";
export const SEMANTIC = "semantic";

/** The name of a model's order at a trust; at 1 its version. */
export const modelOrder = (version: string, trust = 1): string => (trust === 0 ? SEMANTIC : trust === 1 ? version : `${version}:${trust}`);

interface Arm {
  readonly treatment: Treatment;
  readonly units: Set<string>;
  /** Milliseconds of its first and last list. */
  from: number;
  until: number;
  /** Versions of the model that served it → lists. */
  readonly models: Map<string, number>;
}

/** More of an arm's lists than this do not have the order that is computed for them: something else decides in it (pins, a rule, another trust). */
const MOST_OTHERS = 0.05;

/** First pass: the arms, by experiment and variant. */
export function surveyArms() {
  const experiments = new Map<string, Map<string, Arm>>();
  return {
    add({
      experiment,
      variant,
      unit,
      query_id: queryId,
      model,
      at,
    }: Pick<ListRow, "experiment" | "variant" | "unit" | "query_id" | "model" | "at">): void {
      const treatment = parseTreatment(variant);
      if (experiment === "" || !treatment.ok) return;
      const arms = experiments.get(experiment) ?? new Map<string, Arm>();
      experiments.set(experiment, arms);
      const begun: Arm = { treatment: treatment.value, units: new Set<string>(), models: new Map<string, number>(), from: at, until: at };
      const arm = arms.get(variant) ?? begun;
      arms.set(variant, arm);
      arm.from = Math.min(arm.from, at);
      arm.until = Math.max(arm.until, at);
      arm.units.add(unit === "" ? `query ${queryId}` : unit);
      if (model !== "") arm.models.set(model, (arm.models.get(model) ?? 0) + 1);
    },
    /** Shoppers by variant, of each experiment. */
    counts: (): ReadonlyMap<string, ReadonlyMap<string, number>> =>
      new Map(
        Array.from(experiments, ([name, arms]) => [name, new Map(Array.from(arms, ([variant, { units }]) => [variant, units.size]))]),
      ),
    /** Trusts with which models serve in the arms, 0 and 1 left out. */
    trusts(): readonly number[] {
      const all = [...experiments.values()].flatMap((arms) => [...arms.values()].flatMap(({ treatment }) => rankersOf(treatment)));
      const named = all.flatMap((ranker) => (ranker.kind === "model" && ranker.trust !== undefined ? [ranker.trust] : []));
      return [...new Set(named)].filter((trust) => trust > 0 && trust < 1);
    },
    experiments,
  };
}

export type ArmSurvey = ReturnType<typeof surveyArms>;

/** The name of a ranker's order in an arm; `model`: the version in the record of a list, or the arm's usual one. */
function orderName(ranker: Ranker, model: string, live: string | undefined): string | undefined {
  if (ranker.kind === "engine") return ENGINE;
  if (ranker.kind === "semantic") return SEMANTIC;
  if (ranker.version !== undefined) return modelOrder(ranker.version, ranker.trust);
  // Without trust the live model's variant serves engine and meaning, and says so.
  if (model.startsWith("semantic-")) return SEMANTIC;
  const version = model === "" ? live : model;
  return version === undefined ? undefined : modelOrder(version, ranker.trust);
}

const armName = (experiment: string, variant: string): string => `${experiment}: ${variant}`;

/** Why a list has no chances, for the count. */
export type Fixed = "no experiment" | "an order that cannot be computed" | "shown otherwise than its arm says";

/** `doubtful`: arms in which something else decides; their orders are taken for unknown, those of the others are not. */
export function createExposures(survey: ArmSurvey, live: string | undefined, doubtful: ReadonlySet<string> = new Set()) {
  const reasons = new Map<Fixed, number>();
  const checked = new Map<string, { lists: number; others: number }>();
  const note = (reason: Fixed): undefined => {
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    return undefined;
  };
  let [byArms, byRecord] = [0, 0];

  const cellsOfArm = (treatment: Treatment, model: string, orders: KnownOrders, page: number): Cells | undefined => {
    const order = (ranker: Ranker) => orders.get(orderName(ranker, model, live) ?? "");
    if (treatment.kind === "interleave") {
      const [a, b] = [order(treatment.a), order(treatment.b)];
      return a && b && draftCells(a, b, page);
    }
    const own = treatment.kind === "shadow" ? orders.get(ENGINE) : order(treatment.ranker);
    if (own === undefined) return undefined;
    return treatment.kind === "explore" ? exploredCells(own, page) : servedCells(own, page);
  };

  /** Whether the record is what its own arm would show by the computed orders. */
  const agrees = (row: ListRow, treatment: Treatment, orders: KnownOrders, shown: readonly number[]): boolean => {
    if (treatment.kind === "interleave") {
      const [a, b] = [treatment.a, treatment.b].map((ranker) => orders.get(orderName(ranker, row.model, live) ?? ""));
      const teams = [undefined, "a", "b"] as const;
      if (a === undefined || b === undefined || row.teams.every((team) => team === 0)) return false;
      return isDraftOf(
        a,
        b,
        shown.map((candidate) => ({ candidate, team: teams[row.teams[candidate]!] })),
      );
    }
    const cells = cellsOfArm(treatment, row.model, orders, shown.length);
    return cells !== undefined && shown.every((candidate, k) => cells[k]?.some((cell) => cell.candidate === candidate) === true);
  };

  const find = (row: ListRow, orders: KnownOrders): Cells | undefined => {
    const shown = shownOrder(row.positions);
    const record = row.propensities === null ? undefined : swapCells(row.positions, row.propensities);
    const own = (reason: Fixed): Cells | undefined => {
      if (record === undefined) return note(reason);
      byRecord++;
      return record;
    };
    const arms = survey.experiments.get(row.experiment);
    const mine = arms?.get(row.variant);
    if (arms === undefined || mine === undefined) return own("no experiment");
    const name = armName(row.experiment, row.variant);
    if (doubtful.has(name)) return own("shown otherwise than its arm says");
    const count = checked.get(name) ?? { lists: 0, others: 0 };
    checked.set(name, count);
    count.lists++;
    if (!agrees(row, mine.treatment, orders, shown)) {
      count.others++;
      return own("shown otherwise than its arm says");
    }
    const known = Array.from(arms).flatMap(([variant, arm]) => {
      // Arms of one experiment that follow each other, as on a ladder, are no matter of chance.
      const isThen = arm === mine || (arm.from <= row.at && row.at <= arm.until);
      if (!isThen || doubtful.has(armName(row.experiment, variant))) return [];
      const usual = [...arm.models].toSorted(([, a], [, b]) => b - a)[0]?.[0] ?? "";
      const cells = cellsOfArm(arm.treatment, arm === mine ? row.model : usual, orders, shown.length);
      return cells === undefined ? [] : [{ share: arm.units.size, cells }];
    });
    if (known.length < 2 && mine.treatment.kind !== "interleave" && mine.treatment.kind !== "explore")
      return own("an order that cannot be computed");
    byArms++;
    return mixCells(known);
  };
  return {
    find,
    counts: () => ({ byArms, byRecord, fixed: Object.fromEntries(reasons) }),
    /** Arms in which something else decides, with their experiments. */
    doubtful: (): ReadonlySet<string> =>
      new Set([...checked].flatMap(([name, { lists, others }]) => (lists >= 20 && others > MOST_OTHERS * lists ? [name] : []))),
  };
}
