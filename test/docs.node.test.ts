/**
 * The documentation against the code: tables that are printed from it, names of scripts and commands, links, and the length of the README.
 *
 * `UPDATE_DOCS=1 npx vitest run --project node test/docs.node.test.ts` writes the tables.
 */
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import GithubSlugger from "github-slugger";
import { parse } from "smol-toml";
import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { scripts } from "../package.json";
import { ALL_DIALECTS } from "../src/backends/all-dialects.ts";
import { dialectLimits } from "../src/backends/dialects.ts";
import { SHOP_COMMANDS } from "../src/cli/main.ts";
import { parseConfig } from "../src/config/config.ts";
import { configurationTables } from "../src/config/reference.ts";
import { PARTS } from "../src/lab/bench/parts.ts";
import { PROJECT_COMMANDS } from "../src/lab/main.ts";
import { applicationSearches, applicationsTable } from "./applications/tables.ts";
import { reasonsTable } from "./harness/reasons.ts";
import { callsTable } from "./harness/stock-calls.ts";
import { requestMatrix } from "./search/dialects/matrix.ts";

const ROOT = resolve(import.meta.dirname, "..");
const read = (path: string) => readFileSync(join(ROOT, path), "utf8");

const searches = await applicationSearches();

const PAGES = [
  ...readdirSync(join(ROOT, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
  "README.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  "CHANGELOG.md",
  ...readdirSync(join(ROOT, "model"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `model/${name}`),
];

const manifestSchema = v.object({
  metrics: v.record(v.string(), v.number()),
  parameters: v.object({ total: v.number() }),
  trainedOn: v.string(),
  licence: v.string(),
});

/** What the committed model is, by its manifest and by what `npm run model` left in RESULTS.md. */
function cardTable(): string {
  const { metrics, parameters, trainedOn, licence } = v.parse(manifestSchema, JSON.parse(read("model/manifest.json")));
  const figure = (name: string): string => metrics[`simulated test, ${name}`]!.toFixed(3).replace(/^0/, "");
  const [agreement] = /(?<=largest difference to PyTorch )[\d.e-]+\d/.exec(read("model/RESULTS.md"))!;
  const [lists] = /\d+(?= lists)/.exec(trainedOn)!;
  const number = new Intl.NumberFormat("en");
  const result = ["nDCG@10", "purchases@10 pbm"].map((name) => `${name} ${figure(`${name}, armmt`)}, engine ${figure(`${name}, engine`)}`);
  return `| | |
| --- | --- |
| trained on | ${number.format(Number(lists))} lists of **simulated** shoppers over **drawn** products |
| result there | ${result.join("; ")} |
| on human judgments (Chorus, electronics, no pictures) | **worse than BM25** if used as it is |
| size | ${number.format(parameters.total)} parameters, ${(statSync(join(ROOT, "model/student.onnx")).size / 2 ** 20).toFixed(1)} MiB |
| agreement with PyTorch | ${agreement} at most, on the golden cases |
| licence | ${licence}, weights and code |
`;
}

describe("tables that are printed from the code", () => {
  it.each<[string, string, () => string]>([
    ["docs/reference/configuration.md", "configuration", configurationTables],
    ["docs/reference/bypass-reasons.md", "reasons", reasonsTable],
    ["docs/reference/request-matrix.md", "matrix", requestMatrix],
    ["docs/reference/request-matrix.md", "applications", () => applicationsTable(searches)],
    ["docs/reference/stock-pages.md", "calls", callsTable],
    ["docs/performance.md", "parts", partsTable],
    ["model/README.md", "card", cardTable],
  ])("%s", (page, name, print) => {
    const text = read(page);
    const [begin, end] = [`<!-- generated: ${name} -->\n`, "<!-- /generated -->"];
    const start = text.indexOf(begin) + begin.length;
    expect(start, `${page} has no marker ${begin}`).toBeGreaterThanOrEqual(begin.length);
    const stop = text.indexOf(end, start);
    const printed = `${print().trimEnd()}\n`;
    if (process.env["UPDATE_DOCS"] !== undefined) writeFileSync(join(ROOT, page), text.slice(0, start) + printed + text.slice(stop));
    else expect(text.slice(start, stop)).toBe(printed);
  });
});

describe("names", () => {
  it.each(PAGES)("%s names npm scripts that exist", (page) => {
    const named = [...read(page).matchAll(/npm (?:run (?:-s |--silent )?([\w:-]+)|(start|test)\b)/g)].map(
      (match) => match[1] ?? match[2] ?? "",
    );
    expect(named.filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
  });

  it("lists every command of armmt, and no other", () => {
    const rows = [...read("docs/reference/commands.md").matchAll(/^\| `([\w-]+)` \|/gm)].map((match) => match[1] ?? "");
    expect(rows.toSorted()).toEqual(Object.keys(PROJECT_COMMANDS).toSorted());
    const [shop = ""] = read("docs/reference/commands.md").split("## In a checkout only");
    for (const name of Object.keys(SHOP_COMMANDS)) expect(shop).toContain(`| \`${name}\` |`);
    for (const name of Object.keys(PROJECT_COMMANDS)) expect(read("README.md")).toContain(`\`${name}\``);
  });

  it.each(PAGES)("%s names source files that exist", (page) => {
    const named = [...read(page).matchAll(/`((?:src|test|model|docs)\/[\w./-]+\.(?:ts|py|md|json|toml|onnx))`/g)].map(
      (match) => match[1] ?? "",
    );
    const made = /^model\/benchmark\.json$/;
    expect(named.filter((path) => !made.test(path) && !existsSync(join(ROOT, path)))).toEqual([]);
  });
});

describe("configuration in examples", () => {
  const blocks = PAGES.flatMap((page) =>
    [...read(page).matchAll(/^( *)```toml\n([\s\S]*?)^ *```/gm)].map(([, indent = "", text = ""], i) => ({
      name: `${page}, block ${i + 1}`,
      text: text.replaceAll(new RegExp(`^${indent}`, "gm"), "").replaceAll(/<[\w ]+>/g, "example"),
    })),
  );

  it.each(blocks)("$name is accepted", ({ text }) => {
    const { vars = {} } = v.parse(v.object({ vars: v.optional(v.record(v.string(), v.unknown())) }), parse(text));
    const products = { backend: "elasticsearch", url: "http://localhost:9200", window: 100 };
    const parsed = parseConfig({ INDEXES: { products }, ...vars }, dialectLimits(ALL_DIALECTS));
    expect(parsed.ok ? [] : parsed.error).toEqual([]);
  });
});

describe("pages", () => {
  it("keeps the README at 250 lines, with a user's own engine in the first 100, and the model card at 150", () => {
    const lines = read("README.md").split("\n");
    expect(lines.length).toBeLessThanOrEqual(250);
    expect(lines.findIndex((line) => /own engine/.test(line) && line.startsWith("## "))).toBeLessThan(100);
    expect(read("model/README.md").split("\n").length).toBeLessThanOrEqual(150);
  });

  it.each(PAGES)("%s has links that lead somewhere, headings included", (page) => {
    const links = [...withoutCode(read(page)).matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] ?? "");
    const broken = links.filter((link) => {
      const [path = "", heading] = link.split("#");
      if (/^[a-z]+:/.test(path)) return false;
      const target = path === "" ? join(ROOT, page) : resolve(ROOT, dirname(page), path);
      return !existsSync(target) || (heading !== undefined && !headingsOf(readFileSync(target, "utf8")).includes(heading));
    });
    expect(broken).toEqual([]);
  });
});

function partsTable(): string {
  const rows = PARTS.map(({ name, summary, isOnRequest }) => `| \`${name}\`${isOnRequest ? " (on request)" : ""} | ${summary} |`);
  return ["| part | measures |", "| --- | --- |", ...rows].join("\n");
}

function withoutCode(text: string): string {
  return text.replace(/^ *```[\s\S]*?^ *```/gm, "").replace(/`[^`\n]*`/g, "");
}

/** Anchors as the repository's host makes them. */
function headingsOf(text: string): readonly string[] {
  const slugger = new GithubSlugger();
  return [...text.replace(/^ *```[\s\S]*?^ *```/gm, "").matchAll(/^#+ (.+)$/gm)].map((match) => slugger.slug(match[1] ?? ""));
}
