/** What a stock page asks beside its searches: the engine's own answer. */
import type { Context, Next } from "hono";
import type { Dialect, SideCall } from "../backends/dialect.ts";
import { passOn } from "../search/pass-on.ts";
import type { AppDeps } from "./deps.ts";
import { addressOf, notOnOneEngine, receive, refuse, soleEngine } from "./requests.ts";

export async function callRoute(
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
