/**
 * `npm run test:next`: the example of Next.js as a reader of its README starts it: installed by its lockfile, built, served, beside an edge for Node
 * before a stand-in engine (the demo's edge explores, so no two searches need have one order). In a copy, so that nothing stays in the checkout.
 * Takes minutes; ends with 1 and the reason where something is not as it should be.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import * as v from "valibot";
import { STAND_INS } from "../browser/fronts/engines.ts";
import { listen } from "../clients/servers.ts";
import { startEdge } from "../engines/edge.ts";

const EXAMPLE = fileURLToPath(new URL("../../examples/next", import.meta.url));
const QUERY = "black";
const PAGE_SIZE = 24;
/** On a busy machine. */
const PATIENCE_MS = 30 * 60_000;

const started = performance.now();
const say = (what: string): void => console.log(`${((performance.now() - started) / 1000).toFixed(0)} s: ${what}`);

const reply = v.object({ hits: v.object({ hits: v.array(v.object({ _id: v.string() })) }) });

/** What the edge itself answers to the same search. */
async function idsAt(edge: string, headers: Readonly<Record<string, string>> = {}): Promise<readonly string[]> {
  const query = { multi_match: { query: QUERY, fields: ["title^2", "category"] } };
  const answer = await fetch(`${edge}/products/_search`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ query, from: 0, size: PAGE_SIZE }),
  });
  return v.parse(reply, await answer.json()).hits.hits.map(({ _id: id }) => id);
}

const idsIn = (html: string): readonly string[] => [...html.matchAll(/<li data-id="([^"]+)"/g)].map(([, id = ""]) => id);

/** Of the page, once it is there. */
async function firstPage(address: string, example: ChildProcess): Promise<string> {
  for (;;) {
    assert.equal(example.exitCode, null, `npm start of the example ended with ${example.exitCode}`);
    assert.ok(performance.now() - started < PATIENCE_MS, `The example is not there after ${PATIENCE_MS / 60_000} minutes`);
    try {
      const page = await fetch(address); // oxlint-disable-line no-await-in-loop
      assert.equal(page.status, 200, `The page answers with status ${page.status}`);
      return await page.text(); // oxlint-disable-line no-await-in-loop
    } catch (cause) {
      if (cause instanceof assert.AssertionError) throw cause;
      await wait(500); // oxlint-disable-line no-await-in-loop
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  assert.ok(typeof address === "object" && address !== null);
  return address.port;
}

const folder = mkdtempSync(join(tmpdir(), "armmt-next-"));
const copy = join(folder, "next");
cpSync(EXAMPLE, copy, { recursive: true, filter: (path) => !/[/\\](node_modules|\.next)$/.test(path) });
const port = await freePort();
const engine = await listen(STAND_INS.elasticsearch);
const edge = await startEdge("elasticsearch", engine.url);
say(`the edge is at ${edge.url}`);
const example = spawn("npm", ["start", "--prefix", copy], {
  env: { ...process.env, SEARCH_URL: edge.url, PORT: String(port), NEXT_TELEMETRY_DISABLED: "1" },
  stdio: "inherit",
  // npm, its shell and Next end together.
  detached: true,
});
let isStopped = false;
try {
  const address = `http://127.0.0.1:${port}/?q=${encodeURIComponent(QUERY)}`;
  const page = await firstPage(address, example);
  say("the example serves its page");
  const [reranked, unranked] = [await idsAt(edge.url), await idsAt(edge.url, { "x-armmt": "off" })];
  assert.deepEqual(idsIn(page), reranked, "The page shows other hits than the edge gives");
  assert.notDeepEqual(reranked, unranked, "The edge gives the engine's order");
  assert.match(page, /applied; model=/);
  assert.match(page, /page=2/, "There is no link to the second page");
  const second = idsIn(await (await fetch(`${address}&page=2`)).text());
  assert.ok(second.length > 0 && second.every((id) => !reranked.includes(id)), "The second page repeats hits of the first");
  say(`two pages, ${reranked.length} and ${second.length} hits, in the edge's order`);
  await edge.stop();
  isStopped = true;
  assert.equal((await fetch(address)).status, 500, "Without an edge the page is served from a cache");
  say("without the edge the page answers with status 500");
} finally {
  if (example.pid !== undefined && example.exitCode === null) {
    const ended = once(example, "exit");
    process.kill(-example.pid);
    await ended;
  }
  if (!isStopped) await edge.stop();
  await engine.close();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
