/** `armmt embed` with a sentence encoder, here a small linear one without a network; up to the bytes that the edge reads. */
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { embedCatalog, type EmbedOptions } from "../../../../src/cli/embed.ts";
import { readSet } from "../../../../src/cli/embed/pack.ts";
import { type SentenceEncoder, unit } from "../../../../src/cli/embed/text/encoder.ts";
import { publishTo, rollBack } from "../../../../src/cli/publish.ts";
import { openFolderNamespace } from "../../../../src/cli/publish/namespace.ts";
import { decodeShard } from "../../../../src/embeddings/format.ts";
import { decodeQueryTable } from "../../../../src/embeddings/query-table.ts";
import { queryTableKey } from "../../../../src/embeddings/store.ts";
import { randomFrom } from "../../../../src/ranking/interleave.ts";
import { basicWords } from "../../../../src/ranking/wordpiece.ts";
import { UserError } from "../../../../src/web.ts";

const DIM = 160;

function wordVector(word: string): Float32Array {
  const uniform = randomFrom(word);
  return Float32Array.from({ length: DIM }, () => uniform() + uniform() - 1);
}

/** A text is the sum of its words: what a table can learn. Vectors of `meaningless` texts are random. */
function linearEncoder({ meaningless = false } = {}): SentenceEncoder & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    fingerprint: "linear/1",
    dim: DIM,
    tokenizer: undefined,
    isSymmetric: true,
    encode(text) {
      asked.push(text);
      if (meaningless) return Promise.resolve(unit(wordVector(text)));
      const sum = new Float32Array(DIM);
      for (const word of basicWords(text, { lowerCase: true, stripAccents: true }))
        wordVector(word).forEach((value, d) => (sum[d]! += value));
      return Promise.resolve(unit(sum));
    },
    encodePiece: () => Promise.reject(new Error("no pieces of its own")),
  };
}

const COLOURS = ["red", "blue", "green", "black", "white", "yellow"];
const KINDS = ["dress", "jacket", "sandal", "bag", "scarf", "boot", "hat", "shirt"];
const BRANDS = ["Alba", "Borea", "Corvo"];

const products = COLOURS.flatMap((colour, c) =>
  KINDS.map((kind, k) => ({
    id: `${colour}-${kind}`,
    title: `${colour} ${kind} ${["light", "warm", "soft", "long"][(c + k) % 4]}`,
    brand: BRANDS[(c + k) % 3],
    description: `<p>A ${kind} for &quot;every day&quot;, made of ${["wool", "linen", "cotton"][k % 3]}.</p>`,
  })),
);

let root = "";
let folder = "";
let out = "";
let run = 0;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "armmt-texts-"));
});
afterAll(() => rmSync(root, { recursive: true }));
beforeEach(() => {
  folder = join(root, `shop-${run}`);
  out = join(root, `out-${run++}`);
  mkdirSync(folder);
});

function embed(rows: readonly object[], options: Partial<EmbedOptions> = {}) {
  writeFileSync(join(folder, "products.jsonl"), rows.map((row) => JSON.stringify(row)).join("\n"));
  return embedCatalog({ catalog: folder, textEncoder: linearEncoder(), out, json: true, ...options });
}

function published() {
  const { set, shards, queryTable } = readSet(out);
  const dims = { imageDim: set.imageDim, textDim: set.textDim, featureCount: set.itemFeatures.length };
  const shard = decodeShard(Uint8Array.from(shards[0]!), dims);
  const table = decodeQueryTable(queryTable!);
  if (!shard.ok || !table.ok) throw new Error("not readable");
  return { set, table: table.value, find: (id: string) => shard.value.find(id) };
}

const dot = (a: Float32Array | undefined, b: Float32Array | undefined) => a!.reduce((sum, value, d) => sum + value * b![d]!, 0);

describe("embedCatalog() with a sentence encoder", () => {
  it("writes vectors of 128 numbers, words, and a table whose queries meet the items that they mean", async () => {
    const report = await embed(products);
    expect(report.textEncoder).toMatch(/^linear\/1\+128-[0-9a-f]{12}$/);
    expect(report.meaning).toMatchObject({ pictureWeight: 0, knownQueries: BRANDS.length });
    expect(report.meaning?.cosine).toBeGreaterThan(0.9);
    expect(report.meaning?.textRankShare).toBeLessThan(0.1);
    const { set, table, find } = published();
    expect(set).toMatchObject({ textDim: 128, textEncoder: report.textEncoder, queryTable: { bytes: table.byteLength } });
    expect(set.words).toBeDefined();
    const query = table.encodeQuery("Red BAG");
    const best = products.toSorted((a, b) => dot(query.text, find(b.id)?.text) - dot(query.text, find(a.id)?.text))[0];
    expect(best?.id).toBe("red-bag");
    expect(table.encodeQuery("alba").words.map(({ itemCount }) => itemCount)).toEqual([16]);
    // Words of the description without its markup.
    expect(table.encodeQuery("quot").words[0]?.itemCount).toBe(0);
    expect(table.encodeQuery("wool").words[0]?.itemCount).toBeGreaterThan(10);
  });

  it("encodes nothing again, gives the same version, and goes on where a killed run stopped", async () => {
    const first = await embed(products);
    const again = linearEncoder();
    const second = await embed(products, { textEncoder: again });
    expect([second.version, second.meaning?.encoded, again.asked]).toEqual([first.version, 0, []]);
    const cache = join(out, "cache/linear-1.texts");
    truncateSync(cache, Math.floor(readFileSync(cache).length / 2) + 7);
    const resumed = linearEncoder();
    expect((await embed(products, { textEncoder: resumed })).version).toBe(first.version);
    expect(resumed.asked.length).toBeGreaterThan(10);
    expect(resumed.asked.length).toBeLessThan(first.meaning!.encoded);
    expect(readdirSync(join(out, "shards", first.version)).toSorted()).toEqual(["0.bin", "query-table.bin"]);
  });

  it("encodes known queries by the encoder itself, and names of categories and brands without being asked", async () => {
    const file = join(folder, "queries.txt");
    writeFileSync(file, "\uFEFFred boots for hiking\r\n\r\n  Sarong \r\nsarong\n");
    const rows = products.map((product) => ({ ...product, category: "Summer Clothes" }));
    const report = await embed(rows, { queries: file });
    expect(report.meaning?.knownQueries).toBe(2 + 1 + BRANDS.length);
    const { table } = published();
    // No text of the catalogue has this word, so that no row knows it.
    expect(table.encodeQuery("SARONG").text).toBeDefined();
    await embed(rows);
    expect(dot(table.encodeQuery("sarong").text, published().table.encodeQuery("sarong").text ?? new Float32Array(128))).toBeLessThan(0.97);
  });

  it("keeps the most frequent of very many queries", async () => {
    const file = join(folder, "log.txt.gz");
    const log = Array.from({ length: 20_001 }, (_, i) => `query ${i}`);
    writeFileSync(file, gzipSync([...log, "Sarong", "SARONG"].join("\n")));
    const report = await embed(products, { queries: file });
    expect(report.meaning?.knownQueries).toBe(20_000 + BRANDS.length);
    expect(published().table.encodeQuery("sarong").text).toBeDefined();
  });

  it("publishes no table where it does not find items by their own titles: vectors without meaning", async () => {
    const report = await embed(products, { textEncoder: linearEncoder({ meaningless: true }) });
    expect(report.meaning?.textRankShare).toBeGreaterThan(0.25);
    expect(report.meaning?.tableBytes).toBe(0);
    expect(readSet(out).queryTable).toBeUndefined();
    expect(readSet(out).set.queryTable).toBeUndefined();
  });

  it("embeds catalogues with nothing to read, with one product, and products without words", async () => {
    expect((await embed([{ id: "a", title: "!!" }])).meaning).toMatchObject({ tableBytes: 0 });
    await embed([{ id: "a", title: "Mug" }]);
    await embed([...products, { id: "bare", title: "???" }]);
    expect(published().find("bare")?.text).toBeUndefined();
  });

  it("refuses a missing file of queries, and queries for the builtin encoder", async () => {
    await expect(embed(products, { queries: "no/such.txt" })).rejects.toThrow("No file no/such.txt (--queries)");
    await expect(embed(products, { queries: "q.txt", textEncoder: "builtin" })).rejects.toThrow(UserError);
  });
});

describe("publish and rollback", () => {
  it("put the table beside the shards, and go back to it", async () => {
    const first = await embed(products);
    const namespace = openFolderNamespace(join(root, `kv-${run}`));
    const report = await publishTo(namespace, { from: out, catalog: "shop", json: true });
    expect(report).toMatchObject({ version: first.version, queryTableBytes: first.meaning?.tableBytes, written: 2 });
    const key = queryTableKey("shop", first.version);
    expect((await namespace.keys(`shop/${first.version}/`)).has(key)).toBe(true);
    await embed(products.slice(1));
    await publishTo(namespace, { from: out, catalog: "shop", json: true });
    expect((await rollBack(namespace, "shop")).version).toBe(first.version);
    expect((await namespace.keys(`shop/${first.version}/`)).has(key)).toBe(true);
    rmSync(join(root, `kv-${run}`, ...key.split("/")), { force: true, recursive: true });
  });

  it("refuse a table that is missing or changed", async () => {
    const { version } = await embed(products);
    const file = join(out, "shards", version, "query-table.bin");
    const bytes = readFileSync(file);
    writeFileSync(
      file,
      bytes.map((value, i) => (i === bytes.length - 1 ? value ^ 1 : value)),
    );
    const namespace = openFolderNamespace(join(root, `kv-${run}`));
    await expect(publishTo(namespace, { from: out, catalog: "shop", json: true })).rejects.toThrow(
      /query-table\.bin: .+run armmt embed again/,
    );
    rmSync(file);
    await expect(publishTo(namespace, { from: out, catalog: "shop", json: true })).rejects.toThrow("is missing: run armmt embed again");
    expect((await namespace.keys("shop/")).size).toBe(0);
  });
});
