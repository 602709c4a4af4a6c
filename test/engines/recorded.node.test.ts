/** Exchanges that a real Meilisearch answered once, where ../shared has them: an engine that knows these alone, behind the edge. */
import { existsSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { fileURLToPath } from "node:url";
import * as v from "valibot";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { listen } from "../faults/listen.ts";
import { meilisearch as standIn } from "../search/dialects/meilisearch.ts";
import { type RunningEdge, startEdge } from "./edge.ts";
import { note, report } from "./figures.ts";
import { ask, type Shape } from "./judge.ts";
import { faultsOf } from "./stand-in.ts";

const FILE = fileURLToPath(new URL("../../../shared/data/engines/meilisearch-1.50.0.json", import.meta.url));

const isPresent = existsSync(FILE);
if (!isPresent) console.warn("The recorded exchanges of Meilisearch are not beside this checkout (../shared/data): they are not asked");

const HEADERS = v.record(v.string(), v.string());
const EXCHANGE = v.object({
  name: v.string(),
  request: v.object({
    method: v.string(),
    path: v.string(),
    headers: v.optional(HEADERS, {}),
    body: v.optional(v.nullable(v.string()), null),
  }),
  reply: v.object({ status: v.number(), headers: HEADERS, body: v.string() }),
});

/** Those that the edge serves. */
const exchanges = isPresent
  ? v
      .parse(v.array(v.unknown()), JSON.parse(readFileSync(FILE, "utf8")))
      .slice(1)
      .map((entry) => v.parse(EXCHANGE, entry))
      .filter(
        // Of packed bodies the text was recorded.
        ({ request: { method, path, headers } }) =>
          (method === "GET" || method === "POST") &&
          !Object.hasOwn(headers, "content-encoding") &&
          /^\/(indexes\/\w+\/search|multi-search)(\?|$)/.test(path),
      )
  : [];

const shapes = exchanges.map(({ name, request: { method, path, headers, body } }): Shape => ({
  label: name,
  method: method === "POST" ? "POST" : "GET",
  path,
  headers,
  ...(body !== null && { body }),
  outcome: "any",
}));

/** Exchanges that fail until somebody repairs the edge: the test then asks for the line to go. */
const FAILING: ReadonlyMap<string, string> = new Map([["error: indexUid missing", "the edge says it in its own words"]]);

describe.skipIf(!isPresent)("recorded Meilisearch", () => {
  let engine: { readonly port: number; close(): void };
  let url: string;
  let edge: RunningEdge;
  beforeAll(async () => {
    engine = await listen(recorder());
    url = `http://127.0.0.1:${engine.port}`;
    const names = shapes.flatMap(({ path, body = "" }) => [
      /^\/indexes\/(\w+)\//.exec(path)?.[1],
      ...[...body.matchAll(/"indexUid": ?"(\w+)"/g)].map((match) => match[1]),
    ]);
    edge = await startEdge(
      "meilisearch",
      url,
      { forwardCredentials: true },
      [...new Set(names)].filter((name) => name !== undefined),
    );
  });
  afterAll(async () => {
    await edge?.stop();
    engine?.close();
  });

  it(`gets through the edge as it is, in ${shapes.length} exchanges`, async () => {
    const faults: string[] = [];
    for (const shape of shapes) {
      const direct = await ask(url, shape); // oxlint-disable-line no-await-in-loop
      const off = await ask(edge.url, shape, { "x-armmt": "off" }); // oxlint-disable-line no-await-in-loop
      const isSame = off.status === direct.status && off.body === direct.body;
      report({ asked: 1, same: Number(isSame), outcomes: [off.outcome] });
      const known = FAILING.get(shape.label);
      if (isSame && known !== undefined) faults.push(`${shape.label} works: take it out of FAILING`);
      else if (known !== undefined) note(`${shape.label} fails, as ${known}`);
      else if (!isSame)
        faults.push(`${shape.label}: ${off.status} ${off.body.slice(0, 200)} instead of ${direct.status} ${direct.body.slice(0, 200)}`);
    }
    expect(faults).toEqual([]);
  });

  it("has a stand-in that answers alike", async () => {
    // Of keys, and of what a request may not say, the stand-in knows nothing: the engine's own refusals are asked above.
    const answered = shapes.filter((_, i) => exchanges[i]?.reply.status === 200);
    expect(await faultsOf(standIn, answered, url)).toEqual([]);
  });
});

function recorder(): Server {
  const replies = new Map(exchanges.map(({ request: { method, path, body }, reply }) => [`${method} ${path} ${body ?? ""}`, reply]));
  return createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const reply = replies.get(`${request.method} ${request.url} ${Buffer.concat(chunks).toString()}`);
      const headers = Object.entries(reply?.headers ?? {}).filter(
        ([name]) => !["content-length", "transfer-encoding", "connection", "date"].includes(name),
      );
      response.writeHead(reply?.status ?? 599, Object.fromEntries(headers)).end(reply?.body ?? "not recorded");
    });
  });
}
