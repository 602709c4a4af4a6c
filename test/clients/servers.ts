/** Real sockets around the stand-in engines: a server for one of them, and a tap between a client and the edge that keeps what passed. */
import { createServer, type IncomingMessage, type Server } from "node:http";

export interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
  readonly reply: Buffer;
  readonly outcome: string | null;
}

export interface Listening {
  readonly url: string;
  readonly port: number;
  /** In order. */
  readonly exchanges: Exchange[];
  close(): Promise<void>;
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

/** Of hop-by-hop and computed headers, so that a request can be sent on. */
const OWN_HEADERS = new Set(["host", "connection", "content-length", "transfer-encoding", "expect", "keep-alive"]);

function headersOf(request: IncomingMessage): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined && !OWN_HEADERS.has(name)) headers.set(name, Array.isArray(value) ? value.join(", ") : value);
  }
  return headers;
}

/** Answers every request by `answer` and keeps it. */
export async function listen(answer: (request: Request) => Promise<Response>): Promise<Listening> {
  const exchanges: Exchange[] = [];
  const server: Server = createServer((incoming, outgoing) => {
    void (async () => {
      const body = await bodyOf(incoming);
      const { method = "GET", url = "/" } = incoming;
      const hasBody = method !== "GET" && method !== "HEAD" && body.length > 0;
      const request = new Request(`http://127.0.0.1${url}`, {
        method,
        headers: headersOf(incoming),
        ...(hasBody && { body: Uint8Array.from(body) }),
      });
      const response = await answer(request).catch((cause: unknown) => new Response(String(cause), { status: 599 }));
      const reply = Buffer.from(await response.arrayBuffer());
      const outcome = response.headers.get("x-armmt");
      exchanges.push({ method, path: url, headers: incoming.headers, body: body.toString("utf8"), reply, outcome });
      outgoing.writeHead(response.status, Object.fromEntries([...response.headers].filter(([name]) => !OWN_HEADERS.has(name))));
      outgoing.end(method === "HEAD" ? undefined : reply);
    })();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("The server does not listen on a port");
  const close = (): Promise<void> => {
    server.closeAllConnections();
    return new Promise((resolve) => {
      server.close(() => resolve());
    });
  };
  return { url: `http://127.0.0.1:${address.port}`, port: address.port, exchanges, close };
}

/** Passes everything on to `target()`, byte for byte, and holds replies back until `held` resolves. */
export function listenAsTap(target: () => string, held?: (request: Request) => Promise<void>): Promise<Listening> {
  return listen(async (request) => {
    const { pathname, search } = new URL(request.url);
    const hasBody = request.method !== "GET" && request.method !== "HEAD";
    const reply = await fetch(`${target()}${pathname}${search}`, {
      method: request.method,
      headers: request.headers,
      redirect: "manual",
      ...(hasBody && { body: await request.arrayBuffer() }),
    });
    await held?.(request);
    return reply;
  });
}
