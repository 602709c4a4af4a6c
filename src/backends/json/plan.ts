/** Plans of requests with one search or several, in any dialect. Knows no engine. */
import { bypass, type Bypass, type BypassReason, err, ok, type Result } from "../../result.ts";
import type { ClientRequest, EngineRequest, Refusal, RequestPlan, SearchPlan } from "../dialect.ts";
import { applyEdits, type Edit, searchOf } from "./edits.ts";
import { parseOne, parseSeveral, type PartReader } from "./reply.ts";
import { type Body, type Param, paramsOf } from "./request.ts";
import { membersText } from "./spans.ts";

/** The detail goes into the log, so what it quotes of the request, for clients, is left out. */
export function leave(reason: BypassReason, detail: string): Bypass {
  return { reason, detail: detail.includes('"') ? detail.replace(/".*"/s, "…") : detail };
}

/** A search of an engine whose requests hold neither cursors, nor a history, nor UBI's fields. */
export function plainPlan(plan: Omit<SearchPlan, "isCursored" | "history" | "ubi"> & Partial<SearchPlan>): SearchPlan {
  return { isCursored: false, history: [], ubi: ubiOf(undefined), ...plan };
}

/** `clientId`: the shopper, where the search names one. */
export function ubiOf(clientId: unknown): SearchPlan["ubi"] {
  const named = typeof clientId === "string" && clientId !== "" ? clientId : undefined;
  return { queryId: undefined, clientId: named, application: undefined, objectIdField: undefined };
}

/** The plan of a search that the edge does not understand: it goes to the engine as it came, whose own error is the best answer. */
export function leftToEngine(index: string, detail: string): SearchPlan {
  const left = leave("request_not_understood", detail);
  return plainPlan({ index, queryText: undefined, offset: 0, limit: 1, bypass: left, identity: "" });
}

/** The shopper's request as the engine gets it at `path`: without the edge's parameters, and with a body where it has one. */
export function ownRequest({ method, search, body }: ClientRequest, path: string): EngineRequest {
  const raw = paramsOf(search).map((param) => param.raw);
  return { method, path, search: searchOf(raw), body: method === "POST" && body.length > 0 ? body : undefined };
}

/** The plan of a request that is one search. */
export function planOne(
  search: SearchPlan,
  own: EngineRequest,
  readPart: PartReader,
  widen: (size: number) => EngineRequest = () => own,
): RequestPlan {
  return {
    searches: [search],
    isMulti: false,
    own,
    widen: ([size]) => (size === undefined ? own : widen(size)),
    parseReply: (bytes) => parseOne(bytes, readPart),
  };
}

/** The plan of a request that lists no search, to which the engine answers with no results. `refusalOf`: what must not reach it, as of the first index. */
export function planNone(
  indexes: ReadonlyMap<string, unknown>,
  own: EngineRequest,
  refusalOf: (index: string) => Refusal | undefined,
): Result<RequestPlan, Refusal> {
  const [index = ""] = indexes.keys();
  const refusal = refusalOf(index);
  if (refusal !== undefined) return err(refusal);
  return ok(planOne(leftToEngine(index, "No search in it"), own, () => bypass("reply_not_search", "No search was asked for")));
}

/**
 * `search` with what its request says for all of its searches, as part of its identity. Joined by `+`, which copies nothing: a request may
 * hold a long text and many searches. `said` has no line ends.
 */
export function forAll(search: SearchPlan, said: string): SearchPlan {
  return said === "" ? search : { ...search, identity: `${said}\n${search.identity}` };
}

/** For forAll(): the members of a body beside the list of its searches. */
export function besides({ text, members: all }: Body, list: string): string {
  const others = all.filter(({ key }) => key !== list);
  return others.length === 0 ? "" : JSON.stringify(membersText(text, others));
}

/** One search of a request that has several. */
export interface PlannedSearch {
  readonly plan: SearchPlan;
  /** The changes with which it asks for hits [0, size). */
  readonly edits: (size: number) => readonly Edit[];
  readonly readPart: PartReader;
}

/** The plan of a request that has several searches, whose results are in the list `results` of the reply. */
export function planSeveral(
  searches: readonly Pick<PlannedSearch, "plan" | "readPart">[],
  own: EngineRequest,
  results: string,
  widen: RequestPlan["widen"],
): RequestPlan {
  const readParts = searches.map(({ readPart }) => readPart);
  return {
    searches: searches.map(({ plan }) => plan),
    isMulti: true,
    own,
    widen,
    parseReply: (bytes) => parseSeveral(bytes, results, readParts),
  };
}

/** The plan of a request whose searches are in one body, each edited there. */
export function planListed(searches: readonly PlannedSearch[], own: EngineRequest & { readonly body: Uint8Array }): RequestPlan {
  return planSeveral(searches, own, "results", (sizes) => {
    const edits = searches.flatMap((search, i) => {
      const size = sizes[i];
      return size === undefined ? [] : search.edits(size);
    });
    return { ...own, body: applyEdits(own.body, edits) };
  });
}

/** The request without what `isLeftOut` names, as one text. */
export function identityOf(
  params: readonly Param[],
  body: Pick<Body, "text" | "members"> | undefined,
  isLeftOut: (key: string) => boolean,
  ...more: readonly unknown[]
): string {
  const kept = (body?.members ?? []).filter(({ key }) => !isLeftOut(key));
  return JSON.stringify([
    params.filter(({ key }) => !isLeftOut(key)).map(({ raw }) => raw),
    body === undefined ? "" : membersText(body.text, kept),
    ...more,
  ]);
}
