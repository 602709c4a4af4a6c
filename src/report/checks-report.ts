/** Guardrails, models and the effect over time as data of the report, and what must be said of them in its notes. */
import { type GuardrailOptions, judgeArms } from "./guardrails.ts";
import type { ModelFigures, ModelRow } from "./models.ts";
import { NOTED_P } from "./over-time.ts";
import type { SequenceOptions } from "./statistics/sequential.ts";
import type { Tally } from "./tally.ts";

export type ChecksReport = ReturnType<typeof checksOf>;

type ChecksOptions = SequenceOptions & Pick<GuardrailOptions, "allowed" | "isMoneyWithheld">;

/** `control`: the arm that the others are compared with. */
export function checksOf(tally: Tally | undefined, control: string, { alpha, tuning, allowed, isMoneyWithheld }: ChecksOptions) {
  if (tally === undefined) return { guardrails: [], models: [], overTime: [], notes: [] };
  const { arms, checks } = tally;
  const base = arms.findIndex(({ variant }) => variant === control);
  // An interleaved list is both orders at once: its effect over time is that of neither.
  const compared = arms.flatMap(({ interleaved }, arm) => (arm === base || base < 0 || interleaved > 0 ? [] : [arm]));
  const guardrails = judgeArms(checks.guards, arms, base, { tuning, allowed, isMoneyWithheld });
  const overTime = checks.overTime.results(base, compared, alpha).map(({ arm, ...row }) => ({ variant: arms[arm]?.variant ?? "", ...row }));
  const models = severalModels(checks.models.rows).map((row) => ({
    ...row,
    /** In the same time. */
    control: checks.models.during(control, row.firstMs, row.lastMs) satisfies ModelFigures,
  }));
  return {
    guardrails,
    /** Empty where each arm was served by one model. */
    models,
    overTime,
    notes: [
      ...[...new Set(models.map(({ variant }) => variant))].map((variant) => {
        const versions = models.filter((row) => row.variant === variant).map(({ model }) => model);
        return `Arm ${variant} was served by ${versions.length} models (${versions.join(", ")}): its figures are of all together. Read each version below, or report from the day of the change on (--since).`;
      }),
      ...guardrails
        .filter(({ state }) => state === "harm")
        .map(({ variant, title }) => `Guardrail: ${variant} makes it worse: ${title.toLowerCase()}. armmt guard switches it off.`),
      ...overTime
        .filter(({ p }) => p < NOTED_P)
        .map(
          ({ variant, dimension, p }) =>
            `The effect of ${variant} differs by ${dimension} (p ${p < 0.0001 ? "<0.0001" : p.toFixed(4)}, corrected): the figure of the whole time may not be the one that lasts.`,
        ),
    ],
  };
}

function severalModels(rows: readonly ModelRow[]): readonly ModelRow[] {
  return rows.filter(({ variant }) => rows.filter((row) => row.variant === variant).length > 1);
}
