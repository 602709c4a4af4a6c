/**
 * The runtime's fetch, with headers that fit the body: Node and Deno decode a body and leave the header that says how it was encoded. Sent
 * on like that, no browser could read it.
 */
import type { Fetch } from "../../backends/engine.ts";

/** `decodes`: the values of content-encoding that this runtime's fetch undoes. */
export function createPlainFetch(decodes: RegExp): Fetch {
  return async (url, init) => {
    const response = await fetch(url, init);
    if (!decodes.test(response.headers.get("content-encoding") ?? "")) return response;
    const headers = new Headers(response.headers);
    headers.delete("content-encoding");
    headers.delete("content-length");
    return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
  };
}
