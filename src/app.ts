/**
 * The routes: searches, what stock pages ask beside them, events, the pages for holders of the admin token, and everything else to the storefront.
 */
import { Hono } from "hono";
import { cors } from "hono/cors";
import { TrieRouter } from "hono/router/trie-router";
import { getPath } from "hono/utils/url";
import { addAdminRoutes } from "./app/admin.ts";
import { callRoute } from "./app/calls.ts";
import type { AppDeps, EdgeApp } from "./app/deps.ts";
import { beaconRoute, eventsRoute } from "./app/events.ts";
import { refuse, withoutDoubles } from "./app/requests.ts";
import { otherMethod, searchRoute } from "./app/searches.ts";
import { storefrontRoute } from "./app/storefront.ts";
import type { Dialect } from "./backends/dialect.ts";
import { BEACON_PATH, EVENT_ROUTES, OUTCOME_HEADER, TOKENS_HEADER } from "./protocol.ts";
import type { IndexDeps } from "./search/contract.ts";
import { errorStack } from "./web.ts";

export function createApp(deps: AppDeps): EdgeApp {
  // Hono's default router sorts its routes with the first request, and falls back to this one for Elasticsearch's after an error of the quicker
  // router, which takes 3 µs less per request for the routes of other dialects.
  const app = new Hono({ router: new TrieRouter(), getPath: (request) => withoutDoubles(getPath(request)) });
  if (deps.allowOrigins.length > 0) {
    const origin = deps.allowOrigins.includes("*") ? "*" : [...deps.allowOrigins];
    // Any request header is allowed: backends/headers.ts decides which of them go further.
    app.use(cors({ origin, allowMethods: ["GET", "POST", "HEAD", "DELETE"], exposeHeaders: [OUTCOME_HEADER, TOKENS_HEADER], maxAge: 600 }));
  }
  const { events } = deps;
  if (events !== undefined) {
    for (const [path, format] of EVENT_ROUTES) app.post(path, (c) => eventsRoute(c, deps, events, format));
    app.get(BEACON_PATH, beaconRoute);
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
      const spellings = call.path.endsWith("/") ? [call.path] : [call.path, `${call.path}/`];
      app.on([...methods], spellings, (c, next) => callRoute(c, deps, { backend, call }, next));
    }
  }
  // Requests other than searches are answered in the dialect of the first index, which the clients of this edge are likely to speak.
  const usual = dialects[0]?.backend;
  addAdminRoutes(app, deps, usual, createApp);
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

/** Each dialect that an index speaks, with the engine of its first index, in the order of the configuration. */
function dialectsOf({ indexes }: AppDeps): readonly Pick<IndexDeps, "backend">[] {
  const byBackend = new Map<Dialect, IndexDeps>();
  for (const index of indexes.values()) if (!byBackend.has(index.backend)) byBackend.set(index.backend, index);
  return [...byBackend.values()];
}
