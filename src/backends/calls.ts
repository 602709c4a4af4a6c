/**
 * Calls that a stock page makes beside its searches: health checks, values of a facet, documents, recommendations. Each dialect lists its own, and
 * what is not listed has no route.
 *
 * A listed call goes to the engine as it came and comes back as it is. With the edge's own key only what a search could show as well, piece by
 * piece: documents by their ids, counts, facets, never a whole index at once, and nothing that writes or stays open. All others need the client's
 * own key. The path that is sent is written anew from the pattern, so no client can write one.
 */
import { err, ok, type Result } from "../result.ts";
import { type Check, notPassedOn, type Said } from "./allowed.ts";
import type { CallMethod, CallRequest, DialectOptions, PlannedCall, Refusal, SideCall } from "./dialect.ts";
import { searchOf } from "./json/edits.ts";
import { type Body, bodyOf, listedObjects, paramsOf } from "./json/request.ts";
import { member } from "./json/values.ts";
import { excessOf } from "./limits.ts";

/** What a client says in a call. */
export interface SaidInCall extends Said {
  /** Of the path, decoded. */
  readonly names: Readonly<Record<string, string>>;
  /** Objects of `list`. */
  readonly objects: readonly Body[];
  readonly request: CallRequest;
}

/** One call of an engine. */
export interface Call {
  readonly methods: readonly CallMethod[];
  /** A pattern of Hono: `:index` is a configured index, `:all` a star, anything else a name inside of the index. */
  readonly path: string;
  /** With the edge's own key, why it must not be sent; absent: it needs the client's own. */
  readonly own?: ((index: string, said: SaidInCall) => Refusal | undefined) | undefined;
  /** The body lists objects that name their indexes. */
  readonly list?: { readonly list: string; readonly name: string } | undefined;
  /** A shop may have a page at this path, which goes before (STOREFRONT_URL). */
  readonly isShops?: boolean | undefined;
}

interface CallOptions {
  readonly indexes: ReadonlyMap<string, DialectOptions>;
  /** The engine's name of the error for an unknown index. */
  readonly notFound: string;
  /** Parameters of any URL, in lower case, in which clients speak of themselves. What of it is a key, engine.ts withholds. */
  readonly aboutClient?: ReadonlySet<string> | undefined;
}

export function sideCalls(options: CallOptions, calls: readonly Call[]): readonly SideCall[] {
  return calls.map((call) => {
    const { methods, path, own, isShops } = call;
    return { methods, path, isShops, isOpen: own !== undefined, plan: (request) => planCall(call, request, options) };
  });
}

export const ASK_ENGINE = "ask the engine's own host for it, or let the index forward the client's own key (forwardCredentials)";

function planCall(call: Call, request: CallRequest, { indexes, notFound, aboutClient }: CallOptions): Result<PlannedCall, Refusal> {
  const path = pathOf(call.path, request.names);
  if (path === undefined) return refuse(400, "bad_request", "A name in the path is empty, or holds a character that a path cannot carry");
  const excess = excessOf(request);
  if (excess !== undefined) return refuse(400, "illegal_argument_exception", excess);
  const listed = call.list === undefined ? ok(undefined) : listedObjects(request, call.list.list);
  if (!listed.ok) return listed;
  const objects = listed.value?.objects ?? [];
  const named = namesIn(call, request, objects) ?? anyOf(call, indexes);
  for (const name of named) {
    if (typeof name !== "string" || !indexes.has(name)) {
      const shown = typeof name === "string" ? name.slice(0, 64) : JSON.stringify(name);
      return refuse(404, notFound, `No such index [${shown}]: add it to INDEXES, with window = 0 to pass it on`);
    }
  }
  const found = named.filter((name) => typeof name === "string");
  const withOwnKey = found.filter((name) => indexes.get(name)?.forwardCredentials !== true);
  if (found.length === 0 || (withOwnKey.length > 0 && call.own === undefined)) {
    return refuse(403, "forbidden", `${request.method} ${path} is closed with this edge's own key: ${ASK_ENGINE}`);
  }
  const params = paramsOf(request.search);
  const { body } = request;
  if (withOwnKey.length > 0) {
    const read = listed.value === undefined ? bodyOf(body) : ok(listed.value.body);
    if (!read.ok) return err(notPassedOn(read.error));
    const asked = params.filter(({ key }) => aboutClient?.has(key.toLowerCase()) !== true);
    const said = { params: asked, body: read.value, names: request.names, objects, request };
    for (const name of withOwnKey) {
      const refusal = call.own?.(name, said);
      if (refusal !== undefined) return err(refusal);
    }
  }
  const hasBody = body.length > 0 && request.method !== "HEAD";
  // fetch cannot send a body with GET.
  const method = request.method === "GET" && hasBody ? "POST" : request.method;
  const search = searchOf(params.map(({ raw }) => raw));
  return ok({ indexes: found, request: { method, path, search, body: hasBody ? body : undefined } });
}

/** Names that the path or the body gives; `undefined` where neither has a place for them. */
function namesIn({ path, list }: Call, { names }: CallRequest, objects: readonly Body[]): readonly unknown[] | undefined {
  if (path.includes("/:index")) return [names["index"]];
  return list && [...new Set(objects.map(({ values }) => member(values, list.name)))];
}

/** For a call that names no index: with the edge's key the first, else all with the client's. */
function anyOf({ own }: Call, indexes: ReadonlyMap<string, DialectOptions>): readonly string[] {
  const names = [...indexes.keys()];
  return own === undefined ? names.filter((name) => indexes.get(name)?.forwardCredentials === true) : names.slice(0, 1);
}

/** Not what leads elsewhere, or what servers could decode once more. */
const SEGMENT = /^(?!\.{1,2}$)[^\p{Cc}/\\%?#;]+$/u;

function pathOf(pattern: string, names: CallRequest["names"]): string | undefined {
  const parts = pattern.split("/").map((part) => {
    if (!part.startsWith(":")) return part;
    const name = names[part.slice(1)] ?? "";
    if (part === ":all") return name === "*" ? name : undefined;
    return SEGMENT.test(name) ? encodeURIComponent(name.toWellFormed()) : undefined;
  });
  return parts.includes(undefined) ? undefined : parts.join("/");
}

const refuse = (status: Refusal["status"], type: string, message: string): Result<never, Refusal> => err({ status, type, message });

const METHODS: readonly CallMethod[] = ["GET", "HEAD", "POST", "DELETE"];

/** Calls that need the client's own key: a line for each, `GET|POST /path`. */
export function ofClients(lines: string): readonly Call[] {
  return lines.split("\n").map((line) => {
    const [names = "", path = ""] = line.trim().split(" ");
    return { methods: METHODS.filter((method) => names.split("|").includes(method)), path };
  });
}

/** A call without a body. */
export const inUrl =
  (check: Check) =>
  (index: string, { params, body }: SaidInCall): Refusal | undefined =>
    check(index, { params, body: undefined }) ?? (body === undefined ? undefined : notPassedOn("A body"));

/** A call that says everything in its body. */
export const inBody =
  (check: Check) =>
  (index: string, { params, body }: SaidInCall): Refusal | undefined =>
    params.length > 0 ? notPassedOn(`The parameter ${JSON.stringify(params[0]?.key)} in the URL`) : check(index, { params, body });

/** A name that can only be a document's: engines have words of their own in its place (`settings`, `export`), none with a digit. */
const NO_WORD = /\d/;

/** For a document by its id in the path. `isId`: whether the engine takes the name for an id and nothing else. */
export const documentIn =
  (check: Check, isId = NO_WORD) =>
  (index: string, said: SaidInCall): Refusal | undefined =>
    isId.test(said.names["id"] ?? "")
      ? inUrl(check)(index, said)
      : notPassedOn("This id could be another path of the engine: it is not passed on");
