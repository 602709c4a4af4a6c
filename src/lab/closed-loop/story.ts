/**
 * The parts of the story, in order: shoppers at the edge, `armmt loop` on what they leave, and the questions that a shop would ask. Every step is
 * what a shop would do: experiments in KV, events through the edge's door, commands in processes of their own. What they print is kept in the
 * part's folder, and figures.ts reads it.
 */
import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { type RunCommand, runCommand } from "../../cli/child.ts";
import { embedCatalog } from "../../cli/embed.ts";
import { type LoopOptions, runLoop } from "../../cli/loop/run.ts";
import { type LoopState, readState } from "../../cli/loop/state.ts";
import { publishLocally } from "../../cli/publish.ts";
import { runPython } from "../../cli/train/python.ts";
import { trainModel } from "../../cli/train/run.ts";
import { readJson, writeJson } from "../../cli/train/stages.ts";
import type { Experiment } from "../../experiment/assign.ts";
import { UserError } from "../../web.ts";
import { drawnShopCatalog } from "../study/simulate/drawn-shop.ts";
import { CATALOG, countOutcomes, putExperiments } from "./edge.ts";
import { CATALOG_SEED, SEEDS, type Sizes } from "./plan.ts";
import { type Surroundings, visitShop } from "./traffic.ts";

export interface Told extends Surroundings {
  readonly sizes: Sizes;
}

/** One part; `name` is its folder. */
export interface Part {
  readonly name: string;
  readonly work: (told: Told) => Promise<void>;
}

export const MODELS = ["first", "second"] as const;
type Which = (typeof MODELS)[number];

const versionSchema = v.object({ version: v.string() });

/** Of the order that climbs, as experiments name it. */
export const variantOf = (home: string, which: Which): string =>
  `armmt@${readJson(join(home, "models", which, "manifest.json"), versionSchema).version}:1`;

const whereIs = ({ story: { config, state } }: Told): readonly string[] => ["--local", "--persist-to", state, "--config", config];

function folderOf({ story }: Told, part: string): string {
  const folder = join(story.home, part);
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** Runs a command and keeps what it prints. Throws a UserError for an exit code that is no answer. */
async function ask(args: readonly string[], file: string, answers: readonly number[] = [0, 3]): Promise<{ code: number }> {
  process.stderr.write(`  armmt ${args.slice(0, 2).join(" ")}\n`);
  const { code, stdout } = await runCommand([...args, "--json"]);
  if (!answers.includes(code)) throw new UserError(`armmt ${args.join(" ")} ended with ${code}, see above`);
  writeFileSync(file, stdout);
  return { code };
}

async function openShop(told: Told): Promise<void> {
  const { story, sizes } = told;
  const items = { ...drawnShopCatalog({ count: sizes.items, seed: CATALOG_SEED }), name: CATALOG };
  const out = join(story.home, "embeddings");
  // On day one nobody has taught a model: engine and meaning.
  const { imageEncoder, textEncoder, ...set } = await embedCatalog({ catalog: CATALOG, items, trust: 0, out });
  await publishLocally({ from: out, catalog: CATALOG, config: story.config, stateDir: story.state });
  writeJson(join(folderOf(told, "shop"), "set.json"), { items: set.items, version: set.version, imageEncoder, textEncoder });
}

const evenly = (key: string, ...variations: readonly string[]): Experiment => ({
  key,
  variations,
  weights: variations.map(() => 1 / variations.length),
});

async function collectLog(told: Told): Promise<void> {
  const { log: searches, judgeEvery } = told.sizes;
  const experiments = [evenly("log", "control", "explore(semantic)")];
  await visitShop(told, {
    seed: SEEDS.log,
    searches,
    experiments,
    arms: ["control", "semantic"],
    judgeEvery,
    out: join(folderOf(told, "log"), "traffic"),
  });
}

const judgedSchema = v.pipe(v.string(), v.parseJson(), v.object({ verdict: v.literal("cannot_tell") }));

/** Nothing is wrong with the model, and there are too few lists to compare it by. */
const cannotTell = (judged: string): boolean => v.is(judgedSchema, judged);

/** `armmt loop` with what its commands print kept in `folder`. */
async function goRound(told: Told, folder: string, fresh = false): Promise<LoopState> {
  const { story, sizes } = told;
  const run: RunCommand = async (args) => {
    if (args[0] === "train" && sizes.fewest !== undefined) {
      const after = (option: string): string => args[args.indexOf(option) + 1] ?? "";
      const [catalog, lists, embeddings, out] = ["--catalog", "--lists", "--embeddings", "--out"].map(after);
      return {
        code: 0,
        stdout: JSON.stringify(
          await trainModel({
            catalog: catalog!,
            lists: lists!,
            embeddings: embeddings!,
            out: out!,
            fewest: sizes.fewest,
            recipe: sizes.recipe,
          }),
        ),
      };
    }
    const ended = await runCommand(args);
    if (args[0] !== "--help") writeFileSync(join(folder, `${args[0]}.json`), ended.stdout);
    return args[0] === "gate" && sizes.fewest !== undefined && cannotTell(ended.stdout) ? { ...ended, code: 0 } : ended;
  };
  const where = whereIs(told);
  const options: LoopOptions = {
    catalog: CATALOG,
    from: ["EVENTS"],
    embeddings: join(story.home, "embeddings"),
    out: join(story.home, "loop"),
    // All shoppers take part in a trial: it needs the same number of them, and the others would show nothing.
    more: { lists: where, publish: where, ladder: [...where, "--share", "1"] },
    fresh,
    fewest: sizes.fewest,
  };
  const state = await runLoop(options, run);
  writeJson(join(folder, "loop.json"), state.round);
  return state;
}

/** A round of the loop up to the ladder. A model that the gate does not let pass is published by hand, so that its shoppers can say whether it was right. */
async function teach(told: Told, which: Which): Promise<void> {
  const { home } = told.story;
  const folder = folderOf(told, `${which}-model`);
  const before = readState(join(home, "loop"))?.round;
  const isNext = which === "second" && before?.number === 1;
  if (isNext) await putExperiments(told.story, []);
  const { round } = await goRound(told, folder, isNext && before.outcome === undefined);
  if (round.outcome === "too_few") throw new UserError(round.steps.lists?.detail ?? "The log is too short");
  const kept = join(home, "models", which);
  rmSync(kept, { recursive: true, force: true });
  cpSync(join(home, "loop/train/model"), kept, { recursive: true });
  if (round.outcome === "refused")
    await ask(["publish", "--model", kept, "--catalog", CATALOG, ...whereIs(told)], join(folder, "publish.json"));
}

export const ladderSchema = v.object({
  did: v.string(),
  trust: v.number(),
  trying: v.nullable(v.string()),
  phase: v.nullable(v.string()),
  evidence: v.nullable(v.object({ clicks: v.object({ a: v.number(), b: v.number(), ties: v.number() }) })),
});

export const climbSchema = v.object({ seconds: v.number(), steps: v.array(v.object({ searches: v.number(), ...ladderSchema.entries })) });

/** Shoppers come, and the loop looks, until the ladder has ended. Goes on where it was interrupted: the ladder keeps what it has seen. */
async function climb(told: Told, which: Which): Promise<void> {
  const { home } = told.story;
  const { batch, most } = told.sizes.climb;
  const [part, folder] = [`${which}-climb` as const, folderOf(told, `${which}-climb`)];
  const file = join(folder, "climb.json");
  const steps = existsSync(file) ? [...readJson(file, climbSchema).steps] : [];
  const begun = performance.now();
  let round = readState(join(home, "loop"))?.round;
  while (round !== undefined && round.outcome === undefined && steps.length * batch < most) {
    const seed = SEEDS[part] + steps.length;
    await visitShop(told, { seed, searches: batch, arms: [], judgeEvery: 1, out: join(folder, `batch-${steps.length + 1}`) }); // oxlint-disable-line no-await-in-loop
    round = (await goRound(told, folder)).round; // oxlint-disable-line no-await-in-loop
    steps.push({ searches: (steps.length + 1) * batch, ...readJson(join(folder, "ladder.json"), ladderSchema) });
    writeJson(file, { seconds: (performance.now() - begun) / 1000, steps });
  }
  if (steps.length === 0) writeJson(file, { seconds: 0, steps });
}

/** The second arm looks at the other order and shows that of the engine: nothing can differ. */
async function compareAlike(told: Told): Promise<void> {
  const folder = folderOf(told, "alike");
  await test(told, { key: "alike", variations: ["control", "shadow(semantic)"], searches: told.sizes.alike, arms: [], seed: SEEDS.alike });
  await ask(["report", "alike", ...whereIs(told)], join(folder, "report.json"));
}

async function test(
  told: Told,
  {
    key,
    variations,
    ...visit
  }: Readonly<{ key: string; variations: readonly string[]; searches: number; arms: readonly string[]; seed: number }>,
): Promise<void> {
  const { judgeEvery } = told.sizes;
  await visitShop(told, { ...visit, experiments: [evenly(key, ...variations)], judgeEvery, out: join(folderOf(told, key), "traffic") });
}

/** The first model against the engine, as an A/B test (two fifths of the shoppers each) and interleaved (a fifth). */
async function tryFirst(told: Told): Promise<void> {
  const folder = folderOf(told, "first");
  const first = variantOf(told.story.home, "first");
  const experiment = { key: "first", variations: ["control", first, `interleave(control, ${first})`], weights: [0.4, 0.4, 0.2] };
  await visitShop(told, {
    seed: SEEDS.first,
    searches: told.sizes.first,
    experiments: [experiment],
    arms: ["control", "semantic", first],
    judgeEvery: told.sizes.judgeEvery,
    out: join(folder, "traffic"),
  });
  const where = whereIs(told);
  await ask(["report", "first", ...where], join(folder, "report.json"));
  await ask(["plan", "--experiment", "first", "--lift", "0.03", ...where], join(folder, "plan.json"));
}

export const guardSchema = v.object({
  switchedOff: v.array(v.string()),
  guardrails: v.array(v.object({ guardrail: v.string(), variant: v.string(), state: v.string() })),
});

/** Somebody publishes a model against the gate's word, and the guard looks every few searches. */
async function tryReversed(told: Told): Promise<void> {
  const { home } = told.story;
  const { batch, most } = told.sizes.reversed;
  const folder = folderOf(told, "reversed");
  const [model, where] = [join(folder, "model"), whereIs(told)];
  await runPython("armmt.study.reversed", ["--model", join(home, "models/first"), "--out", model]);
  await ask(["gate", "--model", model, "--lists", join(home, "loop/lists")], join(folder, "gate.json"));
  writeJson(join(folder, "looks.json"), []);
  if (most === 0) return;
  await ask(["publish", "--model", model, "--catalog", CATALOG, ...where], join(folder, "publish.json"));
  const reversed = "armmt@reversed:1";
  const looks: object[] = [];
  let experiments: readonly Experiment[] | undefined = [evenly("reversed", "control", reversed)];
  let isOff = false;
  for (let n = 0; n * batch < most; n++) {
    const seed = SEEDS.reversed + n;
    const visit = {
      seed,
      searches: batch,
      arms: ["control", reversed],
      judgeEvery: told.sizes.judgeEvery,
      out: join(folder, `batch-${n + 1}`),
    };
    await visitShop(told, { ...visit, experiments, ...(isOff && { arms: [] }) }); // oxlint-disable-line no-await-in-loop
    experiments = undefined;
    const outcomes = await countOutcomes(told.story, seed); // oxlint-disable-line no-await-in-loop
    const { code } = await ask(["guard", "reversed", ...where], join(folder, "guard.json")); // oxlint-disable-line no-await-in-loop
    looks.push({ searches: (n + 1) * batch, outcomes, ...readJson(join(folder, "guard.json"), guardSchema) });
    writeJson(join(folder, "looks.json"), looks);
    // One batch more: what do its shoppers see now?
    if (isOff) break;
    isOff = code === 3;
  }
}

async function trySecond(told: Told): Promise<void> {
  const folder = folderOf(told, "second");
  const [first, second] = MODELS.map((which) => variantOf(told.story.home, which));
  const arms = ["semantic", first!, second!];
  const variations = [...arms, `interleave(${first}, ${second})`, `interleave(semantic, ${second})`];
  await test(told, { key: "second", variations, searches: told.sizes.second, arms: ["control", ...arms], seed: SEEDS.second });
  const report = ["report", "second", ...whereIs(told), "--control"];
  await ask([...report, "semantic"], join(folder, "against-semantic.json"));
  await ask([...report, first!], join(folder, "against-first.json"));
}

export const PARTS: readonly Part[] = [
  { name: "shop", work: openShop },
  { name: "log", work: collectLog },
  { name: "first-model", work: (told) => teach(told, "first") },
  { name: "first-climb", work: (told) => climb(told, "first") },
  { name: "alike", work: compareAlike },
  { name: "first", work: tryFirst },
  { name: "reversed", work: tryReversed },
  { name: "second-model", work: (told) => teach(told, "second") },
  { name: "second-climb", work: (told) => climb(told, "second") },
  { name: "second", work: trySecond },
];
