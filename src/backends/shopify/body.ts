/**
 * The body of a request to Shopify's Storefront API, and what of it passes with the edge's own key: documents made of searches, and nothing that could
 * name another operation, another document or another key. One address takes all of them, so each level has a table of what is understood.
 */
import { err, ok, type Result } from "../../result.ts";
import { directivesOf, type GraphqlDocument, isQuery, parseDocument, rootFields } from "../graphql-document.ts";
import { bodyOf, utf8Text } from "../json/request.ts";
import { isObject, type JsonObject } from "../json/values.ts";

/** Fields of a search at the root of an operation, with their arguments. */
const SEARCH_FIELDS: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  [
    "search",
    new Set([
      "query",
      "first",
      "last",
      "after",
      "before",
      "prefix",
      "productFilters",
      "reverse",
      "sortKey",
      "types",
      "unavailableProducts",
    ]),
  ],
  ["predictiveSearch", new Set(["query", "limit", "limitScope", "searchableFields", "types", "unavailableProducts"])],
  ["__typename", new Set()],
]);

/** Fields of a page without words. */
const PAGE_FIELDS: ReadonlyMap<string, ReadonlySet<string>> = new Map([["collection", new Set(["handle", "id"])]]);

/** Directives of a search, with their arguments. With a `buyer` the context would have another key, that of a customer. */
const DIRECTIVES: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ["include", new Set(["if"])],
  ["skip", new Set(["if"])],
  ["defer", new Set(["if", "label"])],
  ["inContext", new Set(["country", "language", "preferredLocationId", "visitorConsent"])],
]);

/** Known members of a body; others could ask for something else. */
const BODY_MEMBERS: ReadonlySet<string> = new Set(["query", "variables", "operationName", "extensions"]);

/** What Apollo's client says of itself. */
const EXTENSIONS: ReadonlySet<string> = new Set(["clientLibrary"]);

export const PASS_ALL = "or let the index forward the client's own credential (forwardCredentials), without a key of the edge";

/** A body that could be read. */
export interface Asked {
  readonly document: GraphqlDocument;
  readonly source: string;
  readonly operationName: string | undefined;
  readonly variables: JsonObject;
  readonly contentType: string;
  /** Members of the body that could contradict its document. */
  readonly unknownMembers: readonly string[];
}

/** Errors say why it cannot be read. */
export function readBody(bytes: Uint8Array): Result<Asked, string> {
  const body = bodyOf(bytes);
  if (!body.ok) {
    // The document alone (application/graphql): JSON is never a document, and a document never JSON.
    const source = utf8Text(bytes);
    const document = source === undefined ? body : parseDocument(source);
    if (source === undefined || !document.ok) return body;
    const contentType = "application/graphql";
    return ok({ document: document.value, source, operationName: undefined, variables: {}, contentType, unknownMembers: [] });
  }
  if (body.value === undefined) return err('The body is empty: send {"query":"…"}');
  const { query: source, variables = null, operationName = null, extensions = null } = body.value.values;
  if (typeof source !== "string") return err("query is not a text: send a document");
  if (variables !== null && !isObject(variables)) return err("variables is not an object");
  if (operationName !== null && typeof operationName !== "string") return err("operationName is not a text");
  const document = parseDocument(source);
  if (!document.ok) return document;
  return ok({
    document: document.value,
    source,
    operationName: operationName === null || operationName === "" ? undefined : operationName,
    variables: variables ?? {},
    contentType: "application/json",
    unknownMembers: [
      ...Object.keys(body.value.values).filter((key) => !BODY_MEMBERS.has(key)),
      ...namesBeyond(extensions, EXTENSIONS).map((key) => `extensions.${key}`),
    ],
  });
}

function namesBeyond(value: unknown, known: ReadonlySet<string>): readonly string[] {
  if (value === null) return [];
  return isObject(value) ? Object.keys(value).filter((key) => !known.has(key)) : [JSON.stringify(value).slice(0, 64)];
}

/**
 * Why a request is or could be more than a search; `undefined` for a search. Looks at all operations, whichever is meant. `hasPages`: collections may
 * be asked for too.
 */
export function beyondSearch(asked: Asked, hasPages: boolean): string | undefined {
  const [unknown] = asked.unknownMembers;
  if (unknown !== undefined) return `The member ${unknown} is not passed on: take it out, ${PASS_ALL}`;
  for (const node of asked.document.operations) {
    if (!isQuery(node)) return `A ${node.operation} is not passed on: send it to the shop, ${PASS_ALL}`;
    for (const { name, argumentNames } of rootFields(asked.document, node)) {
      const known = SEARCH_FIELDS.get(name) ?? (hasPages ? PAGE_FIELDS.get(name) : undefined);
      if (known === undefined) return `The field ${name} is not passed on: ask for search and predictiveSearch only, ${PASS_ALL}`;
      const other = argumentNames.find((argument) => !known.has(argument));
      if (other !== undefined) return `The argument ${other} of ${name} is not passed on: take it out, ${PASS_ALL}`;
    }
  }
  for (const { name, arguments: given = [] } of directivesOf(asked.document)) {
    const known = DIRECTIVES.get(name.value);
    if (known === undefined) return `The directive @${name.value} is not passed on: take it out, ${PASS_ALL}`;
    const other = given.find((argument) => !known.has(argument.name.value));
    if (other !== undefined) return `The argument ${other.name.value} of @${name.value} is not passed on: take it out, ${PASS_ALL}`;
  }
  return undefined;
}
