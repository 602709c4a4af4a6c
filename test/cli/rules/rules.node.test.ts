/** `armmt rules` on files and in a server's folder. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { run, SHOP_COMMANDS } from "../../../src/cli/main.ts";
import { openFolderNamespace } from "../../../src/cli/publish/namespace.ts";
import { rulesSchema } from "../../../src/cli/rules/json-schema.ts";
import { folderKv } from "../../../src/runtimes/node/folder-kv.ts";
import { createLiveRules, rulesKey } from "../../../src/search/live-rules.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "armmt-rules-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, rules: readonly object[]): string {
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify({ format: 1, rules }));
  return path;
}

async function armmt(...args: readonly string[]) {
  const said: string[] = [];
  const write = (text: unknown): boolean => said.push(String(text)) > 0;
  const spies = [vi.spyOn(process.stdout, "write").mockImplementation(write), vi.spyOn(process.stderr, "write").mockImplementation(write)];
  try {
    const code = await run(["rules", ...args], SHOP_COMMANDS);
    return { code, said: said.join("") };
  } finally {
    for (const spy of spies) spy.mockRestore();
    process.exitCode = 0;
  }
}

const pin = (id: string, item = "a") => ({
  id,
  when: { query: [{ is: "red" }] },
  action: { do: "pin", items: [{ id: item, position: 1 }] },
});

describe("armmt rules", () => {
  it("publishes, exports, rolls back and remembers who", async () => {
    const kv = join(folder, "kv");
    const place = ["--catalog", "shop", "--folder", kv];
    expect((await armmt("publish", file("one.json", [pin("one")]), ...place, "--by", "ann", "--note", "first")).said).toContain(
      "are live in",
    );
    const live = createLiveRules({ kv: folderKv(kv), catalog: "shop", now: () => 0, log: () => undefined });
    const first = await live.read((work) => void work);
    expect(first?.count).toBe(1);
    expect(
      (await armmt("publish", file("two.json", [pin("one"), pin("two", "b")]), ...place, "--by", "bob", "--expect", "none")).said,
    ).toMatch(/somebody has published since/);
    expect(
      (await armmt("publish", file("two.json", [pin("one"), pin("two", "b")]), ...place, "--by", "bob", "--expect", first?.version ?? ""))
        .said,
    ).toContain("Rules one and two contradict each other: both pin to position 1");
    expect((await armmt("export", ...place)).said.trim()).toBe(readFileSync(join(folder, "two.json"), "utf8"));
    expect((await armmt("rollback", ...place, "--by", "cid")).said).toContain(`rules ${first?.version} are live again`);
    expect((await armmt("export", ...place)).said.trim()).toBe(readFileSync(join(folder, "one.json"), "utf8"));
    const history = JSON.parse((await armmt("history", ...place, "--json")).said);
    expect(history).toMatchObject([
      { by: "ann", from: "publish", before: null, note: "first" },
      { by: "bob", from: "publish" },
      { by: "cid", from: "rollback", version: first?.version },
    ]);
  });

  it("refuses what an edge would ignore, and an edge ignores what was damaged", async () => {
    const kv = join(folder, "kv-2");
    const bad = file("bad.json", [{ id: "x y", action: { do: "pin", items: [{ id: "a" }] } }]);
    const refused = await armmt("publish", bad, "--catalog", "shop", "--folder", kv);
    expect(refused.code).toBe(1);
    expect(refused.said).toMatch(/x y/);
    expect((await armmt("check", bad)).code).toBe(1);
    await armmt("publish", file("good.json", [pin("one")]), "--catalog", "shop", "--folder", kv);
    const logs: object[] = [];
    const open = () => createLiveRules({ kv: folderKv(kv), catalog: "shop", now: () => 0, log: (entry) => void logs.push(entry) });
    const { version = "" } = (await open().read((work) => void work)) ?? {};
    await openFolderNamespace(kv).put([{ key: rulesKey("shop", version), value: '{"format":1,"rules":[]}' }]);
    const damaged = open();
    expect(await damaged.read((work) => void work)).toBeUndefined();
    expect(damaged.describe()).toMatchObject({ version: null, failures: 1, problem: expect.stringContaining("damaged") });
  });

  it("checks a file: what has ended, holds everywhere, or pins too much", async () => {
    const items = Array.from({ length: 50 }, (_, i) => ({ id: `i${i}`, position: i + 1 }));
    const { code, said } = await armmt(
      "check",
      file("warn.json", [
        { id: "old", when: { emptyQuery: true, until: "2020-01-01T00:00:00Z" }, action: { do: "pin", items } },
        { id: "all", action: { do: "last", match: [{ field: "inStock", is: [false] }] } },
      ]),
    );
    expect(code).toBe(0);
    for (const warning of ["Rule old: has ended", "Rule old: pins 50 items", "Rule all: holds everywhere"]) expect(said).toContain(warning);
  });

  it("imports into a file that it checks itself", async () => {
    const source = join(folder, "elevate.xml");
    writeFileSync(source, '<elevate><query text="red"><doc id="1"/></query></elevate>');
    const out = join(folder, "imported.json");
    expect((await armmt("import", "solr", source, "--out", out)).said).toContain("Needs an answer");
    expect((await armmt("check", out)).said).toContain("1 rules are valid");
  });

  it("explains a search by the code that serves it", async () => {
    const rules = file("explain.json", [
      pin("one", "c"),
      { id: "later", when: { query: [{ is: "red" }], from: "2990-01-01T00:00:00Z" }, action: { do: "hide", match: [{ ids: ["a"] }] } },
      {
        id: "brand",
        when: { query: [{ is: "red" }], filters: { brand: ["Acme"] } },
        action: { do: "boost", match: [{ ids: ["b"] }], places: 5 },
      },
    ]);
    const report = JSON.parse(
      (await armmt("explain", rules, "--query", "RED", "--ids", "a,b,c", "--filters", "brand:acme", "--json")).said,
    );
    expect(report).toMatchObject({
      rules: ["brand", "one"],
      asleep: ["later"],
      order: [{ id: "c", rules: ["one"] }, { id: "b", rules: ["brand"] }, { id: "a" }],
    });
    expect((await armmt("explain", rules, "--query", "blue")).said).toContain("No rule fits this search");
  });
});

it("docs/reference/rules.schema.json is the schema (UPDATE_DOCS=1 writes it)", () => {
  const path = resolve(import.meta.dirname, "../../../docs/reference/rules.schema.json");
  const text = `${JSON.stringify(rulesSchema(), undefined, 2)}\n`;
  if (process.env["UPDATE_DOCS"] !== undefined) writeFileSync(path, text);
  expect(readFileSync(path, "utf8")).toBe(text);
});
