/** A port with Node's own HTTP server, which Deno has too: it gives the body of a GET, which a Request has none of. */
import { createServer, type Server } from "node:http";
import type { Duplex } from "node:stream";
import { getRequestListener } from "@hono/node-server";
import type { Runtime } from "./serve.ts";

/** Of a request, with its URL: engines take 8 kB (Solr) to 64 kB (Vespa), and say so themselves. */
const MAX_HEADER_BYTES = 64 * 1024;

/** Interval for closing idle connections of a server that stops. */
const IDLE_CHECK_MS = 50;

/** What Node's parser refuses, before there is a request: with words in the place of an empty reply. */
const REFUSALS: Readonly<Record<string, readonly [status: string, message: string]>> = {
  HPE_HEADER_OVERFLOW: [
    "431 Request Header Fields Too Large",
    `URL and headers are longer than ${MAX_HEADER_BYTES} bytes: send the search by POST`,
  ],
  ERR_HTTP_REQUEST_TIMEOUT: ["408 Request Timeout", "The request did not arrive in time"],
};
const MALFORMED = ["400 Bad Request", "The request is no HTTP/1.1: its URL must be percent-encoded, such as é as %C3%A9"] as const;

export const listen: Runtime["listen"] = (handler, { host, port }) =>
  new Promise((done, fail) => {
    const answer = getRequestListener((request, { incoming }) => handler(request, { incoming, address: incoming.socket.remoteAddress }), {
      hostname: host,
    });
    const server = createServer({ maxHeaderSize: MAX_HEADER_BYTES }, (request, reply) => void answer(request, reply));
    server.on("clientError", refuse);
    server.once("error", fail);
    server.listen(port, host, () => {
      const address = server.address();
      done({ port: typeof address === "object" && address !== null ? address.port : port, close: () => closeServer(server) });
    });
  });

function refuse(cause: NodeJS.ErrnoException, socket: Duplex): void {
  if (cause.code === "ECONNRESET" || !socket.writable) return void socket.destroy();
  const [status, message] = REFUSALS[cause.code ?? ""] ?? MALFORMED;
  socket.end(
    `HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(message)}\r\n\r\n${message}`,
  );
}

function closeServer(server: Server): Promise<void> {
  return new Promise((done) => {
    const check = setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MS);
    server.close(() => {
      clearInterval(check);
      done();
    });
  });
}
