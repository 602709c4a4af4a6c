/** What is no search: pages and pictures of the shop, so that one address serves all of it. */
import type { Context } from "hono";
import type { Dialect } from "../backends/dialect.ts";
import { headersFromStorefront, headersToStorefront } from "../backends/headers.ts";
import type { AppDeps } from "./deps.ts";
import { pathBelowMount, refuse } from "./requests.ts";

/** No cookies and no credentials in either direction. */
export async function storefrontRoute(c: Context, deps: AppDeps, usual: Dialect | undefined): Promise<Response> {
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
