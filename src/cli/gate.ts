/** `armmt gate`: may this model serve? By the shop's own log, before a shopper sees it. */
import { writeFileSync } from "node:fs";
import { Command, Option } from "commander";
import { drawGate } from "./gate/page.ts";
import { DEFAULT_BUDGET_MS, type GateOptions, runGate } from "./gate/run.ts";
import { headline, sectionsOf } from "./gate/sections.ts";
import { DEFAULT_MARGIN } from "./gate/verdict.ts";
import { above, partOfOne, whole } from "./numbers.ts";
import { formatSections } from "../report/blocks.ts";
import { errorText, UserError } from "../web.ts";

export { runGate, type GateOptions, type GateReport } from "./gate/run.ts";

/** Refused, or too little evidence: in neither case may the model serve. */
const NOT_PASSED = 3;

interface Flags extends Partial<GateOptions> {
  readonly page?: string;
  readonly check?: true | number;
}

const HELP = `
The lists come from armmt lists: those of shoppers held out from training judge the model, those of the others tell how much each place is looked at.
Compared are the engine's order, engine and meaning (semantic: the column prior), and the live model.

Exit codes: 0 passes, 1 there was no judgment (a file is missing or cannot be used), 2 wrong usage,
3 does not pass: refused, by name, or the log is too small to tell (verdict "cannot_tell" in --json)

Examples:
  armmt gate --model .armmt/train/products/model --lists .armmt/lists
  armmt gate --model candidate --live model --lists .armmt/lists --config wrangler.toml --page gate.html
  armmt gate --check        does the gate itself judge rightly? 200 good and 200 bad simulated models`;

export function createGateCommand(): Command {
  return new Command("gate")
    .description("May this model serve? By your own log, before a shopper sees it")
    .option("--model <folder>", "the model: student.onnx, manifest.json, golden.json")
    .option("--lists <folder>", "what armmt lists has written")
    .option("--live <folder>", "the model that serves now")
    .option("--config <file>", "wrangler.toml of the edge: the arms must have its weights")
    .addOption(new Option("--report <file>", "armmt report --json: its sample ratio instead").conflicts("config"))
    .option("--margin <share>", "of the other order's clicks that may be lost", partOfOne, DEFAULT_MARGIN)
    .option("--budget <ms>", "RANK_BUDGET_MS of the edge", above(0), DEFAULT_BUDGET_MS)
    .option("--page <file>", "write the judgment as one HTML page too")
    .option("--check [models]", "judge the gate instead: so many good and as many bad simulated models (200)", whole(5))
    .option("--json", "print the judgment as JSON and no progress")
    .addHelpText("after", HELP)
    .action(async ({ model, lists, page, check, ...options }: Flags, command: Command) => {
      if (check !== undefined) {
        const { printGateCheck } = await import("./gate/check.ts");
        if (!(await printGateCheck(check === true ? 200 : check, options.json === true))) process.exitCode = 1;
        return;
      }
      if (model === undefined || lists === undefined) {
        command.error(`error: required option '--${model === undefined ? "model" : "lists"} <folder>' not specified`);
        return;
      }
      const report = await runGate({ ...options, model, lists });
      if (page !== undefined) writePage(page, drawGate(report));
      process.stdout.write(
        options.json === true
          ? `${JSON.stringify(report, undefined, 2)}\n`
          : `${headline(report)}\n\n${formatSections(sectionsOf(report))}`,
      );
      if (page !== undefined && options.json !== true) process.stderr.write(`Wrote ${page}\n`);
      if (report.verdict !== "passes") process.exitCode = NOT_PASSED;
    });
}

function writePage(file: string, page: string): void {
  try {
    writeFileSync(file, page);
  } catch (error) {
    throw new UserError(`Cannot write the page (${errorText(error)}): name a file in a folder that exists with --page`, { cause: error });
  }
}
