/** `armmt build`: the runtime and the models that a Worker carries. wrangler runs it before every bundle; see wrangler.toml. */
import { Command } from "commander";
import type { BuildReport } from "./build/edge-build.ts";
import { printTable } from "./command.ts";

type BuildFlags = Partial<Record<"wrangler" | "quick" | "fresh" | "json", true>>;

export function createBuildCommand(): Command {
  return new Command("build")
    .description("Prepare the runtime and the models of the edge Worker: onnxruntime cut down to what they use, sessions opened beforehand")
    .option("--quick", "take what is there, and else onnxruntime-web's own wasm file")
    .option("--fresh", "build although nothing has changed")
    .option("--wrangler", "as wrangler calls it: --quick for wrangler dev, silent unless it takes time")
    .option("--json", "print the report as JSON and no progress")
    .addHelpText(
      "after",
      `
Reads models.json in the current folder: folders with student.onnx and manifest.json,
the live model first. Without that file the Worker carries the model of armmt-edge.
Writes .armmt/edge. Takes about half a minute, and nothing when nothing has changed.
If the smaller runtime does not answer as onnxruntime-web's own does, to the bit,
the latter is taken, with a warning.

Examples:
  $ armmt build
  $ npx wrangler deploy                runs it first`,
    )
    .action(async (flags: BuildFlags) => {
      const { buildEdge } = await import("./build/edge-build.ts");
      const isDev = flags.wrangler === true && process.env["WRANGLER_COMMAND"] === "dev";
      const report = await buildEdge({ quick: flags.quick === true || isDev, fresh: flags.fresh === true, json: flags.json === true });
      if (flags.json === true) process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
      else if (flags.wrangler !== true) printReport(report);
    });
}

function printReport(report: BuildReport): void {
  const { kind, models, functions, runtimeBytes, edgeBytes, seconds } = report;
  printTable(
    ["runtime", "models", "functions", "runtime.wasm, bytes", "edge.bin, bytes", "seconds"],
    [
      [
        kind,
        models.join(", "),
        functions === undefined ? "all" : `${functions.kept} of ${functions.all}`,
        runtimeBytes,
        edgeBytes,
        seconds,
      ],
    ],
  );
}
