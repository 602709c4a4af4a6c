/** `armmt evaluate` on a small shop: figures, their form, an engine that is asked, and what is said where something is wrong. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import * as v from "valibot";
import { composerOf, settingsOf } from "../../src/cli/evaluate/ask-engine.ts";
import { run } from "../../src/lab/main.ts";
import { embedShop, LISTS, listLines, PRODUCTS, type ShopVectors, writeShop } from "./evaluate/fixture.ts";

const folder = mkdtempSync(join(tmpdir(), "armmt-evaluate-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(() => vi.restoreAllMocks());

const embedded = embedShop(join(folder, "embedded"));

/** The command in this process, on the shop's own vectors unless `args` name others. */
async function armmt(...args: string[]) {
  const written = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    vi.spyOn(process[name], "write").mockImplementation((text) => {
      written[name] += String(text);
      return true;
    });
  }
  const code = await run(["evaluate", ...(args.includes("--from") ? [] : ["--from", embedded]), ...args]);
  vi.restoreAllMocks();
  return { code, ...written };
}

const differenceSchema = v.object({
  lists: v.optional(v.string()),
  of: v.string(),
  against: v.string(),
  metric: v.string(),
  mean: v.number(),
  low: v.number(),
  high: v.number(),
  worse: v.number(),
  better: v.number(),
});
const orderSchema = v.looseObject({ lists: v.optional(v.string()), name: v.string(), "nDCG@10": v.number(), "nDCG@10 judged": v.number() });
const jsonSchema = v.looseObject({
  queries: v.number(),
  orders: v.array(orderSchema),
  differences: v.array(differenceSchema),
  leftOut: v.record(v.string(), v.number()),
  notes: v.array(v.string()),
});
const read = (stdout: string) => v.parse(jsonSchema, JSON.parse(stdout));

/** Every title is a query for its product; related are those that share a word. The engine puts the right one third: a shuffle spoils that. */
function titleQueries() {
  const lists: Record<string, readonly string[]> = {};
  const rows = PRODUCTS.flatMap(({ id: own, title }) => {
    const rated = PRODUCTS.map(({ id, title: other }) => ({
      id,
      rating: id === own ? 3 : Number(wordsOf(title).some((word) => wordsOf(other).includes(word))),
    }));
    const [best, ...rest] = rated.toSorted((x, y) => y.rating - x.rating).map(({ id }) => id);
    lists[title] = [...rest.slice(0, 2), best!, ...rest.slice(2)];
    return rated.map(({ id, rating }) => `"${title}",${id},${rating}`);
  });
  return { judgments: ["query,product_id,rating", ...rows].join("\n"), lists: listLines(lists) };
}

function wordsOf(title: string): readonly string[] {
  return title.toLowerCase().match(/[a-z]{3,}/g) ?? [];
}

describe("armmt evaluate", () => {
  it("prints the engine's figures of a lists file, as pytrec_eval has them", async () => {
    const { catalog, judgments, lists } = writeShop(join(folder, "lists"));
    const { code, stdout } = await armmt("--catalog", catalog, "--judgments", judgments, "--lists", lists, "--json");
    expect(code).toBe(0);
    const { queries, orders, leftOut } = read(stdout);
    expect(queries).toBe(3);
    const [engine] = orders;
    expect(engine!.name).toBe("engine");
    expect(engine!["nDCG@10"]).toBeCloseTo((0.48796553831010026 + 0.411833840435435 + 0.09027901390346374) / 3, 12);
    expect(engine!["nDCG@10 judged"]).toBeCloseTo((0.5773534652239384 + 0.9197207891481876 + 0.47918604867911435) / 3, 12);
    expect(engine!["MRR"]).toBeCloseTo((1 / 3 + 1 / 6 + 1 / 3) / 3, 12);
    // Of the first ten: 4 of 6, 3 of 8, 4 of 10.
    expect(engine!["judged@10"]).toBeCloseTo(11 / 24, 12);
    expect(leftOut).toEqual({ nothingRelevant: 1, unknownProducts: 0, withoutList: 0, notJudged: 0, unknownHits: 0 });
    expect(orders.some(({ lists: of }) => of !== undefined)).toBe(false);
  });

  it("names the file of each figure where there are several, after one flag or after two", async () => {
    const { catalog, judgments, lists } = writeShop(join(folder, "several"));
    const other = join(folder, "several", "other.jsonl");
    const backwards = Object.fromEntries(Object.entries(LISTS).map(([query, ids]) => [query, ids.toReversed()]));
    writeFileSync(other, listLines({ ...backwards, "not judged": ["m1"], nothing: ["m1"] }));
    const common = ["--catalog", catalog, "--judgments", judgments, "--json"];
    const [once, twice] = [await armmt(...common, "--lists", lists, other), await armmt(...common, "--lists", lists, "--lists", other)];
    expect(twice.stdout).toBe(once.stdout);
    const { orders, leftOut } = read(once.stdout);
    expect(orders.filter(({ name }) => name === "engine").map(({ lists: of }) => of)).toEqual(["lists.jsonl", "other.jsonl"]);
    expect(leftOut["notJudged"]).toBe(1);
  });

  it("ranks the judged products by BM25 without lists, and counts what it leaves out", async () => {
    const { catalog, judgments } = writeShop(join(folder, "bm25"), {
      judgments: "query,product_id,rating\nred mug,m3,0\nred mug,m1,3\nlamp,l3,0\n",
    });
    const { code, stdout } = await armmt("--catalog", catalog, "--judgments", judgments, "--json");
    expect(code).toBe(0);
    const { orders, ...rest } = read(stdout);
    expect(rest).toMatchObject({ queries: 1, leftOut: { nothingRelevant: 1 } });
    expect(orders[0]).toMatchObject({ name: "engine", "nDCG@10": 1 });
  });

  it("counts queries without a list, and hits that the catalogue lacks", async () => {
    const { catalog, judgments, lists } = writeShop(join(folder, "gaps"), { lists: listLines({ "red mug": ["gone", "m1"] }) });
    const { stdout } = await armmt("--catalog", catalog, "--judgments", judgments, "--lists", lists, "--json");
    expect(read(stdout)).toMatchObject({ queries: 1, leftOut: { withoutList: 2, unknownHits: 1 } });
  });

  it("says where nothing is embedded, and with which command that is mended", async () => {
    const { catalog, judgments } = writeShop(join(folder, "bare"));
    const { code, stderr } = await armmt("--catalog", catalog, "--judgments", judgments, "--from", join(folder, "bare"));
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(
        /Nothing embedded in .*bare: run armmt embed --catalog .*products\.jsonl first, or name its folder with --from/,
      ),
    ]);
  });

  it("compares semantic and armmt with the engine, and armmt with semantic", async () => {
    const { catalog, judgments, lists } = writeShop(join(folder, "compared"));
    const { stdout } = await armmt("--catalog", catalog, "--judgments", judgments, "--lists", lists, "--json");
    const { orders, differences } = read(stdout);
    expect(orders.map(({ name }) => name)).toEqual(["engine", "semantic", "armmt"]);
    for (const metric of ["nDCG@10", "nDCG@10 judged"] as const) {
      const [semantic, armmtToo, between] = [
        ["semantic", "engine"],
        ["armmt", "engine"],
        ["armmt", "semantic"],
      ].map(([of, against]) => differences.find((one) => one.of === of && one.against === against && one.metric === metric));
      expect(semantic!.mean).toBeCloseTo(orders[1]![metric] - orders[0]![metric], 12);
      expect(semantic!.mean).toBeGreaterThan(0);
      expect(semantic!.low).toBeLessThanOrEqual(semantic!.mean);
      expect(armmtToo).toEqual({ ...semantic, of: "armmt" });
      expect(between).toMatchObject({ mean: 0, low: 0, high: 0, worse: 0, better: 0 });
    }
  });

  it("says that a few queries cannot tell", async () => {
    const { catalog, judgments, lists } = writeShop(join(folder, "few"));
    const { stdout } = await armmt("--catalog", catalog, "--judgments", judgments, "--lists", lists);
    expect(stdout).toMatch(/armmt against engine, nDCG@10: .* better, 0 worse: too few queries to tell: judge at least 20/);
  });

  it.each<[string, ShopVectors, RegExp | undefined]>([
    ["the shop's own vectors", { hasWords: false }, undefined],
    [
      "vectors of other products",
      { hasWords: false, vectorOf: (i) => (i * 7 + 5) % PRODUCTS.length },
      /The query table does not fit the vectors/,
    ],
    ["a table that was fitted elsewhere", { hasWords: false, tableSeed: "another shop" }, /The query table does not fit the vectors/],
  ])("reports a gain by %s only where there is one", async (name, vectors, alarm) => {
    const shop = writeShop(join(folder, "control"), titleQueries());
    const from = embedShop(join(folder, `control ${name}`), vectors);
    const { stdout } = await armmt("--catalog", shop.catalog, "--judgments", shop.judgments, "--lists", shop.lists, "--from", from);
    const [, verdict] = /armmt against engine, nDCG@10: .* worse: (.*)\.\n/.exec(stdout) ?? [];
    if (alarm === undefined) expect(verdict).toBe("better");
    else {
      expect(verdict).not.toBe("better");
      expect(stdout).toMatch(alarm);
    }
  });

  it("writes a page that needs nothing else, in which the catalogue's text is text", async () => {
    const { catalog, judgments, lists } = writeShop(join(folder, "page"), {
      lists: listLines({ "red mug": ["m1"], "<b>bold</b>": ["m2"] }),
    });
    const html = join(folder, "page.html");
    expect((await armmt("--catalog", catalog, "--judgments", judgments, "--lists", lists, "--html", html)).code).toBe(0);
    const page = readFileSync(html, "utf8");
    expect(page).toContain("<h2");
    expect(page).not.toMatch(/<script|https?:\/\//);
  });

  it.each<[string, { judgments?: string; lists?: string }, string[], RegExp]>([
    ["nothing is relevant", { judgments: "query,product_id,rating\nred mug,m1,0\n" }, [], /No query has a relevant product/],
    [
      "no listed query is judged",
      { lists: listLines({ "Red mug": ["m1"] }) },
      ["--lists"],
      /None of the 1 queries .* is judged: it has "Red mug", the judgments have "red mug"/,
    ],
  ])("stops where %s", async (_, files, flags, message) => {
    const { catalog, judgments, lists } = writeShop(join(folder, "stops"), files);
    const { code, stderr } = await armmt("--catalog", catalog, "--judgments", judgments, ...flags.flatMap((flag) => [flag, lists]));
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
    expect(stderr).not.toContain("    at ");
  });

  it("wants a catalogue and judgments, and not lists and an index", async () => {
    const { catalog, judgments, lists } = writeShop(join(folder, "usage"));
    expect((await armmt("--catalog", catalog)).code).toBe(2);
    expect((await armmt("--catalog", catalog, "--judgments", judgments, "--lists", lists, "--index", "products")).code).toBe(2);
    const search = await armmt("--catalog", catalog, "--judgments", judgments, "--search", "search.json");
    expect([search.code, search.stderr]).toEqual([1, expect.stringContaining("--search search.json needs --index")]);
    const page = await armmt("--catalog", catalog, "--judgments", judgments, "--html", join(folder, "no", "such", "folder.html"));
    expect([page.code, page.stderr]).toEqual([1, expect.stringContaining("Cannot write the page")]);
    const missing = await armmt("--catalog", join(folder, "nowhere"), "--judgments", judgments);
    expect([missing.code, missing.stderr]).toEqual([1, expect.stringContaining("No catalogue at")]);
  });
});

describe("armmt evaluate --index", () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  it("takes the order that the edge itself makes, in which a pinned hit keeps its place", async () => {
    const { config } = await engine("m3");
    const { catalog, judgments } = writeShop(join(folder, "pinned"), {
      judgments: "query,product_id,rating\nred mug,m1,3\nred mug,m3,0\n",
    });
    const { stdout } = await armmt("--catalog", catalog, "--judgments", judgments, "--index", "products", "--config", config, "--json");
    // The engine has m3, x1, m2, m1: the mug rises to the place after the pin.
    expect(read(stdout).orders.map(({ MRR }) => MRR)).toEqual([1 / 4, 1 / 2, 1 / 2]);
  });

  /** An Elasticsearch that finds LISTS, and has no answer for blue lamps. `pinned`: an id that is promoted. `asked`: the bodies that came. */
  async function engine(pinned?: string) {
    const asked: unknown[] = [];
    const server = createServer((request, reply) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const text = Buffer.concat(chunks).toString();
        asked.push(JSON.parse(text));
        const ids = Object.entries(LISTS).find(([query]) => text.includes(JSON.stringify(query)))?.[1] ?? [];
        const hits = ids.map((_id, i) => ({
          _index: "products",
          _id,
          _score: _id === pinned ? 1.7014122e38 : ids.length - i,
          _source: {},
        }));
        reply.writeHead(text.includes("blue lamp") ? 500 : 200, { "content-type": "application/json" });
        const total = { value: hits.length, relation: "eq" };
        reply.end(
          JSON.stringify({
            took: 1,
            timed_out: false,
            _shards: { total: 1, successful: 1, skipped: 0, failed: 0 },
            hits: { total, max_score: 9, hits },
          }),
        );
      });
    });
    servers.push(server);
    await new Promise<void>((done) => void server.listen(0, "127.0.0.1", done));
    const address: AddressInfo | string | null = server.address();
    if (address === null || typeof address === "string") throw new Error("No port");
    const config = join(folder, "wrangler.toml");
    writeFileSync(config, `[vars.INDEXES.products]\nbackend = "elasticsearch"\nurl = "http://127.0.0.1:${address.port}"\nwindow = 100\n`);
    return { config, asked };
  }

  it("asks the configured engine for its window, and says what it did not answer", async () => {
    const { config, asked } = await engine();
    const { catalog, judgments } = writeShop(join(folder, "index"));
    const { code, stdout } = await armmt(
      "--catalog",
      catalog,
      "--judgments",
      judgments,
      "--index",
      "products",
      "--config",
      config,
      "--json",
    );
    expect(code).toBe(0);
    const { queries, orders, notes } = read(stdout);
    expect(queries).toBe(2);
    expect(orders[0]!["nDCG@10"]).toBeCloseTo((0.48796553831010026 + 0.09027901390346374) / 2, 12);
    expect(notes.join()).toMatch(/1 queries that products did not answer: left out \("blue lamp": 500/);
    expect(asked[0]).toMatchObject({ size: 100 });
    // The edge's own order is that of the same lists from a file.
    const { lists } = writeShop(join(folder, "index"), {
      lists: listLines({ "red mug": LISTS["red mug"]!, "green chair": LISTS["green chair"]! }),
    });
    const fromFile = await armmt("--catalog", catalog, "--judgments", judgments, "--lists", lists, "--json");
    expect(read(fromFile.stdout).orders).toEqual(orders);
    expect(orders[1]!["nDCG@10"]).toBeGreaterThan(orders[0]!["nDCG@10"]);
  });

  it("asks with the application's own search", async () => {
    const { config, asked } = await engine();
    const { catalog, judgments } = writeShop(join(folder, "own"), {
      judgments: 'query,product_id,rating\n"19"" rack",m1,1\nred mug,m1,1\n',
    });
    const search = join(folder, "search.json");
    writeFileSync(search, JSON.stringify({ path: "/products/_search", body: { query: { match: { title: "{query}" } }, size: 24 } }));
    const flags = ["--catalog", catalog, "--judgments", judgments, "--index", "products", "--config", config, "--search", search, "--json"];
    expect((await armmt(...flags)).code).toBe(0);
    expect(asked).toMatchObject([{ query: { match: { title: '19" rack' } }, size: 100 }, { query: { match: { title: "red mug" } } }]);
    writeFileSync(search, JSON.stringify({ path: "/products/_search", body: { size: 24 } }));
    expect((await armmt(...flags)).stderr).toMatch(/has no \{query\}: write it where/);
    // `armmt explain` asks with a page's own request, which has no words.
    const compose = composerOf({ index: "products", search, config }, settingsOf(config).config);
    expect(compose("")).toMatchObject({ path: "/products/_search", body: '{"size":24}' });
  });

  it("names the indexes that there are", async () => {
    const { config } = await engine();
    const { catalog, judgments } = writeShop(join(folder, "unknown"));
    const { code, stderr } = await armmt("--catalog", catalog, "--judgments", judgments, "--index", "shoes", "--config", config);
    expect([code, stderr]).toEqual([1, expect.stringContaining('has no index "shoes" (it has: products)')]);
  });
});
