/** Files of a folder, as a site serves them; types, ranges and paths that lead nowhere are Hono's to know. */
import { serveStatic } from "@hono/node-server/serve-static";
import { Hono } from "hono";

/** `undefined` where the folder has no such file. */
export type PageHandler = (request: Request) => Promise<Response | undefined>;

export function createPageHandler(folder: string): PageHandler {
  const site = new Hono().use(serveStatic({ root: folder, onFound: (_path, c) => c.header("cache-control", "no-cache") }));
  return async (request) => {
    const response = await site.fetch(request);
    return response.status === 404 ? undefined : response;
  };
}
