import { gzipSync } from "node:zlib";
import { assert, asyncProperty, integer } from "fast-check";
import { describe, expect, it } from "vitest";
import type { ManifestFile } from "../../../src/runtimes/browser/file-manifest.ts";
import { unpack, verify } from "../../../src/runtimes/browser/files.ts";

const content = new TextEncoder().encode("item vectors ".repeat(500));
const packed = Uint8Array.from(gzipSync(content));

async function listed(bytes: Uint8Array<ArrayBuffer>): Promise<ManifestFile> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const sha256 = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return { name: "kv/products/live", sha256, bytes: bytes.length, packedBytes: packed.length, url: `files/${sha256}.gz`, when: "install" };
}

describe("unpack() and verify()", () => {
  it("give the content back, also where the host has unpacked it already", async () => {
    const file = await listed(content);
    for (const arrived of [packed, content]) {
      const unpacked = await unpack(file, arrived);
      expect(unpacked).toEqual(content);
      await verify(file, unpacked);
    }
  });

  it("refuse every file that was cut, by name", async () => {
    const file = await listed(content);
    await assert(
      asyncProperty(integer({ min: 0, max: packed.length - 1 }), async (length) => {
        await expect(unpack(file, packed.slice(0, length))).rejects.toThrow(/^kv\/products\/live \(files\/[0-9a-f]+\.gz\) has /);
      }),
    );
  });

  it("refuse every flipped bit, in unpacking or by its hash", async () => {
    const file = await listed(content);
    await assert(
      asyncProperty(integer({ min: 0, max: packed.length * 8 - 1 }), async (bit) => {
        const flipped = packed.slice();
        flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        let accepted: Uint8Array | undefined;
        try {
          const unpacked = await unpack(file, flipped);
          await verify(file, unpacked);
          accepted = unpacked;
        } catch (error) {
          expect(error).toMatchObject({ name: "FileError", reason: "file_corrupt" });
        }
        // Some bits of a gzip header (its time, say) mean nothing.
        if (accepted !== undefined) expect(accepted).toEqual(content);
      }),
    );
  });

  it("unpack no more than was listed", async () => {
    const file = { ...(await listed(content)), bytes: 100 };
    await expect(unpack(file, packed)).rejects.toThrow("more than the 100 bytes of files.json");
    const bomb = Uint8Array.from(gzipSync(new Uint8Array(50_000_000)));
    await expect(unpack(file, bomb)).rejects.toThrow("more than the 100 bytes of files.json");
  });
});
