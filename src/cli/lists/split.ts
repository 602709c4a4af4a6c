/** The split of a shopper or a search: a hash of the name alone, so that no later choice can move a list to another split. */
import { fnv1a } from "../../ranking/tokenizer.ts";

export const SPLITS = ["train", "validation", "test"] as const;
export type Split = (typeof SPLITS)[number];

const VALIDATION_SHARE = 0.08;
const TEST_SHARE = 0.12;

/** Uniform in [0, 1). FNV-1a's low bits hardly depend on a text's end, so the bits are mixed once more (murmur3's finaliser). */
export function shareOf(text: string): number {
  let hash = fnv1a(text);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 4294967296;
}

/** `kind` keeps a shopper and a query of the same name apart. */
export function splitOf(kind: "shopper" | "query" | "search", name: string): Split {
  const at = shareOf(`${kind}:${name}`);
  if (at < TEST_SHARE) return "test";
  return at < TEST_SHARE + VALIDATION_SHARE ? "validation" : "train";
}
