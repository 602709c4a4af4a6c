/** Our tokenizer against Hugging Face's, on texts that no author would think of; and BERT's own published examples. */
import { PreTrainedTokenizer } from "@huggingface/transformers";
import { describe, expect, it } from "vitest";
import { randomBits } from "../../src/ranking/interleave.ts";
import { basicWords, createWordpiece } from "../../src/ranking/wordpiece.ts";

const LETTERS = Array.from("abcdefghijklmnopqrstuvwxyz0123456789.,-/$'éß京东鞋カひ한ᄒ😀пиσςαमไש");
const PARTS = ["un", "want", "aff", "able", "ing", "ed", "run", "n", "low", "est", "phone", "case", "iph", "one", "東"];
const VOCABULARY = ["[PAD]", "[UNK]", ...LETTERS, ...LETTERS.map((letter) => `##${letter}`), ...PARTS, ...PARTS.map((part) => `##${part}`)];
const UNIQUE = [...new Set(VOCABULARY)];
const RULES = { lowerCase: true, stripAccents: true, maxWordLength: 100, vocabulary: UNIQUE, unknown: 1 };

function referenceWith(normalizer: { readonly lowercase: boolean; readonly strip_accents: boolean | null }) {
  const json = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: [],
    normalizer: { type: "BertNormalizer", clean_text: true, handle_chinese_chars: true, ...normalizer },
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: null,
    decoder: null,
    model: {
      type: "WordPiece",
      unk_token: "[UNK]",
      continuing_subword_prefix: "##",
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(UNIQUE.map((piece, id) => [piece, id])),
    },
  };
  const tokenizer = new PreTrainedTokenizer(json, { tokenizer_class: "BertTokenizer", unk_token: "[UNK]" });
  return (text: string): readonly number[] => tokenizer.encode(text, { add_special_tokens: false });
}

/** Not CJK beyond the first plane: the library reads its code units, BERT its code points. */
const POOLS = [
  "abcdefghijklmnopqrstuvwxyz ABC XYZ      ",
  "0123456789-./_,+$%&'\"~^`|<>=[]{}",
  "éüßñçøŁİıÅæœ¨ŒǅﬁK½①",
  "东京手机鞋カタカナひらがな한국어豈",
  "😀👩‍👩‍👧🇩🇪❤️",
  "\u0301\u0308\u0327\u0345\u05b0\u064b\u093f\u1112\u1161",
  "\u0000\u0001\u0007\t\n\r\u0085\u00a0\u200b\u200d\u2028\ufeff\ufffd\ue000",
  "Привет ΟΔΟΣς मानक ไทย שלום مرحبا “”„—…",
  "\ud83d\udfff",
];

function fuzz(count: number): readonly string[] {
  const next = randomBits(22);
  const below = (limit: number): number => next() % limit;
  return Array.from({ length: count }, () => {
    let text = "";
    for (let left = below(40); left > 0; left--) {
      const pool = POOLS[below(2) === 0 ? 0 : below(POOLS.length)]!;
      // Now and then half of a pair of surrogates.
      const units = below(10) === 0 ? pool.split("") : Array.from(pool);
      text += below(12) === 0 ? PARTS[below(PARTS.length)]! : units[below(units.length)]!;
    }
    return text;
  });
}

const TEXTS = [
  "",
  "   ",
  "a".repeat(100),
  "a".repeat(101),
  "😀".repeat(100),
  "run".repeat(300),
  ...PARTS,
  "a\u0301".repeat(60),
  ...fuzz(3000),
];

describe("createWordpiece()", () => {
  for (const [name, rules, config] of [
    ["uncased", RULES, { lowercase: true, strip_accents: null }],
    ["cased", { ...RULES, lowerCase: false, stripAccents: false }, { lowercase: false, strip_accents: false }],
  ] as const) {
    it(`equals the reference tokenizer, ${name}`, () => {
      const [ours, reference] = [createWordpiece(rules), referenceWith(config)];
      const different = TEXTS.filter((text) => JSON.stringify(ours(text)) !== JSON.stringify(reference(text)));
      expect(different.map((text) => [JSON.stringify(text), ours(text), reference(text)])).toEqual([]);
      // A corpus of unknown words alone would prove nothing.
      expect(TEXTS.filter((text) => ours(text).some((id) => id > 1)).length).toBeGreaterThan(2000);
    });
  }

  it("gives BERT's published examples", () => {
    const vocabulary = ["[UNK]", "[CLS]", "[SEP]", "want", "##want", "##ed", "wa", "un", "runn", "##ing", ",", "low", "lowest"];
    const wordpiece = createWordpiece({ ...RULES, vocabulary, unknown: 0 });
    const pieces = (text: string) => wordpiece(text).map((id) => vocabulary[id]);
    expect(pieces("UNwantéd,running")).toEqual(["un", "##want", "##ed", ",", "runn", "##ing"]);
    expect(pieces("unwantedX running")).toEqual(["[UNK]", "runn", "##ing"]);
    expect(pieces("")).toEqual([]);
  });
});

describe("basicWords()", () => {
  it.each([
    ["ah\u535A\u63A8zz", ["ah", "\u535A", "\u63A8", "zz"]],
    [" \tHeLLo!how  \n Are yoU?  ", ["hello", "!", "how", "are", "you", "?"]],
    ["H\u00E9llo", ["hello"]],
    ["\u{20000}\u{2A700}x", ["\u{20000}", "\u{2A700}", "x"]],
    ["$5+[sep]", ["$", "5", "+", "[", "sep", "]"]],
  ])("splits %j", (text, words) => {
    expect(basicWords(text, RULES)).toEqual(words);
  });
});
