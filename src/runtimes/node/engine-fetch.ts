/**
 * Node's http in the place of fetch, in Node and Deno, for engine and storefront: a body comes as it was sent, and one that breaks off rejects.
 * Node's fetch unpacks a reply that ends too early without a word, a megabyte into a gigabyte, and takes no headers above 16 kB.
 */
import { request as httpRequest, type IncomingMessage, type RequestOptions } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Fetch } from "../../backends/engine.ts";
import { errorText, streamOf } from "../../web.ts";

/** As much as workerd takes. */
const MAX_HEADER_BYTES = 128 * 1024;

const NO_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

/** Follows no redirect. Connections are kept by Node's global agents. */
export const engineFetch: Fetch = async (url, init) => {
  try {
    return await exchange(url, init);
  } catch (cause) {
    // An engine may have closed a connection that was kept, at the moment of its next use.
    if (!(cause instanceof StaleConnection)) throw cause;
    return exchange(url, init);
  }
};

class StaleConnection extends Error {
  override readonly name = "StaleConnection";
}

function exchange(url: string, { method = "GET", headers, body, signal }: RequestInit): Promise<Response> {
  const send = url.startsWith("https:") ? httpsRequest : httpRequest;
  const options: RequestOptions = {
    method,
    headers: {
      ...Object.fromEntries(new Headers(headers)),
      // With DELETE Node would say nothing of a body, and the server would take it for the next request.
      ...(body instanceof Uint8Array && { "content-length": String(body.byteLength) }),
    },
    maxHeaderSize: MAX_HEADER_BYTES,
    ...(signal && { signal }),
  };
  return new Promise((resolve, reject) => {
    const request = send(url, options, (message) => {
      try {
        resolve(responseOf(message, method));
      } catch (cause) {
        message.destroy();
        reject(cause);
      }
    });
    request.on("upgrade", (_message, socket) => {
      socket.destroy();
      reject(new Error("The engine switches to another protocol (101)"));
    });
    request.on("error", (cause) => {
      const isStale = request.reusedSocket && "code" in cause && cause.code === "ECONNRESET";
      reject(isStale ? new StaleConnection(errorText(cause)) : cause);
    });
    request.end(body ?? undefined);
  });
}

/** Throws a RangeError for a status that no Response can have. */
function responseOf(message: IncomingMessage, method: string): Response {
  const { statusCode: status = 0, rawHeaders } = message;
  const headers = new Headers();
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) headers.append(rawHeaders[i]!, rawHeaders[i + 1]!);
  if (method !== "HEAD" && !NO_BODY.has(status))
    return new Response(
      streamOf(message, () => message.destroy()),
      { status, headers },
    );
  message.resume();
  return new Response(null, { status, headers });
}
