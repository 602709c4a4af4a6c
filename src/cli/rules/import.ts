/** The formats that `armmt rules import` reads, and its report in words. */
import { checkRules, RULES_FORMAT, type RulesDocument } from "../../rules/document.ts";
import { errorText, UserError } from "../../web.ts";
import { importAlgolia } from "./import/algolia.ts";
import { importElasticsearch } from "./import/elasticsearch.ts";
import { importMeilisearch } from "./import/meilisearch.ts";
import type { Imported, Importer, Remark } from "./import/report.ts";
import { importSolr } from "./import/solr.ts";
import { importTypesense } from "./import/typesense.ts";

/** JSON, or one JSON object per line (exports of Algolia's command line). */
const ofJson =
  (read: (json: unknown) => Imported): Importer =>
  (text) => {
    try {
      return read(JSON.parse(text));
    } catch (cause) {
      const lines = text.trim().split("\n");
      if (!(cause instanceof SyntaxError) || lines.length < 2) throw cause;
      return read(lines.map((line): unknown => JSON.parse(line)));
    }
  };

export const IMPORTERS = {
  algolia: ofJson(importAlgolia),
  typesense: ofJson(importTypesense),
  meilisearch: ofJson(importMeilisearch),
  elasticsearch: ofJson(importElasticsearch),
  solr: importSolr,
} as const satisfies Readonly<Record<string, Importer>>;

export type RuleFormat = keyof typeof IMPORTERS;

/** Throws a UserError for a file of another format. What comes out is valid: a rule that would not be is refused with its reason. */
export function importRules(format: RuleFormat, text: string): { readonly document: RulesDocument; readonly report: Imported } {
  let report: Imported;
  try {
    report = IMPORTERS[format](text);
  } catch (cause) {
    if (cause instanceof UserError) throw cause;
    throw new UserError(`The file is no export of ${format}: ${errorText(cause)}`, { cause });
  }
  const refused: Remark[] = [...report.refused];
  const rules = report.rules.filter((rule) => {
    const checked = checkRules({ format: RULES_FORMAT, rules: [rule] });
    if (!checked.ok) refused.push({ rule: rule.id, what: checked.error.join("; ") });
    return checked.ok;
  });
  return { document: { format: RULES_FORMAT, rules }, report: { ...report, rules, refused } };
}

export function describeImport({ rules, taken, changed, refused, ask }: Imported): string {
  return [
    `${rules.length} rules from ${taken.length} of the source: ${taken.join(", ")}`,
    ...listed("Taken over with a changed meaning", changed),
    ...listed("Refused", refused),
    ...listed("Needs an answer", ask),
  ].join("\n");
}

function listed(title: string, remarks: readonly Remark[]): readonly string[] {
  return remarks.length === 0 ? [] : ["", `${title} (${remarks.length}):`, ...remarks.map(({ rule, what }) => `  ${rule}: ${what}`)];
}
