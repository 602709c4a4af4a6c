/** `armmt report --rules`: the price of every rule of the shop, over all searches of a log, in an experiment or in none. */
import type { AnalyseOptions } from "../../report/analyse.ts";
import type { Log, LogRange } from "../../report/log.ts";
import type { OrderOptions } from "../../report/orders.ts";
import { describeRules } from "../../report/rules.ts";
import { rulesBlocks } from "../../report/rules-section.ts";
import { formatSections } from "../../report/blocks.ts";
import { createStage } from "../../report/stage.ts";
import { exploredLists, priceExplored } from "./explore.ts";
import { DEFAULT_CAP } from "../../report/caps.ts";
import { DAY_MS } from "../../web.ts";
import { progressBar } from "../command.ts";

export interface RulePricesOptions extends Pick<AnalyseOptions, "alpha" | "tuning" | "cap" | "lift" | "power">, OrderOptions {
  readonly range: LogRange;
  readonly windowDays: number;
  readonly json?: boolean | undefined;
}

export type RulePrices = Awaited<ReturnType<typeof priceRules>>;

/** Reads the log once. */
export async function priceRules(log: Log, options: RulePricesOptions) {
  const { range, windowDays, rates, suspectPrices, alpha, tuning, lift, power, cap = DEFAULT_CAP } = options;
  const untilMs = range.until === undefined ? undefined : Date.parse(range.until);
  const stage = await createStage({ windowMs: windowDays * DAY_MS, untilMs, rates, suspectPrices });
  try {
    const bar = progressBar("Reading searches", 0, { json: options.json });
    for await (const row of log.searches(range)) {
      stage.addSearch(row);
      bar.increment();
    }
    for await (const row of log.actions(range)) stage.addAction(row);
    bar.stop();
    stage.seal();
    const { pages, searches, simulated } = stage.counts();
    return {
      place: log.place,
      simulated: simulated > 0,
      searches,
      pages,
      currency: stage.money().currency ?? null,
      alpha,
      lift,
      power,
      notes: [...log.notes, ...(log.lateNotes?.() ?? [])],
      rules: describeRules(
        stage.rules(),
        { alpha, tuning, cap, lift, power },
        priceExplored(exploredLists(stage), { alpha, tuning, lift, power }),
      ),
    };
  } finally {
    stage.close();
  }
}

export function formatRulePrices({ place, simulated, searches, notes, rules, alpha, lift, currency }: RulePrices): string {
  const blocks = rulesBlocks(rules, { alpha, lift, currency });
  const none = `No rule of the shop acted in ${searches} searches of ${place}, and none was held back.`;
  return formatSections([
    {
      heading: `What each rule costs or brings${simulated ? ", SIMULATED" : ""}`,
      blocks: [
        ...(notes.length === 0 ? [] : [{ kind: "list" as const, intro: "", items: notes }]),
        ...(blocks.length === 0 ? [{ kind: "paragraph" as const, text: none }] : blocks),
      ],
    },
  ]);
}
