/**
 * A proxy in front of the demo: records every request of the browser with its body, can change or delay answers, and can cut connections.
 */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server } from "node:http";

export interface Recorded {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Front {
  readonly origin: string;
  readonly requests: Recorded[];
  /** Changes the demo's answer at this path; undefined leaves it. */
  change: ((url: string, body: Buffer) => Buffer | undefined) | undefined;
  /** Holds an answer back until it resolves. */
  wait: ((url: string) => Promise<void>) | undefined;
  /** Connections are cut without an answer. */
  isGone: boolean;
  stop(): Promise<void>;
}

/** `target`: of the demo's edge. */
export async function startFront(target: string): Promise<Front> {
  const server: Server = createServer((request, reply) => {
    void (async () => {
      if (front.isGone) {
        request.socket.destroy();
        return;
      }
      const { method = "GET", url = "/", headers } = request;
      const body = await bodyOf(request);
      front.requests.push({ method, url, headers, body: body.toString("utf8") });
      const sent = Object.entries(headers).filter(([name]) => !["host", "connection", "content-length", "accept-encoding"].includes(name));
      const answer = await fetch(`${target}${url}`, {
        method,
        headers: sent.map(([name, value]): [string, string] => [name, String(value)]),
        redirect: "manual",
        ...(body.length > 0 && { body: new Uint8Array(body) }),
      });
      const content = Buffer.from(await answer.arrayBuffer());
      await front.wait?.(url);
      const changed = front.change?.(url, content) ?? content;
      for (const [name, value] of answer.headers) {
        if (!["content-length", "content-encoding", "transfer-encoding", "connection"].includes(name)) reply.setHeader(name, value);
      }
      reply.writeHead(answer.status).end(answer.status === 304 ? undefined : changed);
    })().catch(() => request.socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const front: Front = {
    origin: `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`,
    requests: [],
    change: undefined,
    wait: undefined,
    isGone: false,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return front;
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}
