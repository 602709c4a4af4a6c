/** Whether a hit fits a rule's conditions, by what is known of it. Pure. */
import type { Condition, Value } from "./document.ts";
import { foldText } from "./match.ts";

/** All conditions must hold. An unknown value fits none: what is not known to be sold out is not. */
export function fitsHit(conditions: readonly Condition[], itemId: string, valuesOf: (field: string) => readonly Value[]): boolean {
  return conditions.every((condition) => {
    if ("ids" in condition) return wantedBy(condition.ids).exact.has(itemId);
    const values = valuesOf(condition.field);
    if ("is" in condition) {
      const wanted = wantedBy(condition.is);
      const isOne = (value: Value): boolean => isWanted(value, wanted);
      return condition.every === true ? values.length > 0 && values.every(isOne) : values.some(isOne);
    }
    const { above = Number.NEGATIVE_INFINITY, below = Number.POSITIVE_INFINITY } = condition;
    return values.some((value) => {
      const number = numberOf(value);
      return number !== undefined && number > above && number < below;
    });
  });
}

interface Wanted {
  /** Ids as they are. */
  readonly exact: ReadonlySet<string>;
  /** Folded. */
  readonly texts: ReadonlySet<string>;
  readonly numbers: ReadonlySet<number>;
  readonly truths: ReadonlySet<boolean>;
}

/** A list of hundreds is looked through once, and not for every hit of every search. */
const wanted = new WeakMap<readonly Value[], Wanted>();

function wantedBy(list: readonly Value[]): Wanted {
  const known = wanted.get(list);
  if (known !== undefined) return known;
  const texts = list.filter((one) => typeof one === "string");
  const found = {
    exact: new Set(texts),
    texts: new Set(texts.map(foldText)),
    numbers: new Set(list.filter((one) => typeof one === "number")),
    truths: new Set(list.filter((one) => typeof one === "boolean")),
  };
  wanted.set(list, found);
  return found;
}

/** Engines write true as 1 or "true", and numbers as text. */
function isWanted(value: Value, { texts, numbers, truths }: Wanted): boolean {
  if (texts.size > 0 && texts.has(foldedValue(value))) return true;
  if (numbers.size > 0) {
    const number = numberOf(value);
    if (number !== undefined && numbers.has(number)) return true;
  }
  if (truths.size === 0) return false;
  const truth = truthOf(value);
  return truth !== undefined && truths.has(truth);
}

/** Values recur: every rule asks for those of every hit. */
const folded = new Map<string, string>();
const MOST_FOLDED = 5000;
/** Longer ones are folded each time: what is kept has a bound. */
const LONGEST_FOLDED = 200;

export function foldedValue(value: Value): string {
  const text = String(value);
  const known = folded.get(text);
  if (known !== undefined) return known;
  const found = foldText(text);
  if (text.length > LONGEST_FOLDED) return found;
  if (folded.size >= MOST_FOLDED) folded.clear();
  folded.set(text, found);
  return found;
}

const TRUTH: Readonly<Record<string, boolean>> = { true: true, false: false, yes: true, no: false };

function truthOf(value: Value): boolean | undefined {
  if (typeof value === "boolean") return value;
  const number = numberOf(value);
  if (number !== undefined) return number > 0;
  const word = String(value).trim().toLowerCase();
  return Object.hasOwn(TRUTH, word) ? TRUTH[word] : undefined;
}

function numberOf(value: Value): number | undefined {
  if (typeof value === "boolean") return Number(value);
  const number = typeof value === "number" ? value : value.trim() === "" ? Number.NaN : Number(value);
  return Number.isFinite(number) ? number : undefined;
}

/** Of the field `inStock`: every known value says so (a product whose variants are all gone). */
export function isSoldOut(values: readonly Value[]): boolean {
  return values.length > 0 && values.every((value) => truthOf(value) === false);
}
