/** `armmt rules preview`: the figures against a count by hand, by the edge itself; what a log does not know; a page that opens. */
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { changeOf, movesOf } from "../../../src/cli/rules/preview.ts";
import { type PreviewFlags, previewRules } from "../../../src/cli/rules/preview-command.ts";
import { drawPreview, headlineOf } from "../../../src/cli/rules/preview-page.ts";
import { createQueryRecord } from "../../../src/events/ubi.ts";
import type { Rule } from "../../../src/rules/document.ts";

const folder = mkdtempSync(join(tmpdir(), "armmt-preview-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
function file(content: string, ending: string): string {
  const path = join(folder, `${++files}.${ending}`);
  writeFileSync(path, content);
  return path;
}
const rulesFile = (rules: readonly Rule[]): string => file(JSON.stringify({ format: 1, rules }), "json");

const AT = Date.UTC(2026, 10, 21, 12);
const FLAGS = { config: "wrangler.toml", most: 10_000, page: 2, at: new Date(AT), json: true } satisfies PreviewFlags;

function search(id: string, userQuery: string, original: string, more: object = {}, unit?: string) {
  return createQueryRecord({
    application: "shop",
    queryId: id,
    unit,
    userQuery,
    timeMs: AT,
    armmt: {
      variant: "control",
      index: "products",
      window: 4,
      original_ids: original.split(""),
      served_ids: original.split("").slice(0, 2),
      offset: 0,
      ...more,
    },
  });
}
const logOf = (records: readonly object[]): string => file(records.map((record) => JSON.stringify(record)).join("\n"), "ndjson");

const LOG = [
  search("q1", "red mug", "abcd"),
  search("q2", "Red  Mug", "abcd"),
  search("q3", "blue mug", "abcd"),
  search("q4", "red mug", "abcd", { bypass: "explicit_sort" }),
  search("q5", "red mug", "abcd", { bypass: "grouped" }),
  search("q6", "cup", "dc", { original_values: { inStock: [0, 1] } }),
  search("q7", "", "ab", { bypass: "no_query_text" }),
];
const PRODUCTS = file(
  [
    { id: "a", title: "Ay", tags: ["x", "sale"], image: "https://shop.example/a.jpg" },
    { id: "b", title: "<b>Bee</b>" },
    { id: "c", title: "Sea", tags: ["y"] },
    { id: "d", title: "Dee" },
  ]
    .map((product) => JSON.stringify(product))
    .join("\n"),
  "jsonl",
);

const DRAFT: readonly Rule[] = [
  { id: "pin-d", when: { query: [{ is: "red mug" }] }, action: { do: "pin", items: [{ id: "d", position: 1 }] } },
  { id: "sold-out", action: { do: "last", match: [{ field: "inStock", is: [false] }] } },
  { id: "sale-last", when: { query: [{ is: "blue mug" }] }, action: { do: "bury", places: 3, match: [{ field: "tags", is: ["sale"] }] } },
  { id: "home", when: { emptyQuery: true }, action: { do: "pin", items: [{ id: "b", position: 1 }] } },
  { id: "shoes", when: { filters: { category: ["shoes"] } }, action: { do: "pin", items: [{ id: "c", position: 1 }] } },
  { id: "later", when: { from: "2027-01-01T00:00:00Z" }, action: { do: "pin", items: [{ id: "c", position: 1 }] } },
  { id: "swiss", when: { country: ["CH"] }, action: { do: "pin", items: [{ id: "c", position: 1 }] } },
  { id: "nothing", when: { query: [{ is: "zebra" }] }, action: { do: "pin", items: [{ id: "c", position: 1 }] } },
  { id: "against", when: { query: [{ is: "RED mug" }] }, action: { do: "hide", match: [{ ids: ["d"] }] } },
];

describe("a preview over a log", () => {
  it("counts searches, places and rules as a count by hand does", async () => {
    const { described } = await previewRules(rulesFile(DRAFT.slice(0, 8)), { ...FLAGS, from: [logOf(LOG)], catalog: PRODUCTS });
    const { preview, notes } = described;
    // q1, q2: dabc; q3: bcda; q6: cd; q7: ba. q4 is sorted, q5 is left out.
    expect(preview).toMatchObject({ searches: 6, changed: 5, changedOnPage: 5 });
    expect(preview.moves.hits).toBe(4 + 4 + 4 + 2 + 2);
    expect(preview.moves.mostPlaces).toBe(3);
    expect(preview.moves.meanPlaces).toBeCloseTo((6 + 6 + 6 + 2 + 2) / 16, 10);
    expect(preview.most).toHaveLength(4);
    expect(preview.most.find(({ query }) => query === "red mug" || query === "Red  Mug")).toMatchObject({
      before: ["a", "b", "c", "d"],
      after: ["d", "a", "b", "c"],
      applied: ["pin-d"],
      change: 1,
    });
    expect(preview.most.find(({ query }) => query === "blue mug")?.after).toEqual(["b", "c", "d", "a"]);
    expect(preview.most.find(({ query }) => query === "cup")?.after).toEqual(["c", "d"]);
    const outcomes = new Map(preview.rules.map((one) => [one.id, one]));
    expect(outcomes.get("pin-d")).toMatchObject({ fits: 3, acts: 2, idle: { explicit_sort: 1 } });
    expect(outcomes.get("home")).toMatchObject({ fits: 1, acts: 1 });
    expect(preview.never.map(({ id, why }) => [id, why.split(":")[0]])).toEqual([
      ["shoes", "no search says which filters it has"],
      ["later", "it begins later (2027-01-01T00"],
      ["swiss", "it asks for country"],
      ["nothing", "no search fits its conditions"],
    ]);
    expect(notes).toContain("1 left out: no rule could change it (grouped)");
  });

  it("compares with the rules of now, and finds what contradicts", async () => {
    const log = logOf(LOG.slice(0, 2));
    const same = await previewRules(rulesFile(DRAFT), { ...FLAGS, from: [log], against: rulesFile(DRAFT) });
    expect(same.described.preview).toMatchObject({ searches: 2, changed: 0 });
    expect(same.described.preview.contradictions).toEqual([expect.stringContaining("one pins d, the other hides it")]);
    const { preview } = (await previewRules(rulesFile(DRAFT), { ...FLAGS, from: [log], country: "CH" })).described;
    expect(preview.rules.find(({ id }) => id === "swiss")).toMatchObject({ fits: 2, acts: 2 });
    expect(preview.rules.find(({ id }) => id === "pin-d")?.idle).toEqual({ hidden: 2 });
    expect(preview.lost).toContainEqual({ rule: "pin-d", by: "against", searches: 2 });
  });

  it("draws the same part of a log each time, and says so", async () => {
    const many = logOf(Array.from({ length: 400 }, (_, i) => search(`id-${i}`, "red mug", "abcd", {}, `unit-${i}`)));
    const draft = rulesFile([{ ...DRAFT[0]!, when: { share: { to: 0.25 } } }]);
    const run = () => previewRules(draft, { ...FLAGS, from: [many], most: 200 });
    const [one, two] = [await run(), await run()];
    expect(one.described.preview).toEqual(two.described.preview);
    const { searches, changed, rules } = one.described.preview;
    expect(searches).toBeGreaterThan(150);
    expect(searches).toBeLessThan(250);
    // 0.25 of some 200, by six standard deviations.
    expect(Math.abs(changed / searches - 0.25)).toBeLessThan(6 * Math.sqrt((0.25 * 0.75) / searches));
    expect(rules[0]!.heldBack).toBe(searches - changed);
    expect(one.described.notes.join("\n")).toContain("others were not looked at");
  });

  it("reads 10,000 rules before the first search", async () => {
    const rules = Array.from({ length: 9999 }, (_, i): Rule => ({ ...DRAFT[0]!, id: `r${i}`, when: { query: [{ is: `word${i}` }] } }));
    const { described } = await previewRules(rulesFile([DRAFT[0]!, ...rules]), { ...FLAGS, from: [logOf(LOG.slice(0, 1))] });
    expect(described.preview.changed).toBe(1);
  });

  it("makes a page with pictures, and no markup of the shop", async () => {
    const { described, itemOf } = await previewRules(rulesFile(DRAFT), { ...FLAGS, from: [logOf(LOG)], catalog: PRODUCTS });
    const page = drawPreview(described, itemOf);
    expect(page).toContain('<img src="https://shop.example/a.jpg"');
    expect(page).toContain("&lt;b&gt;Bee&lt;/b&gt;");
    expect(page).not.toContain("<b>Bee");
    expect(page).toContain("img-src https: http: data:");
    expect(page).toContain(headlineOf(described.preview).split(" searches")[0]!);
  });

  it("names what is missing", async () => {
    const draft = rulesFile(DRAFT);
    await expect(previewRules(draft, FLAGS)).rejects.toThrow("either --from <log> or --queries <file>");
    await expect(previewRules(file("{}", "json"), { ...FLAGS, from: [logOf(LOG)] })).rejects.toThrow("cannot be used");
    await expect(previewRules(draft, { ...FLAGS, from: [logOf([LOG[4]!])] })).rejects.toThrow(
      /could be looked at: 1 left out: no rule could change it \(grouped\)/,
    );
    await expect(previewRules(draft, { ...FLAGS, queries: file("mug", "txt") })).rejects.toThrow("--index <name>");
  });
});

describe("a preview over queries", () => {
  it("asks the engine of the configuration once per query", async () => {
    let asked = 0;
    const engine = createServer((request, response) => {
      let text = "";
      request.on("data", (part: Buffer) => (text += part.toString()));
      request.on("end", () => {
        asked++;
        const wanted: unknown = JSON.parse(text);
        const { q, limit = 20, offset = 0 } = wanted as { q: string; limit?: number; offset?: number }; // oxlint-disable-line typescript/no-unsafe-type-assertion
        const hits = q === "broken" ? [] : Array.from({ length: 30 }, (_, i) => ({ id: `i${i}`, brand: i % 2 === 0 ? "even" : "odd" }));
        response.writeHead(q === "broken" ? 400 : 200, { "content-type": "application/json" });
        response.end(
          JSON.stringify({
            hits: hits.slice(offset, offset + limit),
            query: q,
            limit,
            offset,
            estimatedTotalHits: 30,
            processingTimeMs: 1,
          }),
        );
      });
    });
    engine.listen(0, "127.0.0.1");
    await once(engine, "listening");
    const address = engine.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    try {
      const config = file(`[vars.INDEXES.products]\nbackend = "meilisearch"\nurl = "http://127.0.0.1:${port}"\nwindow = 30\n`, "toml");
      const draft = rulesFile([
        { id: "odd-last", when: { query: [{ is: "mug" }] }, action: { do: "last", match: [{ field: "brand", is: ["odd"] }] } },
        { id: "far", action: { do: "pin", items: [{ id: "i29", position: 1 }] } },
      ]);
      const { described } = await previewRules(draft, {
        ...FLAGS,
        config,
        index: ["products"],
        queries: file("mug\r\n\ncup\nbroken\n", "txt"),
      });
      const { preview, notes } = described;
      expect(preview).toMatchObject({ searches: 2, changed: 2 });
      expect(preview.most.find(({ query }) => query === "mug")?.after.slice(0, 4)).toEqual(["i29", "i0", "i2", "i4"]);
      expect(notes.join("\n")).toContain('1 queries that products did not answer: left out ("broken"');
      // The page without rules, the window with them; and once more of the first, until the rules are read.
      expect(asked).toBeLessThanOrEqual(2 * 3 + 1);
    } finally {
      engine.close();
    }
  });
});

describe("how much a list changes", () => {
  it("is no change for the same list, and all of it for another", () => {
    expect(changeOf(["a", "b"], ["a", "b"], 10)).toBe(0);
    expect(changeOf(["a", "b"], ["b", "a"], 10)).toBe(1);
    expect(changeOf(["a", "b", "c"], ["a", "b", "d"], 2)).toBe(0);
    // 1 / log2(3) of 1 + 1 / log2(3)
    expect(changeOf(["a", "b"], ["a", "c"], 10)).toBeCloseTo(0.38685280723454163, 10);
    expect(movesOf(["a", "b", "c"], ["b", "a", "c"])).toEqual([1, 1]);
    expect(movesOf(["a", "b", "c"], ["a", "c"])).toEqual([2, 1]);
    expect(movesOf([], [])).toEqual([]);
  });
});
