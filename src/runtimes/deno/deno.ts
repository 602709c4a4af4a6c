/** The edge as a server in Deno. With the demo shop: cli/start/server/deno.ts. */
import { runCommand } from "../node/command.ts";
import { engineFetch } from "../node/engine-fetch.ts";
import type { Runtime } from "../node/serve.ts";

/** The part of Deno that is used; its own types would replace those of browsers and Node everywhere. */
interface DenoServer {
  readonly addr: { readonly port: number };
  /** Resolves when all pending replies have been sent. */
  shutdown(): Promise<void>;
}

declare const Deno: {
  readonly version: { readonly deno: string };
  serve(
    options: { hostname: string; port: number; onListen(): void },
    handler: (request: Request, info: { readonly remoteAddr: { readonly hostname: string } }) => Promise<Response>,
  ): DenoServer;
};

export const DENO: Runtime = {
  name: `Deno ${Deno.version.deno}`,
  fetch: engineFetch,
  openGpu: () => Promise.resolve("gpu" in navigator ? navigator.gpu : undefined),
  // oxlint-disable-next-line require-await -- an exception becomes a rejection
  listen: async (handler, { host, port }) => {
    const server = Deno.serve({ hostname: host, port, onListen: () => undefined }, (request, { remoteAddr }) =>
      handler(request, { address: remoteAddr.hostname }),
    );
    return { port: server.addr.port, close: () => server.shutdown() };
  },
};

if (import.meta.main) await runCommand(process.argv.slice(2), DENO);
