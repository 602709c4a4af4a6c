/** Replies of all JSON dialects: lists of hits, each with an id that no other hit of its list has. Knows no engine. */
import { bypass, type Bypass, err, ok, type Result } from "../../result.ts";
import type { FieldValue, Hit, RequestReply, SearchReply } from "../dialect.ts";
import { appendMember, applyEdits, type Edit, refill } from "./edits.ts";
import {
  elements,
  findAt,
  isThereAt,
  isTrue,
  type JsonText,
  kindOf,
  numberAt,
  rawText,
  readNumber,
  readString,
  scanJson,
  type Span,
  spanAt,
} from "./spans.ts";

/** The hits of one search and where they are. */
export interface HitList {
  readonly array: Span;
  /** Parallel to `hits`. */
  readonly slots: readonly Span[];
  readonly hits: readonly Hit[];
}

/** One search's part of a reply. */
export interface ReplyPart extends SearchReply {
  /** The edits with which exactly these hits (indexes of `hits`) are shown, in this order. */
  edits(order: readonly number[]): readonly Edit[];
}

/** The hit, an error message, or `undefined` if the element is not a hit and stays where it is. */
export type HitReader = (text: JsonText, slot: Span) => Result<Hit | undefined, string>;

/** Reads one search's part, which begins at `from`. */
export type PartReader = (text: JsonText, from: Span) => Result<ReplyPart, Bypass>;

/** `path`: member names from `from` to the array. Reasons: reply_not_search, duplicate_ids. */
export function readHits(text: JsonText, path: readonly string[], from: Span, readHit: HitReader): Result<HitList, Bypass> {
  const name = path.join(".") || "The reply";
  const found = findAt(text, path, from);
  if (!found.ok) return bypass("reply_not_search", found.error.message);
  const array = found.value;
  if (array === undefined) return bypass("reply_not_search", `The reply has no ${name}`);
  if (kindOf(text, array) !== "array") return bypass("reply_not_search", `${name} is of kind ${kindOf(text, array)}`);

  const slots: Span[] = [];
  const hits: Hit[] = [];
  const seen = new Set<string>();
  for (const [index, slot] of elements(text, array).entries()) {
    const hit = readHit(text, slot);
    if (!hit.ok) return bypass("reply_not_search", `${name}[${index}]: ${hit.error}`);
    if (hit.value === undefined) continue;
    if (seen.has(hit.value.itemId)) return bypass("duplicate_ids", `${name}[${index}] repeats the id of another hit`);
    seen.add(hit.value.itemId);
    slots.push(slot);
    hits.push(hit.value);
  }
  return ok({ array, slots, hits });
}

interface More extends Partial<Pick<SearchReply, "bypass" | "total" | "queryId">> {
  readonly edits?: ((order: readonly number[]) => readonly Edit[]) | undefined;
  /** Members of hits that only the widened request asks for: no shopper sees them. */
  readonly unasked?: ReadonlySet<string> | undefined;
}

/** `more`: the reply's own reason to keep the engine's order, its total, and edits besides the hits themselves. */
export function partOf(text: JsonText, { array, slots, hits }: HitList, more: More = {}): Result<ReplyPart, Bypass> {
  const edits = (order: readonly number[]) => [...refill(text, array, slots, order, more.unasked), ...(more.edits?.(order) ?? [])];
  const { total, queryId } = more;
  return ok({ hits, total, queryId, bypass: more.bypass, edits, valuesOf: (hit, path) => valuesIn(text, slots[hit]!, path) });
}

/** Where engines put the fields of a document: a rule may leave it out. */
const DOCUMENTS = [[], ["_source"], ["document"], ["fields"]];

/** Of lists, the values of all elements. */
export function valuesIn(text: JsonText, slot: Span, path: string): readonly FieldValue[] {
  const keys = path.split(".");
  for (const document of DOCUMENTS) {
    const found = valuesAt(text, slot, [...document, ...keys]);
    if (found.length > 0) return found;
  }
  return [];
}

function valuesAt(text: JsonText, from: Span, [key, ...rest]: readonly string[]): readonly FieldValue[] {
  const kind = kindOf(text, from);
  if (kind === "array") return elements(text, from).flatMap((element) => valuesAt(text, element, key === undefined ? [] : [key, ...rest]));
  if (key !== undefined) {
    const at = spanAt(text, [key], from);
    return at === undefined ? [] : valuesAt(text, at, rest);
  }
  const value = kind === "string" ? readString(text, from) : kind === "number" ? readNumber(text, from) : undefined;
  if (kind === "boolean") return [isTrue(text, from)];
  return value === undefined ? [] : [value];
}

/** By which an engine says that hits may be missing: a member that is not false, null, zero or empty, or one that is less than another. */
export type Sign = readonly string[] | { readonly fewer: readonly string[]; readonly than: readonly string[] };

/** The paths of `signs` begin at `from`. */
export function incompleteBy(text: JsonText, signs: readonly Sign[], from: Span = text.root): Bypass | undefined {
  for (const sign of signs) {
    if (!("fewer" in sign)) {
      if (isThereAt(text, sign, from)) return { reason: "engine_incomplete", detail: `The reply has ${sign.join(".")}` };
      continue;
    }
    const [fewer, all] = [sign.fewer, sign.than].map((path) => numberAt(text, path, from));
    if (fewer !== undefined && all !== undefined && fewer < all) {
      return { reason: "engine_incomplete", detail: `The reply has ${sign.fewer.join(".")} ${fewer} of ${all}` };
    }
  }
  return undefined;
}

const MAX_REFUSAL = 4000;

/** A part that is an error, where others of the reply may be none. */
export function refusedPart(text: JsonText, { start, end }: Span, status: number, detail: string): Result<never, Bypass> {
  const words = rawText(text, { start, end: Math.min(end, start + MAX_REFUSAL) });
  return err({ reason: "engine_status", detail, refusal: { status, words } });
}

/** Reasons: reply_not_json. */
export function scanReply(bytes: Uint8Array): Result<JsonText, Bypass> {
  const scanned = scanJson(bytes);
  if (scanned.ok) return scanned;
  return bypass("reply_not_json", `${scanned.error.message} at byte ${scanned.error.offset} of ${bytes.length}`);
}

/** `parts` are parallel to the plan's searches. */
export function replyOf(text: JsonText, parts: readonly Result<ReplyPart, Bypass>[]): RequestReply {
  return {
    searches: parts,
    assemble(orders) {
      const edits = parts.flatMap((part, i) => {
        const order = orders[i];
        return part.ok && order !== undefined ? part.value.edits(order) : [];
      });
      return applyEdits(text.bytes, edits);
    },
  };
}

/** A reply that is one search's: a problem of the part is a problem of the reply. */
export function parseOne(bytes: Uint8Array, readPart: PartReader): Result<RequestReply, Bypass> {
  const text = scanReply(bytes);
  if (!text.ok) return text;
  const part = readPart(text.value, text.value.root);
  return part.ok ? ok(replyOf(text.value, [part])) : part;
}

/** A reply that lists one result per search under `name`. Reasons: reply_not_json; reply_not_search for a list of another length, or none. */
export function parseSeveral(bytes: Uint8Array, name: string, readParts: readonly PartReader[]): Result<RequestReply, Bypass> {
  const scanned = scanReply(bytes);
  if (!scanned.ok) return scanned;
  const text = scanned.value;
  const list = findAt(text, [name]);
  if (!list.ok) return bypass("reply_not_search", list.error.message);
  if (list.value === undefined || kindOf(text, list.value) !== "array") return bypass("reply_not_search", `The reply has no list ${name}`);
  const results = elements(text, list.value);
  if (results.length !== readParts.length) {
    return bypass("reply_not_search", `${name} holds ${results.length} results for ${readParts.length} searches`);
  }
  const parts = readParts.map((readPart, i) => readPart(text, results[i]!));
  return ok(replyOf(text, parts));
}

/** Adds one last member to the object at the root; the same bytes where the reply is not an object. */
export function annotateReply(bytes: Uint8Array<ArrayBuffer>, key: string, value: unknown): Uint8Array<ArrayBuffer> {
  const text = scanJson(bytes);
  if (!text.ok || kindOf(text.value, text.value.root) !== "object") return bytes;
  return appendMember(text.value, key, JSON.stringify(value));
}
