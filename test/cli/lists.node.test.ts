/** From a log to training lists: history in the right order, scaling from training lists alone, and a Parquet file that reads back. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { itemFeatures } from "../../src/cli/embed/vectors.ts";
import { buildLists, type ItemTable, listInputOf, writeLists } from "../../src/cli/lists/dataset.ts";
import { historyBefore, indexEvents, type LoggedSearch, readLog, searchOf } from "../../src/cli/lists/log.ts";
import { fitScaling } from "../../src/cli/lists/scaling.ts";
import { encodeNpy } from "../../src/cli/model/npy.ts";
import { run } from "../../src/cli/main.ts";
import { writeSimulation } from "../../src/cli/simulate.ts";
import type { EventRecord, QueryRecord } from "../../src/cli/simulate/records.ts";
import { splitOf } from "../../src/cli/simulate/split.ts";
import { drawCatalogue } from "../../src/demo/catalogue.ts";
import { createTextEncoder, TEXT_DIM } from "../../src/embeddings/text-encoder.ts";
import { buildTensors, FEATURES, MAX_HISTORY, rawFeatures } from "../../src/ranking/features.ts";

const folder = mkdtempSync(join(tmpdir(), "armmt-lists-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The simulated shop with text vectors only: items without picture are a case that must work. */
function textTable(count: number): ItemTable {
  const encode = createTextEncoder();
  const items = drawCatalogue({ count, seed: 3 }).map((product) => ({
    itemId: product.id,
    image: undefined,
    text: encode(product.title),
    features: itemFeatures(product),
  }));
  return { identity: { imageDim: 64, textDim: TEXT_DIM, imageEncoder: "none", textEncoder: "text" }, items };
}

const simulation = join(folder, "simulation");
const table = textTable(300);
let searches: LoggedSearch[] = [];
beforeAll(async () => {
  writeSimulation({
    out: simulation,
    items: 300,
    catalogSeed: 3,
    shoppers: 40,
    searches: 120,
    clickModel: "dcm",
    seed: 4,
    withText: true,
    withPicture: true,
    withPersonal: true,
    withContext: true,
    json: true,
  });
  ({ searches } = await readLog(simulation));
});

function event(action: string, itemId: string, second: number, queryId?: string): EventRecord {
  return {
    action_name: action,
    client_id: "someone",
    timestamp: new Date(second * 1000).toISOString(),
    event_attributes: { object: { object_id: itemId } },
    ...(queryId === undefined ? {} : { query_id: queryId }),
  };
}

describe("history", () => {
  const looks = ["a", "b", "a", "c"].map((itemId, i) => ({ itemId, atMs: 1000 * (i + 1) }));

  it("is most recent first, each item once, and ends where the search begins", () => {
    expect(historyBefore(looks, 10_000)).toEqual(["c", "a", "b"]);
    expect(historyBefore(looks, 4000)).toEqual(["a", "b"]);
    expect(historyBefore(looks, 1000)).toEqual([]);
  });

  it("keeps as many items as the model reads", () => {
    const many = Array.from({ length: 50 }, (_, i) => ({ itemId: `i${i}`, atMs: i }));
    expect(historyBefore(many, 100)).toHaveLength(MAX_HISTORY);
    expect(historyBefore(many, 100)[0]).toBe("i49");
  });

  it("comes from what the shopper looked at, however the log is ordered, and not from impressions", () => {
    const index = indexEvents([
      event("click", "late", 50, "q0"),
      event("view", "early", 10),
      event("impression", "passed", 60),
      event("view", "after", 99),
    ]);
    const texts = Array.from({ length: 200 }, (_, i) => `query ${i}`);
    const query = texts.find((text) => splitOf("query", text) === splitOf("shopper", "someone"));
    const record: QueryRecord = {
      query_id: "q1",
      client_id: "someone",
      user_query: query ?? "",
      timestamp: new Date(70_000).toISOString(),
      query_attributes: { armmt: { original_ids: ["x", "y"], served_ids: ["y", "x"] } },
    };
    expect(searchOf(record, index)?.history).toEqual(["late", "early"]);
  });
});

describe("buildLists()", () => {
  it("uses the tensors that serve, scaled with training lists alone", () => {
    const { rows, scaling } = buildLists(searches, table);
    const byId = new Map(table.items.map((item) => [item.itemId, item]));
    const known = { find: (itemId: string) => byId.get(itemId) };
    const training = searches.filter(({ split }) => split === "train");
    expect(training.length).toBeLessThan(searches.length);
    expect(scaling).toEqual(fitScaling(training.map((search) => rawFeatures(listInputOf(search, known)))));
    expect(scaling).not.toEqual(fitScaling(searches.map((search) => rawFeatures(listInputOf(search, known)))));
    const search = searches.find(({ split, history }) => split === "test" && history.length > 0)!;
    const row = rows.find(({ query_id: id }) => id === search.queryId)!;
    const tensors = buildTensors(listInputOf(search, known), { imageDim: 64, textDim: TEXT_DIM, scaling });
    expect(row.features).toEqual([...tensors.features]);
    expect(row.features).toHaveLength(search.itemIds.length * FEATURES.length);
    expect(row.item_rows.map((at) => table.items[at]?.itemId)).toEqual(search.itemIds);
    expect(row.history_rows.map((at) => table.items[at]?.itemId)).toEqual(search.history);
  });

  it("takes positions from what was shown, and labels from what was clicked", () => {
    const { rows } = buildLists(searches, table);
    for (const row of rows) {
      const search = searches.find(({ queryId }) => queryId === row.query_id)!;
      expect(row.positions.map((position) => search.servedIds[position - 1])).toEqual(search.itemIds);
      expect(row.clicks.reduce((sum, click) => sum + click, 0)).toBe(search.actions.click.size);
      row.purchases.forEach((bought, i) => expect(bought).toBeLessThanOrEqual(row.clicks[i]!));
    }
    expect(rows.some((row) => row.clicks.includes(1))).toBe(true);
  });

  it("marks items that have no record", () => {
    const { rows } = buildLists(searches, { ...table, items: table.items.slice(0, 150) });
    expect(rows.some((row) => row.item_rows.includes(-1))).toBe(true);
  });
});

function columns(price: (number | undefined)[]): ReturnType<typeof rawFeatures> {
  return { ...rawFeatures({ candidates: [], items: [], nowDay: 0 }), price_log: price };
}

describe("fitScaling()", () => {
  it("is the mean and standard deviation of the known values", () => {
    const scaling = fitScaling([columns([1, undefined]), columns([3])]); // mean 2, deviations ±1
    expect(scaling.find(({ name }) => name === "price_log")).toEqual({ name: "price_log", mean: 2, std: 1 });
  });

  it("leaves flags, unknown and constant features at their own size", () => {
    const scaling = fitScaling([columns([5, 5])]);
    expect(scaling.find(({ name }) => name === "price_log")).toEqual({ name: "price_log", mean: 5, std: 1 });
    expect(scaling.find(({ name }) => name === "has_price")).toEqual({ name: "has_price", mean: 0, std: 1 });
    expect(scaling.find(({ name }) => name === "rating")).toEqual({ name: "rating", mean: 0, std: 1 });
    expect(scaling.map(({ name }) => name)).toEqual([...FEATURES]);
  });
});

describe("writeLists()", () => {
  it("writes Parquet with the documented columns, row by row as built", async () => {
    const out = join(folder, "lists");
    mkdirSync(out);
    const set = buildLists(searches, table);
    writeLists(out, set, table);
    const file = await asyncBufferFromFile(join(out, "lists.parquet"));
    const { schema } = await parquetMetadataAsync(file);
    const card = readFileSync(new URL("../../model/README.md", import.meta.url), "utf8");
    const written = schema.slice(1).flatMap(({ name }) => (name === "list" || name === "element" ? [] : [name]));
    for (const name of written) expect(card).toContain(`\`${name}\``);
    const rows = await parquetReadObjects({ file });
    expect(rows).toHaveLength(set.rows.length);
    expect(rows[3]).toEqual({ ...set.rows[3], features: [...Float32Array.from(set.rows[3]?.features ?? [])] });
  });

  it("encodeNpy() writes NumPy's header and refuses a wrong shape", () => {
    const bytes = encodeNpy(Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3]);
    const header = Buffer.from(bytes.subarray(0, 128)).toString("latin1");
    expect(header.startsWith("\x93NUMPY\x01\x00")).toBe(true);
    expect(header).toContain("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }");
    expect((bytes.length - 24) % 64).toBe(0);
    expect(new Float32Array(bytes.slice(-24).buffer)[5]).toBe(6);
    expect(() => encodeNpy(new Uint8Array(5), [2, 3])).toThrow("5 values as [2, 3]");
  });
});

describe("armmt lists", () => {
  it("names the file and line that it cannot read", async () => {
    const bad = join(folder, "bad");
    mkdirSync(bad);
    writeFileSync(join(bad, "events.ndjson"), '{"action_name":"click"}\n');
    writeFileSync(join(bad, "queries.ndjson"), "");
    await expect(readLog(bad)).rejects.toThrow(/events\.ndjson, line 1: timestamp/);
    writeFileSync(join(bad, "events.ndjson"), "no json\n");
    await expect(readLog(bad)).rejects.toThrow(/events\.ndjson, line 1 is not JSON/);
  });

  it("fails with exit code 1 where there is no log or nothing embedded", async () => {
    expect(await run(["lists", "--events", join(folder, "nowhere"), "--out", join(folder, "x")])).toBe(1);
    expect(await run(["lists", "--events", simulation, "--embeddings", join(folder, "nowhere"), "--out", join(folder, "x")])).toBe(1);
  });
});
