/**
 * `armmt model`: the whole way from nothing to the committed model, in one command: pictures, image encoder, simulated shoppers, lists,
 * teacher, student, export, and the check and judgement of what was exported. `--quick` runs the same way with tiny sizes, in a temporary
 * folder, and never touches the committed files.
 */
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import * as v from "valibot";
import { runBenchmark, writeBenchmarkReport } from "./benchmark.ts";
import { PARTS } from "./benchmark/benchmark-file.ts";
import { printTable } from "../../cli/command.ts";
import { embedCatalog } from "../../cli/embed.ts";
import { loadBuiltinEncoder, ROOT } from "../../cli/embed/encoder.ts";
import { evaluate, type EvaluateReport, printEvaluation } from "./evaluate.ts";
import { makeLists } from "./lists.ts";
import { type Figures, writeCard } from "./benchmark/card.ts";
import { type Parity, verifyGolden } from "./model/exported.ts";
import { writePictures } from "./model/pictures.ts";
import { checkPython, preparePython, runPython } from "./model/python.ts";
import { openStages, type Stages } from "./model/stages.ts";
import { SIMULATED_SHOP, writeSimulation } from "./simulate.ts";
import { drawnShopCatalog } from "./simulate/drawn-shop.ts";
import { UserError } from "../../web.ts";

interface Sizes {
  readonly pictures: number;
  readonly encoderEpochs: number;
  readonly items: number;
  readonly shoppers: number;
  readonly searches: number;
  /** Teachers in the ensemble: one per seed. */
  readonly teachers: number;
  readonly teacherEpochs: number;
  readonly studentEpochs: number;
}

/** About half an hour on 2 cores. More searches help more than more epochs over the same ones. */
const FULL: Sizes = {
  pictures: 6000,
  encoderEpochs: 12,
  items: SIMULATED_SHOP.count,
  shoppers: 24_000,
  searches: 120_000,
  teachers: 3,
  teacherEpochs: 2,
  studentEpochs: 3,
};

const QUICK: Sizes = {
  pictures: 800,
  encoderEpochs: 4,
  items: 700,
  shoppers: 600,
  searches: 3000,
  teachers: 2,
  teacherEpochs: 2,
  studentEpochs: 4,
};

/** Goes into the manifest of the committed model. */
const TRAINED_ON = "simulated shoppers in a drawn shop, no real person's data";

/** Files that a run leaves in model/. */
const PRODUCTS = ["student.onnx", "manifest.json", "golden.json", "image-encoder.onnx"] as const;

const encoderSchema = v.object({ pictures: v.number(), heldOut: v.number(), accuracy: v.record(v.string(), v.number()) });
const teacherSchema = v.object({
  lists: v.number(),
  parameters: v.number(),
  examination: v.array(v.number()),
  validation: v.array(v.looseObject({ loss: v.number() })),
});
const studentSchema = v.object({
  parameters: v.number(),
  tokenTable: v.number(),
  validation: v.object({ pairs: v.number(), top10: v.number() }),
});

function readJson<T extends v.GenericSchema>(path: string, schema: T): v.InferOutput<T> {
  return v.parse(schema, JSON.parse(readFileSync(path, "utf8")));
}

interface Pipeline {
  readonly folder: string;
  readonly sizes: Sizes;
  readonly stages: Stages;
  readonly json: boolean;
}

interface Outcome {
  readonly evaluation: EvaluateReport;
  readonly parity: readonly Parity[];
  readonly figures: Figures;
}

/** Every stage, in order; what it makes lies in `folder`, the exported model in `folder`/out. */
async function runPipeline({ folder, sizes, stages, json }: Pipeline): Promise<Outcome> {
  const at = (name: string): string => join(folder, name);
  const [pictures, simulation, embeddings, lists, out] = [at("pictures"), at("simulation"), at("embeddings"), at("lists"), at("out")];
  mkdirSync(out, { recursive: true });

  await stages.run("python", {}, preparePython);
  await stages.run("pictures", { count: sizes.pictures }, () => writePictures(pictures, { count: sizes.pictures, json }));
  await stages.run("image encoder", { epochs: sizes.encoderEpochs }, () =>
    runPython("armmt.train_encoder", ["--pictures", pictures, "--out", out, "--epochs", String(sizes.encoderEpochs)]),
  );
  await stages.run("embed", { items: sizes.items }, async () => {
    const imageEncoder = await loadBuiltinEncoder(join(out, "image-encoder.onnx"));
    await embedCatalog({
      catalog: "drawn",
      items: drawnShopCatalog({ count: sizes.items, seed: SIMULATED_SHOP.seed }),
      imageEncoder,
      out: embeddings,
      json,
    });
  });
  await stages.run("simulate", { shoppers: sizes.shoppers, searches: sizes.searches }, () => {
    writeSimulation({
      out: simulation,
      items: sizes.items,
      catalogSeed: SIMULATED_SHOP.seed,
      shoppers: sizes.shoppers,
      searches: sizes.searches,
      clickModel: "pbm",
      seed: 1,
      withText: true,
      withPicture: true,
      withPersonal: true,
      withContext: true,
      json,
    });
  });
  await stages.run("lists", {}, async () => {
    await makeLists({ events: simulation, embeddings, out: lists, json });
  });
  const seeds = Array.from({ length: sizes.teachers }, (_, i) => String(i + 1));
  await stages.run("teachers", { seeds: seeds.join(" "), epochs: sizes.teacherEpochs }, async () => {
    for (const left of readdirSync(out)) if (left.startsWith("teacher-")) rmSync(join(out, left));
    await runPython("armmt.train", ["--lists", lists, "--out", out, "--epochs", String(sizes.teacherEpochs), "--seeds", ...seeds]);
  });
  await stages.run("student and export", { epochs: sizes.studentEpochs }, () => {
    const version = `drawn-${stages.key().slice(0, 8)}`;
    const options = ["--epochs", String(sizes.studentEpochs), "--version", version, "--trained-on", TRAINED_ON];
    return runPython("armmt.train_student", ["--lists", lists, "--out", out, ...options]);
  });

  process.stderr.write("— verify in wasm\n");
  const parity = await verifyGolden(out);
  process.stderr.write("— evaluate\n");
  const evaluation = await evaluate({ model: out, simulation, embeddings, split: "test", json });
  const teacher = readJson(join(out, "teacher-1.json"), teacherSchema);
  const student = readJson(join(out, "student.json"), studentSchema);
  return {
    evaluation,
    parity,
    figures: {
      version: evaluation.model,
      evaluation,
      parity,
      times: stages.times,
      encoder: readJson(join(out, "image-encoder.json"), encoderSchema),
      teacher,
      student,
      agreement: student.validation,
      sizes: { student: statSync(join(out, "student.onnx")).size, imageEncoder: statSync(join(out, "image-encoder.onnx")).size },
    },
  };
}

/** Adds the evaluation to the manifest's metrics; every name says that the data are simulated. */
function recordMetrics(folder: string, evaluation: EvaluateReport): void {
  const path = join(folder, "manifest.json");
  const manifest = readJson(path, v.looseObject({ metrics: v.record(v.string(), v.number()) }));
  const metrics = { ...manifest.metrics };
  for (const { figure, engine, armmt, gain } of evaluation.comparisons) {
    metrics[`simulated test, ${figure}, engine`] = Number(engine.toFixed(4));
    metrics[`simulated test, ${figure}, armmt`] = Number(armmt.toFixed(4));
    metrics[`simulated test, ${figure}, gain low`] = Number(gain.low.toFixed(4));
    metrics[`simulated test, ${figure}, gain high`] = Number(gain.high.toFixed(4));
  }
  writeFileSync(path, `${JSON.stringify({ ...manifest, metrics }, undefined, 2)}\n`);
}

/** What a tiny run must show to prove that every stage learns. */
function assertLearning({ figures, evaluation }: Outcome, folder: string): void {
  const { accuracy } = figures.encoder;
  const { validation } = readJson(join(folder, "out/teacher-1.json"), teacherSchema);
  const ndcg = evaluation.comparisons[0];
  const claims: readonly (readonly [boolean, string])[] = [
    [
      (accuracy["category"] ?? 0) > 2 * (accuracy["category_majority"] ?? 1),
      `the image encoder names ${accuracy["category"]} of categories rightly, the most frequent one has ${accuracy["category_majority"]}`,
    ],
    [
      (validation.at(-1)?.loss ?? Infinity) < (validation[0]?.loss ?? 0),
      `the teacher's validation loss went from ${validation[0]?.loss} to ${validation.at(-1)?.loss}`,
    ],
    [figures.agreement.pairs > 0.7, `student and teacher order ${figures.agreement.pairs} of pairs alike`],
    [
      ndcg !== undefined && ndcg.gain.low > 0,
      `the gain over engine order is ${ndcg?.gain.mean} with a 95 % interval from ${ndcg?.gain.low} to ${ndcg?.gain.high}`,
    ],
  ];
  const failed = claims.filter(([holds]) => !holds).map(([, claim]) => claim);
  if (failed.length > 0) throw new UserError(`The quick run did not learn: ${failed.join("; ")}`);
}

interface Flags {
  readonly quick?: true;
  readonly fresh?: true;
  readonly check?: true;
  readonly benchmark?: true;
  readonly only?: readonly string[];
  readonly report?: true;
  readonly json?: true;
}

async function train(flags: Flags): Promise<void> {
  const quick = flags.quick === true;
  const folder = quick ? mkdtempSync(join(tmpdir(), "armmt-model-")) : join(ROOT, ".armmt/model");
  const stages = openStages(folder, { fresh: flags.fresh === true, sources: "training" });
  const started = performance.now();
  const outcome = await runPipeline({ folder, sizes: quick ? QUICK : FULL, stages, json: flags.json === true });
  recordMetrics(join(folder, "out"), outcome.evaluation);
  if (quick) {
    assertLearning(outcome, folder);
    rmSync(folder, { recursive: true, force: true });
  } else {
    for (const name of PRODUCTS) copyFileSync(join(folder, "out", name), join(ROOT, "model", name));
    writeCard(join(ROOT, "model/RESULTS.md"), outcome.figures);
  }
  const seconds = (performance.now() - started) / 1000;
  if (flags.json === true) {
    process.stdout.write(`${JSON.stringify({ quick, seconds, ...outcome.figures })}\n`);
    return;
  }
  printEvaluation(outcome.evaluation);
  printTable(
    ["stage", "seconds", "reused"],
    stages.times.map(({ stage, seconds: taken, reused }) => [stage, Math.round(taken), reused ? "yes" : ""]),
  );
  process.stdout.write(
    `${(seconds / 60).toFixed(1)} minutes. ${quick ? "A quick run: nothing was kept." : `Model ${outcome.figures.version} is in model/.`}\n`,
  );
}

export function createModelCommand(): Command {
  return new Command("model")
    .description("Train, distil, export, verify and judge the model: everything that lies in model/")
    .option("--quick", "tiny sizes in a temporary folder: proves that every stage learns, keeps nothing")
    .option("--fresh", "do every stage again, even those whose result is at hand")
    .option("--check", "only the Python package's own checks: style, types, tests")
    .option("--benchmark", "the whole study: baselines, ablations, controls, several seeds (hours; goes on where it was stopped)")
    .option("--only <part...>", `with --benchmark, these parts: ${PARTS.map((part) => `"${part}"`).join(", ")}`)
    .option("--report", "write the card's benchmark section and plots again from model/benchmark.json")
    .option("--json", "print the figures as JSON")
    .action(async (flags: Flags) => {
      if (flags.report === true) writeBenchmarkReport();
      else if (flags.benchmark === true) await runBenchmark({ parts: flags.only, json: flags.json === true });
      else if (flags.only !== undefined) throw new UserError("--only names parts of the study: give it together with --benchmark");
      else if (flags.check === true) {
        await preparePython();
        await checkPython();
      } else await train(flags);
    });
}
