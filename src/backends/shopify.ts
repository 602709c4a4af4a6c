/**
 * Shopify's Storefront API: GraphQL at `POST /api/<version>/graphql.json`, where a shop's front end asks for everything, searches among it.
 *
 * Two traps. Pages hang together by cursors, so a search is re-ranked within its page: nodes change places, the i-th edge keeps the i-th
 * cursor. And the same address takes mutations, so with the edge's own key only searches pass; everything else passes where the client's
 * key is the only one.
 */
import type { Bypass, Result } from "../result.ts";
import { bypass, err, ok } from "../result.ts";
import type { Dialect, DialectOptions, ClientRequest, EngineError, EngineRequest, Refusal, RequestPlan, RequestReply } from "./dialect.ts";
import type { IndexDefinition, IndexOptions } from "./dialects.ts";
import { defineDialect } from "./dialects.ts";
import type { GraphqlDocument } from "./graphql-document.ts";
import { isQuery, parseDocument, rootFieldNames } from "./graphql-document.ts";
import { refill } from "./json-edits.ts";
import type { HitReader, ReplyPart } from "./json-reply.ts";
import { annotateReply, readHits, replyOf, replyOfOne, scanReply, spanAt } from "./json-reply.ts";
import { bodyOf, leftToEngine, paramsOf, planOne, searchOf } from "./json-request.ts";
import type { JsonText, Span } from "./json-scan.ts";
import { elements, kindOf, readString } from "./json-spans.ts";
import type { JsonObject } from "./json-values.ts";
import { isObject, member } from "./json-values.ts";
import type { ProductKeys, ProductList, ProductSearch } from "./shopify-search.ts";
import { readSearches } from "./shopify-search.ts";

/** Versions are quarters; an older client (js-buy-sdk) leaves out the ending. Nothing else is under this path. */
const PATH = /^\/api\/(?:\d{4}-\d{2}|unstable)\/graphql(?:\.json)?$/;

/** What a search consists of at the root of an operation. */
const SEARCH_FIELDS: ReadonlySet<string> = new Set(["search", "predictiveSearch", "__typename"]);

/** Of which the type is part. */
const GLOBAL_ID = /^gid:\/\/shopify\/(\w+)\//;

/** Members of a body besides which nothing can say what is to be done. */
const BODY_MEMBERS: ReadonlySet<string> = new Set(["query", "variables", "operationName", "extensions"]);

const PASS_ALL = "or let the index forward the client's own credential (forwardCredentials), without a key of the edge";

export const SHOPIFY = defineDialect({ names: ["shopify"], create: createShopify, limits: { maxWindow: 250, maxIndexes: 1 } });

/**
 * A shop's Storefront API. Its requests name no index, so an edge can have one.
 *
 * @example
 * const products = shopify({ url: "https://shop.myshopify.com", window: 100, authorization: env.STOREFRONT_TOKEN });
 */
export function shopify(options: IndexOptions): IndexDefinition {
  return { ...options, dialect: SHOPIFY, backend: "shopify" };
}

/** Requests name no index: the only one that is configured is meant. Throws where there is none. */
export function createShopify(indexes: ReadonlyMap<string, DialectOptions>): Dialect {
  const [only] = indexes;
  if (only === undefined) throw new Error("No index speaks this dialect");
  const [index, options] = only;
  return {
    name: "shopify",
    routes: [
      { path: "/api/:version/graphql.json", methods: ["POST"] },
      { path: "/api/:version/graphql", methods: ["POST"] },
    ],
    probes: [],
    credentials: {
      // The edge is a server and its key a secret. A public token is none: it may stand in the configuration's headers.
      header: "shopify-storefront-private-token",
      clientHeaders: [
        "x-shopify-storefront-access-token",
        "shopify-storefront-private-token",
        // Whose address it is that is throttled is for whoever owns the key to say.
        "shopify-storefront-buyer-ip",
        "x-shopify-client-ip",
        "x-shopify-client-ip-sig",
      ],
      clientParams: [],
    },
    clientHeaders: [
      "x-sdk-variant",
      "x-sdk-variant-source",
      "x-sdk-version",
      "custom-storefront-request-group-id",
      "shopify-storefront-id",
      "shopify-storefront-y",
      "shopify-storefront-s",
      "x-shopify-uniquetoken",
      "x-shopify-visittoken",
    ],
    plan: (request) => planRequest(request, index, options),
    parseReply: (bytes, plan) => parseReply(bytes, plan, index, options),
    annotate: annotateReply,
    describeError,
  };
}

/** What a body asks for. */
interface Asked {
  readonly document: GraphqlDocument;
  readonly source: string;
  readonly operationName: string | undefined;
  readonly variables: JsonObject;
  readonly contentType: string;
  /** Members of the body that could say something else than its document. */
  readonly unknownMembers: readonly string[];
}

function planRequest(request: ClientRequest, index: string, options: DialectOptions): Result<RequestPlan, Refusal> {
  const { path } = request;
  if (!PATH.test(path)) return err({ status: 404, type: "not_found", message: `No such path ${path}: use /api/2026-07/graphql.json` });
  const params = paramsOf(request.search).map(({ raw }) => raw);
  const asked = readBody(request.body);
  const own: EngineRequest = { method: "POST", path, search: searchOf(params), body: request.body };
  if (options.forwardCredentials === true) return ok(planSearches(own, asked, index, options));

  if (typeof asked === "string") return refuse(asked);
  if (params.length > 0) return refuse(`The parameter ${params[0]} is not passed on: take it out, ${PASS_ALL}`);
  const more = beyondSearch(asked);
  if (more !== undefined) return refuse(more);
  // A form that looks like JSON could hold a second query.
  return ok(planSearches({ ...own, contentType: asked.contentType }, asked, index, options));
}

function refuse(message: string): Result<RequestPlan, Refusal> {
  return err({ status: 400, type: "bad_request", message });
}

/** A text says why it cannot be read. */
function readBody(bytes: Uint8Array): Asked | string {
  const body = bodyOf(bytes);
  if (body === undefined) return 'The body is empty: send {"query":"…"}';
  if (typeof body === "string") {
    // The document alone (application/graphql), which is never JSON, as JSON is never a document.
    const source = textFrom(bytes);
    const document = source === undefined ? body : parseDocument(source);
    if (source === undefined || typeof document === "string") return body;
    return { document, source, operationName: undefined, variables: {}, contentType: "application/graphql", unknownMembers: [] };
  }
  const { query: source, variables = null, operationName = null, extensions = null } = body.values;
  if (typeof source !== "string") return "query is not a text: send a document";
  if (variables !== null && !isObject(variables)) return "variables is not an object";
  if (operationName !== null && typeof operationName !== "string") return "operationName is not a text";
  const document = parseDocument(source);
  if (typeof document === "string") return document;
  return {
    document,
    source,
    operationName: operationName === null || operationName === "" ? undefined : operationName,
    variables: variables ?? {},
    contentType: "application/json",
    unknownMembers: [
      ...Object.keys(body.values).filter((key) => !BODY_MEMBERS.has(key)),
      ...(member(extensions, "persistedQuery") === undefined ? [] : ["extensions.persistedQuery"]),
    ],
  };
}

/** `undefined` where it is not UTF-8: an engine could read such bytes in another way. */
function textFrom(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Why a request is more than a search, or could be; `undefined` for a search. Of all operations, so that it does not matter which is meant. */
function beyondSearch(asked: Asked): string | undefined {
  const [unknown] = asked.unknownMembers;
  if (unknown !== undefined) return `The member ${unknown} is not passed on: take it out, ${PASS_ALL}`;
  for (const node of asked.document.operations) {
    if (!isQuery(node)) return `A ${node.operation} is not passed on: send it to the shop, ${PASS_ALL}`;
    const other = [...rootFieldNames(asked.document, node)].find((name) => !SEARCH_FIELDS.has(name));
    if (other !== undefined) return `The field ${other} is not passed on: ask for search and predictiveSearch only, ${PASS_ALL}`;
  }
  return undefined;
}

function planSearches(own: EngineRequest, asked: Asked | string, index: string, options: DialectOptions): RequestPlan {
  const searches = typeof asked === "string" ? asked : readSearches({ ...asked, path: own.path }, index, options);
  if (typeof searches === "string") return planOne(leftToEngine(index, searches), own);
  const [first, ...more] = searches.map(({ plan }) => plan);
  if (first === undefined) return planOne(leftToEngine(index, "No search in it"), own);
  // A search with cursors is never widened.
  return more.length === 0 ? planOne(first, own) : { searches: [first, ...more], isMulti: true, own, widen: () => own };
}

/** The document says where the hits stand, so it is read again: a plan holds no more than any dialect's. */
function parseReply(bytes: Uint8Array, plan: RequestPlan, index: string, options: DialectOptions): Result<RequestReply, Bypass> {
  const asked = readBody(plan.own.body ?? new Uint8Array());
  const searches = typeof asked === "string" ? asked : readSearches({ ...asked, path: plan.own.path }, index, options);
  if (typeof searches === "string" || searches.length === 0) return bypass("reply_not_search", "No search was asked for");
  const scanned = scanReply(bytes);
  if (!scanned.ok) return scanned;
  const text = scanned.value;
  const errors = spanAt(text, ["errors"]);
  if (errors !== undefined && (typeof errors === "string" || kindOf(text, errors) !== "null")) {
    return bypass("reply_not_search", "The reply has errors, which name what they are about by its place");
  }
  const parts = searches.map((one) => partOf(text, one));
  return parts.length === 1 ? replyOfOne(text, parts[0]!) : ok(replyOf(text, parts));
}

function partOf(text: JsonText, { lists, product }: ProductSearch): Result<ReplyPart, Bypass> {
  if (product === undefined) return bypass("reply_not_search", "No products were asked for");
  const { list } = product;
  const read = readHits(text, text.root, list.path, hitReader(product));
  if (!read.ok) return read;
  const { array, slots, hits } = read.value;
  const isHit = new Set(slots.map(({ start }) => start));
  const places = elements(text, array).map(({ start }) => isHit.has(start));

  const nodes: { readonly array: Span; readonly slots: readonly Span[] }[] = [];
  for (const one of lists) {
    const own = spanAt(text, one.path);
    const all = typeof own === "object" ? elements(text, own).map((element) => nodeAt(text, element, one)) : [];
    const spans = all.filter((span) => span !== undefined);
    // The same items once as edges and once as nodes: without one of them the other cannot follow.
    if (typeof own !== "object" || all.length !== places.length || spans.length !== all.length) {
      return bypass("reply_not_search", `${one.path.join(".")} holds other nodes than ${list.path.join(".")}`);
    }
    nodes.push({ array: own, slots: spans.filter((_, i) => places[i]) });
  }
  return ok({ hits, bypass: undefined, edits: (order) => nodes.flatMap((one) => refill(text, one.array, one.slots, order)) });
}

function nodeAt(text: JsonText, element: Span, { nodeKey }: ProductList): Span | undefined {
  const node = nodeKey === undefined ? element : spanAt(text, [nodeKey], element);
  return typeof node === "object" && kindOf(text, node) === "object" ? node : undefined;
}

/** Articles and pages keep their places: with an id as pinned hits, without one as what is no hit. */
function hitReader({ list, typeKey, gidKey, isAlways, readItem }: ProductKeys): HitReader {
  return (text, element) => {
    const node = nodeAt(text, element, list);
    if (node === undefined) return "no node";
    const textAt = (key: string | undefined): string => {
      const at = key === undefined ? undefined : spanAt(text, [key], node);
      return (typeof at === "object" ? readString(text, at) : undefined) ?? "";
    };
    const gid = textAt(gidKey);
    const type = isAlways ? "Product" : textAt(typeKey) || GLOBAL_ID.exec(gid)?.[1];
    if (type !== "Product") return gid === "" ? undefined : { itemId: gid, score: undefined, isPinned: true, values: undefined };
    const item = readItem(text, node);
    return typeof item === "string" ? item : { ...item, score: undefined, isPinned: false };
  };
}

function describeError(_: number, type: string, message: string): EngineError {
  const body = { errors: [{ message, extensions: { code: type.toUpperCase() } }] };
  return { headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}
