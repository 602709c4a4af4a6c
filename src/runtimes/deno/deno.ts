/** The edge as a server in Deno: `deno task serve`. */
import { createPlainFetch } from "../node/plain-fetch.ts";
import type { Runtime } from "../node/serve.ts";
import { serve } from "../node/serve.ts";

/** The part of Deno that is used; its types would take the place of the browser's and Node's everywhere. */
interface DenoServer {
  readonly addr: { readonly port: number };
  /** Resolves when the replies that are still to come have been sent. */
  shutdown(): Promise<void>;
}

declare const Deno: {
  readonly version: { readonly deno: string };
  serve(options: { hostname: string; port: number; onListen(): void }, handler: (request: Request) => Promise<Response>): DenoServer;
};

export const DENO: Runtime = {
  name: `Deno ${Deno.version.deno}`,
  prepareHint: "Start it once with all permissions (deno run -A src/runtimes/deno/deno.ts), or start with --no-demo",
  fetch: createPlainFetch(/^(?:gzip|br)$/),
  openGpu: () => Promise.resolve("gpu" in navigator ? navigator.gpu : undefined),
  // oxlint-disable-next-line require-await -- what it throws is a rejection
  listen: async (handler, { host, port }) => {
    const server = Deno.serve({ hostname: host, port, onListen: () => undefined }, handler);
    return { port: server.addr.port, close: () => server.shutdown() };
  },
};

if (import.meta.main) await serve(process.argv.slice(2), DENO);
