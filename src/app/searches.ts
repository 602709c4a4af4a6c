/** A search: its request is read and planned; search.ts serves it. */
import type { Context } from "hono";
import type { Dialect } from "../backends/dialect.ts";
import { parseTreatment } from "../experiment/treatment.ts";
import { EXPLAIN_PARAM, VARIANT_PARAM } from "../protocol.ts";
import type { SearchRequest } from "../search/contract.ts";
import { search } from "../search.ts";
import { BEARER, isAdmin } from "./auth.ts";
import type { AppDeps } from "./deps.ts";
import { addressOf, afterReplyOf, notOnOneEngine, pathBelowMount, receive, refuse, soleEngine, withoutDoubles } from "./requests.ts";

/** `isSlashed`: the path ends in a slash that is none of the engine's. */
export async function searchRoute(c: Context, deps: AppDeps, backend: Dialect, isSlashed: boolean): Promise<Response> {
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

/** Engines tell by OPTIONS what they take; from another origin's page it is the question whether that page may search here. */
export function otherMethod(c: Context, backend: Dialect, methods: readonly string[]): Response {
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
