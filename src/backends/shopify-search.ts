/**
 * The searches of a GraphQL document for Shopify's Storefront API: the arguments of `search` and `predictiveSearch`, and the keys under which
 * the reply will hold their products.
 *
 * Nothing is added to a document, because clients compile against the shape of its reply. A search whose document does not ask for the ids
 * of its items is left alone.
 */
import type { Bypass, Result } from "../result.ts";
import { err, ok } from "../result.ts";
import type { DialectOptions, SearchPlan } from "./dialect.ts";
import type { Field, GraphqlDocument, Operation } from "./graphql-document.ts";
import { chooseOperation, isQuery } from "./graphql-document.ts";
import { hitReader } from "./indexes.ts";
import type { HitReader } from "./json/reply.ts";
import type { JsonObject } from "./json/request.ts";
import { leave, leftToEngine, plainPlan, textOf } from "./json/request.ts";

/** A global id: `gid://shopify/Product/7000000000001`. */
const DEFAULT_ID_FIELD = "id";

/** Of `predictiveSearch`; `search` has none. */
const DEFAULT_LIMIT = 10;

/** Arguments that name the page. */
const PAGING: ReadonlySet<string> = new Set(["first", "last", "after", "before", "limit"]);
const CURSORS = ["after", "before", "last"] as const;

/** A list of a reply that holds the products of a search. */
export interface ProductList {
  /** Keys from the root to the array. */
  readonly path: readonly string[];
  /** In the array's elements, which are edges; `undefined` where they are the nodes themselves. */
  readonly nodeKey: string | undefined;
}

/** How one of the lists names its items. */
export interface ProductKeys {
  readonly list: ProductList;
  /** Keys of `__typename` and `id` in a node, where they are asked for. */
  readonly typeKey: string | undefined;
  readonly gidKey: string | undefined;
  /** All nodes are products. */
  readonly isAlways: boolean;
  readonly readHit: HitReader;
}

export interface ProductSearch {
  readonly plan: SearchPlan;
  /** Several lists of one length hold the same products, as edges and as nodes. */
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

/** Shared by all searches of one document. */
interface Context {
  readonly operation: Operation;
  readonly index: string;
  readonly options: DialectOptions;
  /** Part of every identity: the version, and the buyer's country and language. */
  readonly scope: unknown;
}

/** Searches for products, in the order of the document. Errors say why the document is left to the engine. */
export function readSearches(asked: AskedDocument, index: string, options: DialectOptions): Result<readonly ProductSearch[], string> {
  const chosen = chooseOperation(asked.document, asked.operationName, asked.variables);
  if (!chosen.ok) return chosen;
  const operation = chosen.value;
  if (!isQuery(operation.node)) return err(`A ${operation.node.operation} is not a search`);
  // Rather once too often: the word may be part of a text.
  if (asked.source.includes("@defer")) return err("With @defer the reply comes in parts");
  const contexts = operation.node.directives?.map((directive) => [directive.name.value, operation.argumentsOf(directive)]) ?? [];
  const context: Context = { operation, index, options, scope: [asked.path, contexts] };
  const searches = operation.fieldsOf([operation.node.selectionSet]).flatMap((field) => {
    if (field.name !== "search" && field.name !== "predictiveSearch") return [];
    return readSearch(field, operation.argumentsOf(field.node), context) ?? [];
  });
  return ok(searches);
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
  if (doubt !== undefined) return left(`${field.key} depends on ${doubt}`);
  const limit = isPredictive ? (asked["limit"] ?? DEFAULT_LIMIT) : (asked["first"] ?? asked["last"]);
  if (typeof limit !== "number" || !Number.isSafeInteger(limit) || limit < 0)
    return left(`${field.key}: ${JSON.stringify(limit)} products`);

  const isAlways = isPredictive || (types !== null && wanted.every((type) => type === "PRODUCT"));
  const found = findProducts(lists, isAlways, context);
  const queryText = textOf(asked["query"]);
  const plan = plainPlan({
    index,
    queryText,
    offset: 0,
    limit,
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

/** The first list in which items have ids. The error names the field that is not asked for. */
function findProducts(
  lists: readonly AskedList[],
  isAlways: boolean,
  { operation, options }: Context,
): Result<{ readonly keys: ProductKeys; readonly fields: unknown }, string> {
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
