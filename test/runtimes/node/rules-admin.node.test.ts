/** The page of rules on a server: it carries the page, writes into its folder, and follows what was published. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { bypass } from "../../../src/result.ts";
import { serve } from "../../../src/runtimes/node/node.ts";

const TOKEN = "a-token-for-tests-only";
const data = mkdtempSync(join(tmpdir(), "armmt-rules-admin-"));

afterAll(() => rmSync(data, { recursive: true, force: true }));

it("serves the page, publishes into its folder, and says that nothing is recorded yet", async () => {
  const server = await serve({
    env: {
      INDEXES: { products: { backend: "meilisearch", url: "http://127.0.0.1:1", window: 20, catalog: "toys" } },
      ADMIN_TOKEN: TOKEN,
      LIVE_RULES: true,
    },
    port: 0,
    data,
    scorer: () => bypass("model_unavailable", "none in this test"),
    log: () => undefined,
  });
  try {
    const page = await fetch(`${server.url}/armmt/rules.html`);
    expect(page.headers.get("content-security-policy")).toMatch(/^default-src 'none'; script-src 'sha256-/);
    expect(await page.text()).toMatch(/^<!doctype html>/);
    const post = (body: object) =>
      fetch(`${server.url}/armmt/rules/toys`, {
        method: "POST",
        headers: { authorization: `Bearer ${TOKEN}` },
        body: JSON.stringify(body),
      });
    const text = JSON.stringify({ format: 1, rules: [{ id: "a", action: { do: "diversify", first: 4 } }] });
    expect((await post({ text, by: "anna", expect: "none" })).status).toBe(200);
    expect(existsSync(join(data, "kv/toys/rules/live"))).toBe(true);
    const today = await fetch(`${server.url}/armmt/rules/toys/today`, { headers: { authorization: `Bearer ${TOKEN}` } });
    expect(await today.json()).toEqual({ problem: "Nothing is recorded yet" });
  } finally {
    await server.stop();
  }
});
