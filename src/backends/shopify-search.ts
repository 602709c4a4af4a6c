/**
 * The searches of a GraphQL document for Shopify's Storefront API: what `search` and `predictiveSearch` are asked for, and under which keys
 * their products will stand in the reply.
 *
 * Nothing is added to a document: a reply has the shape that its client compiled against. A search whose items cannot be told apart by what
 * the document asks for is left alone.
 */
import type { Bypass } from "../result.ts";
import type { DialectOptions, SearchPlan } from "./dialect.ts";
import type { Field, GraphqlDocument, Operation } from "./graphql-document.ts";
import { chooseOperation, isQuery } from "./graphql-document.ts";
import type { HitItemReader } from "./hit-fields.ts";
import { hitItemReader } from "./hit-fields.ts";
import { leave, leftToEngine, NO_UBI } from "./json-request.ts";
import type { JsonObject } from "./json-values.ts";
import { textOf } from "./json-values.ts";

/** A global id: `gid://shopify/Product/7000000000001`. */
const DEFAULT_ID_FIELD = "id";

/** Of `predictiveSearch`; `search` has none. */
const DEFAULT_LIMIT = 10;

/** Arguments that say which page. */
const PAGING: ReadonlySet<string> = new Set(["first", "last", "after", "before", "limit"]);
const CURSORS = ["after", "before", "last"] as const;

/** One of the places at which a reply holds the products of a search. */
export interface ProductList {
  /** Keys from the root to the array. */
  readonly path: readonly string[];
  /** In the array's elements, which are edges; `undefined` where they are the nodes themselves. */
  readonly nodeKey: string | undefined;
}

/** How one of the lists names its items. */
export interface ProductKeys {
  readonly list: ProductList;
  /** Of `__typename` and `id` in a node, where they are asked for. */
  readonly typeKey: string | undefined;
  readonly gidKey: string | undefined;
  /** No other kind was asked for. */
  readonly isAlways: boolean;
  readonly readItem: HitItemReader;
}

export interface ProductSearch {
  readonly plan: SearchPlan;
  /** All of one length: the same products once as edges and once as nodes. */
  readonly lists: readonly ProductList[];
  /** `undefined` where no product can be read, for which the plan has its reason. */
  readonly product: ProductKeys | undefined;
}

export interface AskedDocument {
  readonly document: GraphqlDocument;
  readonly source: string;
  readonly operationName: string | undefined;
  readonly variables: JsonObject;
  /** With the version of the API. */
  readonly path: string;
}

/** What all searches of one document share. */
interface Context {
  readonly operation: Operation;
  readonly index: string;
  readonly options: DialectOptions;
  /** Part of every identity: the version, and the buyer's country and language. */
  readonly scope: unknown;
}

/** Searches for products, in the order of the document; a text says why it is for the engine alone to read. */
export function readSearches(asked: AskedDocument, index: string, options: DialectOptions): readonly ProductSearch[] | string {
  const operation = chooseOperation(asked.document, asked.operationName, asked.variables);
  if (typeof operation === "string") return operation;
  if (!isQuery(operation.node)) return `A ${operation.node.operation} is no search`;
  // Rather once too often: the word may stand in a text.
  if (asked.source.includes("@defer")) return "With @defer the reply comes in parts";
  const contexts = operation.node.directives?.map((one) => [one.name.value, operation.argumentsOf(one)]) ?? [];
  const context: Context = { operation, index, options, scope: [asked.path, contexts] };
  return operation.fieldsOf([operation.node.selectionSet]).flatMap((field) => {
    if (field.name !== "search" && field.name !== "predictiveSearch") return [];
    return readSearch(field, operation.argumentsOf(field.node), context) ?? [];
  });
}

/** `undefined` where it is no search for products. */
function readSearch(field: Field, asked: JsonObject, context: Context): ProductSearch | undefined {
  const { operation, index } = context;
  const { types = null } = asked;
  const wanted: readonly unknown[] = Array.isArray(types) ? types : [types];
  if (types !== null && !wanted.includes("PRODUCT")) return undefined;
  const isPredictive = field.name === "predictiveSearch";
  const lists = listsOf(field, operation);
  if (isPredictive && lists.length === 0) return undefined;

  const doubt = field.doubt ?? lists.find((one) => one.doubt !== undefined)?.doubt;
  const left = (detail: string): ProductSearch => ({ plan: leftToEngine(index, detail), lists, product: undefined });
  if (doubt !== undefined) return left(`${field.key} hangs on ${doubt}`);
  const limit = isPredictive ? (asked["limit"] ?? DEFAULT_LIMIT) : (asked["first"] ?? asked["last"]);
  if (typeof limit !== "number" || !Number.isSafeInteger(limit) || limit < 0)
    return left(`${field.key}: ${JSON.stringify(limit)} products`);

  const isAlways = isPredictive || (types !== null && wanted.every((type) => type === "PRODUCT"));
  const found = findProducts(lists, isAlways, context);
  const queryText = textOf(asked["query"]);
  return {
    plan: {
      index,
      queryText,
      offset: 0,
      limit,
      isCursored: true,
      bypass:
        reasonToLeave(asked, lists, limit, queryText) ?? (typeof found === "string" ? leave("request_not_understood", found) : undefined),
      history: [],
      ubi: NO_UBI,
      identity: JSON.stringify([
        context.scope,
        field.name,
        Object.entries(asked).filter(([name]) => !PAGING.has(name)),
        typeof found === "string" ? found : found.fields,
      ]),
    },
    lists,
    product: typeof found === "string" ? undefined : found.keys,
  };
}

interface AskedList extends ProductList {
  readonly below: Field["below"];
  readonly doubt: string | undefined;
}

/** Aliases can name each of them, and more than once. */
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

/** Reasons before those that are about the keys of items. */
function reasonToLeave(asked: JsonObject, lists: readonly ProductList[], limit: number, queryText: string | undefined): Bypass | undefined {
  const cursor = CURSORS.find((name) => (asked[name] ?? null) !== null);
  if (cursor !== undefined) return leave("cursor", cursor);
  const sortKey = asked["sortKey"] ?? "RELEVANCE";
  if (sortKey !== "RELEVANCE") return leave("explicit_sort", `sortKey is ${JSON.stringify(sortKey)}`);
  if (asked["reverse"] === true) return leave("explicit_sort", "reverse");
  if (limit === 0 || lists.length === 0) return leave("size_zero", "No products are asked for");
  if (queryText === undefined) return leave("no_query_text", "query is empty");
  return undefined;
}

/** Fields of products: of their own type, and of what they have in common with articles and pages. */
const isOfProducts = (type: string): boolean => type !== "Article" && type !== "Page";

/** The first list in which items can be known; a text says what none of them asks for. */
function findProducts(
  lists: readonly AskedList[],
  isAlways: boolean,
  { operation, options }: Context,
): { readonly keys: ProductKeys; readonly fields: unknown } | string {
  const idField = options.idField ?? DEFAULT_ID_FIELD;
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
    const readItem = hitItemReader({ idField: idKeys, hitFields }, idKeys);
    return { keys: { list, typeKey, gidKey, isAlways, readItem }, fields: [idKeys, hitFields] };
  }
  return problem;
}

/**
 * Keys under which a reply will hold a path of the schema's fields. A step may also be an alias: of the metafields of a product, each has
 * one.
 */
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
