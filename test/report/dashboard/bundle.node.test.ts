/** The dashboard's page as the edge serves it: made of its source, and small. What it does is tried in Chromium (test/browser/dashboard.test.ts). */
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { expect, it } from "vitest";
import { DASHBOARD_PAGE, DASHBOARD_POLICY } from "../../../src/dashboard/bundled.ts";
import { dashboardPage } from "../../../src/dashboard/page.ts";
import { pageOf, policyOf } from "../../../src/report/dashboard/markup.ts";

const SRC = new URL("../../../src/", import.meta.url);

/** As the Worker carries it. */
const MAX_BYTES = 11_000;

async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL("report/dashboard/dashboard.ts", SRC))],
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
  const script = await bundle();
  const [page, policy] = [pageOf(script), policyOf(script, sha256)];
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

it("is small, and makes no markup of what it reads", async () => {
  const script = await bundle();
  expect(script).not.toMatch(/innerHTML|outerHTML|insertAdjacent|eval\(|document\.cookie|localStorage|<\/script/i);
  expect(DASHBOARD_PAGE.length).toBeLessThan(MAX_BYTES);
  console.info(`dashboard: script ${script.length} bytes, page ${pageOf(script).length}, packed ${DASHBOARD_PAGE.length}`);
});
