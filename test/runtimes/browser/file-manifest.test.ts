import { describe, expect, it } from "vitest";
import { parseFileManifest } from "../../../src/runtimes/browser/file-manifest.ts";

const file = {
  name: "model/student.onnx",
  sha256: "a".repeat(64),
  bytes: 10,
  packedBytes: 12,
  url: `files/${"a".repeat(64)}.gz`,
  when: "install",
};
const listing = (...files: object[]) => JSON.stringify({ format: 1, config: { INDEXES: { products: { window: 100 } } }, files });

describe("parseFileManifest()", () => {
  it("reads what armmt private writes", () => {
    const parsed = parseFileManifest(listing(file));
    expect(parsed.ok && parsed.value.files).toEqual([file]);
  });

  it("takes no file of another host, nor one outside its folder", () => {
    for (const url of ["https://elsewhere.test/a.gz", "//elsewhere.test/a.gz", "/a.gz", "data:,a", "files//a.gz"]) {
      const parsed = parseFileManifest(listing({ ...file, url }));
      expect(parsed.ok ? url : parsed.error).toBe("files.0.url: expected a path below files.json");
    }
  });

  it("names what is wrong", () => {
    expect(parseFileManifest("<!doctype html>")).toEqual({ ok: false, error: 'not JSON: "<!doctype html>"' });
    expect(parseFileManifest(listing({ ...file, sha256: "A" }))).toMatchObject({ error: "files.0.sha256: expected 64 hexadecimal digits" });
    expect(parseFileManifest(listing(file, file))).toMatchObject({ error: "files: a name stands twice" });
    const other = parseFileManifest(JSON.stringify({ format: 2, config: { INDEXES: {} }, files: [] }));
    expect(other.ok ? "" : other.error).toMatch(/^format: .*Expected 1/);
  });
});
