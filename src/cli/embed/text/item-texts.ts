/** The texts of a product that carry meaning: what its vector is made of, and what its words are. Pure. */
import type { CatalogItem } from "../../catalog/file.ts";

/** Longer texts say less per word: measured on real judgments, title and a short description up to here were best. */
const DOCUMENT_LENGTH = 400;

/** What the encoder reads of a product: title, category where the title does not say it, further fields, description. */
export function documentText({ product, about }: CatalogItem): string {
  const { title, category } = product;
  const isSaid = title.toLowerCase().includes(category.toLowerCase());
  return joined([title, isSaid ? "" : category, about?.further ?? "", plainText(about?.description ?? "")]);
}

/** What the words of a product are taken from: title, brand, category and description. */
export function wordTexts({ product, about }: CatalogItem): string[] {
  return [joined([product.title, about?.further ?? "", plainText(about?.description ?? "")]), about?.brand ?? "", product.category];
}

/** Names that shoppers search by: they are encoded as whole queries. */
export function nameTexts(items: readonly CatalogItem[]): string[] {
  return [...new Set(items.flatMap(({ product, about }) => [product.category, about?.brand ?? ""]))]
    .filter((name) => name !== "")
    .toSorted();
}

function joined(parts: readonly string[]): string {
  const text = parts.filter((part) => part !== "").join(" ");
  // Not through the middle of a surrogate pair.
  return text.slice(0, DOCUMENT_LENGTH).replace(/[\uD800-\uDBFF]$/, "");
}

const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: " " };

/** Of a description before its markup is taken out: enough for DOCUMENT_LENGTH, and a bound for what the expressions below look through. */
const MARKUP_LENGTH = 10 * DOCUMENT_LENGTH;

/** Shops keep HTML in descriptions. */
function plainText(text: string): string {
  if (!/[<&]/.test(text)) return text;
  return text
    .slice(0, MARKUP_LENGTH)
    .replaceAll(/<(script|style)\b[^>]*>[\s\S]*?(<\/\1\s*>|$)/gi, " ")
    .replaceAll(/<\/?[a-z!][^>]*>/gi, " ")
    .replaceAll(/&(amp|lt|gt|quot|apos|nbsp);/g, (_, name: string) => ENTITIES[name] ?? " ")
    .replaceAll(/&#(\d{1,6});/g, (_, code: string) => (Number(code) < 0x11_0000 ? String.fromCodePoint(Number(code)) : " "))
    .replaceAll(/\s+/g, " ")
    .trim();
}
