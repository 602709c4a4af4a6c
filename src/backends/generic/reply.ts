/**
 * Replies of engines without a dialect of their own: the hits, and what else follows from the page: numbers that repeat it, the next page's
 * number, and tokens or links that lead there.
 */
import { bypass, type Bypass, type Result } from "../../result.ts";
import type { GenericOptions, SearchPlan } from "../dialect.ts";
import type { Edit } from "../json/edits.ts";
import { leave } from "../json/plan.ts";
import { type HitReader, incompleteBy, partOf, readHits, type ReplyPart } from "../json/reply.ts";
import {
  findAt,
  isThereAt,
  isTrue,
  type JsonText,
  kindOf,
  members,
  numberAt,
  rawText,
  readNumber,
  readString,
  type Span,
  spanAt,
} from "../json/spans.ts";

const ROOT = "$";

export const partsOf = (path: string): readonly string[] => (path === ROOT ? [] : path.split("."));

/** What a reply may lack, because it has none. */
const OPTIONAL: ReadonlySet<string> = new Set(["next", "previous", "more"]);

/** Usual names of what leads to the next page: of a wider reply, past hits that nobody has seen. */
const LEADS_ON =
  /^(?:next(?:_?(?:page|cursor|link|url|uri|offset|start))?(?:_?(?:token|cursor|link|url|uri|number))?|(?:end_?)?cursor|(?:page|continuation)_?token|scroll_?id|has_?(?:more|next(?:_?page)?)|more)$/i;

/** In `paging.links.next`, say. */
const LEVELS = 2;

/** Without a plan, the reply is not edited. */
export function partAt(
  text: JsonText,
  { options, readHit }: { readonly options: GenericOptions; readonly readHit: HitReader },
  plan: SearchPlan | undefined,
): Result<ReplyPart, Bypass> {
  const { echo, redirect, incomplete } = options;
  const read = readHits(text, partsOf(options.hits), text.root, readHit);
  if (!read.ok) return read;
  const count = read.value.hits.length;
  const isMissing = (path: string): boolean => {
    const found = findAt(text, partsOf(path));
    return found.ok && found.value === undefined;
  };
  const named = Object.entries(echo).filter(([name]) => !OPTIONAL.has(name) || isNeeded(name, plan, count));
  const missing = count === 0 ? undefined : named.find(([, path]) => path !== undefined && isMissing(path));
  // Without it the shopper's page would have the numbers of a wider one.
  if (missing !== undefined)
    return bypass("reply_not_search", `The reply has no ${missing[1]}, where generic.echo.${missing[0]} should be`);
  if (plan?.bypass === undefined && plan?.isCursored === false) {
    const lead = linkAt(text, echo.next) ?? linkAt(text, echo.previous) ?? leadIn(text, text.root, options, [], LEVELS);
    if (lead !== undefined)
      return bypass(
        "reply_not_search",
        `The reply has ${lead}: name it as generic.cursor (a token or link), or as generic.echo.next (a number) or generic.echo.more (true or false)`,
      );
  }
  const isRedirect = redirect !== undefined && isThereAt(text, partsOf(redirect));
  return partOf(text, read.value, {
    bypass: isRedirect ? leave("redirected", redirect) : incompleteBy(text, incomplete === undefined ? [] : [partsOf(incomplete)]),
    total: echo.total === undefined ? undefined : numberAt(text, partsOf(echo.total)),
    edits: plan && ((order) => (plan.isCursored ? [] : ownPage(text, options, plan, { shown: order.length, all: count }))),
  });
}

/** Of a wider reply, whose own page is the first and may hold all: the shopper's page has a neighbour there. */
function isNeeded(name: string, plan: SearchPlan | undefined, count: number): boolean {
  if (plan === undefined || plan.isCursored || count <= plan.limit) return false;
  return name === "previous" ? plan.offset > 0 : plan.offset + plan.limit < count;
}

/** The path, where it holds a text that is no number. */
function linkAt(text: JsonText, path: string | undefined): string | undefined {
  const at = path === undefined ? undefined : spanAt(text, partsOf(path));
  const written = at === undefined ? undefined : readString(text, at);
  return written === undefined || /^\d*$/.test(written) ? undefined : path;
}

/** The path of a member that seems to lead to the next page, and has no name in the configuration. */
function leadIn(text: JsonText, object: Span, options: GenericOptions, path: readonly string[], levels: number): string | undefined {
  if (kindOf(text, object) !== "object") return undefined;
  for (const { key, value } of members(text, object)) {
    const own = [...path, key];
    const name = own.join(".");
    const kind = kindOf(text, value);
    if (LEADS_ON.test(key) && (kind === "string" || kind === "number" || kind === "boolean")) {
      if (!Object.values(options.echo).includes(name) && !options.harmless.includes(name) && rawText(text, value) !== '""') return name;
    }
    const below = kind === "object" && levels > 0 ? leadIn(text, value, options, own, levels - 1) : undefined;
    if (below !== undefined) return below;
  }
  return undefined;
}

/** The numbers that a reply repeats, as for the page that was asked for: as numbers or as texts, like the engine's. `all`: hits of the reply. */
function ownPage(
  text: JsonText,
  { echo, firstPage, page }: GenericOptions,
  { offset, limit }: SearchPlan,
  { shown, all }: { readonly shown: number; readonly all: number },
): Edit[] {
  // The reply to the shopper's own request, as a wider one asks for more: its numbers are the engine's, right or wrong.
  const said = echo.limit === undefined ? undefined : spanAt(text, partsOf(echo.limit));
  if (said !== undefined && (readString(text, said) ?? rawText(text, said)) === String(limit)) return [];
  const numberIn = (path: string | undefined): number | undefined => {
    const at = path === undefined ? undefined : spanAt(text, partsOf(path));
    return at === undefined ? undefined : (readNumber(text, at) ?? (Number(readString(text, at)) || undefined));
  };
  const total = echo.total === undefined ? undefined : numberAt(text, partsOf(echo.total));
  const pages = total === undefined ? undefined : Math.ceil(total / limit);
  const pageAt = (first: number): number => (page === undefined ? first : Math.floor(first / limit) + firstPage);
  // A reply that holds more than the page begins with the first hit: there begin and end say how the engine counts.
  const begin = all > shown ? numberIn(echo.begin) : undefined;
  const end = all > shown ? numberIn(echo.end) : undefined;
  const wanted = new Map([
    [echo.offset, offset],
    [echo.page, Math.floor(offset / limit) + firstPage],
    [echo.limit, limit],
    [echo.count, shown],
    [echo.pages, pages],
    [echo.begin, begin === undefined ? undefined : begin + offset],
    [echo.end, end === undefined ? undefined : end - all + offset + shown],
    [echo.last, pages === undefined ? undefined : pageAt((pages - 1) * limit)],
    [echo.next, offset + limit < all || numberIn(echo.next) !== undefined ? pageAt(offset + limit) : undefined],
    [echo.previous, all > shown && offset > 0 ? pageAt(Math.max(0, offset - limit)) : undefined],
  ]);
  const edits = [...wanted].flatMap(([path, number]) => {
    const at = path === undefined || number === undefined ? undefined : spanAt(text, partsOf(path));
    if (at === undefined || number === undefined) return [];
    const written = readString(text, at);
    if (written !== undefined) return /^\d+$/.test(written) && Number(written) !== number ? [{ ...at, text: `"${number}"` }] : [];
    const isFree = path === echo.next || path === echo.previous ? kindOf(text, at) === "null" : false;
    return (readNumber(text, at) ?? (isFree ? undefined : number)) === number ? [] : [{ ...at, text: String(number) }];
  });
  const more = echo.more === undefined ? undefined : spanAt(text, partsOf(echo.more));
  const isMore = more !== undefined && offset + limit < all && kindOf(text, more) === "boolean" && !isTrue(text, more);
  return isMore ? [...edits, { ...more, text: "true" }] : edits;
}
