/** The demo shop inside the server: its handler in the place of the network, its page from files. */
import type { Fetch } from "../../../backends/engine.ts";
import { createShopHandler } from "../../../demo/routes.ts";
import { DEMO_SHOP_URL } from "./demo-vars.ts";
import { createPageHandler } from "./page.ts";

export interface DemoShopOptions {
  /** Folder with the built page. */
  readonly page: string;
  /** Lets the page ask the edge to explain itself; whoever opens the page has it. */
  readonly token: string | undefined;
  /** For everything that does not go to the shop. */
  readonly fetch: Fetch;
}

/** A fetch that knows the shop. */
export function withDemoShop({ page, token, fetch }: DemoShopOptions): Fetch {
  const shop = createShopHandler();
  const openFile = createPageHandler(page);
  const env = token === undefined ? {} : { DEMO_ADMIN_TOKEN: token };
  return async (url, init) => {
    if (!url.startsWith(`${DEMO_SHOP_URL}/`)) return fetch(url, init);
    const request = new Request(url, init);
    // As Cloudflare does it: a file first, then the shop.
    const file = request.method === "POST" ? undefined : await openFile(request);
    return file ?? shop(request, env);
  };
}
