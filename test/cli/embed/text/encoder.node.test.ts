/** Sentence encoders from files: a graph whose vector of a token is one-hot, so that a text's vector says which tokens it was given. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadTextEncoder, loadWordHalf } from "../../../../src/cli/embed/text/encoder.ts";
import { parseWordpiece } from "../../../../src/cli/embed/text/pieces.ts";

/** ONNX: last_hidden_state [1, n, 8] = identity rows of input_ids [1, n]; attention_mask is an input that nothing reads. Made with onnx.helper. */
const GRAPH = Buffer.from(
  "CAc6sAMKLQoFdGFibGUKCWlucHV0X2lkcxIRbGFzdF9oaWRkZW5fc3RhdGUiBkdhdGhlchIBZyqQAggICAgQAUIFdGFibGVKgAIAAIA/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIA/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIA/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIA/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIA/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIA/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIA/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIA/WhwKCWlucHV0X2lkcxIPCg0IBxIJCgIIAQoDEgFuWiEKDmF0dGVudGlvbl9tYXNrEg8KDQgHEgkKAggBCgMSAW5iKAoRbGFzdF9oaWRkZW5fc3RhdGUSEwoRCAESDQoCCAEKAxIBbgoCCAhCBAoAEA0=",
  "base64",
);

const VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "red", "shoe", "##s", "constructor"];
const WORDPIECE = {
  normalizer: { type: "BertNormalizer", lowercase: true, strip_accents: null },
  pre_tokenizer: { type: "BertPreTokenizer" },
  model: {
    type: "WordPiece",
    unk_token: "[UNK]",
    continuing_subword_prefix: "##",
    max_input_chars_per_word: 100,
    vocab: Object.fromEntries(VOCABULARY.map((piece, id) => [piece, id])),
  },
};
const UNIGRAM = {
  added_tokens: [],
  normalizer: null,
  pre_tokenizer: { type: "Metaspace", replacement: "▁", prepend_scheme: "always", split: true },
  post_processor: null,
  decoder: null,
  model: { type: "Unigram", unk_id: 0, vocab: ["<unk>", "▁red", "▁shoe", "s", "▁passage", "▁query", ":", "▁"].map((piece) => [piece, -1]) },
};

let root = "";
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "armmt-sentences-"));
});
afterAll(() => rmSync(root, { recursive: true }));

function files(name: string, tokenizer: unknown, more: Readonly<Record<string, string | Buffer>> = {}): string {
  const folder = join(root, name);
  mkdirSync(join(folder, "1_Pooling"), { recursive: true });
  for (const [file, content] of Object.entries({ "model.onnx": GRAPH, "tokenizer.json": JSON.stringify(tokenizer), ...more })) {
    writeFileSync(join(folder, file), content);
  }
  return join(folder, "model.onnx");
}

/** Ids of a vector's numbers above 0, with how often each. */
function tokens(vector: Float32Array): Readonly<Record<number, number>> {
  const least = Math.min(...vector.filter((value) => value > 0));
  return Object.fromEntries([...vector].flatMap((value, id) => (value > 0 ? [[id, Math.round(value / least)]] : [])));
}

const config = (text_config: object) => ({ "config.json": JSON.stringify({ text_config }) });

describe("loadWordHalf()", () => {
  it("fills SigLIP's texts up to the length that it learned on, and cuts CLIP's", async () => {
    const siglip = files("siglip", WORDPIECE, config({ model_type: "siglip_text_model", max_position_embeddings: 9, pad_token_id: 0 }));
    expect(tokens(await (await loadWordHalf("s", siglip)).encode("red", "query"))).toEqual({ 0: 6, 2: 1, 3: 1, 4: 1 });
    const clip = files("clip", WORDPIECE, config({ model_type: "clip_text_model", max_position_embeddings: 4 }));
    expect(tokens(await (await loadWordHalf("c", clip)).encode("red red red red", "query"))).toEqual({ 2: 1, 3: 1, 4: 2 });
    const bare = files("bare", WORDPIECE);
    expect(tokens(await (await loadWordHalf("b", bare)).encode("red ".repeat(90), "query"))).toEqual({ 2: 1, 3: 1, 4: 75 });
  });
});

describe("loadTextEncoder() from files", () => {
  it("reads WordPiece as the edge does, with the special tokens around a text, and gives the mean as a unit vector", async () => {
    const encoder = await loadTextEncoder(files("wordpiece", WORDPIECE));
    expect(encoder).toMatchObject({ dim: 8, isSymmetric: true, tokenizer: { kind: "wordpiece", vocabulary: VOCABULARY, unknown: 1 } });
    expect(encoder.fingerprint).toMatch(/^onnx-[0-9a-f]{12}$/);
    const vector = await encoder.encode("Red SHOES, red", "query");
    expect(tokens(vector)).toEqual({ 1: 1, 2: 1, 3: 1, 4: 2, 5: 1, 6: 1 });
    expect(Math.hypot(...vector)).toBeCloseTo(1, 6);
    expect(tokens(await encoder.encodePiece(6))).toEqual({ 2: 1, 3: 1, 6: 1 });
    expect(tokens(await encoder.encode("", "document"))).toEqual({ 2: 1, 3: 1 });
  });

  it("gives a text the same vector whatever was encoded before it", async () => {
    const encoder = await loadTextEncoder(files("again", WORDPIECE));
    const first = await encoder.encode("red shoe", "query");
    await encoder.encode("shoes ".repeat(50), "document");
    expect(await encoder.encode("red shoe", "query")).toEqual(first);
  });

  it("cuts long texts at the limit, and keeps the last special token", async () => {
    const encoder = await loadTextEncoder(files("long", WORDPIECE));
    const counts = tokens(await encoder.encode("red ".repeat(1000), "document"));
    expect(counts).toEqual({ 2: 1, 3: 1, 4: 254 });
  });

  it("takes the first token where the pooling file says so", async () => {
    const more = { "1_Pooling/config.json": '{"pooling_mode_cls_token":true}' };
    expect(tokens(await (await loadTextEncoder(files("first", WORDPIECE, more))).encode("red", "query"))).toEqual({ 2: 1 });
    await expect(loadTextEncoder(files("odd", WORDPIECE, { "1_Pooling/config.json": "{" }))).rejects.toThrow("is no pooling configuration");
  });

  it("reads other tokenizers by the hub's library, and tells the E5 family what is a query", async () => {
    const plain = await loadTextEncoder(files("unigram", UNIGRAM));
    expect(plain.tokenizer).toBeUndefined();
    expect(tokens(await plain.encode("red shoes", "document"))).toEqual({ 1: 1, 2: 1, 3: 1 });
    const e5 = await loadTextEncoder(files("e5-tiny", UNIGRAM));
    expect(e5.isSymmetric).toBe(false);
    expect(tokens(await e5.encode("red", "query"))).toEqual({ 1: 1, 5: 1, 6: 1 });
    expect(tokens(await e5.encode("red", "document"))).toEqual({ 1: 1, 4: 1, 6: 1 });
  });

  it.each([
    ["no graph", { "model.onnx": "no graph" }, "Cannot load text encoder"],
    ["no JSON", { "tokenizer.json": "<html>" }, "its tokenizer.json is no JSON"],
    ["no tokenizer", { "tokenizer.json": "{}" }, "its tokenizer.json cannot be read"],
    [
      "a larger vocabulary",
      {
        "tokenizer.json": JSON.stringify({
          ...WORDPIECE,
          model: {
            ...WORDPIECE.model,
            vocab: { "[UNK]": 0, "[CLS]": 1, "[SEP]": 2, a: 3, b: 4, c: 5, d: 6, e: 7, f: 8, red: 9, shoes: 10 },
          },
        }),
      },
      "does not run",
    ],
  ])("refuses %s, naming the encoder", async (name, more, message) => {
    const path = files(`bad ${name}`, WORDPIECE, more);
    await expect(loadTextEncoder(path)).rejects.toThrow(message);
    await expect(loadTextEncoder(path)).rejects.toThrow(path);
  });
});

describe("parseWordpiece()", () => {
  it("knows only what the edge can do", () => {
    expect(parseWordpiece(WORDPIECE)).toBeDefined();
    const { model, normalizer } = WORDPIECE;
    for (const other of [
      UNIGRAM,
      { ...WORDPIECE, normalizer: { ...normalizer, type: "NFC" } },
      { ...WORDPIECE, normalizer: { ...normalizer, handle_chinese_chars: false } },
      { ...WORDPIECE, pre_tokenizer: { type: "Whitespace" } },
      { ...WORDPIECE, model: { ...model, continuing_subword_prefix: "" } },
      { ...WORDPIECE, model: { ...model, vocab: { "[UNK]": 0, a: 2 } } },
      { ...WORDPIECE, model: { ...model, vocab: { a: 0 } } },
      undefined,
    ]) {
      expect(parseWordpiece(other)).toBeUndefined();
    }
  });
});
