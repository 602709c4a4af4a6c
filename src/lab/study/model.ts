/** `armmt model`: makes everything in model/. `--quick`: tiny sizes in a temporary folder, nothing kept; `--benchmark`: the study. */
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { printTable } from "../../cli/command.ts";
import { whole } from "../../cli/numbers.ts";
import { PACKAGE_ROOT } from "../../runtimes/node/package-root.ts";
import { UserError } from "../../web.ts";
import { runBenchmark, writeBenchmarkReport } from "./compare.ts";
import { PARTS } from "./compare/benchmark-file.ts";
import { printAssessment } from "./assess.ts";
import { assertLearning, FULL, PRODUCTS, QUICK, recordMetrics, runPipeline } from "./pipeline.ts";
import { writeCard } from "./pipeline/card.ts";
import { checkPython, preparePython } from "../../cli/train/python.ts";
import { openStages } from "./pipeline/stages.ts";

type Flag = "quick" | "fresh" | "check" | "benchmark" | "report" | "json" | "keepImageEncoder";
type Flags = Readonly<Partial<Record<Flag, true>> & { only?: readonly string[]; searches?: number; teachers?: number }>;

async function train(flags: Flags): Promise<void> {
  const quick = flags.quick === true;
  const folder = quick ? mkdtempSync(join(tmpdir(), "armmt-model-")) : join(PACKAGE_ROOT, ".armmt/model");
  const stages = openStages(folder, { fresh: flags.fresh === true, sources: "training" });
  const started = performance.now();
  const { searches, teachers, keepImageEncoder: keepsImageEncoder = false } = flags;
  const full = quick ? QUICK : FULL;
  const sizes = {
    ...full,
    ...(searches !== undefined && { searches, shoppers: Math.ceil((searches * full.shoppers) / full.searches) }),
    ...(teachers !== undefined && { teachers }),
  };
  const figures = await runPipeline({ folder, sizes, stages, json: flags.json === true, keepsImageEncoder });
  recordMetrics(join(folder, "out"), figures.assessment);
  if (quick) {
    assertLearning(figures, folder);
    rmSync(folder, { recursive: true, force: true });
  } else {
    for (const name of PRODUCTS) copyFileSync(join(folder, "out", name), join(PACKAGE_ROOT, "model", name));
    writeCard(join(PACKAGE_ROOT, "model/RESULTS.md"), figures);
  }
  const seconds = (performance.now() - started) / 1000;
  if (flags.json === true) {
    process.stdout.write(`${JSON.stringify({ quick, seconds, ...figures })}\n`);
    return;
  }
  const lines = stages.times.map(({ stage, seconds: taken, reused }) => [stage, Math.round(taken), reused ? "yes" : ""]);
  const outcome = quick ? "A quick run: nothing was kept." : `Model ${figures.version} is in model/.`;
  printAssessment(figures.assessment);
  printTable(["stage", "seconds", "reused"], lines);
  process.stdout.write(`${(seconds / 60).toFixed(1)} minutes. ${outcome}\n`);
}

export function createModelCommand(): Command {
  return new Command("model")
    .description("Train, distil, export, verify and judge the model: everything that lies in model/")
    .option("--quick", "tiny sizes in a temporary folder: proves that every stage learns, keeps nothing")
    .option("--searches <n>", "simulated searches (default: 120,000), for machines with less time", whole(1000))
    .option("--teachers <n>", "teachers in the ensemble (default: 3)", whole(1))
    .option("--keep-image-encoder", "train on the committed image encoder's vectors instead of training another one")
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
