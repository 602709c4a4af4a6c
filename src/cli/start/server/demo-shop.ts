/** The demo shop inside the server: its handler instead of the network, its page from files. */
import { serveStatic } from "@hono/node-server/serve-static";
import { Hono } from "hono";
import type { Fetch } from "../../../backends/engine.ts";
import { createShopHandler } from "../../../demo/shop.ts";
import { DEMO_SHOP_URL } from "./demo-vars.ts";

/**
 * A fetch that answers requests to the shop; `fetch` answers the others. `page`: folder with the built page. `token`: lets the page request
 * explanations; everybody who opens the page has it.
 */
export function withDemoShop(page: string, token: string | undefined, fetch: Fetch): Fetch {
  const shop = createShopHandler();
  // Types, ranges and invalid paths are Hono's work.
  const site = new Hono().use(serveStatic({ root: page, onFound: (_path, c) => c.header("cache-control", "no-cache") }));
  const env = token === undefined ? {} : { DEMO_ADMIN_TOKEN: token };
  return async (url, init) => {
    if (!url.startsWith(`${DEMO_SHOP_URL}/`)) return fetch(url, init);
    const request = new Request(url, init);
    // As Cloudflare does: a file first, then the shop.
    const file = request.method === "POST" ? undefined : await site.fetch(request);
    return file === undefined || file.status === 404 ? shop(request, env) : file;
  };
}
