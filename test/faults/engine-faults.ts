/** What an engine, or something between it and the edge, can do wrong; in no dialect's words. */
import type { Socket } from "node:net";
import { brotliCompressSync, createGzip, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { once } from "node:events";
import type { StandInItem } from "../search/dialects/stand-in.ts";
import { head, type Misbehave, send, sendBody, sendChunked, sendTwo, type TrueReply } from "./engine.ts";
import { SIGNS, withMember } from "./incomplete.ts";

export interface EngineFault {
  readonly name: string;
  readonly group: string;
  readonly misbehave: Misbehave;
  /** Only requests for another page than the shopper's own meet it. Default: all. */
  readonly isWideOnly?: boolean;
  /** In the short run. */
  readonly isShort?: boolean;
  /** The edge may refuse (502, 504) although another client could make something of the answer. */
  readonly mayRefuse?: boolean;
  /** Parsers of HTTP differ: what the runtime's own fetch makes of it counts besides what a strict client does. */
  readonly isOfRuntime?: boolean;
  /** It takes longer than the time limit of one exchange. */
  readonly isLong?: boolean;
  /** The engine's data changes between the shopper's own request and the window. */
  readonly isOtherWindow?: boolean;
}

/** More than the edge's ENGINE_TIMEOUT_MS in these runs. */
export const SLOW_MS = 2500;

type Entry = readonly [name: string, misbehave: Misbehave, more?: Omit<EngineFault, "name" | "group" | "misbehave">];

const group = (name: string, entries: readonly Entry[]): EngineFault[] =>
  entries.map(([title, misbehave, more]) => ({ name: title, group: name, misbehave, ...more }));

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms).unref());

const SHORT = { isShort: true };
const WIDE = { isWideOnly: true };
const MAY_REFUSE = { mayRefuse: true };
const OF_RUNTIME = { isOfRuntime: true };

/** A busy machine does not read them within ENGINE_TIMEOUT_MS. */
const LONG = { isLong: true, mayRefuse: true };

const bytes =
  (change: (body: Buffer) => Buffer | string): Misbehave =>
  (socket, reply) =>
    sendBody(socket, reply, Buffer.from(change(reply.body)));

const json =
  (change: (reply: unknown, socket: Socket) => unknown): Misbehave =>
  (socket, reply) =>
    sendBody(socket, reply, Buffer.from(JSON.stringify(change(JSON.parse(reply.body.toString("utf8")), socket))));

/** The same answer about other items. */
const items =
  (change: (items: readonly StandInItem[]) => readonly StandInItem[]): Misbehave =>
  async (socket, _reply, asked) =>
    send(socket, await asked.answer(change(ITEMS)));

/** What the engine has, in its own order. */
export const ITEMS: readonly StandInItem[] = Array.from({ length: 45 }, (_, i) => ({
  id: `item-${i + 1}`,
  title: `item ${i}`,
  price: 10 + i,
}));

const withIds = (change: (id: string, i: number) => unknown): Misbehave =>
  items((all) => all.map((item, i) => ({ ...item, ...Object({ id: change(item.id, i) }) })));

const TRANSFER = group("transfer", [
  ["reset before the reply", (socket) => void socket.resetAndDestroy(), SHORT],
  ["closed before the reply", (socket) => void socket.end()],
  ["reset within the headers", (socket, reply) => socket.write(head(reply).subarray(0, 40), () => socket.resetAndDestroy())],
  ["reset within the body", (socket, reply) => cutAfterHead(socket, reply, reply.body.length, true), SHORT],
  ["closed within the body", (socket, reply) => cutAfterHead(socket, reply, reply.body.length, false)],
  ["closed after the headers", (socket, reply) => void socket.end(head(reply, { headers: { "content-length": reply.body.length } }))],
  [
    "longer than its length",
    (socket, reply) => sendBody(socket, reply, reply.body, { headers: { "content-length": reply.body.length - 20 } }),
    OF_RUNTIME,
  ],
  [
    "shorter than its length",
    (socket, reply) => sendBody(socket, reply, reply.body, { headers: { "content-length": reply.body.length + 20 } }),
    SHORT,
  ],
  ["length that is negative", (socket, reply) => sendBody(socket, reply, reply.body, { headers: { "content-length": -1 } })],
  ["length that is no number", (socket, reply) => sendBody(socket, reply, reply.body, { headers: { "content-length": "many" } })],
  ["length beyond 2^63", (socket, reply) => sendBody(socket, reply, reply.body, { headers: { "content-length": "9".repeat(30) } })],
  ["two lengths", (socket, reply) => sendBody(socket, reply, reply.body, { lines: ["content-length: 7"] }), MAY_REFUSE],
  [
    "no length, ended by the connection",
    (socket, reply) => sendBody(socket, reply, reply.body, { headers: { "content-length": undefined } }),
    SHORT,
  ],
  ["chunks", (socket, reply) => sendChunked(socket, reply, reply.body)],
  [
    "chunks and a length",
    (socket, reply) => sendChunked(socket, reply, reply.body, undefined, { headers: { "content-length": 7 } }),
    { ...MAY_REFUSE, ...OF_RUNTIME },
  ],
  ["chunks without the last", (socket, reply) => sendChunked(socket, reply, reply.body, ""), SHORT],
  ["chunks that end within a size", (socket, reply) => sendChunked(socket, reply, reply.body, "3e8")],
  ["chunk of a size that is no number", (socket, reply) => sendChunked(socket, reply, reply.body, "zz\r\n\r\n")],
  ["chunk of a size beyond 2^64", (socket, reply) => sendChunked(socket, reply, reply.body, `${"f".repeat(20)}\r\n`)],
  ["chunks with trailers", (socket, reply) => sendChunked(socket, reply, reply.body, "0\r\nx-armmt: applied\r\n\r\n")],
  ["HTTP/1.0", (socket, reply) => sendBody(socket, reply, reply.body, { version: "1.0" })],
  ["no HTTP", (socket) => void socket.end("220 mail.example.com ESMTP\r\n"), SHORT],
  ["a body alone", (socket, reply) => void socket.end(reply.body)],
  ["bytes after the reply", sendTwo],
]);

function cutAfterHead(socket: Socket, reply: TrueReply, length: number, isReset: boolean): void {
  socket.write(head(reply, { headers: { "content-length": length } }));
  socket.write(reply.body.subarray(0, reply.body.length >> 1), () => (isReset ? socket.resetAndDestroy() : socket.end()));
}

const TIME = group("time", [
  ["never answers", () => undefined, SHORT],
  [
    "slow before its headers",
    async (socket, reply) => {
      await wait(SLOW_MS);
      send(socket, reply);
    },
  ],
  [
    "slow within its body",
    async (socket, reply) => {
      socket.write(head(reply, { headers: { "content-length": reply.body.length } }));
      socket.write(reply.body.subarray(0, 50));
      await wait(SLOW_MS);
      socket.end(reply.body.subarray(50));
    },
    SHORT,
  ],
  [
    "a byte at a time",
    async (socket, reply) => {
      socket.write(head(reply, { headers: { "content-length": reply.body.length } }));
      for (let at = 0; at < reply.body.length && !socket.destroyed; at++) {
        socket.write(reply.body.subarray(at, at + 1));
        await wait(20); // oxlint-disable-line no-await-in-loop
      }
      socket.end();
    },
  ],
  [
    "a byte of its headers at a time",
    async (socket, reply) => {
      const all = head(reply, { headers: { "content-length": reply.body.length } });
      for (let at = 0; at < all.length && !socket.destroyed; at++) {
        socket.write(all.subarray(at, at + 1));
        await wait(20); // oxlint-disable-line no-await-in-loop
      }
      socket.end(reply.body);
    },
  ],
  [
    "never ends the connection",
    (socket, reply) => void socket.write(Buffer.concat([head(reply, { headers: { "content-length": undefined } }), reply.body])),
  ],
  [
    "late for the window only",
    async (socket, reply) => {
      await wait(SLOW_MS);
      send(socket, reply);
    },
    { ...WIDE, ...SHORT },
  ],
  ["never answers for the window", () => undefined, WIDE],
]);

const status = (code: number | string, more: Entry[2] = {}): Entry => [
  `status ${code}`,
  (socket, reply) => sendBody(socket, reply, reply.body, { status: code }),
  more,
];

const STATUSES = group("status", [
  ...[200, 201, 203, 206, 300, 301, 302, 304, 307, 400, 401, 403, 404, 409, 413, 429, 500, 501, 503, 599].map((code) => status(code)),
  ...[204, 205].map((code) => status(code, MAY_REFUSE)),
  ...[100, 101, 102, 103, 199, 600, 700, 999, "000", "099", "1000", "-1", "abc"].map((code) =>
    status(code, code === 999 || code === 101 ? SHORT : {}),
  ),
  [
    "103 before the reply",
    (socket, reply) => {
      socket.write("HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n");
      send(socket, reply);
    },
  ],
  [
    "101 with an upgrade",
    (socket) => void socket.write("HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n"),
  ],
  ["redirect to itself", (socket, reply) => sendBody(socket, reply, reply.body, { status: 307, headers: { location: "/" } })],
  [
    "an error for the window",
    (socket, reply) => sendBody(socket, reply, Buffer.from('{"error":"too many"}'), { status: 400 }),
    { ...WIDE, ...SHORT },
  ],
  ["429 for the window", (socket, reply) => sendBody(socket, reply, Buffer.from("{}"), { status: 429 }), WIDE],
  ["500 for the window", (socket, reply) => sendBody(socket, reply, Buffer.from("{}"), { status: 500 }), WIDE],
  ["999 for the window", (socket, reply) => sendBody(socket, reply, reply.body, { status: 999 }), WIDE],
  ["204 for the window", (socket) => void socket.end("HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n"), WIDE],
  [
    "redirect of the window",
    (socket, reply) => sendBody(socket, reply, Buffer.from(""), { status: 302, headers: { location: "/login" } }),
    WIDE,
  ],
]);

const header = (name: string, headers: Readonly<Record<string, string>>, more: Entry[2] = {}): Entry => [
  name,
  (socket, reply) => sendBody(socket, reply, reply.body, { headers }),
  more,
];

const HEADERS = group("headers", [
  header("header of 15 kB", { "x-long": "a".repeat(15_000) }),
  header("header of 40 kB", { "x-long": "a".repeat(40_000) }, SHORT),
  header("header of 1 MB", { "x-long": "a".repeat(1_000_000) }, MAY_REFUSE),
  ["500 headers", (socket, reply) => sendBody(socket, reply, reply.body, { lines: Array.from({ length: 500 }, (_, i) => `x-${i}: ${i}`) })],
  header("control characters in a header", { warning: "a\u0001b\u0008c" }, MAY_REFUSE),
  header("latin-1 in a header", { warning: "caf\u00e9 \u00ff" }),
  header("an empty header", { warning: "" }),
  header("another content type", { "content-type": "text/html; charset=x" }),
  header("no content type", { "content-type": "" }),
  ["two content types", (socket, reply) => sendBody(socket, reply, reply.body, { lines: ["content-type: text/plain"] })],
  header("an outcome of ours", { "x-armmt": "applied; model=evil" }),
  header("a cookie", { "set-cookie": "id=1; path=/" }),
  header("a range", { "content-range": "bytes 0-1/2" }),
  ["a header without a colon", (socket, reply) => sendBody(socket, reply, reply.body, { lines: ["nonsense"] }), MAY_REFUSE],
  ["a folded header", (socket, reply) => sendBody(socket, reply, reply.body, { lines: ["x-a: 1", "  2"] }), MAY_REFUSE],
]);

type Pack = (body: Buffer) => Buffer;

const packed = (coding: string, pack: Pack, more: Entry[2] = {}, end: "length" | "chunks" = "length"): Entry => [
  `${coding}${end === "chunks" ? ", in chunks" : ""}`,
  (socket, reply) => {
    const headers = { "content-encoding": coding.replace(/ \(.*/, "") };
    if (end === "length") sendBody(socket, reply, pack(reply.body), { headers });
    else sendChunked(socket, reply, pack(reply.body), undefined, { headers });
  },
  more,
];

const cut = (bytesLeft: Buffer): Buffer => bytesLeft.subarray(0, -12);

/** As much text as a megabyte of gzip can hold. */
let packedGigabyte: Promise<Buffer> | undefined;

async function packGigabyte(): Promise<Buffer> {
  const gzip = createGzip({ level: 9 });
  const pieces: Buffer[] = [];
  gzip.on("data", (piece: Buffer) => pieces.push(piece));
  const spaces = Buffer.alloc(1 << 20, " ");
  for (let i = 0; i < 1024; i++) if (!gzip.write(spaces)) await once(gzip, "drain"); // oxlint-disable-line no-await-in-loop
  gzip.end("{}");
  await once(gzip, "end");
  return Buffer.concat(pieces);
}

const COMPRESSION = group("compression", [
  packed("gzip", gzipSync, SHORT),
  packed("gzip", gzipSync, {}, "chunks"),
  packed("GZIP (upper case)", gzipSync),
  packed("x-gzip", gzipSync),
  packed("deflate", deflateSync, SHORT),
  packed("deflate (bare)", deflateRawSync),
  packed("br", brotliCompressSync),
  packed("zstd", zstdCompressSync, SHORT),
  packed("gzip, gzip", (body) => gzipSync(gzipSync(body))),
  packed("gzip, br", (body) => brotliCompressSync(gzipSync(body))),
  packed("gzip, gzip, gzip, gzip, gzip", (body) => gzipSync(gzipSync(gzipSync(gzipSync(gzipSync(body)))))),
  packed("identity", (body) => body),
  packed("gzip (not packed)", (body) => body, MAY_REFUSE),
  packed("br (not packed)", (body) => body, MAY_REFUSE),
  packed("rot13 (unknown)", (body) => body),
  packed("compress (unknown, binary)", (body) => Buffer.concat([Buffer.from([0x1f, 0x9d, 0x90]), deflateRawSync(body)])),
  packed("gzip (ends early)", (body) => cut(gzipSync(body)), { ...SHORT, ...MAY_REFUSE }),
  packed("gzip (ends early)", (body) => cut(gzipSync(body)), MAY_REFUSE, "chunks"),
  packed("x-gzip (ends early)", (body) => cut(gzipSync(body)), MAY_REFUSE),
  packed("deflate (ends early)", (body) => cut(deflateSync(body)), MAY_REFUSE),
  packed("br (ends early)", (body) => cut(brotliCompressSync(body)), MAY_REFUSE),
  packed("zstd (ends early)", (body) => cut(zstdCompressSync(body)), MAY_REFUSE),
  packed("gzip (wrong checksum)", (body) => Buffer.concat([gzipSync(body).subarray(0, -8), Buffer.alloc(8)]), MAY_REFUSE),
  packed("gzip (bytes after it)", (body) => Buffer.concat([gzipSync(body), Buffer.from("junk")]), MAY_REFUSE),
  packed("gzip (in two members)", (body) => Buffer.concat([gzipSync(body.subarray(0, 9)), gzipSync(body.subarray(9))]), MAY_REFUSE),
  packed("gzip (empty)", () => Buffer.alloc(0), MAY_REFUSE),
  packed("gzip (20 MB of text)", (body) => gzipSync(Buffer.concat([body, Buffer.alloc(20_000_000, " ")])), { ...MAY_REFUSE, isLong: true }),
  packed("deflate (20 MB of text)", (body) => deflateSync(Buffer.concat([body, Buffer.alloc(20_000_000, " ")])), {
    ...MAY_REFUSE,
    isLong: true,
  }),
  [
    "gzip of a gigabyte",
    async (socket, reply) =>
      sendBody(socket, reply, await (packedGigabyte ??= packGigabyte()), { headers: { "content-encoding": "gzip" } }),
    { mayRefuse: true, isLong: true },
  ],
  [
    "gzip of an error",
    (socket, reply) =>
      sendBody(socket, reply, gzipSync('{"message":"no such index"}'), { status: 404, headers: { "content-encoding": "gzip" } }),
  ],
  [
    "deflate of an error",
    (socket, reply) =>
      sendBody(socket, reply, deflateSync('{"message":"no such index"}'), { status: 404, headers: { "content-encoding": "deflate" } }),
  ],
  ["gzip for the window", packed("gzip", gzipSync)[1], WIDE],
  ["zstd for the window", packed("zstd", zstdCompressSync)[1], WIDE],
  ["gzip that ends early for the window", packed("gzip", (body) => cut(gzipSync(body)))[1], WIDE],
]);

const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);

const CONTENT = group("content", [
  ["empty", bytes(() => ""), SHORT],
  ["a page of HTML", bytes(() => "<!doctype html><title>502</title>"), SHORT],
  ["cut JSON", bytes((body) => body.subarray(0, -30)), SHORT],
  ["JSON with a byte order mark", bytes((body) => `\u{feff}${body.toString("utf8")}`)],
  ["JSON as UTF-16", bytes((body) => Buffer.from(body.toString("utf8"), "utf16le"))],
  ["JSON with bytes that are no UTF-8", bytes((body) => Buffer.from(body.toString("latin1").replace("item 3", "item \xff\xfe"), "latin1"))],
  ["JSON with a null byte", bytes((body) => body.toString("utf8").replace("item 3", "item \0"))],
  ["JSON twice", bytes((body) => Buffer.concat([body, body]))],
  ["JSON with NaN", bytes((body) => body.toString("utf8").replace(/:\s*\d+/, ":NaN"))],
  ["JSON with 1e400", bytes((body) => body.toString("utf8").replace(/:\s*\d+/, ":1e400"))],
  ["JSON with every member twice", bytes((body) => body.toString("utf8").replace(/^\{([^]*)\}$/, "{$1,$1}")), SHORT],
  ["JSON with a comment", bytes((body) => `/* */${body.toString("utf8")}`)],
  ["null", bytes(() => "null")],
  ["an empty object", bytes(() => "{}")],
  ["an empty list", bytes(() => "[]")],
  ["nested 150 deep", json((reply) => ({ ...Object(reply), deep: JSON.parse(nested(150)) }))],
  ["nested 100,000 deep", bytes((body) => body.toString("utf8").replace(/\}$/, `,"deep":${nested(100_000)}}`)), SHORT],
  ["17 MB", bytes((body) => Buffer.concat([body, Buffer.alloc(17_000_000, " ")])), LONG],
  ["17 MB in chunks", (socket, reply) => sendChunked(socket, reply, Buffer.concat([reply.body, Buffer.alloc(17_000_000, " ")])), LONG],
  [
    "17 MB that break off",
    (socket, reply) => {
      socket.write(head(reply, { headers: { "content-length": 20_000_000 } }));
      socket.end(Buffer.concat([reply.body, Buffer.alloc(17_000_000, " ")]));
    },
    { isLong: true },
  ],
  ["no hits", items(() => [])],
  ["one hit", items((all) => all.slice(0, 1))],
  ["hits without ids", withIds(() => undefined)],
  ["ids that are null", withIds(() => null)],
  ["ids that are numbers", withIds((_, i) => i)],
  ["ids that are objects", withIds((id) => ({ id }))],
  ["one id twice", withIds((id, i) => (i === 3 ? "item-1" : id)), SHORT],
  ["one id on all hits", withIds(() => "item-1")],
  ["an id as number and as text", withIds((id, i) => (i === 0 ? 7 : i === 1 ? "7" : id))],
  ["ids that differ in their accents' bytes", withIds((id, i) => (i === 0 ? "caf\u00e9" : i === 1 ? "cafe\u0301" : id))],
  ["empty ids", withIds((id, i) => (i === 2 ? "" : id))],
  ["an id of 1 MB", withIds((id, i) => (i === 2 ? "x".repeat(1_000_000) : id))],
  ["ids with quotes and escapes", withIds((id) => `${id}"\\\u2028\n\ud800`)],
  ["ids of JavaScript's own", withIds((id, i) => ["__proto__", "constructor", "toString"][i] ?? id)],
  ["unknown items", withIds((id) => `other-${id}`)],
  ["prices that are texts", items((all) => all.map((item) => ({ ...item, ...Object({ price: "free" }) })))],
  ["a hit of 2 MB", items((all) => all.map((item, i) => (i === 1 ? { ...item, title: "y".repeat(2_000_000) } : item)))],
]);

/** Lists as long as the search has hits, which hold them. */
function cutLists(value: unknown, from: number, to: number): unknown {
  if (Array.isArray(value)) {
    const kept: readonly unknown[] = value.length === from ? value.slice(0, to) : value;
    return kept.map((element) => cutLists(element, from, to));
  }
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, cutLists(inner, from, to)]));
}

const cutHits =
  (left: number): Misbehave =>
  (socket, reply, asked) => {
    const count = asked.ids(reply.body)[0]?.length ?? 0;
    sendBody(socket, reply, Buffer.from(JSON.stringify(cutLists(JSON.parse(reply.body.toString("utf8")), count, Math.min(left, count)))));
  };

const numbers = (change: (value: number) => unknown): Misbehave =>
  json((reply) => JSON.parse(JSON.stringify(reply, (_, value: unknown) => (value === ITEMS.length ? change(ITEMS.length) : value))));

const WINDOW = group("window", [
  ["of the window one hit less than there are", cutHits(19), WIDE],
  ["of the window five hits", cutHits(5), { ...WIDE, ...SHORT }],
  ["of the window no hits", cutHits(0), WIDE],
  ["of every request five hits", cutHits(5)],
  ["another order in the window", items((all) => all.toReversed()), { ...WIDE, ...SHORT, isOtherWindow: true }],
  ["other items in the window", items((all) => all.map((item, i) => ({ ...item, id: `new-${i}` }))), { ...WIDE, isOtherWindow: true }],
  ["a total of 3", numbers(() => 3)],
  ["a total of 10^15", numbers(() => 1e15)],
  ["a total that is text", numbers((value) => String(value))],
  ["a total below zero", numbers(() => -1)],
  ["no total", numbers(() => null)],
  ["junk for the window", bytes(() => "[[["), WIDE],
  ["reset of the window", (socket) => void socket.resetAndDestroy(), WIDE],
  ["the window cut within its body", (socket, reply) => cutAfterHead(socket, reply, reply.body.length, false), WIDE],
  ["the window as 17 MB", bytes((body) => Buffer.concat([body, Buffer.alloc(17_000_000, " ")])), { ...WIDE, ...LONG }],
]);

export const ENGINE_FAULTS: readonly EngineFault[] = [...TRANSFER, ...TIME, ...STATUSES, ...HEADERS, ...COMPRESSION, ...CONTENT, ...WINDOW];

/** The engine says itself that hits may be missing, in its own words; for the window only, and for every request. */
export function incompleteFaults(backend: string): EngineFault[] {
  const signs = SIGNS.get(backend) ?? [];
  const all = signs.flatMap(({ path, says }) => says.map((value) => ({ path, value })));
  return [false, true].flatMap((isWideOnly) =>
    all.map(({ path, value }, i) => ({
      name: `${path.join(".")} = ${JSON.stringify(value)}${isWideOnly ? ", for the window" : ""}`,
      group: "incomplete",
      misbehave: json((reply) => withMember(reply, path, value)),
      isWideOnly,
      isShort: i === 0,
    })),
  );
}
