/** One keep-alive connection to one origin, timed from outside: from the first byte sent to the last byte received. */
import { Agent, request } from "node:http";
import { performance } from "node:perf_hooks";

export interface Answer {
  readonly ms: number;
  readonly status: number;
  /** The `x-armmt` header, empty where there is none. */
  readonly armmt: string;
  readonly body: Buffer;
}

export interface Client {
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  post(path: string, body: string, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  close(): void;
}

export function createClient(origin: string): Client {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });

  function send(
    method: "GET" | "POST",
    path: string,
    options: { body?: string; headers?: Readonly<Record<string, string>> },
  ): Promise<Answer> {
    const { body, headers } = options;
    return new Promise((resolve, reject) => {
      const startedAt = performance.now();
      const length = body === undefined ? {} : { "content-type": "application/json", "content-length": String(Buffer.byteLength(body)) };
      const sent = request(`${origin}${path}`, { method, agent, headers: { ...length, ...headers } }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.once("error", reject);
        response.once("end", () => {
          const ms = performance.now() - startedAt;
          const armmt = response.headers["x-armmt"];
          resolve({ ms, status: response.statusCode ?? 0, armmt: typeof armmt === "string" ? armmt : "", body: Buffer.concat(chunks) });
        });
      });
      sent.once("error", reject);
      sent.end(body);
    });
  }

  return {
    get: (path, headers = {}) => send("GET", path, { headers }),
    post: (path, body, headers = {}) => send("POST", path, { body, headers }),
    close: () => agent.destroy(),
  };
}
