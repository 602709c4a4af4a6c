/** One keep-alive connection to one origin, timed from outside: from the first byte sent to the last byte received. */
import { Agent, request } from "node:http";
import { performance } from "node:perf_hooks";
import { OUTCOME_HEADER } from "../../protocol.ts";

export interface Answer {
  readonly ms: number;
  readonly status: number;
  /** The `x-armmt` header, empty without one. */
  readonly armmt: string;
  readonly body: Buffer;
}

interface Question {
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON; with one the method is POST, otherwise GET. */
  readonly body?: string;
}

export interface Client {
  ask(path: string, question?: Question): Promise<Answer>;
  readonly close: () => void;
}

export function createClient(origin: string): Client {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  return {
    ask: (path, { headers = {}, body } = {}) =>
      new Promise((resolve, reject) => {
        const startedAt = performance.now();
        const length = body === undefined ? {} : { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
        const options = { method: body === undefined ? "GET" : "POST", agent, headers: { ...length, ...headers } };
        const sent = request(`${origin}${path}`, options, (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.once("error", reject);
          response.once("end", () => {
            const ms = performance.now() - startedAt;
            const armmt = String(response.headers[OUTCOME_HEADER] ?? "");
            resolve({ ms, status: response.statusCode ?? 0, armmt, body: Buffer.concat(chunks) });
          });
        });
        sent.once("error", reject);
        sent.end(body);
      }),
    close: () => agent.destroy(),
  };
}
