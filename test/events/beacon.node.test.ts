/** The browser snippet as the Worker serves it: made of its source, and small. What it does is tried in Chromium (test/browser/beacon.test.ts). */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { expect, it } from "vitest";
import { BEACON } from "../../src/events/beacon/bundled.ts";

const FOLDER = new URL("../../src/events/beacon/", import.meta.url);

/** 3 kB, uncompressed. */
const MAX_BYTES = 3000;

async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL("armmt-beacon.ts", FOLDER))],
    bundle: true,
    minify: true,
    format: "iife",
    target: "es2020",
    write: false,
  });
  return outputFiles[0]?.text.trim() ?? "";
}

it("is bundled from its source (UPDATE_BEACON=1 writes it)", async () => {
  const text = await bundle();
  if (process.env["UPDATE_BEACON"] === "1") {
    const header = "/** Made of armmt-beacon.ts by `UPDATE_BEACON=1 npx vitest run test/events/beacon.node.test.ts`. */\n";
    const quoted = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'");
    writeFileSync(new URL("bundled.ts", FOLDER), `${header}export const BEACON =\n  '${quoted}';\n`);
  } else expect(BEACON).toBe(text);
});

it("is small", async () => {
  const text = await bundle();
  expect(text.length).toBeLessThan(MAX_BYTES);
  console.info(`armmt-beacon: ${text.length} bytes, ${gzipSync(text).length} gzipped`);
});
