import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { embedCatalog } from "../../src/cli/embed.ts";
import { run } from "../../src/lab/main.ts";
import { buildBrowserFiles } from "../../src/cli/private/build.ts";
import { parsePointer } from "../../src/embeddings/store.ts";
import { parseFileManifest } from "../../src/runtimes/browser/file-manifest.ts";

const folder = mkdtempSync(join(tmpdir(), "armmt-private-"));
const from = join(folder, "embeddings");
const out = join(folder, "site");
const config = { INDEXES: { products: { backend: "elasticsearch", window: 100, catalog: "products" } } };

async function embed(titles: readonly string[]): Promise<void> {
  const catalog = join(folder, "products.jsonl");
  writeFileSync(catalog, titles.map((title, i) => JSON.stringify({ id: `p${i}`, title, category: "Cups", price: 5 })).join("\n"));
  await embedCatalog({ catalog, textEncoder: "builtin", out: from, json: true });
}

function listingIn(site: string) {
  const listing = parseFileManifest(readFileSync(join(site, "files.json"), "utf8"));
  if (!listing.ok) throw new Error(listing.error);
  return listing.value;
}

const packedIn = (site: string) => readdirSync(join(site, "files"));

describe("armmt private", () => {
  beforeAll(() => embed(["Red cup", "Blue cup"]));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("writes each file under the hash of its content, and a list that a browser can check", async () => {
    const report = await buildBrowserFiles({ out, from, catalog: "products", config, json: true });
    const { files } = listingIn(out);
    expect(packedIn(out)).toHaveLength(files.length);
    for (const { name, url, sha256, bytes, packedBytes } of files) {
      const packed = readFileSync(join(out, url));
      const content = gunzipSync(packed);
      expect([name, createHash("sha256").update(content).digest("hex"), content.length, packed.length]).toEqual([
        name,
        sha256,
        bytes,
        packedBytes,
      ]);
      // What Workers Static Assets takes of one file.
      expect(packed.length).toBeLessThan(25 * 1024 * 1024);
    }
    const late = files.filter(({ when }) => when === "use").map(({ name }) => name);
    expect(late).toEqual([expect.stringContaining("asyncify.wasm")]);
    expect(report.packed).toBe(files.length);
    expect(report.installBytes).toBeLessThan(6_500_000);
  });

  it("lists what the edge would read from KV", () => {
    const { files } = listingIn(out);
    const read = (name: string): string => {
      const file = files.find((one) => one.name === name);
      return gunzipSync(readFileSync(join(out, file?.url ?? ""))).toString();
    };
    const pointer = parsePointer(read("kv/products/live"));
    const version = pointer.ok ? pointer.value.version : "";
    expect(JSON.parse(read(`kv/products/${version}/set`))).toMatchObject({ version, itemCount: 2 });
    expect(files.some(({ name }) => name === `kv/products/${version}/shard/0`)).toBe(true);
  });

  it("puts nothing into the worker that a service worker may not do, and no part of Node", () => {
    const worker = readFileSync(join(out, "sw.js"), "utf8");
    expect(worker).not.toMatch(/require\("node:|from "node:/);
    expect(worker.startsWith('"use strict"')).toBe(true);
  });

  it("packs nothing twice, and keeps what the list before this one has for visitors in between", async () => {
    const first = listingIn(out);
    expect((await buildBrowserFiles({ out, from, catalog: "products", config, json: true })).packed).toBe(0);
    await embed(["Red cup", "Blue cup", "Green cup"]);
    const second = await buildBrowserFiles({ out, from, catalog: "products", config, json: true });
    expect(second.packed).toBe(3); // pointer, set, shard
    expect(packedIn(out)).toHaveLength(second.files.length + 3);
    for (const { url } of first.files) expect(packedIn(out)).toContain(url.split("/")[1]);
    await embed(["Red cup", "Blue cup", "Green cup", "Grey cup"]);
    const third = await buildBrowserFiles({ out, from, catalog: "products", config, json: true });
    expect(packedIn(out)).toHaveLength(third.files.length + 3);
    expect(packedIn(out)).not.toContain(first.files.find(({ name }) => name.includes("/shard/"))?.url.split("/")[1]);
  });

  it("says what is wrong, and with which value", async () => {
    const errors: string[] = [];
    const write = process.stderr.write.bind(process.stderr);
    process.stderr.write = (text: string | Uint8Array) => errors.push(String(text)) > 0;
    try {
      expect(await run(["private", "--out", out, "--from", from, "--index", "shoes"])).toBe(1);
      expect(errors.join("")).toMatch(/has no \[vars\.INDEXES\.shoes\] \(it has: products\): name one with --index/);
      expect(await run(["private", "--out", out, "--from", join(folder, "nothing")])).toBe(1);
      expect(errors.join("")).toContain("Nothing embedded in");
      expect(await run(["private", "--out", out, "--scope", "private"])).toBe(2);
      expect(errors.join("")).toContain("give a path that begins and ends with a slash");
      expect(await run(["private", "--out", out, "--window", "1"])).toBe(2);
      expect(await run(["private"])).toBe(2);
    } finally {
      process.stderr.write = write;
    }
  });
});
