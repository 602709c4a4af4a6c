/** The study's models by name: in which order tables show them, which count as baselines, and which are compared with which. */

export const ENGINE = "engine";
export const SHUFFLE = "shuffle";
export const TEACHER = "teacher";
export const ENSEMBLE = "teacher-ensemble";
export const STUDENT = "student";

/** What the teacher and the student have to beat. */
export const BASELINES = ["pointwise", "lambdamart", "dlcm", "prm", "setrank", "generator"] as const;

const SHOWN = [SHUFFLE, ENGINE, ...BASELINES, TEACHER, ENSEMBLE, "teacher-no-image", STUDENT, "student-labels"] as const;

export function isBaseline(model: string): boolean {
  return BASELINES.some((name) => name === model);
}

/** A teacher or student with a piece taken away. */
export function isAblation(model: string): boolean {
  return model.includes("-no-");
}

function placeOf(model: string): number {
  const at = SHOWN.findIndex((name) => name === model);
  if (at >= 0) return at;
  const family = SHOWN.findLastIndex((name) => model.startsWith(`${name.split("-")[0]}-`));
  return family < 0 ? SHOWN.length : family + 0.5;
}

/** Known models in the order of the tables, other variants after their family, others after them by name. */
export function inTableOrder(models: Iterable<string>): string[] {
  return [...new Set(models)].toSorted((a, b) => placeOf(a) - placeOf(b) || (a < b ? -1 : 1));
}

/** The model of which `model` is a variant: "teacher" of "teacher-no-image"; `undefined` when none of `models` is. */
export function wholeOf(model: string, models: readonly string[]): string | undefined {
  return models.filter((name) => model.startsWith(`${name}-`)).toSorted((a, b) => b.length - a.length)[0];
}

/** Of the level's training lists, for all models of the ablations: there are thirty-three trainings, and on all lists each takes a quarter of an hour. */
export const ABLATIONS_SHARE = 0.25;

/** Ways of dealing with position bias, [model, against]. */
export const POSITION_PAIRS: readonly (readonly [string, string])[] = [
  ["position-tower", "position-naive"],
  ["position-known", "position-naive"],
  ["position-unbiased", "position-naive"],
  ["position-unbiased", "position-tower"],
  // What bias costs, with as many clicks; and what fewer clicks cost, without bias.
  ["position-naive", "position-thinned"],
  ["position-tower", "position-thinned"],
  ["position-known", "position-thinned"],
  ["position-unbiased", "position-thinned"],
];

/** Which differences are worth an interval, [model, against]: what the whole has over its variants, ours over the baselines, all over the engine. */
export function pairsOf(models: readonly string[]): [string, string][] {
  const has = (model: string): boolean => models.includes(model);
  const ours = [TEACHER, ENSEMBLE, STUDENT].filter(has);
  const pairs: [string, string][] = [];
  if (has(ENGINE)) for (const model of models) if (model !== ENGINE) pairs.push([model, ENGINE]);
  for (const model of ours) for (const baseline of BASELINES) if (has(baseline)) pairs.push([model, baseline]);
  for (const model of models) {
    const whole = wholeOf(model, models);
    if (whole !== undefined) pairs.push([whole, model]);
  }
  for (const [model, against] of POSITION_PAIRS) if (has(model) && has(against)) pairs.push([model, against]);
  if (has(STUDENT)) for (const teacher of [TEACHER, ENSEMBLE].filter(has)) pairs.push([STUDENT, teacher]);
  return pairs;
}

/** The part of a row that says how strong a model is. */
interface Strength {
  readonly model: string;
  readonly metric: string;
  readonly split: string;
  readonly mean: number;
  readonly against?: string | undefined;
}

/** The strongest baseline by its own mean on the test lists. Chosen on test data, so the choice favours the baselines. */
export function bestBaseline(rows: readonly Strength[], metric: string, split: string): string | undefined {
  return rows
    .filter((row) => isBaseline(row.model) && row.metric === metric && row.split === split && row.against === undefined)
    .toSorted((a, b) => b.mean - a.mean)[0]?.model;
}
