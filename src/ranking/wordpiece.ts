/**
 * BERT's tokenizer (basic tokenizer, then WordPiece), as its published implementations have it: text → ids of the vocabulary. Pure.
 *
 * Special tokens are not added, and "[SEP]" in a shopper's words is three ordinary tokens.
 */

export interface WordpieceRules {
  readonly lowerCase: boolean;
  readonly stripAccents: boolean;
  /** Of code points; a longer word is unknown as a whole. */
  readonly maxWordLength: number;
  /** Ids are indices. Pieces that continue a word begin with "##". */
  readonly vocabulary: readonly string[];
  /** Id of a word that the vocabulary cannot spell. */
  readonly unknown: number;
}

const CONTINUES = "##";

/** Of format, private use and lone surrogates too. Tab and line ends are white space. */
const CONTROL = /(?![\t\n\r])[\p{Cc}\p{Cf}\p{Co}\p{Cs}\uFFFD]/gu;

const CJK =
  /[\u4E00-\u9FFF\u3400-\u4DBF\u{20000}-\u{2A6DF}\u{2A700}-\u{2B73F}\u{2B740}-\u{2B81F}\u{2B820}-\u{2CEAF}\uF900-\uFAFF\u{2F800}-\u{2FA1F}]/gu;

const ACCENT = /\p{Mn}/gu;

/** ASCII symbols count as punctuation, as in BERT: "$" and "+" are none for Unicode. */
const WORD_OR_MARK = /[^\s\p{P}!-/:-@[-`{-~]+|[\p{P}!-/:-@[-`{-~]/gu;

/** The words of the basic tokenizer; each punctuation mark and each CJK character is one. */
export function basicWords(
  text: string,
  { lowerCase, stripAccents }: Pick<WordpieceRules, "lowerCase" | "stripAccents">,
): readonly string[] {
  let clean = text.replace(CONTROL, "").replace(CJK, " $& ");
  if (lowerCase) clean = clean.toLowerCase();
  if (stripAccents) clean = clean.normalize("NFD").replace(ACCENT, "");
  return clean.match(WORD_OR_MARK) ?? [];
}

/** The vocabulary is indexed once, when the first text comes. */
export function createWordpiece(rules: WordpieceRules): (text: string) => readonly number[] {
  let pieces: Pieces | undefined;
  return (text) => {
    const known = (pieces ??= indexOf(rules.vocabulary));
    return basicWords(text, rules).flatMap((word) => piecesOf(word, known, rules.maxWordLength) ?? [rules.unknown]);
  };
}

interface Pieces {
  readonly ids: ReadonlyMap<string, number>;
  /** Code units of the longest: no longer part of a word is looked up, so that a word's time is linear in its length. */
  readonly maxLength: number;
}

function indexOf(vocabulary: readonly string[]): Pieces {
  const maxLength = vocabulary.reduce((most, piece) => Math.max(most, piece.length), 0);
  return { ids: new Map(vocabulary.map((piece, id) => [piece, id])), maxLength };
}

/** Longest piece first; `undefined` where a part of the word is no piece. */
function piecesOf(word: string, { ids, maxLength: maxPiece }: Pieces, maxLength: number): readonly number[] | undefined {
  const characters = Array.from(word);
  if (characters.length > maxLength) return undefined;
  const whole = ids.get(word);
  if (whole !== undefined) return [whole];
  const pieces: number[] = [];
  for (let start = 0; start < characters.length;) {
    let end = Math.min(characters.length, start + maxPiece);
    let id: number | undefined;
    for (; end > start && id === undefined; end--) {
      const part = characters.slice(start, end).join("");
      id = ids.get(start === 0 ? part : CONTINUES + part);
      if (id !== undefined) break;
    }
    if (id === undefined) return undefined;
    pieces.push(id);
    start = end;
  }
  return pieces;
}
