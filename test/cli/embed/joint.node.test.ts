/**
 * A joint encoder of words and pictures, here a tiny one (its vector of a picture is the mean colour, that of a word a colour): what words look
 * like comes from its word half, not from what the shop's titles say. No real CLIP has run here.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { embedCatalog } from "../../../src/cli/embed.ts";
import { loadImageEncoder } from "../../../src/cli/embed/encoder.ts";
import { readSet } from "../../../src/cli/embed/pack.ts";
import { type SentenceEncoder, unit } from "../../../src/cli/embed/text/encoder.ts";
import { decodeShard } from "../../../src/embeddings/format.ts";
import { decodeQueryTable } from "../../../src/embeddings/query-table.ts";
import { randomFrom } from "../../../src/ranking/interleave.ts";

/** ONNX: image_embeds [b, 3] = mean of each channel of pixel_values [b, 3, 8, 8]. Made with onnx.helper. */
const PICTURES = Buffer.from(
  "CAcSADqPAQokCgxwaXhlbF92YWx1ZXMSAWEiEUdsb2JhbEF2ZXJhZ2VQb29sChoKAWESDGltYWdlX2VtYmVkcyIHRmxhdHRlbhIBdlonCgxwaXhlbF92YWx1ZXMSFwoVCAESEQoDEgFiCgIIAwoCCAgKAggIYh8KDGltYWdlX2VtYmVkcxIPCg0IARIJCgMSAWIKAggDQgQKABAN",
  "base64",
);

/** ONNX: text_embeds [1, 3] = mean of the rows of input_ids [1, n] in a table [64, 3]: four of zeros, then COLOURS. */
const WORDS = Buffer.from(
  "CAcSADqmBwoZCgF0CglpbnB1dF9pZHMSAWUiBkdhdGhlcgo6CgFlEgt0ZXh0X2VtYmVkcyIKUmVkdWNlTWVhbioLCgRheGVzQAGgAQcqDwoIa2VlcGRpbXMYAKABAhIBdCqMBghACAMQAUIBdEqABgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAApiqI9KYoiP2ZZFj8hCII+AACAPymKIj63bds+LcuyPvD7Pj+naRo/bts2PymKoj5yHEc/IQiCPXqeZz89z3M/t23bPj3P8z45juM9syxLPzEMQz0lSZI+JUkSPimKIj+7rus+IQgCPzVNUz4piiI/+H1fP7MsSz/0PE8/OY5jPq/ruj6/73s/ZlkWPz3Pcz8lSRI+Pc9zP2IYBj8piqI+p2maPjEMwz2/7/s+q6oqP+y6Lj+rqio/IQiCPCEIgj52XVc/MQzDPnZdVz8AAAAA8Ps+PzVN0z4tyzI+MQzDPQAAgD8ty7I+u67rPiVJEj9iGAY/NU1TPyVJEj4tyzI/LcsyPq/rOj/4fV8/oygKP6dpmj4hCAI9ep5nPzmOYz81TVM+IQiCPruu6z4xDMM+6HkePyEIAj3kOA4/v+97P+h5Hj+v6zo/q6qqPjEMQz56nmc/LcsyP3IcRz8hCII9MQxDPS3Lsj49z3M+NU3TPvy+bz81TdM+chxHPyEIAj9mWRY/IQgCPimKoj0xDEM/v+/7PquqKj/8vm8/t21bPz3Pcz4xDMM9NU1TPjVNUz+jKIo+JUkSP7Msyz45juM+/L5vP7/vez/oeR4/JUmSPuQ4Dj+zLEs/apomPyEIAj5+33c/AAAAAG7bNj8hCAI+r+u6PiVJkj6naZo+r+s6P/h9Xz89z/M+KYqiPTmO4z5qmiY/OY7jPiEIgjw1TVM/9DxPP6dpGj8AAIA/KYoiPi3LMj4piiI+YhgGPzEMQz+rqqo+OY5jP6uqqj4hCAI/Pc9zPruuaz/sui4/p2kaP7/v+z63bVs/ft93PyEIgj0hCII8KYqiPmqaJj8xDEM+7LouPzmOYz6v67o+IQgCPfQ8Tz+jKAo/syzLPjEMwz5u2zY/MQxDP37fdz85jmM/OY7jPaMoCj8xDEM9Pc/zPjmO4z05jmM+dl1XP1ocCglpbnB1dF9pZHMSDwoNCAcSCQoCCAEKAxIBbmIdCgt0ZXh0X2VtYmVkcxIOCgwIARIICgIIAQoCCANCBAoAEA0=",
  "base64",
);

const COLOURS = Array.from({ length: 60 }, (_, i) => [(i * 37) % 64, (i * 11 + 5) % 64, (i * 23 + 40) % 64].map((value) => value / 63));
/** A word for each, of letters only. */
const NAMES = COLOURS.map((_, i) => `hue${String.fromCodePoint(97 + Math.floor(i / 26), 97 + (i % 26))}`);
const TOKENIZER = {
  normalizer: { type: "BertNormalizer", lowercase: true, strip_accents: null },
  pre_tokenizer: { type: "BertPreTokenizer" },
  model: {
    type: "WordPiece",
    unk_token: "[UNK]",
    continuing_subword_prefix: "##",
    max_input_chars_per_word: 100,
    vocab: Object.fromEntries(["[PAD]", "[UNK]", "[CLS]", "[SEP]", ...NAMES].map((piece, id) => [piece, id])),
  },
};

/** Each text a direction of its own: nothing about colours can be learned from the titles of others. */
const sentences: SentenceEncoder = {
  fingerprint: "own-directions/1",
  dim: 140,
  tokenizer: undefined,
  isSymmetric: true,
  encode(text) {
    const uniform = randomFrom(text);
    return Promise.resolve(unit(Float32Array.from({ length: 140 }, () => uniform() - 0.5)));
  },
  encodePiece: () => Promise.reject(new Error("no pieces of its own")),
};

/** The last two colours are in no title. */
const UNNAMED = [58, 59];

let root = "";
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "armmt-joint-"));
  mkdirSync(join(root, "shop"));
  mkdirSync(join(root, "joint"));
  const products = await Promise.all(
    COLOURS.map(async (colour, i) => {
      const [r, g, b] = colour.map((value) => Math.round(value * 255));
      await sharp({ create: { width: 8, height: 8, channels: 3, background: { r: r!, g: g!, b: b! } } })
        .png()
        .toFile(join(root, "shop", `${i}.png`));
      return { id: NAMES[i]!, title: UNNAMED.includes(i) ? "thing" : NAMES[i]!, category: "", image: `${i}.png` };
    }),
  );
  writeFileSync(join(root, "shop/products.jsonl"), products.map((product) => JSON.stringify(product)).join("\n"));
  writeFileSync(join(root, "queries.txt"), UNNAMED.map((i) => NAMES[i]).join("\n"));
  writeFileSync(join(root, "joint/model.onnx"), PICTURES);
  writeFileSync(join(root, "joint/text_model.onnx"), WORDS);
  writeFileSync(join(root, "joint/tokenizer.json"), JSON.stringify(TOKENIZER));
  writeFileSync(join(root, "joint/preprocessor_config.json"), JSON.stringify({ do_normalize: false, size: { height: 8, width: 8 } }));
});
afterAll(() => rmSync(root, { recursive: true }));

const graph = () => join(root, "joint/model.onnx");

describe("a joint encoder", () => {
  it("is known by the half beside the graph", async () => {
    const { dim, words } = await loadImageEncoder(graph());
    expect(dim).toBe(3);
    const vector = await words!.encode(NAMES[7]!, "query");
    unit(Float32Array.from(COLOURS[7]!)).forEach((value, d) => expect(vector[d]).toBeCloseTo(value, 5));
  });

  it("says what words look like that no title has, where the map has nothing to learn from", async () => {
    const out = join(root, "out");
    const report = await embedCatalog({
      catalog: join(root, "shop"),
      textEncoder: { ...sentences },
      imageEncoder: graph(),
      queries: join(root, "queries.txt"),
      out,
      json: true,
    });
    expect(report.meaning).toMatchObject({ picturesBy: "joint encoder" });
    expect(report.meaning!.pictureRankShare).toBeLessThan(0.1);
    expect(report.meaning!.pictureWeight).toBeGreaterThan(1);
    const { set, shards, queryTable } = readSet(out);
    const table = decodeQueryTable(queryTable!);
    if (!table.ok) throw new Error(table.error);
    const dims = { imageDim: set.imageDim, textDim: set.textDim, featureCount: set.itemFeatures.length };
    const items = shards.flatMap((shard) => {
      const decoded = decodeShard(Uint8Array.from(shard), dims);
      if (!decoded.ok) throw new Error(decoded.error);
      return NAMES.flatMap((id) => decoded.value.find(id) ?? []);
    });
    for (const i of [3, 20, ...UNNAMED]) {
      const wanted = table.value.encodeQuery(NAMES[i]!).picture!;
      const places = items
        .map((item) => ({ id: item.itemId, value: Float32Array.from(item.image!).reduce((sum, value, d) => sum + value * wanted[d]!, 0) }))
        .toSorted((a, b) => b.value - a.value);
      expect(places.slice(0, 6).map(({ id }) => id)).toContain(NAMES[i]);
    }
  });

  it("of halves that do not belong together is refused", async () => {
    const other = join(root, "other");
    mkdirSync(other);
    // The half for words in the place of pictures is no encoder of pictures; of other widths, no pair.
    writeFileSync(join(other, "model.onnx"), WORDS);
    await expect(loadImageEncoder(join(other, "model.onnx"))).rejects.toThrow("has inputs [input_ids]");
    for (const file of ["model.onnx", "text_model.onnx"]) writeFileSync(join(other, file), file === "model.onnx" ? PICTURES : WORDS);
    await expect(loadImageEncoder(join(other, "model.onnx"))).rejects.toThrow("by a tokenizer.json beside it, and there is none");
    writeFileSync(join(root, "joint/config.json"), "no json");
    await expect(loadImageEncoder(graph())).rejects.toThrow("config.json is no configuration of an encoder");
    rmSync(join(root, "joint/config.json"));
  });
});
