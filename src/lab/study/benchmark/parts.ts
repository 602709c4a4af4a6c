/** The parts of the study: on which worlds each trains, which models belong to it, and how their runs become rows. */
import { copyFileSync, existsSync, mkdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { ROOT } from "../../../cli/embed/encoder.ts";
import { judgmentsPart } from "../judgments.ts";
import { runPython } from "../model/python.ts";
import type { PartName, Row } from "./benchmark-file.ts";
import { compareModels } from "./compare.ts";
import { costRows } from "./cost.ts";
import { judgeOrders, judgeRuns } from "./judged-runs.ts";
import { ABLATIONS_SHARE, isAblation, STUDENT, TEACHER } from "./models.ts";
import { type Part, runsOf, type Work } from "./part.ts";
import { positionBias } from "./position-bias.ts";
import { reportedPart } from "./reported.ts";
import { findRuns } from "./runs.ts";
import { openTestLists } from "./test-lists.ts";
import { isPossible, makeWorld, SHARED, slugOf, type World, WORLDS } from "./worlds.ts";
import { UserError } from "../../../web.ts";

const TUNING = join(ROOT, "model/tuning");

/** The settings that a level's table has found for each model, and what was tried; committed, so that other parts need not search again. */
function tuningOf({ shop }: World): string {
  return join(TUNING, `${shop}.json`);
}

interface Trained {
  readonly part: PartName;
  readonly world: World;
  readonly lists: string;
  readonly runs: string;
}

/** Of the training lists, where a part takes fewer. */
const SHARES: ReadonlyMap<PartName, number> = new Map([["fashion ablations", ABLATIONS_SHARE]]);

/** Trains what is not trained yet. A table searches for its models' settings and leaves them; other parts take them where they are. */
async function study({ part, world, lists, runs }: Trained): Promise<void> {
  const isTable = TABLES.includes(part);
  const known = !isTable && existsSync(tuningOf(world)) ? ["--tuning", tuningOf(world)] : [];
  const workers = String(availableParallelism());
  const share = String(SHARES.get(part) ?? 1);
  await runPython("armmt.study", ["--part", part, "--lists", lists, "--runs", runs, "--workers", workers, "--share", share, ...known]);
  if (!isTable) return;
  mkdirSync(TUNING, { recursive: true });
  copyFileSync(join(runs, "tuning.json"), tuningOf(world));
}

const TABLES: readonly PartName[] = ["fashion table", "drawn table"];

type Belongs = (model: string) => boolean;

async function worldRows(part: PartName, world: World, belongs: Belongs, work: Work): Promise<Row[]> {
  const data = await makeWorld(world, { data: join(work.folder, "data"), json: work.json });
  const runs = runsOf(work, slugOf(world));
  await study({ part, world, lists: join(data, "lists"), runs });
  return judgeWorld(part, world, belongs, { data, runs });
}

/** The rows of what lies in a world's folder {simulation, lists} and in a folder of runs. */
export async function judgeWorld(
  part: PartName,
  { level }: Pick<World, "level">,
  belongs: Belongs,
  { data, runs }: { readonly data: string; readonly runs: string },
): Promise<Row[]> {
  const test = await openTestLists(data);
  const found = findRuns(runs).filter(({ model }) => belongs(model));
  return compareModels({
    part,
    level,
    test,
    sliced: TABLES.includes(part),
    models: new Map([...judgeOrders(runs, test), ...judgeRuns(found, test)]),
  });
}

function trainedPart(name: PartName, worlds: readonly World[], belongs: Belongs): Part {
  return {
    name,
    settings: () => (SHARES.has(name) ? [worlds, SHARES.get(name)] : worlds),
    obstacle: () => (worlds.every(isPossible) ? undefined : `it needs the photographs and encoder in ${SHARED}`),
    async work(work) {
      const rows: Row[] = [];
      for (const world of worlds) rows.push(...(await worldRows(name, world, belongs, work)));
      return rows;
    },
  };
}

const inTable: Belongs = (model) => !isAblation(model) || model.endsWith("-no-image");
/** A control's runs lie by themselves: all of them are meant. */
const inControls: Belongs = () => true;
const inAblations: Belongs = (model) => isAblation(model) || model === TEACHER || model === STUDENT;

/** Times and sizes of the runs that the tables left. */
const cost: Part = {
  name: "cost",
  // Measured again when a table was made again.
  settings: ({ parts }) => parts.filter(({ name }) => TABLES.includes(name)).map(({ key }) => key),
  obstacle: () => undefined,
  async work(work) {
    const rows: Row[] = [];
    for (const world of [WORLDS.fashion, WORLDS.drawn]) {
      const slug = slugOf(world);
      rows.push(...(await costRows(world.level, runsOf(work, slug), join(work.folder, "data", slug, "lists"))));
    }
    if (rows.length === 0) throw new UserError(`${work.folder}/runs is empty: run the part "drawn table" or "fashion table" here first`);
    return rows;
  },
};

/** In the order in which they are run: what takes hours comes last. */
export const STUDY: readonly Part[] = [
  reportedPart({ name: "open bandit", module: "armmt.open_bandit", source: "fixtures/open-bandit" }),
  judgmentsPart,
  trainedPart("drawn table", [WORLDS.drawn], inTable),
  positionBias,
  trainedPart("drawn controls", WORLDS.drawnControls, inControls),
  trainedPart("fashion table", [WORLDS.fashion], inTable),
  trainedPart("fashion ablations", [WORLDS.fashion], inAblations),
  trainedPart("fashion controls", WORLDS.fashionControls, inControls),
  cost,
];
