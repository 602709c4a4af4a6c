/**
 * The words of a text, folded and hashed: which of the query's words an item holds. Written into shards by `armmt embed`, asked for at the
 * edge. Pure.
 *
 * Folded: compatibility forms, accents and case are gone, and words of one stem agree where the ending is plain (English -s, -es, -ies;
 * German -e, -en). Scripts without spaces give pairs of neighbouring characters. An item also gets what a shopper may write for its codes
 * and measures: "WH-1000XM4" as "wh1000xm4", "16 GB" as "16gb", and "16GB" as "16" and "gb".
 */
import { fnv1a } from "./tokenizer.ts";

/** Names the rules below: a set whose items were hashed by other rules is not asked for words. */
export const WORDS = "folded-stems-fnv1a-16/1";

/** Combining marks over and under letters; vowel signs of other scripts stay. */
const ACCENT = /[\u0300-\u036f]/gu;

/** Letters that no normal form takes apart. */
const PLAIN: ReadonlyMap<string, string> = new Map(
  Object.entries({ ß: "ss", æ: "ae", œ: "oe", ø: "o", ł: "l", đ: "d", ð: "d", þ: "th", ı: "i", ς: "σ" }),
);
const SPECIAL = new RegExp(`[${[...PLAIN.keys()].join("")}]`, "gu");

const WORD = /[\p{L}\p{N}\p{M}]+/gu;

/** Written without spaces, or with spaces that say little. */
const UNSPACED = /[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Hangul}\p{scx=Thai}\p{scx=Lao}\p{scx=Khmer}\p{scx=Myanmar}]+/gu;
const DIGIT = /\p{N}/u;
const LETTERS_OR_DIGITS = /\p{N}+|[^\p{N}]+/gu;

/** What a code is made of: "WH-1000XM4/B", "00.123". */
const CODE = /[\p{L}\p{N}\p{M}]+(?:[-‐‑–._/][\p{L}\p{N}\p{M}]+)+/gu;

/** A longer run of letters and digits is no word that anybody types. */
const MAX_WORD = 40;

/** Of runs of letters and of digits in one code: "wh1000xm4" has 4. */
const MAX_PARTS = 4;

export function fold(text: string): string {
  // Most texts: their own normal form.
  if (/^[\x20-\x7e]*$/.test(text)) return text.toLowerCase();
  const lower = text.normalize("NFKD").replace(ACCENT, "").toLowerCase();
  return lower.normalize("NFKC").replace(SPECIAL, (letter) => PLAIN.get(letter) ?? letter);
}

/**
 * The stem of a folded word. Not what a linguist calls one: it need only be the same for the forms of one word, and seldom for two words.
 */
export function stem(word: string): string {
  if (DIGIT.test(word)) return word;
  let found = word;
  if (found.length > 3 && found.endsWith("s") && !found.endsWith("ss")) found = found.slice(0, -1);
  // "hosen" and "hose".
  if (found.length > 4 && found.endsWith("en")) found = found.slice(0, -1);
  // "batteries" and "battery", "cookies" and "cookie".
  if (found.length > 3 && found.endsWith("ie")) return `${found.slice(0, -2)}y`;
  // "dresses" and "dress", "boxes" and "box", "cases" and "case"; "schuhe" and "schuh".
  const isPlural = found.length > 4 ? found.endsWith("e") : found.length === 4 && /(?:[sxz]|[cs]h)e$/.test(found);
  return isPlural ? found.slice(0, -1) : found;
}

/** The words of a query: folded stems, in order, repeats kept. */
export function queryWords(text: string): readonly string[] {
  return spoken(fold(text).match(WORD) ?? []);
}

/** As queryWords(), with each word in its own form, and long ones too. */
export function foldedWords(text: string): readonly string[] {
  return spoken(fold(text).match(WORD) ?? [], (word) => word);
}

function spoken(words: readonly string[], formOf: (word: string) => string = stem): readonly string[] {
  return words.flatMap((word) => {
    if (word.search(UNSPACED) >= 0) return mixed(word, formOf);
    return formOf === stem && word.length > MAX_WORD ? [] : [formOf(word)];
  });
}

/** "iphone手机壳" → "iphone", "手机", "机壳". A character alone is its own word. */
function mixed(word: string, formOf: (word: string) => string): readonly string[] {
  const parts: string[] = [];
  let at = 0;
  for (const match of word.matchAll(UNSPACED)) {
    if (match.index > at) parts.push(formOf(word.slice(at, match.index)));
    const characters = Array.from(match[0]);
    if (characters.length === 1) parts.push(match[0]);
    for (let i = 1; i < characters.length; i++) parts.push(characters[i - 1]! + characters[i]!);
    at = match.index + match[0].length;
  }
  if (at < word.length) parts.push(formOf(word.slice(at)));
  return parts;
}

/** What an item answers to: its words, single characters of scripts without spaces, and the spellings of its codes and measures. */
export function itemWords(text: string): readonly string[] {
  const folded = fold(text);
  const plain = folded.match(WORD) ?? [];
  const found = [
    ...spoken(plain),
    ...(folded.match(UNSPACED) ?? []).flatMap((run) => Array.from(run).filter((letter) => /\p{Lo}/u.test(letter))),
  ];
  for (const [i, word] of plain.entries()) {
    if (DIGIT.test(word)) found.push(...partsOf(word));
    const next = plain[i + 1];
    if (next !== undefined && (DIGIT.test(word) || DIGIT.test(next))) found.push(word + next);
  }
  for (const [code] of folded.matchAll(CODE)) {
    if (DIGIT.test(code)) found.push(code.replace(/[^\p{L}\p{N}\p{M}]/gu, ""));
  }
  return found.filter((word) => word.length <= MAX_WORD);
}

/** "wh1000xm4" → every run of its neighbouring parts "wh", "1000", "xm", "4", but single letters. */
function partsOf(code: string): readonly string[] {
  const parts = code.match(LETTERS_OR_DIGITS) ?? [];
  if (parts.length < 2 || parts.length > MAX_PARTS) return [];
  const runs: string[] = [];
  for (let from = 0; from < parts.length; from++) {
    for (let to = from + 1; to <= parts.length; to++) runs.push(parts.slice(from, to).join(""));
  }
  return runs.filter((run) => run !== code && (run.length > 1 || DIGIT.test(run)));
}

/** Longer names are no single code; more words than these hold no code that nobody wrote at the beginning. */
const MAX_JOINED = 4;
const MAX_NAMING_WORDS = 16;

/** Of a query: what follows says no more, and nobody may make the edge read a book. */
export const MAX_QUERY_CHARACTERS = 400;

/** Whether a spelling looks like an id or a code wherever it stands: "s10" and "00123" may be meant as one, "8", "2024" and "shoe" are not. */
function isCode(spelling: string): boolean {
  return DIGIT.test(spelling) && spelling.length >= (/^\p{N}+$/u.test(spelling) ? 5 : 3) && spelling.length <= MAX_WORD;
}

/** How the ids and codes may be spelt that a query names: runs of its words without what separates them; and all of it. */
export function spellings(text: string): { readonly ids: ReadonlySet<string>; readonly whole: string } {
  const words = (fold(text.slice(0, MAX_QUERY_CHARACTERS)).match(WORD) ?? []).slice(0, MAX_NAMING_WORDS);
  const ids = new Set<string>();
  for (let from = 0; from < words.length; from++) {
    let run = "";
    for (let to = from; to < Math.min(words.length, from + MAX_JOINED); to++) {
      run += words[to]!;
      if (isCode(run)) ids.add(run);
    }
  }
  return { ids, whole: words.join("") };
}

/** What a query may mean as a code, a part number or a model, and the words in it that must not be words of many other items. */
export interface NamedCode {
  readonly code: string;
  /** "inch" of "27 inch" and of "27inch", "wh" of "WH 1000XM4"; none of "WH-1000XM4", and none where a name is the whole query: "iPhone 11". */
  readonly words: readonly string[];
}

/** Between the words of one code. */
const JOINS = /^[-‐‑–._/]$/;

/** What stands behind the digits of a measure is a word too. */
const WORD_OR_MEASURE = /^\p{N}*([^\p{N}]+)$/u;
const MEASURE = /^\p{N}+([^\p{N}]+)$/u;

/** The spellings of `spellings`, each as it was written: in one piece, or in several words. */
export function namedCodes(text: string): readonly NamedCode[] {
  const folded = fold(text.slice(0, MAX_QUERY_CHARACTERS));
  const words = [...folded.matchAll(WORD)].slice(0, MAX_NAMING_WORDS);
  const found = new Map<string, NamedCode>();
  for (let from = 0; from < words.length; from++) {
    let code = "";
    let isOne = true;
    for (let to = from; to < Math.min(words.length, from + MAX_JOINED); to++) {
      const [before, word] = [words[to - 1], words[to]!];
      isOne &&= to === from || JOINS.test(folded.slice(before!.index + before![0].length, word.index));
      code += word[0];
      if (!isCode(code) || (found.has(code) && !isOne)) continue;
      const isName = from === 0 && to === words.length - 1 && !/^\p{N}/u.test(code);
      const pieces = isOne ? [code] : words.slice(from, to + 1).map(([piece]) => piece);
      found.set(code, { code, words: pieces.flatMap((piece) => (isName ? MEASURE : WORD_OR_MEASURE).exec(piece)?.[1] ?? []) });
    }
  }
  return [...found.values()];
}

/** The hashes of a code and of its runs of digits: an item that has the code has all of them. */
export function codeHashes(code: string): readonly number[] {
  return [...new Set([code, ...(code.match(/\p{N}+/gu) ?? [])])].map(hashWord);
}

/** An item id as `spellings` have it. */
export function idSpelling(itemId: string): string {
  const lower = itemId.toLowerCase();
  return /^[\x21-\x7e]*$/.test(lower) ? lower.replace(/[^a-z0-9]+/g, "") : spellings(itemId).whole;
}

/** 16 bits: over 60,000 words a catalogue of a shop seldom has, and two that share a hash seldom meet in one query. */
export function hashWord(word: string): number {
  const hash = fnv1a(word);
  return (hash >>> 16) ^ (hash & 0xffff);
}

/** The hashes of what an item answers to, ascending, each once. */
export function wordHashes(texts: readonly string[]): Uint16Array<ArrayBuffer> {
  return Uint16Array.from(new Set(texts.flatMap((text) => itemWords(text).map(hashWord)))).toSorted();
}
