/**
 * Position bias: the same teacher trained on biased clicks with the examination tower, without it, and weighted by the true propensities, and
 * on the clicks of the same searches with every position examined, all of them or as many as the biased log has. All are judged on the same
 * test lists.
 */
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import * as v from "valibot";
import { runPython } from "../model/python.ts";
import { examination } from "../simulate/clicks.ts";
import type { Row } from "./benchmark-file.ts";
import { compareModels } from "./compare.ts";
import { estimatedRows, examinationRows, POSITIONS } from "./examination.ts";
import { judgeOrders, judgeRuns } from "./judged-runs.ts";
import { POSITION_PAIRS } from "./models.ts";
import { type Part, runsOf } from "./part.ts";
import { findRuns } from "./runs.ts";
import { openTestLists } from "./test-lists.ts";
import { trainClickRows } from "./train-clicks.ts";
import { makeWorld, WORLDS } from "./worlds.ts";

const SEEDS = 5;
const PART = "position bias";

const estimate = v.object({ share: v.array(v.number()) });
const examinationSchema = v.object({ randomised: estimate, regressionEm: estimate });

export const positionBias: Part = {
  name: PART,
  // With the comparisons: rows of an edition that lacks one are not all of the part's rows.
  settings: () => [WORLDS.drawn, WORLDS.drawnFullLog, SEEDS, POSITION_PAIRS],
  obstacle: () => undefined,
  async work(work) {
    const { level } = WORLDS.drawn;
    const making = { data: join(work.folder, "data"), json: work.json };
    const biased = await makeWorld(WORLDS.drawn, making);
    const full = await makeWorld(WORLDS.drawnFullLog, making);
    const out = runsOf(work, "position-bias");
    const curve = POSITIONS.map((position) => String(examination(position)));
    const data = ["--lists", join(biased, "lists"), "--unbiased", join(full, "lists"), "--out", out];
    const options = ["--seeds", String(SEEDS), "--workers", String(availableParallelism()), "--true-curve", ...curve];
    await runPython("armmt.position_bias", [...data, ...options]);
    const test = await openTestLists(biased);
    const runs = findRuns(join(out, "runs"));
    const models = new Map([...judgeOrders(out, test), ...judgeRuns(runs, test)]);
    const estimates = v.parse(examinationSchema, JSON.parse(readFileSync(join(out, "examination.json"), "utf8")));
    const figures = [
      ...trainClickRows(runs),
      ...examinationRows(runs),
      ...estimatedRows("randomised estimator", estimates.randomised.share),
      ...estimatedRows("regression EM", estimates.regressionEm.share),
    ].map((row): Row => ({ part: PART, level, ...row }));
    return [...compareModels({ part: PART, level, test, models, sliced: false }), ...figures];
  },
};
