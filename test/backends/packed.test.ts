/** Replies that come packed, break off or have a status of no Response: by the engine's client alone, with a network of this file. */
import { describe, expect, it } from "vitest";
import { createEngineClient } from "../../src/backends/engine.ts";
import { limitedRest } from "../../src/backends/rest.ts";
import type { EngineRequest } from "../../src/backends/dialect.ts";

const PLAIN = JSON.stringify({ hits: Array.from({ length: 50 }, (_, i) => ({ id: i })) });
const REQUEST: EngineRequest = { method: "POST", path: "/search", search: "", body: undefined };

async function pack(format: CompressionFormat, bytes: BlobPart): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream(format));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** `encoding` and body as they stand, not packed once more by workerd. */
function reply(body: Uint8Array<ArrayBuffer> | string, encoding: string): Response {
  const init = { headers: { "content-encoding": encoding, "content-type": "application/json", etag: '"1"' }, encodeBody: "manual" };
  return new Response(body, init);
}

function ask(response: Response, maxReplyBytes: number = 1 << 20) {
  const headers = { fromClient: [], address: undefined, own: {} };
  const client = createEngineClient({ fetch: async () => response, url: "http://engine", headers, withheldParams: [], maxReplyBytes });
  return client.send(REQUEST, { headers: new Headers(), address: undefined }, 5000);
}

describe("a packed reply", () => {
  it.each<[string, () => Promise<Uint8Array<ArrayBuffer>>]>([
    ["gzip", () => pack("gzip", PLAIN)],
    ["GZIP", () => pack("gzip", PLAIN)],
    ["x-gzip", () => pack("gzip", PLAIN)],
    ["deflate", () => pack("deflate", PLAIN)],
    ["deflate", () => pack("deflate-raw", PLAIN)],
    ["gzip, deflate", async () => pack("deflate", await pack("gzip", PLAIN))],
    ["identity, gzip", () => pack("gzip", PLAIN)],
  ])("as %s is unpacked, and named plain", async (encoding, packed) => {
    const got = await ask(reply(await packed(), encoding));
    if (!got.ok) throw new Error(got.error.detail);
    expect(new TextDecoder().decode(got.value.body)).toBe(PLAIN);
    expect([got.value.headers.get("content-encoding"), got.value.headers.get("etag"), got.value.left]).toEqual([null, null, undefined]);
  });

  it.each(["gzip", "br", "zstd", "rot13"])(
    "that the runtime has unpacked is named plain, whatever its header says: %s",
    async (encoding) => {
      const got = await ask(reply(PLAIN, encoding));
      if (!got.ok) throw new Error(got.error.detail);
      expect(new TextDecoder().decode(got.value.body)).toBe(PLAIN);
      expect(got.value.headers.get("content-encoding")).toBeNull();
    },
  );

  it("as something unknown stays as it is, with its header", async () => {
    const packed = Uint8Array.of(0x1f, 0x9d, 1, 2, 3);
    const got = await ask(reply(packed, "compress"));
    expect(got).toMatchObject({ ok: true, value: { body: packed, left: { reason: "reply_encoded" } } });
    expect(got.ok && got.value.headers.get("content-encoding")).toBe("compress");
  });

  it("in more codings than anybody uses stays as it is", async () => {
    let packed = await pack("gzip", PLAIN);
    for (let i = 0; i < 4; i++) packed = await pack("gzip", packed);
    expect(await ask(reply(packed, "gzip, gzip, gzip, gzip, gzip"))).toMatchObject({ value: { left: { reason: "reply_encoded" } } });
  });

  it("that would be too long stays packed", async () => {
    const packed = await pack("gzip", " ".repeat(1_000_000));
    const got = await ask(reply(packed, "gzip"), 10_000);
    expect(got).toMatchObject({ ok: true, value: { body: packed, left: { reason: "reply_too_large" } } });
  });

  it.each(["gzip", "deflate"] as const)("as %s that ends early or is damaged is no reply", async (format) => {
    const packed = await pack(format, PLAIN);
    for (const damaged of [packed.slice(0, -9), packed.with(packed.length >> 1, packed[packed.length >> 1]! ^ 0xff)]) {
      expect(await ask(reply(damaged, format))).toMatchObject({ ok: false, error: { reason: "engine_unreachable" } });
    }
  });
});

it.each([101, 199, 600, 999])("status %d is no reply", async (status) => {
  const response = Object.defineProperty(new Response("{}"), "status", { value: status });
  expect(await ask(response)).toMatchObject({
    ok: false,
    error: { reason: "engine_unreachable", detail: expect.stringContaining(String(status)) },
  });
});

const endless = (): ReadableStream<Uint8Array> =>
  new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(1000)) }, { highWaterMark: 0 });

async function lengthOf(stream: ReadableStream<Uint8Array>): Promise<number> {
  let length = 0;
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return length;
    length += value.length;
  }
}

const long = (headers: Record<string, string>): Response => {
  let left = 100;
  const text = new TextEncoder().encode(" ".repeat(1000));
  const pull = (controller: ReadableStreamDefaultController<Uint8Array>): void =>
    left-- > 0 ? controller.enqueue(text) : controller.close();
  return new Response(new ReadableStream({ pull }), { headers });
};
const restOf = async (response: Response): Promise<ReadableStream<Uint8Array>> => {
  const got = await ask(response, 5000);
  if (!got.ok || got.value.rest === undefined) throw new Error("There is no rest");
  return got.value.rest;
};

describe("the rest of a long reply", () => {
  it("breaks off at its limit of bytes", async () => {
    await expect(lengthOf(limitedRest(endless(), 50_000))).rejects.toThrow("longer than 50000 bytes");
  });

  it("breaks off where the engine lets the edge wait", async () => {
    const silent = new ReadableStream<Uint8Array>({ start: (controller) => controller.enqueue(new Uint8Array(10)) });
    await expect(lengthOf(limitedRest(silent, Infinity, 50))).rejects.toThrow("wait for 50 ms");
  });

  it("is limited where the runtime unpacks it, and nowhere else", async () => {
    expect(await lengthOf(await restOf(long({})))).toBe(94_000);
    await expect(lengthOf(await restOf(long({ "content-encoding": "br" })))).rejects.toThrow("longer than 20000 bytes");
  });
});
