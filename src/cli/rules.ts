/**
 * `armmt rules`: a shop's rules from a file, or from another engine's own, to KV and back. What is published is checked by the code that the edge runs.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { Argument, Command, InvalidArgumentError } from "commander";
import { readFilters } from "../backends/filters.ts";
import { errorText, UserError } from "../web.ts";
import { addNamespaceFlags, type NamespaceFlags, withNamespace } from "./publish.ts";
import { warningsOn } from "../rules/check.ts";
import { describeExplained, explainRules } from "./rules/explain.ts";
import { describeImport, IMPORTERS, importRules, type RuleFormat } from "./rules/import.ts";
import { createPreviewCommand } from "./rules/preview-command.ts";
import { problemsIn, publishRules, readPublishedRules, readRulesHistory, requireRules, rollBackRules } from "../search/rules-store.ts";
import { parseRules } from "../rules/document.ts";
import { rulesVersion } from "../search/live-rules.ts";

const EXAMPLES = `
Examples:
  armmt rules import algolia rules.json --out rules/products.json      what was taken over, changed, refused, and needs an answer
  armmt rules check rules/products.json                                 as the edge would read it, with warnings
  armmt rules explain rules/products.json --query "red shoes" --ids a,b,c
  armmt rules preview rules/products.json --from EVENTS --html preview.html   what it would change in your log's searches
  armmt rules publish rules/products.json --catalog products            live within a minute, where LIVE_RULES is true
  armmt rules rollback --catalog products

Exit codes: 0 ok, 1 failed or not valid, 2 wrong usage`;

export function createRulesCommand(): Command {
  return new Command("rules")
    .description("What stands where, whatever orders it: check, import, export, preview, publish, roll back, explain")
    .addHelpText("after", EXAMPLES)
    .addCommand(checkCommand())
    .addCommand(importCommand())
    .addCommand(createPreviewCommand())
    .addCommand(publishCommand())
    .addCommand(exportCommand())
    .addCommand(rollbackCommand())
    .addCommand(historyCommand())
    .addCommand(explainCommand());
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new UserError(`Cannot read ${file}: ${errorText(cause)}`, { cause });
  }
}

function print(isJson: boolean | undefined, report: object, words: string): void {
  process.stdout.write(isJson === true ? `${JSON.stringify(report, undefined, 2)}\n` : `${words}\n`);
}

interface JsonFlag {
  readonly json?: true;
}

function checkCommand(): Command {
  return new Command("check")
    .description("Whether a rules file is valid, and what in it looks wrong")
    .argument("<file>", "a rules document")
    .option("--json", "print problems and warnings as JSON")
    .action((file: string, { json }: JsonFlag) => {
      const text = readText(file);
      const problems = problemsIn(text);
      const parsed = parseRules(text);
      const warnings = parsed.ok ? warningsOn(parsed.value, Date.now()) : [];
      const rules = parsed.ok ? parsed.value.rules.length : 0;
      const verdict = problems.length === 0 ? `${file}: ${rules} rules are valid` : `${file} cannot be used`;
      const lines = [verdict, ...problems.map((problem) => `  error: ${problem}`), ...warnings.map((warning) => `  warning: ${warning}`)];
      print(json, { file, rules, problems, warnings }, lines.join("\n"));
      if (problems.length > 0) process.exitCode = 1;
    });
}

function importCommand(): Command {
  return new Command("import")
    .description("Another engine's rules → a rules file, and a report of what became of each")
    .addArgument(new Argument("<format>", "whose they are").choices(Object.keys(IMPORTERS)))
    .argument("<file>", "as the engine exports them")
    .option("--out <file>", "write the rules there (default: to standard output, the report to standard error)")
    .option("--json", "print rules and report as JSON")
    .action((format: RuleFormat, file: string, { out, json }: JsonFlag & { readonly out?: string }) => {
      const { document, report } = importRules(format, readText(file));
      const text = `${JSON.stringify(document, undefined, 2)}\n`;
      const { taken, changed, refused, ask } = report;
      if (out !== undefined) writeFileSync(out, text);
      if (json === true) print(true, { document, report: { taken, changed, refused, ask } }, "");
      else if (out === undefined) {
        process.stdout.write(text);
        process.stderr.write(`${describeImport(report)}\n`);
      } else process.stdout.write(`${describeImport(report)}\n\nWritten to ${out}. Next: armmt rules check ${out}\n`);
    });
}

interface WriteFlags extends NamespaceFlags {
  readonly by: string;
}

const addWriteFlags = (command: Command): Command =>
  addNamespaceFlags(command).option("--by <name>", "who, for the history", process.env["USER"] ?? userInfo().username);

function publishCommand(): Command {
  const command = new Command("publish")
    .description("Check a rules file, put it into KV and make it live")
    .argument("<file>", "a rules document")
    .option("--note <text>", "what for, for the history")
    .option("--expect <version>", 'refuse where other rules are live ("none" for none): somebody may have published since you began');
  return addWriteFlags(command).action(async (file: string, flags: WriteFlags & { readonly note?: string; readonly expect?: string }) => {
    const text = readText(file);
    // Fails before a namespace is opened, which may take seconds or an account.
    const warnings = warningsOn(requireRules(text, file), Date.now());
    const report = await withNamespace(flags, (namespace) =>
      publishRules(namespace, { catalog: flags.catalog, text, by: flags.by, note: flags.note, expect: flags.expect, at: new Date() }),
    );
    const { catalog, version, previous, rules, changed, place } = report;
    const lines = changed
      ? [
          `${catalog}: rules ${version} (${rules}) are live in ${place}${previous === null ? "" : `; before them ${previous}`}`,
          "Edges with LIVE_RULES = true follow within a minute",
        ]
      : [`${catalog}: rules ${version} (${rules}) are live already in ${place}`];
    print(flags.json, { ...report, warnings }, [...lines, ...warnings.map((warning) => `  warning: ${warning}`)].join("\n"));
  });
}

function exportCommand(): Command {
  const command = new Command("export")
    .description("The live rules, as they were published")
    .option("--rules-version <version>", "another version than the live one")
    .option("--out <file>", "write them there (default: to standard output)");
  return addNamespaceFlags(command).action(async (flags: NamespaceFlags & { readonly rulesVersion?: string; readonly out?: string }) => {
    const { version, text } = await withNamespace(flags, (namespace) => readPublishedRules(namespace, flags.catalog, flags.rulesVersion));
    if (flags.out === undefined) process.stdout.write(text.endsWith("\n") ? text : `${text}\n`);
    else {
      writeFileSync(flags.out, text);
      print(flags.json, { catalog: flags.catalog, version, file: flags.out }, `${flags.catalog}: rules ${version} are in ${flags.out}`);
    }
  });
}

function rollbackCommand(): Command {
  const command = new Command("rollback")
    .description("Make the rules published before live again; a second rollback undoes this")
    .option("--to <version>", "another version of the history");
  return addWriteFlags(command).action(async (flags: WriteFlags & { readonly to?: string }) => {
    const report = await withNamespace(flags, (namespace) =>
      rollBackRules(namespace, { catalog: flags.catalog, by: flags.by, to: flags.to, at: new Date() }),
    );
    print(flags.json, report, `${report.catalog}: rules ${report.version} are live again in ${report.place}, ${report.previous} are not`);
  });
}

function historyCommand(): Command {
  return addNamespaceFlags(new Command("history").description("Who published which rules, and when; newest last")).action(
    async (flags: NamespaceFlags) => {
      const history = await withNamespace(flags, (namespace) => readRulesHistory(namespace, flags.catalog));
      const lines = history.map(
        ({ at, by, from, version, before, note }) =>
          `${at}  ${by}  ${from}  ${before ?? "none"} → ${version}${note === undefined ? "" : `  ${note}`}`,
      );
      print(flags.json, history, lines.length === 0 ? `No rules were published for ${flags.catalog}` : lines.join("\n"));
    },
  );
}

interface ExplainFlags extends JsonFlag {
  readonly query?: string;
  readonly index: string;
  readonly filters?: ReadonlyMap<string, readonly string[]>;
  readonly context?: string;
  readonly country?: string;
  readonly unit?: string;
  readonly at?: Date;
  readonly ids?: string;
}

function explainCommand(): Command {
  return new Command("explain")
    .description("Which rules of a file a search would follow, and what they would do to a list of ids")
    .argument("<file>", "a rules document")
    .option("--query <words>", "what the shopper types (default: nothing, a page without words)")
    .option("--index <name>", "the index that is searched", "products")
    .option("--filters <text>", 'the request\'s filters, "category:shoes AND brand:acme" say', parseFilters)
    .option("--context <words>", "of x-armmt-context, with commas")
    .option("--country <code>", "two letters")
    .option("--unit <id>", "of whoever searches, for shares")
    .option("--at <time>", "the moment, ISO 8601 (default: now)", parseMoment)
    .option("--ids <ids>", "the engine's hits in its order, with commas")
    .option("--json", "print it as JSON")
    .action(async (file: string, flags: ExplainFlags) => {
      const text = readText(file);
      const ids = listIn(flags.ids);
      const explained = explainRules(requireRules(text, file), await rulesVersion(text), {
        query: flags.query?.trim() === "" ? undefined : flags.query,
        index: flags.index,
        filters: flags.filters ?? new Map(),
        context: listIn(flags.context),
        country: flags.country,
        unit: flags.unit,
        at: flags.at ?? new Date(),
        ids,
      });
      const { matched, asleep, ruled } = explained;
      const report = {
        rules: matched?.rules.map(({ rule }) => rule.id) ?? [],
        heldBack: matched?.heldBack ?? [],
        undecided: matched?.undecided ?? [],
        asleep,
        ...(ruled !== undefined && {
          order: ruled.order.map((hit) => ({ id: ids[hit], rank: hit + 1, rules: ruled.movedBy.get(hit) ?? [] })),
          applied: ruled.applied,
          idle: ruled.idle,
        }),
      };
      print(flags.json, report, describeExplained(explained, ids));
    });
}

function listIn(text: string | undefined): readonly string[] {
  return (text ?? "").split(",").flatMap((one) => one.trim() || []);
}

function parseFilters(text: string): ReadonlyMap<string, readonly string[]> {
  const read = readFilters(text);
  if (read === undefined) throw new InvalidArgumentError(`"${text}" is no list of fields and values: write field:value AND field:value`);
  return read;
}

function parseMoment(text: string): Date {
  const at = new Date(text);
  if (!Number.isFinite(at.getTime())) throw new InvalidArgumentError(`"${text}" is no time: write 2026-11-27T00:00:00+01:00`);
  return at;
}
