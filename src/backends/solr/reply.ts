/**
 * Replies of Solr. A page that is cut from a wider reply loses what only the edge asked for, repeats the shopper's own page and parameters, and
 * gets the highlighting of its own documents, which Solr keeps apart from them.
 */
import { type Bypass, bypass, err } from "../../result.ts";
import type { Hit } from "../dialect.ts";
import type { Index } from "../dialects.ts";
import { cutMember, type Edit, replaceNumbers } from "../json/edits.ts";
import { leave } from "../json/plan.ts";
import { incompleteBy, partOf, type PartReader, readHits } from "../json/reply.ts";
import { type Param, paramOf } from "../json/request.ts";
import { findAt, isThereAt, type JsonText, kindOf, members, numberAt, rawText, spanAt } from "../json/spans.ts";
import { reasonNotToWiden, reasonToKeepOrder } from "./leave.ts";
import { ELEVATED, ownEcho, type Server, serverOf } from "./server.ts";
import { queryTextOf } from "./words.ts";

/** Of Hadoop's authentication: a token, a name, and the user for whom somebody searches. */
export const SIGN_IN = ["delegation", "user.name", "doas"];

/** Shards that are down or out of time, and limits that ended the search. */
const INCOMPLETE = ["status", "partialResults", "segmentTerminatedEarly", "maxHitsTerminatedEarly"].map((name) => ["responseHeader", name]);

interface Page {
  readonly offset: number;
  readonly limit: number;
}

/** `params` and `page`: of the shopper's request. */
export function partReader(index: Index, params: readonly Param[], page: Page): PartReader {
  return (text, from) => {
    const read = readHits(text, ["response", "docs"], from, index.readHit);
    if (!read.ok) return read;
    const { hits, slots, array } = read.value;
    // Without numFoundExact there are more.
    const total = numberAt(text, ["response", "numFound"], from);
    const incomplete = incompleteBy(text, INCOMPLETE);
    const server = serverOf(text, index.idField, params);
    if (server === undefined) {
      const isWide = slots[0] !== undefined && spanAt(text, [ELEVATED], slots[0]) !== undefined;
      return isWide ? SILENT : partOf(text, read.value, { total, bypass: incomplete });
    }
    const other = otherPage(server, page) ?? reasonNotToWiden(server.params, index.idField);
    if (other !== undefined) return err(other);
    return partOf(text, read.value, {
      total,
      bypass: incomplete ?? reasonToKeepOrder(server.params) ?? otherWords(server, params, index.idField),
      unasked: server.unasked,
      edits: (order) => [
        ...replaceNumbers(text, { "response.start": page.offset }),
        ...ownHeader(text, server, params),
        ...ownMaxScore(text, server),
        ...ownHighlighting(text, order, hits),
        ...(order.length === 0 && hits.length > 0 ? [{ start: array.end - 1, end: array.end - 1, text: emptyOf(text) }] : []),
      ],
    });
  };
}

const SILENT = bypass("reply_not_search", "The reply does not say what the handler adds to requests: it must expand macros (expandMacros)");

/** The wider reply is another one's. */
function otherPage({ start, rows }: Server, { offset, limit }: Page): Bypass | undefined {
  const own = [Number(start === "" ? 0 : start), Number(rows === "" ? 10 : rows)];
  if (own[0] === offset && own[1] === limit) return undefined;
  const fix = own[0] === offset ? `: set pageSize = ${own[1]}, or let clients send rows` : "";
  return { reason: "reply_not_search", detail: `The handler's configuration gives ${own[1]} rows from ${own[0]}${fix}` };
}

/** The handler may have a parser, or words, of its own. */
function otherWords({ params }: Server, sent: readonly Param[], idField: string): Bypass | undefined {
  if (paramOf(params, "q") !== paramOf(sent, "q")) return leave("request_not_understood", "The handler's configuration replaces q");
  const isLost = queryTextOf(params, idField) === undefined && queryTextOf(sent, idField) !== undefined;
  return isLost ? leave("no_query_text", "The handler's parser is no search for words") : undefined;
}

/** What Solr writes inside of an empty list or object: a space, where it indents. */
const emptyOf = ({ bytes, root }: JsonText): string => (bytes[root.start + 1] === 0x0a ? " " : "");

/** The header and the echo in it. */
function ownHeader(text: JsonText, server: Server, sent: readonly Param[]): Edit[] {
  if (!server.hasHeader) return cutAt(text, [], "responseHeader");
  const own = ownEcho(
    text,
    server,
    sent.filter(({ key }) => !SIGN_IN.includes(key)),
  );
  if (own === undefined) return cutAt(text, ["responseHeader"], "params");
  return [{ ...spanAt(text, ["responseHeader", "params"])!, text: own }];
}

/** It stands beside scores only, except in SolrCloud. */
function ownMaxScore(text: JsonText, { hasScores }: Server): Edit[] {
  return !hasScores && !isThereAt(text, ["responseHeader", "zkConnected"]) ? cutAt(text, ["response"], "maxScore") : [];
}

function cutAt(text: JsonText, path: readonly string[], name: string): Edit[] {
  const object = findAt(text, path);
  if (!object.ok || object.value === undefined) return [];
  const siblings = members(text, object.value);
  const at = siblings.findIndex(({ key }) => key === name);
  return at < 0 ? [] : [cutMember(siblings, at)];
}

/**
 * Of the shown documents only, in their order; all of them in the engine's order are the same bytes. Its names are unique keys, which need not be
 * the ids of the catalogue: there is one entry for each document, in their order.
 */
function ownHighlighting(text: JsonText, order: readonly number[], hits: readonly Hit[]): Edit[] {
  const object = spanAt(text, ["highlighting"]);
  if (object === undefined || kindOf(text, object) !== "object") return [];
  const all = members(text, object);
  const [first, second] = all;
  const last = all.at(-1);
  if (first === undefined || last === undefined) return [];
  if (order.length === 0) return [{ start: object.start + 1, end: object.end - 1, text: emptyOf(text) }];
  const between = second === undefined ? "," : rawText(text, { start: first.span.end, end: second.span.start });
  const byId = all.length === hits.length ? undefined : new Map(all.map((own) => [own.key, own]));
  const shown = order.flatMap((position) => (byId === undefined ? all[position]! : (byId.get(hits[position]!.itemId) ?? [])));
  const kept = shown.map(({ span }) => rawText(text, span)).join(between);
  return [{ start: first.span.start, end: last.span.end, text: kept }];
}
