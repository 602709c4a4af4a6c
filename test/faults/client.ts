/** A client that takes replies as they come: raw bytes, unpacked by nobody, with the reason where there is none. */
import { request } from "node:http";
import { performance } from "node:perf_hooks";
import { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync, zstdDecompressSync } from "node:zlib";

export type Received =
  | {
      readonly kind: "whole";
      readonly ms: number;
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: Buffer;
    }
  /** The connection broke, before the reply or within it. `length`: of the part of the body that came. */
  | { readonly kind: "broken"; readonly ms: number; readonly cause: string; readonly length: number }
  /** Not at its end within the time. */
  | { readonly kind: "late"; readonly ms: number; readonly length: number };

export interface Sent {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Buffer | undefined;
}

const MAX_HEADER_BYTES = 4_000_000;

export function receive(url: string, { method, headers, body }: Sent, timeoutMs: number): Promise<Received> {
  const startedAt = performance.now();
  const ms = (): number => performance.now() - startedAt;
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let length = 0;
    let timer: NodeJS.Timeout | undefined;
    const done = (received: Received): void => {
      clearTimeout(timer);
      resolve(received);
      outgoing.destroy();
    };
    const broken = (cause: unknown): void => done({ kind: "broken", ms: ms(), cause: String(cause), length });
    const sized = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
    const outgoing = request(url, { method, headers: { ...sized, ...headers }, agent: false, maxHeaderSize: MAX_HEADER_BYTES }, (reply) => {
      const pairs = Object.entries(reply.headers).map(([name, value]) => [name, String(value)] as const);
      const whole = (): void =>
        done({ kind: "whole", ms: ms(), status: reply.statusCode ?? 0, headers: Object.fromEntries(pairs), body: Buffer.concat(chunks) });
      // These have no body, whatever follows.
      if ([204, 205, 304].includes(reply.statusCode ?? 0)) return whole();
      reply.on("data", (chunk: Buffer) => {
        length += chunk.length;
        // A gigabyte is counted, not kept.
        if (length < 64_000_000) chunks.push(chunk);
      });
      reply.once("end", whole);
      reply.once("error", broken).once("close", () => broken("closed early"));
    });
    outgoing.on("error", broken);
    outgoing.on("upgrade", () => broken("upgrade"));
    timer = setTimeout(() => done({ kind: "late", ms: ms(), length }), timeoutMs);
    outgoing.end(body);
  });
}

const UNPACK: Readonly<Record<string, (packed: Buffer) => Buffer>> = {
  gzip: (packed) => gunzipSync(packed, LIMIT),
  "x-gzip": (packed) => gunzipSync(packed, LIMIT),
  deflate: (packed) => {
    try {
      return inflateSync(packed, LIMIT);
    } catch {
      return inflateRawSync(packed, LIMIT);
    }
  },
  br: (packed) => brotliDecompressSync(packed, LIMIT),
  zstd: (packed) => zstdDecompressSync(packed, LIMIT),
};

const LIMIT = { maxOutputLength: 64_000_000 };

/** The body as its `content-encoding` says; `undefined` where it is unknown, damaged or beyond all measure. */
export function plainBody(coding: string | undefined, body: Buffer): Buffer | undefined {
  const codings = (coding ?? "")
    .toLowerCase()
    .split(",")
    .map((part) => part.trim());
  let plain = body;
  try {
    for (const name of codings.toReversed()) {
      if (name === "" || name === "identity") continue;
      const unpack = UNPACK[name];
      if (unpack === undefined) return undefined;
      plain = unpack(plain);
    }
    return plain;
  } catch {
    return undefined;
  }
}
