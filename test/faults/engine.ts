/**
 * A search engine that misbehaves: the stand-in of a dialect behind a raw socket. The request's `traceparent`, which the edge hands on, names
 * the exchange, so that many run at once, each with its own fault.
 */
import { createServer, type IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { buffer } from "node:stream/consumers";
import { plainBody } from "./client.ts";
import { listen } from "./listen.ts";
import type { Ask, EngineStandIn, StandInItem } from "../search/dialects/stand-in.ts";

/** What the engine would say if nothing were wrong. */
export interface TrueReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** One request that came to the engine. */
export interface Asked {
  /** Hits that the request asks for, where it is not the shopper's own one. */
  readonly isWide: boolean;
  readonly path: string;
  readonly body: string;
  /** The stand-in's answer over other items. */
  answer(items: readonly StandInItem[]): Promise<TrueReply>;
  /** Ids of each search in a reply of this engine. */
  ids(body: Buffer): readonly (readonly string[])[];
}

/** Writes a whole answer, a part of one, or none, and closes the connection or does not. */
export type Misbehave = (socket: Socket, reply: TrueReply, asked: Asked) => void | Promise<void>;

export interface Exchange {
  readonly ask: Ask;
  readonly misbehave: Misbehave;
  /** Whether only a request for another page than the shopper's own meets the fault. */
  readonly isWideOnly: boolean;
  /** Requests that came, in order. */
  readonly asked: Asked[];
  /** Bodies that were sent in full to requests that were not the shopper's own. */
  readonly wide: Buffer[];
}

export const ID_HEADER = "traceparent";

export type HostileEngine = Awaited<ReturnType<typeof startHostileEngine>>;

export async function startHostileEngine(standIn: EngineStandIn, items: readonly StandInItem[]) {
  const exchanges = new Map<string, Exchange>();
  /** Requests that belong to no exchange. */
  const strays: string[] = [];
  const server = createServer((message) => void serve(message).catch(() => message.socket.destroy()));
  server.on("clientError", (_cause, socket) => socket.destroy());
  const { port, close } = await listen(server);

  const ids: Asked["ids"] = (reply) => standIn.read(JSON.parse(reply.toString("utf8"))).map((search) => search.ids);

  async function serve(message: IncomingMessage): Promise<void> {
    const { socket, url: path = "/", method = "GET" } = message;
    socket.on("error", () => undefined);
    const bytes = await buffer(message);
    const body = bytes.toString("utf8");
    const answer = async (from: readonly StandInItem[]): Promise<TrueReply> => (await tryAnswer(from).catch(() => undefined)) ?? REFUSED;
    const tryAnswer = async (from: readonly StandInItem[]): Promise<TrueReply> => {
      const init = method === "GET" || method === "HEAD" ? { method } : { method, body };
      const reply = await standIn.answer(new Request(`http://engine${path}`, init), from);
      const headers = Object.fromEntries(reply.headers);
      delete headers["content-length"];
      return { status: reply.status, headers, body: Buffer.from(await reply.arrayBuffer()) };
    };
    const exchange = exchanges.get(String(message.headers[ID_HEADER] ?? ""));
    if (exchange === undefined) strays.push(`${method} ${path} ${body.slice(0, 200)}`);
    const isWide = exchange !== undefined && !isSame(exchange.ask, path, body);
    const asked: Asked = { isWide, path, body, answer, ids };
    exchange?.asked.push(asked);
    const reply = await answer(items);
    if (isWide) sentTo.set(socket, exchange.wide);
    const misbehave = exchange === undefined || (exchange.isWideOnly && !isWide) ? send : exchange.misbehave;
    await misbehave(socket, reply, asked);
  }

  return {
    port,
    exchanges,
    strays,
    close,
  };
}

/** Where the stand-in cannot read a request. */
const REFUSED: TrueReply = {
  status: 400,
  headers: { "content-type": "application/json" },
  body: Buffer.from('{"message":"not understood"}'),
};

/** Bodies that were sent in full on connections whose request was not the shopper's own. */
const sentTo = new WeakMap<Socket, Buffer[]>();

function isSame({ path: own, init }: Ask, path: string, body: string): boolean {
  return own === path && (init.body ?? "") === body;
}

interface Head {
  readonly status?: number | string;
  readonly headers?: Readonly<Record<string, string | number | undefined>>;
  /** Raw lines after the headers. */
  readonly lines?: readonly string[];
  readonly version?: string;
}

/** Status line and headers, with latin-1 as it stands. */
export function head(reply: TrueReply, { status = reply.status, headers = {}, lines = [], version = "1.1" }: Head = {}): Buffer {
  const all = Object.entries({ ...reply.headers, connection: "close", ...headers }).filter(([, value]) => value !== undefined);
  const text = [`HTTP/${version} ${status} Some Reason`, ...all.map(([name, value]) => `${name}: ${value}`), ...lines, "", ""].join("\r\n");
  return Buffer.from(text, "latin1");
}

const codingOf = ({ headers }: Head): string | undefined => headers?.["content-encoding"]?.toString();

/** A whole and valid answer. */
export function send(socket: Socket, reply: TrueReply): void {
  sendBody(socket, reply, reply.body);
}

/** With a length that fits. */
export function sendBody(socket: Socket, reply: TrueReply, body: Buffer, more: Head = {}): void {
  sentTo.get(socket)?.push(plainBody(codingOf(more), body) ?? body);
  socket.write(head(reply, { ...more, headers: { "content-length": body.length, ...more.headers } }));
  socket.end(body);
}

/** With a second reply behind the first one, and a connection that could be used again. */
export function sendTwo(socket: Socket, reply: TrueReply): void {
  sentTo.get(socket)?.push(reply.body);
  socket.write(Buffer.concat([head(reply, { headers: { "content-length": reply.body.length, connection: "keep-alive" } }), reply.body]));
  socket.end("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}");
}

/** In pieces with their lengths; `end`: the last one. */
export function sendChunked(socket: Socket, reply: TrueReply, body: Buffer, end: string = "0\r\n\r\n", more: Head = {}): void {
  sentTo.get(socket)?.push(plainBody(codingOf(more), body) ?? body);
  socket.write(head(reply, { ...more, headers: { "transfer-encoding": "chunked", ...more.headers } }));
  for (let at = 0; at < body.length; at += 1000) {
    const piece = body.subarray(at, at + 1000);
    socket.write(Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from("\r\n")]));
  }
  socket.end(end);
}
