import { describe, expect, it } from "vitest";
import { readBody } from "../../src/backends/body.ts";

const CHUNKS = [Uint8Array.of(1, 2, 3), Uint8Array.of(4), Uint8Array.of(5, 6)];

function chunked(headers: Record<string, string> = {}): Response {
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of CHUNKS) controller.enqueue(chunk);
      controller.close();
    },
  });
  return new Response(stream, { headers });
}

describe("readBody()", () => {
  it("gives a body of announced length whole", async () => {
    const { body, rest } = await readBody(new Response("hello", { headers: { "content-length": "5" } }), 5);
    expect(new TextDecoder().decode(body)).toBe("hello");
    expect(rest).toBeUndefined();
  });

  it("gives a body whose length nobody told, up to the limit", async () => {
    const { body, rest } = await readBody(chunked(), 6);
    expect([...body]).toEqual([1, 2, 3, 4, 5, 6]);
    expect(rest).toBeUndefined();
  });

  it("stops behind the limit, and leaves what follows", async () => {
    const { body, rest } = await readBody(chunked(), 3);
    expect([...body]).toEqual([1, 2, 3, 4]);
    const next = await rest?.getReader().read();
    expect([...(next?.value ?? [])]).toEqual([5, 6]);
  });

  it("stops behind the limit where more was announced, or the length of something packed", async () => {
    expect((await readBody(chunked({ "content-length": "6" }), 3)).body).toHaveLength(4);
    const packed = await readBody(chunked({ "content-length": "2", "content-encoding": "br" }), 3);
    expect(packed.rest).toBeDefined();
  });

  it("has nothing to read where there is no body", async () => {
    expect((await readBody(new Response(null, { headers: { "content-length": "9" } }), 3)).body).toHaveLength(0);
  });
});
