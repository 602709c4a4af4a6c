/** The pipeline of `armmt model`: pictures, image encoder, simulated shoppers, lists, teachers, student, export, verification, assessment. */
import { copyFileSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import * as v from "valibot";
import { embedCatalog } from "../../cli/embed.ts";
import { loadBuiltinEncoder } from "../../cli/embed/encoder.ts";
import { assess, type Assessment } from "./assess.ts";
import { makeLists } from "../../cli/lists.ts";
import { verifyGolden } from "./assess/exported.ts";
import { writePictures } from "./pipeline/pictures.ts";
import { countGpus, preparePython, runPython } from "../../cli/train/python.ts";
import { RECIPE } from "../../cli/train/recipe.ts";
import { teacherStages } from "../../cli/train/teachers.ts";
import { readJson, type Stages } from "../../cli/train/stages.ts";
import { SIMULATED_SHOP, writeSimulation } from "./simulate.ts";
import { drawnShopCatalog } from "./simulate/drawn-shop.ts";
import { PACKAGE_ROOT } from "../../runtimes/node/package-root.ts";
import { UserError } from "../../web.ts";

/** About half an hour on 2 cores. More searches help more than more epochs over the same ones. */
export const FULL = {
  pictures: 6000,
  encoderEpochs: 12,
  items: SIMULATED_SHOP.count,
  shoppers: 24_000,
  searches: 120_000,
  /** Nets that teach, beside trees: one per seed. */
  teachers: 3,
  teacherEpochs: 2,
  treeRounds: RECIPE.treeRounds as number,
  studentEpochs: 3,
};

export const QUICK: typeof FULL = {
  pictures: 800,
  encoderEpochs: 4,
  items: 700,
  shoppers: 600,
  searches: 3000,
  teachers: 2,
  teacherEpochs: 2,
  treeRounds: 60,
  studentEpochs: 4,
};

/** Goes into the manifest of the committed model. */
const TRAINED_ON = "simulated shoppers in a drawn shop, no real person's data";

/** Files that a run leaves in model/. */
export const PRODUCTS = ["student.onnx", "manifest.json", "golden.json", "image-encoder.onnx"] as const;

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

type Pipeline = Readonly<{
  folder: string;
  sizes: typeof FULL;
  stages: Stages;
  json: boolean;
  /** The committed image encoder as it is: vectors stay those of the sets that are published. */
  keepsImageEncoder?: boolean;
}>;

/** Runs every stage in order; results go to `folder`, the exported model to `folder`/out. */
export async function runPipeline({ folder, sizes, stages, json, keepsImageEncoder = false }: Pipeline) {
  const at = (name: string): string => join(folder, name);
  const [pictures, simulation, embeddings, lists, out] = [at("pictures"), at("simulation"), at("embeddings"), at("lists"), at("out")];
  mkdirSync(out, { recursive: true });

  await stages.run("python", {}, preparePython);
  if (keepsImageEncoder) copyFileSync(join(PACKAGE_ROOT, "model/image-encoder.onnx"), join(out, "image-encoder.onnx"));
  else {
    await stages.run("pictures", { count: sizes.pictures }, () => writePictures(pictures, { count: sizes.pictures, json }));
    await stages.run("image encoder", { epochs: sizes.encoderEpochs }, () =>
      runPython("armmt.training.train_encoder", ["--pictures", pictures, "--out", out, "--epochs", String(sizes.encoderEpochs)]),
    );
  }
  await stages.run("embed", { items: sizes.items }, async () => {
    const imageEncoder = await loadBuiltinEncoder(join(out, "image-encoder.onnx"));
    const items = drawnShopCatalog({ count: sizes.items, seed: SIMULATED_SHOP.seed });
    await embedCatalog({ catalog: "drawn", items, imageEncoder, textEncoder: "builtin", out: embeddings, json });
  });
  await stages.run("simulate", { shoppers: sizes.shoppers, searches: sizes.searches }, () => {
    writeSimulation({ out: simulation, items: sizes.items, shoppers: sizes.shoppers, searches: sizes.searches, json });
  });
  await stages.run("lists", {}, async () => {
    await makeLists({ from: simulation, embeddings, out: lists, json });
  });
  const nets = Array.from({ length: sizes.teachers }, (_, i) => i + 1);
  const teachers = teacherStages({ lists, out, treeRounds: sizes.treeRounds, nets, netEpochs: sizes.teacherEpochs });
  // On a GPU each net has all there is.
  await stages.runAll(teachers, (await countGpus()) > 0 ? 1 : availableParallelism());
  await stages.run("student and export", { epochs: sizes.studentEpochs }, () => {
    const version = `drawn-${stages.key().slice(0, 8)}`;
    const options = ["--epochs", String(sizes.studentEpochs), "--version", version, "--trained-on", TRAINED_ON];
    return runPython("armmt.training.train_student", ["--lists", lists, "--out", out, ...options]);
  });

  process.stderr.write("— verify in wasm\n");
  const parity = await verifyGolden(out);
  process.stderr.write("— assess\n");
  const assessment = await assess({ model: out, simulation, embeddings, split: "test", json });
  const student = readJson(join(out, "student.json"), studentSchema);
  return {
    version: assessment.model,
    assessment,
    parity,
    times: stages.times,
    /** `undefined` where the committed one was kept. */
    encoder: keepsImageEncoder ? undefined : readJson(join(out, "image-encoder.json"), encoderSchema),
    teacher: readJson(join(out, "teacher-1.json"), teacherSchema),
    student,
    agreement: student.validation,
    /** Bytes. */
    sizes: { student: statSync(join(out, "student.onnx")).size, imageEncoder: statSync(join(out, "image-encoder.onnx")).size },
  };
}

/** What a run made and how good it is. */
export type Figures = Awaited<ReturnType<typeof runPipeline>>;

/** Adds the assessment to the manifest's metrics; every name says that the data are simulated. */
export function recordMetrics(folder: string, assessment: Assessment): void {
  const path = join(folder, "manifest.json");
  const manifest = readJson(path, v.looseObject({ metrics: v.record(v.string(), v.number()) }));
  const metrics = { ...manifest.metrics };
  for (const { figure, engine, semantic, armmt, gain, gainOverSemantic: over } of assessment.comparisons) {
    const bounds = {
      "gain low": gain.low,
      "gain high": gain.high,
      "gain over semantic low": over.low,
      "gain over semantic high": over.high,
    };
    for (const [name, value] of Object.entries({ engine, semantic, armmt, ...bounds })) {
      metrics[`simulated test, ${figure}, ${name}`] = Number(value.toFixed(4));
    }
  }
  writeFileSync(path, `${JSON.stringify({ ...manifest, metrics }, undefined, 2)}\n`);
}

/** Throws unless every stage of a tiny run has learned. */
export function assertLearning(figures: Figures, folder: string): void {
  const { category = 0, category_majority: majority = 1 } = figures.encoder?.accuracy ?? {};
  const losses = readJson(join(folder, "out/teacher-1.json"), teacherSchema).validation.map(({ loss }) => loss);
  const [first = 0, last = Infinity] = [losses[0], losses.at(-1)];
  const { gain, gainOverSemantic: over } = figures.assessment.comparisons[0]!;
  const interval = ({ mean, low, high }: typeof gain) => `${mean} with a 95 % interval from ${low} to ${high}`;
  const claims: readonly (readonly [boolean, string])[] = [
    [category > 2 * majority, `the image encoder names ${category} of categories rightly, the most frequent one has ${majority}`],
    [last < first, `the teacher's validation loss went from ${first} to ${last}`],
    [figures.agreement.pairs > 0.7, `student and teacher order ${figures.agreement.pairs} of pairs alike`],
    [gain.low > 0, `the gain over engine order is ${interval(gain)}`],
    [over.low > 0, `the gain over engine and meaning is ${interval(over)}`],
  ];
  const failed = claims.filter(([holds]) => !holds).map(([, claim]) => claim);
  if (failed.length > 0) throw new UserError(`The quick run did not learn: ${failed.join("; ")}`);
}
