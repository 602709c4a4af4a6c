/** The edge as a server in Deno. With the demo shop: cli/start/server/deno.ts. */
import { runCommand } from "../node/command.ts";
import { engineFetch } from "../node/engine-fetch.ts";
import { listen } from "../node/listen.ts";
import type { Runtime } from "../node/serve.ts";

declare const Deno: { readonly version: { readonly deno: string } };

export const DENO: Runtime = {
  name: `Deno ${Deno.version.deno}`,
  fetch: engineFetch,
  openGpu: () => Promise.resolve("gpu" in navigator ? navigator.gpu : undefined),
  listen,
};

if (import.meta.main) await runCommand(process.argv.slice(2), DENO);
