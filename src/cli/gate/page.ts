/** The judgment as one HTML page: nothing to fetch, no script. */
import { drawDocument, intervalList } from "../evaluate/page.ts";
import { interval } from "../evaluate/sections.ts";
import type { GateReport } from "./run.ts";
import { comparison, headline, OUTCOMES, sectionsOf } from "./sections.ts";

const DRAWN = ["clicks", "purchases", "clicks DR"] as const;

export function drawGate(report: GateReport): string {
  const { judgments, model } = report;
  const lines = judgments.flatMap(({ against, outcome }) =>
    DRAWN.flatMap((figure) => {
      const found = comparison(report, against, figure);
      if (found === undefined) return [];
      const verdict = found.low > 0 ? "better" : found.high < 0 ? "worse" : "open";
      // On one scale: each as a share of the other order's.
      const scale = found.base > 0 ? 1 / found.base : 0;
      const drawn = { mean: found.mean * scale, low: found.low * scale, high: found.high * scale };
      return [{ ...drawn, name: `${figure}, against ${against}`, text: `${interval(found)}: ${OUTCOMES[outcome]}`, verdict }];
    }),
  );
  return drawDocument({
    title: `Gate of model ${model.version}`,
    headline: headline(report),
    sections: sectionsOf(report),
    charts: {
      evidence:
        lines.length === 0 ? "" : intervalList(lines, "Differences as shares of the other order's; the dashed line is no difference"),
    },
  });
}
