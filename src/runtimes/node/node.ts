/** The edge as a server in Node: `npm run serve:node`. */
import type { Server } from "node:http";
import { createServer } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { logToConsole as log } from "../../edge.ts";
import { installNodeGpu } from "../../inference/node-gpu.ts";
import { createPlainFetch } from "./plain-fetch.ts";
import type { Listener, Runtime } from "./serve.ts";
import { serve } from "./serve.ts";

/** How often connections without a request are looked for at the end. */
const IDLE_CHECK_MS = 50;

const DECODED = /^(?:gzip|x-gzip|deflate|br)(?:\s*,\s*(?:gzip|x-gzip|deflate|br))*$/i;

export const NODE: Runtime = {
  name: `Node ${process.versions.node}`,
  prepareHint: "Install the development dependencies (npm ci), or start with --no-demo",
  fetch: createPlainFetch(DECODED),
  openGpu: async () => {
    try {
      return await installNodeGpu();
    } catch (cause) {
      log({ level: "info", event: "no_dawn", detail: `WebGPU in Node needs the package webgpu: ${String(cause)}` });
      return undefined;
    }
  },
  listen: (handler, { host, port }) =>
    new Promise<Listener>((done, fail) => {
      const answer = getRequestListener(handler, { hostname: host });
      const server = createServer((request, reply) => void answer(request, reply));
      server.once("error", fail);
      server.listen(port, host, () => {
        const address = server.address();
        done({ port: typeof address === "object" && address !== null ? address.port : port, close: () => closeServer(server) });
      });
    }),
};

function closeServer(server: Server): Promise<void> {
  return new Promise((done) => {
    const check = setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MS);
    server.close(() => {
      clearInterval(check);
      done();
    });
  });
}

if (import.meta.main) await serve(process.argv.slice(2), NODE);
