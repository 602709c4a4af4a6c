/** The dashboard's page as the edge serves it: made of its source, and small. What it does is tried in Chromium (test/browser/dashboard.test.ts). */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync, gzipSync } from "node:zlib";
import { build } from "esbuild";
import { expect, it } from "vitest";
import { DASHBOARD_PAGE, DASHBOARD_POLICY } from "../../../src/dashboard/bundled.ts";
import { dashboardPage, rulesPage } from "../../../src/dashboard/page.ts";
import { FIGURES, pageOf, policyOf, RULES } from "../../../src/report/dashboard/markup.ts";

const SRC = new URL("../../../src/", import.meta.url);

/** As the Worker carries it. */
const MAX_BYTES = 11_500;

const MAX_RULES_BYTES = 18_000;
const RULES_FILE = new URL("../assets/rules-page.bin", SRC);
const MARKUP = /innerHTML|outerHTML|insertAdjacent|eval\(|document\.cookie|localStorage|<\/script/i;

async function bundle(entry: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(`report/dashboard/${entry}`, SRC))],
    bundle: true,
    minify: true,
    format: "iife",
    target: "es2023",
    charset: "utf8",
    write: false,
  });
  return outputFiles[0]?.text.trim() ?? "";
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("base64");

it("is bundled from its source (UPDATE_DASHBOARD=1 writes it)", async () => {
  const script = await bundle("dashboard.ts");
  const [page, policy] = [pageOf(script, FIGURES), policyOf(script, FIGURES, sha256)];
  if (process.env["UPDATE_DASHBOARD"] === "1") {
    const header = "/** Made of src/report/dashboard by `UPDATE_DASHBOARD=1 npx vitest run test/report/dashboard/bundle.node.test.ts`. */";
    const packed = gzipSync(page, { level: 9 }).toString("base64");
    const text = `${header}\nexport const DASHBOARD_POLICY =\n  "${policy}";\nexport const DASHBOARD_PAGE =\n  "${packed}";\n`;
    writeFileSync(new URL("dashboard/bundled.ts", SRC), text);
  } else {
    // Packers differ from version to version in bytes, not in what comes out.
    expect(await dashboardPage().text()).toBe(page);
    expect(DASHBOARD_POLICY).toBe(policy);
  }
});

it("has a page of rules beside it, from its source too", async () => {
  const script = await bundle("rules/main.ts");
  const [page, policy] = [pageOf(script, RULES), policyOf(script, RULES, sha256)];
  if (process.env["UPDATE_DASHBOARD"] === "1") writeFileSync(RULES_FILE, gzipSync(`${policy}\n${page}`, { level: 9 }));
  else {
    const packed = readFileSync(RULES_FILE);
    expect(gunzipSync(packed).toString()).toBe(`${policy}\n${page}`);
    const served = await rulesPage(packed);
    expect(await served.text()).toBe(page);
    expect(served.headers.get("content-security-policy")).toBe(policy);
    expect(packed.length).toBeLessThan(MAX_RULES_BYTES);
  }
});

it("is small, and makes no markup of what it reads", async () => {
  expect(await bundle("rules/main.ts")).not.toMatch(MARKUP);
  const script = await bundle("dashboard.ts");
  expect(script).not.toMatch(MARKUP);
  expect(DASHBOARD_PAGE.length).toBeLessThan(MAX_BYTES);
  console.info(`dashboard: script ${script.length} bytes, page ${pageOf(script, FIGURES).length}, packed ${DASHBOARD_PAGE.length}`);
});
