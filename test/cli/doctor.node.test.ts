/** `armmt doctor` as a process, in front of engines that answer as their documentation and recordings say. Real ones are asked in test/engines. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as v from "valibot";
import { afterAll, afterEach, expect, it } from "vitest";
import { affordable } from "../../src/cli/doctor/run.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "armmt-doctor-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

type Answer = (path: string, body: string) => unknown;

/** An engine of JSON; 404 where it has no answer. `keys`: what came as `authorization`. */
async function engineOf(answer: Answer) {
  const keys: (string | undefined)[] = [];
  const server = createServer((request, reply) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      keys.push(request.headers.authorization);
      const found = answer(request.url ?? "", Buffer.concat(chunks).toString());
      reply.writeHead(found === undefined ? 404 : 200, { "content-type": "application/json" });
      reply.end(JSON.stringify(found ?? { message: "not found" }));
    });
  });
  servers.push(server);
  await new Promise<void>((done) => void server.listen(0, "127.0.0.1", done));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a port is listened on
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, keys };
}

const report = v.object({
  findings: v.array(v.object({ level: v.string(), index: v.string(), text: v.string() })),
  searches: v.array(v.object({ search: v.string(), outcome: v.string(), detail: v.string() })),
  prices: v.array(v.object({ window: v.number(), own: v.looseObject({ tookMs: v.optional(v.number()) }), wide: v.looseObject({}) })),
  affordableWindow: v.nullable(v.number()),
});

async function doctor(table: string, ...args: string[]) {
  const config = join(folder, "wrangler.toml");
  writeFileSync(config, `[vars.INDEXES.products]\n${table}\n`);
  const env = { ...process.env, ENGINE_AUTHORIZATION: "Bearer of-the-edge" };
  return new Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }>((resolve) => {
    const command = [join(ROOT, "src/cli/armmt.ts"), "doctor", "--config", config, "--repeat", "2", "--window", "50", ...args];
    execFile(process.execPath, command, { env, cwd: folder }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

const read = (stdout: string) => v.parse(report, JSON.parse(stdout));

const hitsOf = (count: number) => Array.from({ length: count }, (_, i) => ({ sku: `p${i}`, title: `Red ceramic mug ${i}` }));

it("finds out what an engine's settings, its searches and its windows mean, and asks with the edge's key", async () => {
  const meilisearch = await engineOf((path, body) => {
    if (path === "/indexes/products") return { uid: "products", primaryKey: "sku" };
    if (path === "/indexes/products/settings") {
      return { rankingRules: ["price:asc", "words"], distinctAttribute: null, searchCutoffMs: null, pagination: { maxTotalHits: 60 } };
    }
    if (!path.startsWith("/indexes/products/search")) return undefined;
    const { limit } = v.parse(v.looseObject({ limit: v.number() }), JSON.parse(body));
    return { hits: hitsOf(Math.min(80, limit)), query: "", processingTimeMs: limit, limit, offset: 0, estimatedTotalHits: 80 };
  });
  const wrong = await doctor(`backend = "meilisearch"\nurl = "${meilisearch.url}"\nwindow = 100`, "--json");
  expect(wrong.code).toBe(1);
  const problems = read(wrong.stdout).findings.filter(({ level }) => level === "problem");
  const said = problems.map(({ text }) => text).join("\n");
  expect(said).toContain('set idField = "sku"');
  expect(said).toContain('The first ranking rule is "price:asc"');
  expect(said).toContain("maxTotalHits is 60: set window to that or less");
  expect(said).toContain("reply_not_search");
  expect(new Set(meilisearch.keys)).toEqual(new Set(["Bearer of-the-edge"]));

  const right = await doctor(
    `backend = "meilisearch"\nurl = "${meilisearch.url}"\nwindow = 40\nidField = "sku"`,
    "--json",
    "--words",
    "red mug",
  );
  const found = read(right.stdout);
  expect(found.searches).toEqual([expect.objectContaining({ search: '"red mug" in products', outcome: "re-ranked" })]);
  expect(found.prices).toEqual([expect.objectContaining({ window: 50 })]);
  expect(found.prices[0]).toMatchObject({ own: { tookMs: 10 }, wide: { tookMs: 50 } });
});

it("says of an application's searches which would be re-ranked, and why others would not", async () => {
  const elasticsearch = await engineOf((path, body) => {
    if (path.includes("/_settings")) return { "products-7": { settings: { "index.max_result_window": "10000" } } };
    if (path.includes("/_mapping"))
      return { "products-7": { mappings: { properties: { seen: { properties: { vector: { type: "dense_vector" } } } } } } };
    if (!path.includes("/_search")) return undefined;
    const { size } = v.parse(v.looseObject({ size: v.number() }), JSON.parse(body));
    const hits = hitsOf(size).map(({ sku, title }, i) => ({ _index: "products-7", _id: sku, _score: 9 - i / 100, _source: { title } }));
    return {
      took: 1,
      timed_out: false,
      _shards: { total: 1, successful: 1, skipped: 0, failed: 0 },
      hits: { total: { value: 500, relation: "eq" }, max_score: 9, hits },
    };
  });
  const searches = join(folder, "searches.ndjson");
  const lines = [
    { path: "/products/_search", body: { query: { match: { title: "red mug" } }, size: 24 } },
    { path: "/products/_search", body: { query: { match_all: {} }, size: 24 } },
    { path: "/products/_search", body: { query: { match: { title: "red" } }, sort: [{ price: "asc" }], size: 24 } },
    { path: "/orders/_search", body: { query: { match: { title: "red" } }, size: 24 } },
  ];
  writeFileSync(searches, lines.map((one) => `${JSON.stringify(one)}\n`).join(""));
  const table = `backend = "elasticsearch"\nurl = "${elasticsearch.url}"\nwindow = 100`;
  const { code, stdout } = await doctor(table, "--searches", searches, "--json");
  const { findings, searches: tried } = read(stdout);
  expect(tried.map(({ outcome }) => outcome)).toEqual(["re-ranked", "no_query_text", "explicit_sort", "refused"]);
  expect(findings.find(({ level }) => level === "problem")?.text).toContain("404 of the edge");
  expect(findings.map(({ text }) => text).join("\n")).toContain("products-7 has vectors (seen.vector)");
  expect(code).toBe(1);

  const forPeople = await doctor(table, "--words", "red mug");
  expect(forPeople.code).toBe(0);
  expect(forPeople.stdout).toContain('✓ "red mug" in products: would be re-ranked');
  expect(forPeople.stdout).toContain("engine's own ms");
});

it("names the line of a file that is no search, the index that is none, and an engine that does not answer", async () => {
  const table = 'backend = "elasticsearch"\nurl = "http://127.0.0.1:9"\nwindow = 100';
  const searches = join(folder, "broken.ndjson");
  writeFileSync(searches, '{"path":"/products/_search"}\n{"route":"/x"}\n');
  const broken = await doctor(table, "--searches", searches);
  expect(broken.stderr).toContain("broken.ndjson, line 2");
  expect(broken.code).toBe(1);
  const unknown = await doctor(table, "--index", "offers");
  expect(unknown.stderr).toContain('--index "offers" is not in INDEXES');
  const silent = await doctor(table, "--words", "mug");
  expect(silent.stdout).toContain("engine_unreachable");
  expect(silent.code).toBe(1);
  const unusable = await doctor('backend = "sphinx"\nurl = "http://127.0.0.1:9"\nwindow = 100');
  expect(unusable.stderr).toContain("sphinx");
  expect(unusable.code).toBe(2);
});

const cost = (ms: number) => ({ ms, tookMs: undefined, kB: 1 });
const price = (window: number, ms: number) => ({ label: "", window, own: cost(5), wide: cost(5 + ms) });

it("recommends the widest window that every timed search can afford", () => {
  const prices = [price(50, 4), price(50, 6), price(100, 8), price(100, 25), price(200, 12), price(200, 90)];
  expect(affordable(prices, 10)).toBe(50);
  expect(affordable(prices, 30)).toBe(100);
  expect(affordable(prices, 1)).toBeUndefined();
});
