/**
 * How the edge splits a query into pieces that have a row in the table: as the encoder does where that is WordPiece, and otherwise by a
 * vocabulary made from the catalogue's own words. The fit does not care whose pieces they are. Pure.
 */
import * as v from "valibot";
import type { QueryTokenizer } from "../../../embeddings/query-table.ts";
import { basicWords } from "../../../ranking/wordpiece.ts";

const CONTINUES = "##";

/** Not v.record(), which leaves out "constructor": a word like any other. */
const vocabularySchema = v.custom<Readonly<Record<string, number>>>(
  (value) => typeof value === "object" && value !== null && Object.values(value).every(Number.isInteger),
);

const wordpieceSchema = v.object({
  normalizer: v.object({
    type: v.literal("BertNormalizer"),
    clean_text: v.optional(v.literal(true)),
    handle_chinese_chars: v.optional(v.literal(true)),
    lowercase: v.boolean(),
    /** `null`: as `lowercase`. */
    strip_accents: v.nullable(v.boolean()),
  }),
  pre_tokenizer: v.object({ type: v.literal("BertPreTokenizer") }),
  model: v.object({
    type: v.literal("WordPiece"),
    unk_token: v.string(),
    continuing_subword_prefix: v.literal(CONTINUES),
    max_input_chars_per_word: v.number(),
    vocab: vocabularySchema,
  }),
});

/** The tokenizer of a `tokenizer.json`, where it is one that the edge has; `undefined` for any other. */
export function parseWordpiece(tokenizer: unknown): QueryTokenizer | undefined {
  const parsed = v.safeParse(wordpieceSchema, tokenizer);
  if (!parsed.success) return undefined;
  const { normalizer, model } = parsed.output;
  const entries = Object.entries(model.vocab).toSorted(([, a], [, b]) => a - b);
  const unknown = model.vocab[model.unk_token];
  // Ids must be indices, and one piece a line of the packed table.
  if (unknown === undefined || entries.some(([piece, id], index) => id !== index || piece.includes("\n"))) return undefined;
  return {
    kind: "wordpiece",
    lowerCase: normalizer.lowercase,
    stripAccents: normalizer.strip_accents ?? normalizer.lowercase,
    maxWordLength: model.max_input_chars_per_word,
    vocabulary: entries.map(([piece]) => piece),
    unknown,
  };
}

const UNKNOWN = "[UNK]";

/** Beginnings and endings of words up to this length are pieces, where several words share them. */
const LONGEST_PART = 6;
const LEAST_SHARED = 5;

const FOLDING = { lowerCase: true, stripAccents: true };

/** Whole words by how many texts hold them, then what words share, then single letters, so that any word of the catalogue's script is spelt. */
export function catalogueTokenizer(texts: Iterable<string>, most: number): QueryTokenizer {
  const words = new Map<string, number>();
  for (const text of texts) for (const word of new Set(basicWords(text, FOLDING))) words.set(word, (words.get(word) ?? 0) + 1);
  const parts = new Map<string, number>();
  const letters = new Set<string>();
  for (const word of words.keys()) {
    const characters = Array.from(word);
    for (const letter of characters) letters.add(letter).add(CONTINUES + letter);
    for (let length = 2; length <= Math.min(LONGEST_PART, characters.length - 1); length++) {
      const [head, tail] = [characters.slice(0, length).join(""), CONTINUES + characters.slice(-length).join("")];
      for (const part of [head, tail]) parts.set(part, (parts.get(part) ?? 0) + 1);
    }
  }
  const shared = [...parts].filter(([, count]) => count >= LEAST_SHARED).toSorted(byCount);
  const pieces = new Set([UNKNOWN, ...[...letters].toSorted()]);
  const room = most - pieces.size;
  const whole = [...words].toSorted(byCount).slice(0, Math.max(0, Math.ceil(room * 0.8)));
  for (const [piece] of [...whole, ...shared]) if (pieces.size < most) pieces.add(piece);
  return { kind: "wordpiece", ...FOLDING, maxWordLength: 100, vocabulary: [...pieces], unknown: 0 };
}

function byCount([a, countA]: readonly [string, number], [b, countB]: readonly [string, number]): number {
  return countB - countA || (a < b ? -1 : 1);
}

/** A piece as a text of its own, for an encoder that cannot take its id. */
export function pieceText(piece: string): string {
  return piece.startsWith(CONTINUES) ? piece.slice(CONTINUES.length) : piece;
}
