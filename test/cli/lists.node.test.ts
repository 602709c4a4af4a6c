/** From a log to training lists: history in the right order, scaling from training lists alone, and a Parquet file that reads back. */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { asyncBufferFromFile, parquetMetadataAsync } from "hyparquet";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packSet, writeSet } from "../../src/cli/embed/pack.ts";
import { productFeatures } from "../../src/cli/embed/vectors.ts";
import { makeLists } from "../../src/cli/lists.ts";
import { createListWriter, type ItemTable, listInputOf, rowMaker, openItems, fitScaling } from "../../src/cli/lists/dataset.ts";
import type { ListRow } from "../../src/cli/lists/columns.ts";
import { createEventIndex, historyBefore, type LoggedSearch, readLog, searchOf } from "../../src/cli/lists/log.ts";
import { writeNpy } from "../../src/cli/lists/npy.ts";
import { readLists } from "../../src/cli/lists/read.ts";
import { run } from "../../src/lab/main.ts";
import { writeSimulation } from "../../src/lab/study/simulate.ts";
import type { EventRecord, QueryRecord } from "../../src/report/ubi-log.ts";
import { splitOf } from "../../src/cli/lists/split.ts";
import { isCold } from "../../src/lab/study/simulate/cold.ts";
import { drawCatalogue } from "../../src/demo/catalogue/catalogue.ts";
import { createTextEncoder, TEXT_DIM } from "../../src/embeddings/text-encoder.ts";
import { buildTensors, FEATURES, MAX_HISTORY, rawFeatures } from "../../src/ranking/features.ts";

const folder = mkdtempSync(join(tmpdir(), "armmt-lists-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function allOf(lists: string): Promise<ListRow[]> {
  const rows: ListRow[] = [];
  for await (const row of readLists(lists)) rows.push(row);
  return rows;
}

/** The simulated shop with text vectors only: items without picture are a case that must work. */
function textTable(count: number): ItemTable {
  const encode = createTextEncoder();
  const items = drawCatalogue({ count, seed: 3 }).map((product) => ({
    itemId: product.id,
    image: undefined,
    text: encode(product.title),
    features: productFeatures(product),
  }));
  return { identity: { imageDim: 64, textDim: TEXT_DIM, imageEncoder: "none", textEncoder: "text" }, items };
}

/** Rows as `armmt lists` makes them, and the scaling of the training split. */
function rowsOf(logged: readonly LoggedSearch[], items: ItemTable): { rows: ListRow[]; scaling: ReturnType<typeof fitScaling> } {
  const byId = new Map(items.items.map((item) => [item.itemId, item]));
  const known = { find: (itemId: string) => byId.get(itemId) };
  const training = logged.filter(({ split }) => split === "train");
  const scaling = fitScaling(training.map((search) => rawFeatures(listInputOf(search, known))));
  return { rows: logged.map(rowMaker(items, scaling)), scaling };
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
    json: true,
  });
  searches = await readLog(simulation);
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
    const index = createEventIndex();
    for (const one of [
      event("click", "late", 50, "q0"),
      event("view", "early", 10),
      event("impression", "passed", 60),
      event("view", "after", 99),
    ]) {
      index.add(one);
    }
    const texts = Array.from({ length: 200 }, (_, i) => `query ${i}`);
    const query = texts.find((text) => splitOf("query", text) === splitOf("shopper", "someone"));
    const record: QueryRecord = {
      query_id: "q1",
      client_id: "someone",
      user_query: query ?? "",
      timestamp: new Date(70_000).toISOString(),
      query_attributes: { armmt: { original_ids: ["x", "y"], served_ids: ["y", "x"] } },
    };
    expect(searchOf(record, index.index())?.history).toEqual(["late", "early"]);
  });
});

describe("rowMaker()", () => {
  it("uses the tensors that serve", () => {
    const { rows, scaling } = rowsOf(searches, table);
    const byId = new Map(table.items.map((item) => [item.itemId, item]));
    const known = { find: (itemId: string) => byId.get(itemId) };
    const search = searches.find(({ split, history }) => split === "test" && history.length > 0)!;
    const row = rows.find(({ query_id: id }) => id === search.queryId)!;
    const tensors = buildTensors(listInputOf(search, known), { imageDim: 64, textDim: TEXT_DIM, scaling });
    expect(row.features).toEqual([...tensors.features]);
    expect(row.features).toHaveLength(search.itemIds.length * FEATURES.length);
    expect(row.item_rows.map((at) => table.items[at]?.itemId)).toEqual(search.itemIds);
    expect(row.history_rows.map((at) => table.items[at]?.itemId)).toEqual(search.history);
  });

  it("takes positions from what was shown, and labels from what was clicked", () => {
    const { rows } = rowsOf(searches, table);
    for (const row of rows) {
      const search = searches.find(({ queryId }) => queryId === row.query_id)!;
      expect(row.positions.map((position) => search.servedIds[position - 1])).toEqual(search.itemIds);
      expect(row.clicks.reduce((sum, click) => sum + click, 0)).toBe(search.actions.click.size);
      row.purchases.forEach((bought, i) => expect(bought).toBeLessThanOrEqual(row.clicks[i]!));
    }
    expect(rows.some((row) => row.clicks.includes(1))).toBe(true);
  });

  it("marks items that have no record", () => {
    const { rows } = rowsOf(searches, { ...table, items: table.items.slice(0, 150) });
    expect(rows.some((row) => row.item_rows.includes(-1))).toBe(true);
  });
});

function columns(price: (number | undefined)[]): ReturnType<typeof rawFeatures> {
  return { ...rawFeatures({ candidates: [], items: [], nowDay: 0 }), price_log: Float64Array.from(price, (value) => value ?? Number.NaN) };
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

describe("createListWriter()", () => {
  it("writes Parquet with the documented columns, row by row as built, over more than one row group", async () => {
    const out = join(folder, "lists");
    mkdirSync(out);
    const built = rowsOf(searches, table).rows;
    const repeated = Array.from({ length: 4100 }, (_, i) => ({ ...built[i % built.length]!, query_id: `q${i}` }));
    const writer = createListWriter(out);
    for (const row of repeated) await writer.add(row);
    await writer.close();
    const file = await asyncBufferFromFile(join(out, "lists.parquet"));
    const { schema, row_groups: groups } = await parquetMetadataAsync(file);
    expect(groups.map(({ num_rows: count }) => Number(count))).toEqual([4000, 100]);
    const card = readFileSync(new URL("../../model/README.md", import.meta.url), "utf8");
    const written = schema.slice(1).flatMap(({ name }) => (name === "list" || name === "element" ? [] : [name]));
    for (const name of written) expect(card).toContain(`\`${name}\``);
    const rows = await allOf(out);
    expect(rows).toHaveLength(repeated.length);
    for (const at of [3, 4099]) {
      expect(rows[at]).toEqual({
        ...repeated[at],
        features: [...Float32Array.from(repeated[at]?.features ?? [])],
        prior: [...Float32Array.from(repeated[at]?.prior ?? [])],
      });
    }
  });

  it("writeNpy() writes NumPy's header and refuses a wrong shape", () => {
    const path = join(folder, "array.npy");
    writeNpy(path, Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3]);
    const bytes = Uint8Array.from(readFileSync(path));
    const header = Buffer.from(bytes.subarray(0, 128)).toString("latin1");
    expect(header.startsWith("\x93NUMPY\x01\x00")).toBe(true);
    expect(header).toContain("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }");
    expect((bytes.length - 24) % 64).toBe(0);
    expect(new Float32Array(bytes.slice(-24).buffer)[5]).toBe(6);
    expect(() => writeNpy(path, new Uint8Array(5), [2, 3])).toThrow("5 values as [2, 3]");
  });
});

describe("makeLists()", () => {
  const embeddings = join(folder, "embeddings");
  const out = join(folder, "made");
  let report: Awaited<ReturnType<typeof makeLists>>;
  beforeAll(async () => {
    writeSet(embeddings, packSet(table.items, table.identity));
    report = await makeLists({ events: simulation, embeddings, out, json: true });
  });

  it("writes what the rows of all searches are, with the scaling of the training split alone", async () => {
    const ids = [...new Set(searches.flatMap((search) => [...search.itemIds, ...search.history]))].toSorted();
    const embedded = openItems(embeddings);
    const { rows, scaling } = rowsOf(searches, { identity: embedded.identity, items: ids.map((id) => embedded.find(id)!) });
    expect(await allOf(out)).toEqual(
      rows.map((row) => ({ ...row, features: [...Float32Array.from(row.features)], prior: [...Float32Array.from(row.prior ?? [])] })),
    );
    expect(JSON.parse(readFileSync(join(out, "features.json"), "utf8"))).toEqual({ features: scaling, identity: embedded.identity });
    const everything = fitScaling(searches.map((search) => rawFeatures(listInputOf(search, embedded))));
    expect(scaling).not.toEqual(everything);
    expect(report).toMatchObject({ lists: searches.length, items: ids.length, leftOut: 0, unknownItems: 0 });
    expect(report.train + report.validation + report.test).toBe(report.lists);
  });

  it("keeps shoppers, queries and cold items of the test out of training", async () => {
    const rows = await allOf(out);
    const training = new Set(rows.flatMap((row) => (row.split === "train" ? [row.query] : [])));
    const test = rows.filter((row) => row.split === "test");
    expect(test.length).toBeGreaterThan(0);
    for (const row of test) expect(training.has(row.query)).toBe(false);
    const shoppersOf = (split: string) => new Set(searches.filter((one) => one.split === split).map((one) => one.queryId.split("-q")[0]));
    const trained = shoppersOf("train");
    expect([...shoppersOf("test")].filter((shopper) => trained.has(shopper))).toEqual([]);
    const named = searches.filter(({ split }) => split === "train").flatMap((search) => [...search.itemIds, ...search.history]);
    expect(named.filter(isCold)).toEqual([]);
  });

  it("gives the same lists whatever the order of the events", async () => {
    const shuffled = join(folder, "shuffled");
    mkdirSync(shuffled);
    const lines = readFileSync(join(simulation, "events.ndjson"), "utf8").trim().split("\n");
    writeFileSync(join(shuffled, "events.ndjson"), `${lines.toReversed().join("\n")}\n`);
    copyFileSync(join(simulation, "queries.ndjson"), join(shuffled, "queries.ndjson"));
    const again = join(folder, "made-again");
    await makeLists({ events: shuffled, embeddings, out: again, json: true });
    expect(readFileSync(join(again, "lists.parquet"))).toEqual(readFileSync(join(out, "lists.parquet")));
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
