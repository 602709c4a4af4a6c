import { crc32 as zlibCrc32 } from "node:zlib";
import { expect, it } from "vitest";
import { crc32 } from "../../src/embeddings/checksum.ts";

const bytes = new Uint8Array(5000).map((_, i) => (i * 7919) ^ (i >> 3));

it("is zlib's, for every length and alignment", () => {
  for (let start = 0; start < 9; start++) {
    for (let length = 0; length < 70; length++) {
      const part = bytes.subarray(start, start + length);
      expect(~crc32(part, 0, length, -1) >>> 0).toBe(zlibCrc32(part));
    }
  }
  expect(~crc32(bytes, 0, bytes.length, -1) >>> 0).toBe(zlibCrc32(bytes));
});

it("goes on where it stopped, within a larger buffer", () => {
  const part = bytes.subarray(3);
  const whole = ~crc32(part, 5, 4001, -1) >>> 0;
  expect(~crc32(part, 1234, 4001, crc32(part, 5, 1234, -1)) >>> 0).toBe(whole);
  expect(whole).toBe(zlibCrc32(part.subarray(5, 4001)));
});
