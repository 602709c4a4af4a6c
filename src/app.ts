/**
 * The routes: searches, events, the status page for holders of the admin token, and everything else to the storefront.
 *
 * Reads and limits requests, and checks the token. search.ts serves a search.
 */
import { type Context, Hono, type Next } from "hono";
import { cors } from "hono/cors";
import { basePath } from "hono/route";
import { TrieRouter } from "hono/router/trie-router";
import { getPath } from "hono/utils/url";
import { BODY_REFUSALS, type Message, readSent } from "./backends/body.ts";
import type { Dialect, RequestLimits, SideCall } from "./backends/dialect.ts";
import type { Fetch } from "./backends/engine.ts";
import { headersFromStorefront, headersToStorefront } from "./backends/headers.ts";
import { type Overview, isEmptyDatabase } from "./dashboard/overview.ts";
import { dashboardPage } from "./dashboard/page.ts";
import { parseTreatment } from "./experiment/treatment.ts";
import { BEACON } from "./events/beacon/bundled.ts";
import { type EventsEndpoint, MAX_EVENTS_BYTES, refuseEvents } from "./events/endpoint.ts";
import type { AfterReply } from "./events/sink.ts";
import {
  BEACON_PATH,
  DASHBOARD_PATH,
  EVENT_ROUTES,
  type EventFormat,
  EXPLAIN_PARAM,
  OUTCOME_HEADER,
  OVERVIEW_PATH,
  STATUS_PATH,
  TOKENS_HEADER,
  VARIANT_PARAM,
} from "./protocol.ts";
import { search } from "./search.ts";
import type { EdgeDeps, IndexDeps, SearchRequest } from "./search/contract.ts";
import { lastAddress } from "./search/client-address.ts";
import { passOn } from "./search/pass-on.ts";
import { errorStack, errorText, streamOf, withTimeout } from "./web.ts";

export interface AppDeps {
  readonly edge: EdgeDeps;
  /** Index name → its search; clients can name no other. */
  readonly indexes: ReadonlyMap<string, IndexDeps>;
  readonly requestLimits: RequestLimits;
  readonly adminToken: string | undefined;
  /** Without a slash at its end. */
  readonly storefrontUrl: string | undefined;
  /** Empty: pages of other origins may not search. */
  readonly allowOrigins: readonly string[];
  readonly fetch: Fetch;
  /** Absent: there are no routes for events. */
  readonly events?: EventsEndpoint | undefined;
  /** For /armmt/status. */
  readonly status: () => Promise<object>;
  /** For the dashboard; absent where the events are in no database that can be asked. */
  readonly overview?: (() => Promise<Overview>) | undefined;
  /** Counts one more search (or batch of events) of a client; false beyond its limit. */
  readonly isWithinRate?: ((client: string) => Promise<boolean>) | undefined;
  readonly clientAddress: ClientAddress;
  /** The header in which a proxy of the shop names the client: then nothing else does. */
  readonly clientAddressHeader: string | undefined;
  /** The header in which a proxy of the shop, or Cloudflare, names the client's country. */
  readonly clientCountryHeader: string | undefined;
  /** Default: the request's execution context where there is one, else the work just runs. */
  readonly afterReply?: AfterReply | undefined;
}

/** The address of the client that sent the request, as the runtime saw it, not as the client says; `undefined` where it is unknown. */
export type ClientAddress = (c: Context) => string | undefined;

/** To be served or mounted, also below a prefix. */
export type EdgeApp = Hono & {
  /** Whether searches arrive at this path, not below a prefix, whatever the method. */
  readonly isSearchPath: (path: string) => boolean;
};

export function createApp(deps: AppDeps): EdgeApp {
  // Hono's default router sorts its routes with the first request, and falls back to this one for Elasticsearch's after an error of the quicker
  // router, which takes 3 µs less per request for the routes of other dialects.
  const app = new Hono({ router: new TrieRouter(), getPath: (request) => withoutDoubles(getPath(request)) });
  if (deps.allowOrigins.length > 0) {
    const origin = deps.allowOrigins.includes("*") ? "*" : [...deps.allowOrigins];
    // Any request header is allowed: backends/headers.ts decides which of them go further.
    app.use(cors({ origin, allowMethods: ["GET", "POST", "HEAD"], exposeHeaders: [OUTCOME_HEADER, TOKENS_HEADER], maxAge: 600 }));
  }
  const { events } = deps;
  if (events !== undefined) {
    for (const [path, format] of EVENT_ROUTES) app.post(path, (c) => eventsRoute(c, deps, events, format));
    app.get(BEACON_PATH, (c) => c.body(BEACON, 200, BEACON_HEADERS));
  }
  const dialects = dialectsOf(deps);
  const searchPaths = new TrieRouter<true>();
  for (const { backend } of dialects) {
    for (const { path, methods, isExact } of backend.routes) {
      // Base addresses of clients often end in a slash, and some clients put one behind the path: engines read over it.
      for (const spelling of isExact === true || path.endsWith("/") ? [path] : [path, `${path}/`]) {
        searchPaths.add("ALL", spelling, true);
        app.on([...methods], spelling, (c) => searchRoute(c, deps, backend, spelling !== path));
        const others = new Set<string>(backend.calls.flatMap((call) => (call.path === path ? call.methods : [])));
        app.all(spelling, (c, next) => (others.has(c.req.raw.method) ? next() : otherMethod(c, backend, methods)));
      }
    }
  }
  // Behind the searches of all dialects, whose paths some of these patterns fit.
  for (const { backend } of dialects) {
    for (const call of backend.calls) {
      if (call.isShops === true && deps.storefrontUrl !== undefined) continue;
      // Hono takes HEAD for GET.
      const methods = new Set(call.methods.map((method) => (method === "HEAD" ? "GET" : method)));
      app.on([...methods], call.path, (c, next) => callRoute(c, deps, { backend, call }, next));
    }
  }
  // Requests other than searches are answered in the dialect of the first index, which the clients of this edge are likely to speak.
  const usual = dialects[0]?.backend;
  const forAdmin = (path: string, answer: () => Promise<object>) =>
    app.get(path, async (c) => {
      c.header("cache-control", "no-store");
      if (await isAdmin(c.req.raw.headers, deps.adminToken)) return c.json(await answer());
      c.header("www-authenticate", "Bearer");
      return refuse(
        c,
        usual,
        401,
        "unauthorized",
        "Send the secret ADMIN_TOKEN as `authorization: Bearer <token>`; without that secret this page is closed",
      );
    });
  forAdmin(STATUS_PATH, deps.status);
  if (deps.adminToken !== undefined) {
    app.get(DASHBOARD_PATH, dashboardPage);
    app.get(DASHBOARD_PATH.slice(0, -1), (c) => c.redirect(`${new URL(c.req.url).pathname}/`));
    forAdmin(OVERVIEW_PATH, () => overviewOf(deps));
  }
  const routes = dialects.flatMap(({ backend }) => backend.routes);
  const paths = routes.map(({ path, methods, label }) => `${methods.join("|")} ${label ?? path.replace(":index", "<index>")}`).join(", ");
  app.get("*", (c) => storefrontRoute(c, deps, usual));
  app.notFound((c) =>
    refuse(
      c,
      usual,
      404,
      "not_found",
      `No route for ${c.req.method} ${c.req.path}: ask the engine's own host for it. Searches go to ${paths}`,
    ),
  );
  app.onError((cause, c) => {
    deps.edge.log({ level: "error", event: "internal_error", detail: errorStack(cause) });
    return refuse(c, usual, 500, "internal_error", "The edge failed; its log says why");
  });
  return Object.assign(app, { isSearchPath: (path: string) => searchPaths.match("ALL", withoutDoubles(path))[0].length > 0 });
}

const withoutDoubles = (path: string): string => (path.includes("//") ? path.replaceAll(/\/{2,}/g, "/") : path);

/** What cannot be read is said, not thrown: the rest of the dashboard does not depend on it. */
async function overviewOf({ overview, edge }: AppDeps): Promise<{ readonly problem: string } | Overview> {
  if (overview === undefined)
    return { problem: "This edge writes its events to no database that it can read (D1, or a server's SQLite file)" };
  try {
    return await overview();
  } catch (cause) {
    if (isEmptyDatabase(cause)) return { problem: "Nothing is recorded yet" };
    edge.log({ level: "warn", event: "overview_failed", detail: errorStack(cause) });
    return { problem: `The event database cannot be read: ${errorText(cause)}` };
  }
}

/** Engines tell by OPTIONS what they take; from another origin's page it is the question whether that page may search here. */
function otherMethod(c: Context, backend: Dialect, methods: readonly string[]): Response {
  c.header("allow", methods.join(", "));
  const { method, path } = c.req;
  const origin = c.req.header("origin");
  if (method === "OPTIONS" && origin === undefined) return c.body(null, 200);
  const message =
    method === "OPTIONS"
      ? `Pages of ${origin} may not search here: name that origin in ALLOW_ORIGINS`
      : `${method} is not allowed on ${path}: use ${methods.join(" or ")}`;
  return refuse(c, backend, 405, "method_not_allowed", message);
}

/** Each dialect that an index speaks, with the engine of its first index, in the order of the configuration. */
function dialectsOf({ indexes }: AppDeps): readonly Pick<IndexDeps, "backend">[] {
  const byBackend = new Map<Dialect, IndexDeps>();
  for (const index of indexes.values()) if (!byBackend.has(index.backend)) byBackend.set(index.backend, index);
  return [...byBackend.values()];
}

/** The body of a search or of another call, within its limits; or the answer to a client that sends too many, or one that cannot be read. */
async function receive(c: Context, deps: AppDeps, backend: Dialect): Promise<Uint8Array | Response> {
  if (!(await isWithinRate(deps, addressOf(c, deps), ""))) {
    c.header("retry-after", "60");
    return refuse(c, backend, 429, "too_many_requests", "Too many searches from this address: try again in a minute");
  }
  const { bodyBytes } = deps.requestLimits;
  const sent = bodyOf(c);
  if (sent === undefined)
    return refuse(c, backend, 400, "illegal_argument_exception", "This server cannot read the body of a GET: send the search by POST");
  const body = await readSent(sent, bodyBytes);
  if (body.ok) return body.value;
  const [status, type, message] = BODY_REFUSALS[body.error];
  if (body.error === "broken off") deps.edge.log({ level: "warn", event: "upload_broken_off", to: backend.name });
  return refuse(c, backend, status, type, message(bodyBytes, c.req.raw.headers));
}

/** `isSlashed`: the path ends in a slash that is none of the engine's. */
async function searchRoute(c: Context, deps: AppDeps, backend: Dialect, isSlashed: boolean): Promise<Response> {
  const { headers } = c.req.raw;
  const body = await receive(c, deps, backend);
  if (body instanceof Response) return body;

  const { search: query, searchParams, pathname } = new URL(c.req.url);
  const wantsAdmin = searchParams.has(EXPLAIN_PARAM) || searchParams.has(VARIANT_PARAM);
  const isTrusted = wantsAdmin && (await isAdmin(headers, deps.adminToken));
  // A token that is wrong would otherwise show the live variant as if it were the one that was asked for.
  if (!isTrusted && searchParams.has(VARIANT_PARAM) && BEARER.test(headers.get("authorization") ?? "")) {
    c.header("www-authenticate", "Bearer");
    return refuse(c, backend, 401, "unauthorized", `${VARIANT_PARAM} is for holders of ADMIN_TOKEN, and the Bearer token is another one`);
  }
  const forcedVariant = isTrusted ? (searchParams.get(VARIANT_PARAM) ?? undefined) : undefined;
  const treatment = forcedVariant === undefined ? undefined : parseTreatment(forcedVariant);
  if (treatment?.ok === false) return refuse(c, backend, 400, "illegal_argument_exception", `${VARIANT_PARAM}: ${treatment.error}`);
  const path = withoutDoubles(pathBelowMount(c, pathname));
  const request: SearchRequest = {
    method: c.req.method === "POST" ? "POST" : "GET",
    path: isSlashed ? path.slice(0, -1) : path,
    search: query,
    body,
    limits: deps.requestLimits,
    contentType: headers.get("content-type") ?? undefined,
    accept: headers.get("accept") ?? undefined,
    headers,
    address: addressOf(c, deps),
    country: deps.clientCountryHeader === undefined ? undefined : (headers.get(deps.clientCountryHeader) ?? undefined),
    isExplained: isTrusted && searchParams.has(EXPLAIN_PARAM),
    forcedVariant,
    afterReply: afterReplyOf(c, deps),
    signal: c.req.raw.signal,
  };
  const plan = backend.plan(request, c.req.param("index"));
  if (!plan.ok) return refuse(c, backend, plan.error.status, plan.error.type, plan.error.message);
  const names = plan.value.searches.map(({ index }) => index);
  const indexes = names.flatMap((name) => deps.indexes.get(name) ?? []);
  const first = soleEngine(indexes);
  if (first === undefined) return refuse(c, backend, 400, "illegal_argument_exception", notOnOneEngine(names));
  return search(request, plan.value, { ...deps.edge, backend, engine: first.engine, windows: first.windows, indexes });
}

const BEACON_HEADERS = { "content-type": "text/javascript; charset=utf-8", "cache-control": "public, max-age=3600" };

async function eventsRoute(c: Context, deps: AppDeps, events: EventsEndpoint, format: EventFormat): Promise<Response> {
  const { raw } = c.req;
  if (!(await isWithinRate(deps, addressOf(c, deps), "events ")))
    return refuseEvents(429, "too_many_requests", "Too many events from this address: try again in a minute");
  const body = await readSent(raw, MAX_EVENTS_BYTES);
  if (body.ok) {
    const address = addressOf(c, deps);
    return events({ format, url: raw.url, headers: raw.headers, body: body.value, address, afterReply: afterReplyOf(c, deps) });
  }
  if (body.error === "too long")
    return refuseEvents(413, "too_large", `The body is longer than ${MAX_EVENTS_BYTES} bytes: send less at once`);
  if (body.error === "broken off") deps.edge.log({ level: "warn", event: "upload_broken_off", to: "events" });
  const [status, , message] = BODY_REFUSALS[body.error];
  return refuseEvents(status, "malformed", message(MAX_EVENTS_BYTES, raw.headers));
}

/** Never throws, and no work becomes an unhandled rejection. */
function afterReplyOf(c: Context, { afterReply, edge }: AppDeps): AfterReply {
  return (work) => {
    const logged = work.catch((cause: unknown) => edge.log({ level: "error", event: "after_reply_failed", detail: errorStack(cause) }));
    try {
      if (afterReply === undefined) c.executionCtx.waitUntil(logged);
      else afterReply(logged);
    } catch {
      // Hono throws where the host gave no execution context: the work runs all the same.
    }
  };
}

/** The path without the prefix below which the app is mounted. */
function pathBelowMount(c: Context, path: string): string {
  const prefix = basePath(c);
  return prefix === "/" || !path.startsWith(prefix) ? path : path.slice(prefix.length);
}

function addressOf(c: Context, { clientAddress, clientAddressHeader: header }: AppDeps): string | undefined {
  const given = header === undefined ? clientAddress(c) : c.req.raw.headers.get(header);
  return given === undefined || given === null ? undefined : lastAddress(given);
}

/** `kind` keeps counts apart. Without an address, or an answer of the limiter, nothing is limited. */
async function isWithinRate(deps: AppDeps, client: string | undefined, kind: string): Promise<boolean> {
  if (deps.isWithinRate === undefined || client === undefined) return true;
  try {
    return await deps.isWithinRate(`${kind}${client}`);
  } catch (cause) {
    deps.edge.log({ level: "warn", event: "rate_limiter_failed", detail: String(cause) });
    return true;
  }
}

/** The first of indexes that are on one engine, under one key. */
function soleEngine(indexes: readonly IndexDeps[]): IndexDeps | undefined {
  const [first] = indexes;
  return indexes.every(({ engine }) => engine === first?.engine) ? first : undefined;
}

const notOnOneEngine = (names: readonly string[]): string =>
  `${[...new Set(names)].join(", ")} are not on one engine: send one request for each`;

/** What a stock page asks beside its searches. */
async function callRoute(
  c: Context,
  deps: AppDeps,
  { backend, call }: { readonly backend: Dialect; readonly call: SideCall },
  next: Next,
): Promise<Response | void> {
  const { method: given, headers, signal } = c.req.raw;
  const method = call.methods.find((one) => one === given);
  const index = c.req.param("index");
  // Another page's path, or another engine's.
  if (method === undefined || (call.isShops === true && index !== undefined && deps.indexes.get(index)?.backend !== backend)) return next();
  const body = await receive(c, deps, backend);
  if (body instanceof Response) return body;
  const contentType = headers.get("content-type") ?? undefined;
  const { search: query } = new URL(c.req.url);
  const plan = call.plan({ method, search: query, body, contentType, limits: deps.requestLimits, names: c.req.param() });
  if (!plan.ok) return refuse(c, backend, plan.error.status, plan.error.type, plan.error.message);
  const { indexes } = plan.value;
  const first = soleEngine(indexes.flatMap((name) => deps.indexes.get(name) ?? []));
  if (first === undefined) return refuse(c, backend, 400, "illegal_argument_exception", notOnOneEngine(indexes));
  const client = { headers, address: addressOf(c, deps), signal };
  return passOn({ call: plan.value, method, client, backend, engine: first.engine }, deps.edge);
}

/**
 * The request as its body can be read, which a search by GET may have: workerd gives it, Node only in the message below the Request (a host may
 * pass that as `incoming`). `undefined` where the body is out of reach: without it the search would be another one.
 */
function bodyOf(c: Context): Message | undefined {
  const { raw } = c.req;
  if (raw.method === "POST" || raw.body !== null || !announcesBody(raw.headers)) return raw;
  const incoming: unknown = Object(c.env).incoming;
  return isReadable(incoming) ? new Response(streamOf(incoming), { headers: [...raw.headers] }) : undefined;
}

function isReadable(value: unknown): value is AsyncIterable<Uint8Array> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}

function announcesBody(headers: Headers): boolean {
  return headers.has("transfer-encoding") || Number(headers.get("content-length") ?? 0) !== 0;
}

/** Pages and pictures of the shop, so that one address serves all of it. No cookies and no credentials in either direction. */
async function storefrontRoute(c: Context, deps: AppDeps, usual: Dialect | undefined): Promise<Response> {
  if (deps.storefrontUrl === undefined) return c.notFound();
  const { pathname, search: query } = new URL(c.req.url);
  try {
    const response = await deps.fetch(`${deps.storefrontUrl}${pathBelowMount(c, pathname)}${query}`, {
      method: c.req.raw.method,
      headers: headersToStorefront(c.req.raw.headers),
      redirect: "manual",
    });
    return new Response(response.body, { status: response.status, headers: headersFromStorefront(response.headers) });
  } catch (cause) {
    deps.edge.log({ level: "warn", event: "storefront_unreachable", detail: String(cause) });
    return refuse(c, usual, 502, "storefront_unreachable", "The shop cannot be reached; try again");
  }
}

/** A millisecond, but on a thread of the system that others can hold up. */
const DIGEST_MS = 1000;

const BEARER = /^Bearer +(.+)$/i;

/** Compares digests in constant time. */
async function isAdmin(headers: Headers, token: string | undefined): Promise<boolean> {
  const given = BEARER.exec(headers.get("authorization") ?? "")?.[1];
  if (token === undefined || given === undefined) return false;
  const digests = await withTimeout(Promise.all([digest(given), digest(token)]), DIGEST_MS, () => undefined);
  if (digests === undefined) return false;
  const [left, right] = digests;
  return left.reduce((difference, byte, i) => difference | (byte ^ right[i]!), 0) === 0;
}

async function digest(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}

type RefusalStatus = 400 | 401 | 403 | 404 | 405 | 413 | 415 | 429 | 500 | 502;

/** In the engine's format, which the clients of these routes understand. */
function refuse(c: Context, backend: Dialect | undefined, status: RefusalStatus, type: string, message: string): Response {
  const { headers, body } = backend?.describeError(status, type, message) ?? { headers: { "content-type": "text/plain" }, body: message };
  return c.body(body, status, headers);
}
