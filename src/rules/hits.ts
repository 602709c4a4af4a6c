/** Whether a hit fits a rule's conditions, by what is known of it. Pure. */
import type { Condition, Value } from "./document.ts";
import { foldText } from "./match.ts";

/** All conditions must hold. An unknown value fits none: what is not known to be sold out is not. */
export function fitsHit(conditions: readonly Condition[], itemId: string, valuesOf: (field: string) => readonly Value[]): boolean {
  return conditions.every((condition) => {
    if ("ids" in condition) return condition.ids.includes(itemId);
    const values = valuesOf(condition.field);
    if ("is" in condition) {
      const isOne = (value: Value): boolean => condition.is.some((wanted) => isEqual(value, wanted));
      return condition.every === true ? values.length > 0 && values.every(isOne) : values.some(isOne);
    }
    const { above = Number.NEGATIVE_INFINITY, below = Number.POSITIVE_INFINITY } = condition;
    return values.some((value) => {
      const number = numberOf(value);
      return number !== undefined && number > above && number < below;
    });
  });
}

/** Engines write true as 1 or "true", and numbers as text. */
function isEqual(value: Value, wanted: Value): boolean {
  if (typeof wanted === "boolean") return truthOf(value) === wanted;
  if (typeof wanted === "number") return numberOf(value) === wanted;
  return value === wanted || foldedOnce(String(value)) === foldedOnce(wanted);
}

/** What rules name, and brands and the like of hits, are folded once: they are asked for every hit. */
const folded = new Map<string, string>();
const MOST_FOLDED = 5000;
const LONGEST_FOLDED = 100;

export function foldedOnce(text: string): string {
  if (text.length > LONGEST_FOLDED) return foldText(text);
  const known = folded.get(text);
  if (known !== undefined) return known;
  if (folded.size >= MOST_FOLDED) folded.clear();
  const found = foldText(text);
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
