/** Replies of a real Meilisearch 1.50.0 (../shared/data/engines): what the edge reads in them is what the engine did. */
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { ClientRequest, RequestPlan } from "../../src/backends/dialect.ts";
import { MEILISEARCH } from "../../src/backends/meilisearch.ts";

const FILE = new URL("../../../shared/data/engines/meilisearch-1.50.0.json", import.meta.url);
const isPresent = existsSync(FILE);
if (!isPresent) console.warn("The recorded exchanges are not beside this checkout (../shared/data): the tests that read them are skipped");

interface Exchange {
  readonly name: string;
  readonly request: { readonly method: string; readonly path: string; readonly body?: string };
  readonly reply: { readonly status: number; readonly body: string };
}

const recorded: readonly Exchange[] = isPresent ? JSON.parse(readFileSync(FILE, "utf8")).slice(1) : [];
const backend = MEILISEARCH.create(new Map(["products", "other", "few", "byprice", "grp", "cut"].map((name) => [name, {}])));
const decode = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);

function requestOf({ request: { method, path, body = "" } }: Exchange): { request: ClientRequest; index: string | undefined } | undefined {
  const url = new URL(path, "http://engine");
  const index = /^\/indexes\/([^/]+)\/search$/.exec(url.pathname)?.[1];
  if ((index === undefined && url.pathname !== "/multi-search") || (method !== "GET" && method !== "POST")) return undefined;
  return { request: { method, path: url.pathname, search: url.search, body: new TextEncoder().encode(body) }, index };
}

function planOf(exchange: Exchange): RequestPlan | undefined {
  const asked = requestOf(exchange);
  const plan = asked === undefined ? undefined : backend.plan(asked.request, asked.index);
  return plan?.ok === true ? plan.value : undefined;
}

const named = (name: string): Exchange => {
  const found = recorded.find((exchange) => exchange.name === name);
  if (found === undefined) throw new Error(`No exchange is named ${name}`);
  return found;
};
const searches = recorded.flatMap((exchange) => (requestOf(exchange) === undefined ? [] : [[exchange.name, exchange] as const]));

const masked = (text: string) => text.replace(/"requestUid":"[^"]+"/, "").replace(/"processingTimeMs":\d+/, "");

const firstReply = (name: string) => {
  const read = planOf(named(name))?.parseReply(new TextEncoder().encode(named(name).reply.body));
  const search = read?.ok === true ? read.value.searches[0] : undefined;
  if (search?.ok !== true) throw new Error("No reply");
  return search.value;
};

describe.skipIf(!isPresent)("recorded replies", () => {
  it("are as many as were recorded", () => {
    expect([recorded.length, searches.length]).toEqual([63, 55]);
  });

  it.each(searches)("%s: the request goes on as it came, and its reply is read and written back byte for byte", (_, exchange) => {
    const plan = planOf(exchange);
    const { status, body } = exchange.reply;
    if (plan === undefined) {
      // What the engine refuses anyway, or an index that is not configured.
      expect(status).toBeGreaterThanOrEqual(400);
      return;
    }
    expect(decode(plan.own.body)).toBe(exchange.request.method === "GET" ? "" : exchange.request.body);
    if (status !== 200) return;
    const read = plan.parseReply(new TextEncoder().encode(body));
    if (plan.searches.every((search) => search.bypass !== undefined)) return;
    if (!read.ok) throw new Error(read.error.detail);
    const orders = read.value.searches.map((search) => (search.ok ? [...search.value.hits.keys()] : undefined));
    // A page of its own reads as it came, whether numbers are edited or not.
    expect(decode(read.value.assemble(orders))).toBe(body);
  });

  it.each([
    ["search", "search, wide"],
    ["search, second page", "search, wide"],
    ["search, page form", "search, page form, wide"],
  ])("%s: its page, cut from the wider reply, is the engine's own", (own, wide) => {
    const plan = planOf(named(own));
    const [search] = plan?.searches ?? [];
    const read = plan?.parseReply(new TextEncoder().encode(named(wide).reply.body));
    if (search === undefined || read?.ok !== true) throw new Error("No reply");
    const page = Array.from({ length: search.limit }, (_, i) => search.offset + i);
    expect(masked(decode(read.value.assemble([page])))).toBe(masked(named(own).reply.body));
  });

  it("name pins of dynamic search rules in their details, and ranking rules that begin with a price", () => {
    expect(firstReply("pinned, score details").hits.map(({ isPinned }) => isPinned)).toEqual([true, true, false, false]);
    expect(firstReply("ranking rules begin with price:asc").bypass?.reason).toBe("explicit_sort");
    expect(firstReply("everything about a hit").bypass).toBeUndefined();
  });

  it("show that a wider hybrid search is another question", () => {
    expect(planOf(named("hybrid, page of 3"))?.searches[0]?.isCursored).toBe(true);
    expect(planOf(named("hybrid, semantic"))?.searches[0]?.isCursored).toBe(false);
  });

  it.each(["limit null", "limit 5.0", "q number", "GET, limit is no number"])(
    "error: %s is an error of the engine, and asked for once",
    (name) => {
      const { reply } = named(`error: ${name}`);
      expect([reply.status, planOf(named(`error: ${name}`))?.searches[0]?.bypass?.reason]).toEqual([400, "request_not_understood"]);
    },
  );
});
