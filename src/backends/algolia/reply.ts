/**
 * Replies of Algolia: the hits of a page or of a wider one, and what a page that is cut from a wider reply says of itself.
 */
import { bypass } from "../../result.ts";
import type { SearchPlan } from "../dialect.ts";
import type { Index } from "../dialects.ts";
import { cutMembers, type Edit, replaceNumbers } from "../json/edits.ts";
import { leave } from "../json/plan.ts";
import { incompleteBy, partOf, type PartReader, readHits } from "../json/reply.ts";
import { type JsonText, kindOf, members, numberAt, readString, type Span, spanAt, textAt } from "../json/spans.ts";

/** `paginationLimitedTo` of an index whose settings say nothing else. */
const DEFAULT_PAGINATION_LIMIT = 1000;

/** Out of time before all hits were found or counted. `exhaustive…` is false for every large list, and says nothing of its hits. */
const INCOMPLETE = [["timeoutHits"], ["timeoutCounts"]];

/** With it, hits and reply have more members. */
export const MARKS = "getRankingInfo";
const MARK_OF_HIT: ReadonlySet<string> = new Set(["_rankingInfo"]);
const MARKS_OF_REPLY: ReadonlySet<string> = new Set([
  "serverUsed",
  "indexUsed",
  "parsedQuery",
  "timeoutCounts",
  "timeoutHits",
  "appliedRules",
]);
const NOTHING: ReadonlySet<string> = new Set();

/** `given`: names of the request's parameters. */
export const partReader =
  (index: Index, search: SearchPlan, given: ReadonlySet<string>): PartReader =>
  (text, from) => {
    const read = readHits(text, ["hits"], from, index.readHit);
    if (!read.ok) return read;
    const shown = read.value.hits.length;
    const nbHits = numberAt(text, ["nbHits"], from);
    const size = numberAt(text, ["hitsPerPage"], from) ?? numberAt(text, ["length"], from);
    if (nbHits === undefined || size === undefined) return bypass("reply_not_search", "The reply has no nbHits or no hitsPerPage");
    if (search.bypass === undefined) {
      const isLimited =
        !search.isCursored && size > search.limit && search.offset > 0 && shown <= search.offset && shown < Math.min(size, nbHits);
      // The engine has other words for such a page, and no hits.
      if (isLimited) return bypass("beyond_window", `The engine gives ${shown} of ${nbHits} hits: repeat its paginationLimitedTo`);
      if (shown > Math.min(size, nbHits)) return bypass("reply_not_search", "More hits than asked for: distinct is above 1");
      // A rule can set these too.
      if (!search.isCursored && size !== search.limit && size < search.offset + search.limit) {
        return bypass("reply_not_search", `The reply is a page of ${size} hits, not of those asked for`);
      }
    }
    const redirect = spanAt(text, ["renderingContent", "redirect"], from);
    const isRedirect = redirect !== undefined && kindOf(text, redirect) === "object";
    // A page of its own size is the page that was asked for.
    const isOwn = search.isCursored || size === search.limit;
    // nbHits may be an estimate, and counts hits beyond paginationLimitedTo; pages are those that can be had.
    const pages = numberAt(text, ["nbPages"], from);
    const isMarked = search.isAlwaysWidened !== true;
    const cuts = (): Edit[] => (isMarked ? [] : cutMembers(members(text, from), MARKS_OF_REPLY));
    const reach = index.options.paginationLimitedTo;
    return partOf(text, read.value, {
      queryId: () => textAt(text, ["queryID"], from),
      unasked: isMarked ? NOTHING : MARK_OF_HIT,
      total: pages === undefined ? undefined : pages > 1 ? (pages - 1) * size + 1 : shown,
      bypass: isRedirect ? leave("redirected", "renderingContent.redirect") : incompleteBy(text, INCOMPLETE, from),
      edits: () => [...cuts(), ...ownPage(text, from, search, given, isOwn ? undefined : { nbHits, size, shown, reach })],
    });
  };

/** The numbers of a wider reply. `size`: hits asked for; `shown`: hits in it; `reach`: those that pages can reach, where the configuration says it. */
type Wider = Readonly<Record<"nbHits" | "size" | "shown", number>> & { readonly reach: number | undefined };

/** The numbers and parameters that a reply repeats, as for the page that was asked for. Without `wider`, the reply is of that page. */
function ownPage(
  text: JsonText,
  from: Span,
  { offset, limit, isAlwaysWidened }: SearchPlan,
  given: ReadonlySet<string>,
  wider: Wider | undefined,
): Edit[] {
  const paging = given.has("offset") ? { offset, length: limit } : { page: offset / limit, hitsPerPage: limit };
  const params = spanAt(text, ["params"], from);
  const pages = numberAt(text, ["nbPages"], from);
  const nbPages = pages === undefined || wider === undefined ? undefined : Math.ceil(reachable(pages, wider) / limit);
  const own = { ...(wider !== undefined && paging), ...(isAlwaysWidened === true && { [MARKS]: false }) };
  return [
    ...(wider === undefined ? [] : replaceNumbers(text, { ...paging, nbPages }, from)),
    ...(params === undefined ? [] : ownParams(text, params, own, given)),
  ];
}

/**
 * The number of hits that `nbPages` counts: `nbHits`, up to the setting `paginationLimitedTo`, which no reply names. The wider reply's own
 * `nbPages` bounds it to one of its pages. Assumed: the default of 1000 where that fits, else no limit where that fits, else the roundest
 * number that fits, because people set such limits.
 */
function reachable(nbPages: number, { nbHits, size, shown, reach }: Wider): number {
  if (reach !== undefined) return Math.min(nbHits, reach);
  // All of them are here.
  if (nbPages <= 1) return shown;
  const fits = (count: number): boolean => Math.ceil(count / size) === nbPages;
  const known = [Math.min(nbHits, DEFAULT_PAGINATION_LIMIT), nbHits].find(fits);
  if (known !== undefined) return known;
  const most = nbPages * size;
  const rounded = [5000, 1000, 500, 100, 50, 10].map((step) => Math.floor(most / step) * step);
  return rounded.find(fits) ?? most;
}

/** Parameters as in a URL, in one text. Those that the shopper did not send are left out. */
function ownParams(text: JsonText, at: Span, own: Readonly<Record<string, number | boolean>>, given: ReadonlySet<string>): Edit[] {
  const written = readString(text, at);
  if (written === undefined) return [];
  const wanted = written
    .split("&")
    .flatMap((raw) => {
      const [key = ""] = raw.split("=", 1);
      if (!Object.hasOwn(own, key)) return [raw];
      return given.has(key) ? [`${key}=${own[key]}`] : [];
    })
    .join("&");
  return wanted === written ? [] : [{ ...at, text: JSON.stringify(wanted) }];
}
