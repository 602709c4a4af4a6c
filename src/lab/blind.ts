/** `armmt blind`: two orders of the demo side by side for forty queries, on a page that does not say which is which; and what the judgments come to. */
import { randomUUID } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { Command, Option } from "commander";
import * as v from "valibot";
import { printTable } from "../cli/command.ts";
import { embeddingsFolder, readSet } from "../cli/embed/pack.ts";
import { partOfOne } from "../cli/numbers.ts";
import { errorText, UserError } from "../web.ts";
import { drawPage, openJudgments } from "./blind/page.ts";
import { findPairs, type Order, ORDERS } from "./blind/pairs.ts";
import { type Judgments, JudgmentsSchema, sayVerdict, verdictOf } from "./blind/verdict.ts";

interface BlindFlags {
  readonly of: Order;
  readonly against: Order;
  readonly trust?: number;
  readonly from: string;
  readonly seed: string;
  readonly out: string;
  readonly judge?: string;
  readonly json?: true;
}

/** Throws a UserError that names the file. */
export function readJudgments(file: string): Judgments {
  try {
    return v.parse(JudgmentsSchema, JSON.parse(readFileSync(file, "utf8")));
  } catch (error) {
    throw new UserError(`Cannot read the judgments in ${file} (${errorText(error)}): give what the page has saved`, { cause: error });
  }
}

async function writePage({ of, against, from, seed, out, ...flags }: BlindFlags): Promise<void> {
  if (of === against) throw new UserError(`--of ${of} and --against ${against} are one order: give two`);
  const embedded = readSet(from);
  const { trust = embedded.set.trust ?? 0 } = flags;
  const pairs = await findPairs({ embedded, of, against, trust });
  const open = openJudgments(pairs, { seed, of, against, trust });
  writeFileSync(out, drawPage(pairs, open));
  process.stdout.write(
    `Wrote ${out}: ${pairs.pairs.length - open.identical.length} pairs to judge, ${open.identical.length} whose sides are the same list\n`,
  );
}

function printVerdict(file: string, json: boolean): void {
  const judgments = readJudgments(file);
  const verdict = verdictOf(judgments);
  if (json) {
    process.stdout.write(`${JSON.stringify(verdict, undefined, 2)}\n`);
    return;
  }
  printTable(
    ["queries", "better", "same", "worse"],
    [...verdict.kinds, verdict.all].map(({ name, better, same, worse }) => [name, better, same, worse]),
  );
  process.stdout.write(
    `${sayVerdict(verdict, judgments)}\n` +
      `${verdict.judged} of ${verdict.asked} queries judged, ${verdict.identical} of them the same list; model ${judgments.model} at trust ${judgments.trust}, vectors ${judgments.set}\n` +
      `Judged by ${judgments.judge}\n`,
  );
}

const EXAMPLES = `
Examples:
  armmt embed && armmt blind --of semantic                    a page for engine and semantic
  armmt blind --of armmt --against semantic --trust 1
  armmt blind --judge judgments.json                          better / same / worse, with an interval`;

function orderOption(name: string, text: string, byDefault: Order): Option {
  return new Option(`${name} <order>`, text).choices(ORDERS).default(byDefault);
}

export function createBlindCommand(): Command {
  return new Command("blind")
    .description("Forty queries to the demo, two orders side by side, judged without knowing which is which")
    .addOption(orderOption("--of", "the order in question", "semantic"))
    .addOption(orderOption("--against", "the order it is held against", "engine"))
    .option("--trust <part>", "0 to 1: of the model in the order armmt (default: as the vectors say)", partOfOne)
    .option("--from <folder>", "what armmt embed has written of the drawn catalogue", embeddingsFolder("products"))
    .option("--seed <text>", "decides the sides (default: chance)", randomUUID())
    .option("--out <file>", "the page", "blind.html")
    .option("--judge <file>", "print what judgments come to that the page has saved")
    .option("--json", "with --judge: as JSON")
    .addHelpText("after", EXAMPLES)
    .action(async (flags: BlindFlags) => {
      if (flags.judge === undefined) await writePage(flags);
      else printVerdict(flags.judge, flags.json === true);
    });
}
