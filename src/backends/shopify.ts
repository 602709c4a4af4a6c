/**
 * Shopify's Storefront API: GraphQL at `POST /api/<version>/graphql.json`, where a shop's front end asks for everything, searches among it.
 *
 * Pages follow each other by cursors, so a search is re-ranked within its page: nodes move, the i-th edge keeps the i-th cursor. The same
 * address takes mutations, so with the edge's own key only searches pass; everything else passes with the client's key only. Nothing is
 * added to a document, because clients compile against the shape of its reply: one that does not ask for the ids of its items is left alone.
 */
import { bypass, type Bypass, err, ok, type Result } from "../result.ts";
import {
  type ClientRequest,
  type DialectOptions,
  type EngineRequest,
  jsonError,
  type Refusal,
  type RequestPlan,
  type SearchPlan,
  SITE_HEADERS,
} from "./dialect.ts";
import { defineDialect, hitReader, type IndexDefinition, type IndexOptions } from "./dialects.ts";
import { productFilters } from "./filters.ts";
import { chooseOperation, type Field, isQuery, type Operation } from "./graphql-document.ts";
import { refill } from "./json/edits.ts";
import { leave, leftToEngine, ownRequest, plainPlan } from "./json/plan.ts";
import { type HitReader, parseOne, type PartReader, readHits, replyOf, type ReplyPart, scanReply, valuesIn } from "./json/reply.ts";
import { elements, findAt, type JsonText, kindOf, readString, type Span, spanAt } from "./json/spans.ts";
import { type JsonObject, textOf } from "./json/values.ts";
import { type Asked, beyondSearch, PASS_ALL, readBody } from "./shopify/body.ts";

/** Versions are quarters; an older client (js-buy-sdk) leaves out the ending. */
const PATH = /^\/api\/(?:\d{4}-\d{2}|unstable)\/graphql(?:\.json)?$/;

/** The type is a part of every global id. */
const GLOBAL_ID = /^gid:\/\/shopify\/(\w+)\//;

/** Arguments that name the page. */
const PAGING: ReadonlySet<string> = new Set(["first", "last", "after", "before", "limit"]);

export const SHOPIFY = defineDialect({
  names: ["shopify"],
  /** Requests name no index: the only one that is configured is meant. Throws where there is none. */
  create(indexes) {
    const [only] = indexes;
    if (only === undefined) throw new Error("No index speaks this dialect");
    const [index, options] = only;
    return {
      name: "shopify",
      routes: [
        { path: "/api/:version/graphql.json", methods: ["POST"] },
        { path: "/api/:version/graphql", methods: ["POST"] },
      ],
      calls: [],
      credentials: {
        // The edge's key is a secret. A public token is not, and may be in the configuration's headers.
        header: "shopify-storefront-private-token",
        clientHeaders: [
          "x-shopify-storefront-access-token",
          "shopify-storefront-private-token",
          // Signed by Shopify.
          "x-shopify-client-ip",
          "x-shopify-client-ip-sig",
          ...SITE_HEADERS,
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
      addressHeader: "shopify-storefront-buyer-ip",
      plan: (request) => planRequest(request, index, options),
      describeError: (_, type, message) => jsonError({ errors: [{ message, extensions: { code: type.toUpperCase() } }] }),
    };
  },
  limits: { maxWindow: 250, maxIndexes: 1 },
});

/**
 * A shop's Storefront API. Its requests name no index, so an edge can have one.
 *
 * @example
 * const products = shopify({ url: "https://shop.myshopify.com", window: 100, authorization: env.STOREFRONT_TOKEN });
 */
export function shopify(options: IndexOptions): IndexDefinition {
  return { ...options, dialect: SHOPIFY, backend: "shopify" };
}

function planRequest(request: ClientRequest, index: string, options: DialectOptions): Result<RequestPlan, Refusal> {
  const { path } = request;
  if (!PATH.test(path)) return err({ status: 404, type: "not_found", message: `No such path ${path}: use /api/2026-07/graphql.json` });
  const asked = readBody(request.body);
  const own: EngineRequest = { ...ownRequest(request, path), body: request.body };
  if (options.forwardCredentials === true) return ok(planSearches(own, asked, index, options));

  if (!asked.ok) return refuse(asked.error);
  const [param] = own.search.slice(1).split("&");
  if (own.search !== "") return refuse(`The parameter ${param} is not passed on: take it out, ${PASS_ALL}`);
  const more = beyondSearch(asked.value);
  if (more !== undefined) return refuse(more);
  // A form that looks like JSON could hold a second query.
  return ok(planSearches({ ...own, contentType: asked.value.contentType }, asked, index, options));
}

function refuse(message: string): Result<RequestPlan, Refusal> {
  return err({ status: 400, type: "bad_request", message });
}

function planSearches(own: EngineRequest, asked: Result<Asked, string>, index: string, options: DialectOptions): RequestPlan {
  const read = asked.ok ? readSearches(asked.value, own.path + own.search, index, options) : asked;
  const searches = read.ok ? read.value : [];
  const [first, ...more] = searches;
  // A search with cursors is never widened.
  const shared = { own, widen: () => own };
  if (first === undefined) {
    const plan = leftToEngine(index, read.ok ? "No search in it" : read.error);
    return { ...shared, searches: [plan], isMulti: false, parseReply: () => bypass("reply_not_search", "No search was asked for") };
  }
  const readers = searches.map(partReader);
  return {
    ...shared,
    searches: searches.map(({ plan }) => plan),
    isMulti: more.length > 0,
    parseReply(bytes) {
      if (more.length === 0) return parseOne(bytes, readers[0]!);
      const text = scanReply(bytes);
      if (!text.ok) return text;
      const parts = readers.map((readPart) => readPart(text.value, text.value.root));
      return ok(replyOf(text.value, parts));
    },
  };
}

/** A list of a reply that holds the products of a search. */
interface ProductList {
  /** Keys from the root to the array. */
  readonly path: readonly string[];
  /** In the array's elements, which are edges; `undefined` where they are the nodes themselves. */
  readonly nodeKey: string | undefined;
}

/** How one of the lists names its items. */
interface ProductKeys {
  readonly list: ProductList;
  /** Keys of `__typename` and `id` in a node, where they are asked for. */
  readonly typeKey: string | undefined;
  readonly gidKey: string | undefined;
  /** All nodes are products. */
  readonly isAlways: boolean;
  readonly readHit: HitReader;
}

interface ProductSearch {
  readonly plan: SearchPlan;
  /** Several lists of one length hold the same products, as edges and as nodes. */
  readonly lists: readonly ProductList[];
  /** `undefined` where no product can be read, for which the plan has its reason. */
  readonly product: ProductKeys | undefined;
}

/** Shared by all searches of one document. */
interface Context {
  readonly operation: Operation;
  readonly index: string;
  readonly options: DialectOptions;
  /** Part of every identity: the version, and the buyer's country and language. */
  readonly scope: unknown;
}

/** `path`: with the version of the API and the parameters. Searches for products, in the order of the document. Errors say why the document is left to the engine. */
function readSearches(asked: Asked, path: string, index: string, options: DialectOptions): Result<readonly ProductSearch[], string> {
  const chosen = chooseOperation(asked.document, asked.operationName, asked.variables);
  if (!chosen.ok) return chosen;
  const operation = chosen.value;
  if (!isQuery(operation.node)) return err(`A ${operation.node.operation} is not a search`);
  // Rather once too often: the word may be part of a text.
  if (asked.source.includes("@defer")) return err("With @defer the reply comes in parts");
  const contexts = operation.node.directives?.map((directive) => [directive.name.value, operation.argumentsOf(directive)]) ?? [];
  const context: Context = { operation, index, options, scope: [path, contexts] };
  const searches = operation.fieldsOf([operation.node.selectionSet]).flatMap((field) => {
    if (field.name !== "search" && field.name !== "predictiveSearch") return [];
    return readSearch(field, operation.argumentsOf(field.node), context) ?? [];
  });
  return operation.isTooMuch() ? err("The document uses its fragments or variables too often") : ok(searches);
}

/** `undefined` for a search that is not for products. */
function readSearch(field: Field, asked: JsonObject, context: Context): ProductSearch | undefined {
  const { operation, index } = context;
  const { types = null } = asked;
  const wanted: readonly unknown[] = Array.isArray(types) ? types : [types];
  if (types !== null && !wanted.includes("PRODUCT")) return undefined;
  const isPredictive = field.name === "predictiveSearch";
  const lists = listsOf(field, operation);
  if (isPredictive && lists.length === 0) return undefined;

  const doubt = field.doubt ?? lists.find((list) => list.doubt !== undefined)?.doubt;
  const left = (detail: string): ProductSearch => ({ plan: leftToEngine(index, detail), lists, product: undefined });
  if (doubt !== undefined) return left(`"${field.key}" depends on "${doubt}"`);
  const limit = isPredictive ? (asked["limit"] ?? 10) : (asked["first"] ?? asked["last"]);
  if (typeof limit !== "number" || !Number.isSafeInteger(limit) || limit < 0)
    return left(`"${field.key}" is asked for without a number of products`);

  const isAlways = isPredictive || (types !== null && wanted.every((type) => type === "PRODUCT"));
  const found = findProducts(lists, isAlways, context);
  const queryText = textOf(asked["query"]);
  const plan = plainPlan({
    index,
    queryText,
    offset: 0,
    limit,
    filters: () => productFilters(asked["productFilters"]),
    isCursored: true,
    bypass: reasonToLeave(asked, lists, limit, queryText) ?? (found.ok ? undefined : leave("request_not_understood", found.error)),
    identity: JSON.stringify([
      context.scope,
      field.name,
      Object.entries(asked).filter(([name]) => !PAGING.has(name)),
      found.ok ? found.value.fields : found.error,
    ]),
  });
  return { plan, lists, product: found.ok ? found.value.keys : undefined };
}

interface AskedList extends ProductList {
  readonly below: Field["below"];
  readonly doubt: string | undefined;
}

/** A document may ask for each of them several times, by aliases. */
function listsOf(search: Field, operation: Operation): readonly AskedList[] {
  return operation.fieldsOf(search.below).flatMap((field): readonly AskedList[] => {
    const path = ["data", search.key, field.key];
    const { below, doubt } = field;
    if (field.name === (search.name === "search" ? "nodes" : "products")) return [{ path, nodeKey: undefined, below, doubt }];
    if (field.name !== "edges") return [];
    const nodes = operation.fieldsOf(below).filter(({ name }) => name === "node");
    return nodes.map((node) => ({ path, nodeKey: node.key, below: node.below, doubt: doubt ?? node.doubt }));
  });
}

/** Reasons that come before a missing id. */
function reasonToLeave(asked: JsonObject, lists: readonly ProductList[], limit: number, queryText: string | undefined): Bypass | undefined {
  const cursor = ["after", "before", "last"].find((name) => (asked[name] ?? null) !== null);
  if (cursor !== undefined) return leave("cursor", cursor);
  const sortKey = asked["sortKey"] ?? "RELEVANCE";
  if (sortKey !== "RELEVANCE") return leave("explicit_sort", "sortKey is another than RELEVANCE");
  if (asked["reverse"] === true) return leave("explicit_sort", "reverse");
  if (limit === 0 || lists.length === 0) return leave("size_zero", "No products are asked for");
  if (queryText === undefined) return leave("no_query_text", "query is empty");
  return undefined;
}

/** Fields of products: of their own type, and of what they have in common with articles and pages. */
const isOfProducts = (type: string): boolean => type !== "Article" && type !== "Page";

/** The first list in which items have ids. The error names the field that is not asked for. */
function findProducts(
  lists: readonly AskedList[],
  isAlways: boolean,
  { operation, options }: Context,
): Result<{ readonly keys: ProductKeys; readonly fields: unknown }, string> {
  // By default a global id: `gid://shopify/Product/7000000000001`.
  const idField = options.idField ?? "id";
  let problem = `The document does not ask for ${idField}, by which items are known`;
  for (const list of lists) {
    const keysTo = (path: string): string | undefined => keysOf(operation, list.below, path.split("."))?.join(".");
    const idKeys = keysTo(idField);
    if (idKeys === undefined) continue;
    const typeKey = keysTo("__typename");
    const gidKey = keysTo("id");
    if (!isAlways && typeKey === undefined && gidKey === undefined) {
      problem = "The document asks for neither __typename nor id, by which products are known among articles and pages";
      continue;
    }
    const hitFields = Object.fromEntries(
      Object.entries(options.hitFields ?? {}).map(([name, path]) => [name, path === undefined ? undefined : (keysTo(path) ?? path)]),
    );
    const readHit = hitReader({ idField: idKeys, hitFields }, (_text, _slot, itemId, values) =>
      ok({ itemId, score: undefined, isPinned: false, values }),
    );
    return ok({ keys: { list, typeKey, gidKey, isAlways, readHit }, fields: [idKeys, hitFields] });
  }
  return err(problem);
}

/** The keys under which a reply will hold a path of the schema's fields. A step may also be an alias, as each metafield of a product has. */
function keysOf(operation: Operation, below: Field["below"], path: readonly string[]): readonly string[] | undefined {
  const [step, ...rest] = path;
  if (step === undefined) return [];
  const fields = operation.fieldsOf(below, isOfProducts).filter(({ doubt }) => doubt === undefined);
  const field =
    fields.find(({ key, name }) => key === step && name === step) ??
    fields.find(({ name }) => name === step) ??
    fields.find(({ key }) => key === step);
  const keys = field === undefined ? undefined : keysOf(operation, field.below, rest);
  return field === undefined || keys === undefined ? undefined : [field.key, ...keys];
}

function partReader(search: ProductSearch): PartReader {
  return (text) => {
    const errors = findAt(text, ["errors"]);
    const isFaultless = errors.ok && (errors.value === undefined || kindOf(text, errors.value) === "null");
    return isFaultless ? partAt(text, search) : bypass("reply_not_search", "The reply has errors, which refer to positions in it");
  };
}

function partAt(text: JsonText, { lists, product }: ProductSearch): Result<ReplyPart, Bypass> {
  if (product === undefined) return bypass("reply_not_search", "No products were asked for");
  const { list } = product;
  const read = readHits(text, list.path, text.root, productReader(product));
  if (!read.ok) return read;
  const { array, slots, hits } = read.value;
  const isHit = new Set(slots.map(({ start }) => start));
  const areHits = elements(text, array).map(({ start }) => isHit.has(start));

  const nodes: { readonly array: Span; readonly slots: readonly Span[] }[] = [];
  for (const other of lists) {
    const own = spanAt(text, other.path);
    const all = own === undefined ? [] : elements(text, own).map((element) => nodeAt(text, element, other));
    const spans = all.filter((span) => span !== undefined);
    // The same items once as edges and once as nodes: without one of them the other cannot follow.
    if (own === undefined || all.length !== areHits.length || spans.length !== all.length) {
      return bypass("reply_not_search", `${other.path.join(".")} holds other nodes than ${list.path.join(".")}`);
    }
    nodes.push({ array: own, slots: spans.filter((_, i) => areHits[i]) });
  }
  return ok({
    hits,
    bypass: undefined,
    edits: (order) => nodes.flatMap((own) => refill(text, own.array, own.slots, order)),
    valuesOf: (hit, path) => valuesIn(text, nodeAt(text, slots[hit]!, list) ?? slots[hit]!, path),
  });
}

function nodeAt(text: JsonText, element: Span, { nodeKey }: ProductList): Span | undefined {
  const node = nodeKey === undefined ? element : spanAt(text, [nodeKey], element);
  return node !== undefined && kindOf(text, node) === "object" ? node : undefined;
}

/** Articles and pages keep their positions: with an id as pinned hits, without one as other elements. */
function productReader({ list, typeKey, gidKey, isAlways, readHit }: ProductKeys): HitReader {
  return (text, element) => {
    const node = nodeAt(text, element, list);
    if (node === undefined) return err("no node");
    const textAt = (key: string | undefined): string => {
      const at = key === undefined ? undefined : spanAt(text, [key], node);
      return (at === undefined ? undefined : readString(text, at)) ?? "";
    };
    const gid = textAt(gidKey);
    const type = isAlways ? "Product" : textAt(typeKey) || GLOBAL_ID.exec(gid)?.[1];
    if (type === "Product") return readHit(text, node);
    return ok(gid === "" ? undefined : { itemId: gid, score: undefined, isPinned: true, values: undefined });
  };
}
