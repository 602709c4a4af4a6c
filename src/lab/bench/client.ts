/** Keep-alive connections to one origin, timed from outside: from the first byte sent to the last byte received. */
import { Agent, type IncomingMessage, request } from "node:http";
import { performance } from "node:perf_hooks";
import { buffer } from "node:stream/consumers";
import { OUTCOME_HEADER } from "../../protocol.ts";

export type Client = ReturnType<typeof createClient>;

export function createClient(origin: string, connections = 1) {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  return {
    /** POST with a body, which is JSON, otherwise GET. */
    async ask(path: string, { headers = {}, body }: { readonly headers?: Readonly<Record<string, string>>; readonly body?: string } = {}) {
      const startedAt = performance.now();
      const length = body === undefined ? {} : { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
      const options = { method: body === undefined ? "GET" : "POST", agent, headers: { ...length, ...headers } };
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        request(`${origin}${path}`, options, resolve).once("error", reject).end(body);
      });
      const reply = await buffer(response);
      const ms = performance.now() - startedAt;
      /** `armmt`: the `x-armmt` header, empty without one. */
      return { ms, status: response.statusCode ?? 0, armmt: String(response.headers[OUTCOME_HEADER] ?? ""), body: reply };
    },
    close: () => agent.destroy(),
  };
}
