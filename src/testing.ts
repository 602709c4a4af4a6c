/**
 * The contract that every dialect passes, for a dialect of another engine: named checks that any test runner can run. They open an edge
 * with the dialect in front of a stand-in that answers like the engine, and compare what a shopper gets with what the engine sent.
 *
 * No model is needed: the items have made-up vectors in memory, and the scorer reads the order out of them.
 */
import { type DialectDefinition, dialectsOf, type IndexOptions } from "./backends/dialects.ts";
import { isObject } from "./backends/json/values.ts";
import { openEdge } from "./edge.ts";
import { memoryKv } from "./embeddings/store.ts";
import type { ModelManifest } from "./inference/manifest.ts";
import { type Scorer, scorersOf } from "./inference/scorer.ts";
import { ITEM_FEATURES } from "./ranking/candidate.ts";
import { FEATURES } from "./ranking/features.ts";
import { randomFrom } from "./ranking/interleave.ts";
import { TOKEN_TABLE_ROWS, TOKENIZER } from "./ranking/tokenizer.ts";
import { ok } from "./result.ts";

/** Every query finds all of these, in this order. */
export interface StandInItem {
  readonly id: string;
  readonly title: string;
  readonly price: number;
}

/** Hits [offset, offset + limit). */
export interface Page {
  readonly offset: number;
  readonly limit: number;
}

/** A request of a client of the engine. */
export interface Ask {
  /** With its query. */
  readonly path: string;
  readonly init: { readonly method?: string; readonly headers?: Readonly<Record<string, string>>; readonly body?: string };
}

/** One search's part of a reply. */
export interface ReadSearch {
  /** The items of its hits, as the catalogue knows them. */
  readonly ids: readonly string[];
  /** The part without its hits: the same in every order. */
  readonly rest: unknown;
}

/** A request and its outcome. */
export interface DialectCase {
  readonly title: string;
  readonly ask: Ask;
  /** Per search of the request: "applied", or the reason for which the engine's order stays. */
  readonly outcomes: readonly string[];
  /** Positions of the page (0-based) whose hits must stay. */
  readonly pinned?: readonly number[];
}

/** How clients ask an engine and how it answers: plain HTTP and JSON, without the code of the dialect. */
export interface StandIn {
  /** The name of the index in requests and in the configuration. */
  readonly index: string;
  /** More options of the index, such as `idField`. */
  readonly config?: Readonly<Partial<Omit<IndexOptions, "url" | "window">> & Record<string, unknown>>;
  /** The ways to ask for a page. One that counts pages is only asked for whole ones. */
  readonly pages: readonly { readonly name: string; readonly ask: (query: string, page: Page) => Ask }[];
  /** For engines with cursors: the first page, and the next one until there is none. */
  readonly walk?: { readonly first: (query: string, limit: number) => Ask; readonly next: (reply: unknown) => Ask | undefined };
  /** Answers as the engine does. */
  answer(request: Request, items: readonly StandInItem[]): Promise<Response>;
  /** One entry per search of a parsed reply. */
  read(reply: unknown): readonly ReadSearch[];
  /** The first is one search that is re-ranked. */
  readonly cases: readonly DialectCase[];
}

export interface DialectCheck {
  readonly name: string;
  /** Rejects with an Error that names the expected and the actual value. */
  readonly run: () => Promise<void>;
}

/** An edge in front of the stand-in. */
export interface TestedEdge {
  /** Resolves when the work after the reply is done too. */
  send(path: string, init: RequestInit): Promise<Response>;
  readonly logs: readonly Readonly<Record<string, unknown>>[];
}

export interface ContractOptions {
  /** The name in the configuration. Default: the dialect's first. */
  readonly backend?: string | undefined;
  /** More than 20. Default: 45 made-up items. */
  readonly items?: readonly StandInItem[] | undefined;
  /** Opens an edge with these variables, where another one than that of this file is to be tested. */
  readonly open?:
    | ((variables: Readonly<Record<string, unknown>>, engine: (request: Request) => Promise<Response>) => TestedEdge)
    | undefined;
  /** Repeats the random damage of an earlier run; failures name it. */
  readonly seed?: number | undefined;
}

const WINDOW = 20;
const ENGINE_URL = "http://127.0.0.1:7700";
const QUERY = "red velvet sofa";
const JSON_TYPE = { "content-type": "application/json" };

/**
 * The checks of one dialect: each case, every way of paging, cursors, `x-armmt: off` and the control variant byte for byte, damaged
 * replies and requests, an engine that fails, and keys.
 *
 * @example
 * import { test } from "node:test";
 * import { dialectChecks } from "armmt-edge/testing";
 * import { ACME } from "../src/acme.ts";
 * import { acmeStandIn } from "./acme-stand-in.ts";
 *
 * for (const { name, run } of dialectChecks(ACME, acmeStandIn)) test(name, run);
 */
export function dialectChecks(dialect: DialectDefinition, standIn: StandIn, options: ContractOptions = {}): readonly DialectCheck[] {
  const { index, config, pages, walk, cases } = standIn;
  const items = options.items ?? Array.from({ length: 45 }, (_, i) => ({ id: `item-${i + 1}`, title: `item ${i}`, price: 10 + i }));
  const ids = items.map(({ id }) => id);
  const backend = options.backend ?? dialect.names[0] ?? "";
  const seed = options.seed ?? Math.floor(Math.random() * 2 ** 32);
  const plain = cases[0];
  if (plain === undefined || !isEqual(plain.outcomes, ["applied"])) throw new Error("The first case must be one search that is re-ranked");

  const answer = (request: Request): Promise<Response> => standIn.answer(request, items);

  function open(engine: (request: Request) => Promise<Response> = answer, variables: object = {}) {
    const exchanges: (Pick<Request, "url" | "headers"> & { readonly body: string; reply?: Uint8Array })[] = [];
    const recorded = async (request: Request): Promise<Response> => {
      const exchange: (typeof exchanges)[number] = { url: request.url, headers: request.headers, body: await request.clone().text() };
      exchanges.push(exchange);
      const response = await engine(request);
      exchange.reply = new Uint8Array(await response.clone().arrayBuffer());
      return response;
    };
    const indexes = { [index]: { backend, url: ENGINE_URL, window: WINDOW, ...config } };
    const budgets = { ENGINE_TIMEOUT_MS: 20_000, RANK_BUDGET_MS: 8000 };
    const openEdgeWith = options.open ?? inMemory(dialect, ids, config?.catalog ?? index);
    const edge = openEdgeWith({ INDEXES: indexes, ...budgets, ...variables }, recorded);
    const send = async ({ path, init }: Ask) => {
      const response = await edge.send(path, init);
      const bytes = new Uint8Array(await response.arrayBuffer());
      return { status: response.status, headers: response.headers, bytes, outcomes: outcomesOf(response) };
    };
    return { exchanges, logs: edge.logs, send };
  }

  const read = (bytes: Uint8Array): readonly ReadSearch[] => standIn.read(parse(bytes));
  const only = (bytes: Uint8Array): ReadSearch => read(bytes)[0] ?? fail("The reply has no search to read");

  async function checkCase({ ask, outcomes, pinned = [] }: DialectCase): Promise<void> {
    const edge = open();
    const { status, bytes, outcomes: found } = await edge.send(ask);
    expectEqual("status", status, 200);
    expectEqual("outcomes", found, outcomes);
    expectEqual("requests to the engine", edge.exchanges.length, 1);
    if (!outcomes.includes("applied")) return expectBytes("the engine's reply", bytes, edge.exchanges[0]?.reply);
    const control = open(answer, { DEFAULT_VARIANT: "control" });
    const own = await control.send(ask);
    expectBytes("the engine's reply of the control variant", own.bytes, control.exchanges[0]?.reply);
    const served = read(bytes);
    const engine = read(own.bytes);
    expectEqual("everything but the hits", restOf(served), restOf(engine));
    engine.forEach((search, i) => {
      const shown = served[i]?.ids ?? [];
      if (outcomes[i] !== "applied") return expectEqual(`hits of search ${i + 1}`, shown, search.ids);
      if (isEqual(shown, search.ids)) fail(`The hits of search ${i + 1} are in the engine's order`);
      expectEqual(`number of hits of search ${i + 1}`, shown.length, search.ids.length);
      expectEqual(`different hits of search ${i + 1}`, new Set(shown).size, shown.length);
      const strangers = shown.filter((id) => !ids.includes(id));
      expectEqual(`hits of search ${i + 1} that are not items`, strangers, []);
      for (const position of pinned) expectEqual(`pinned hit ${position} of search ${i + 1}`, shown[position], search.ids[position]);
    });
  }

  async function checkPages(ask: (query: string, page: Page) => Ask): Promise<void> {
    const edge = open();
    const window = only((await edge.send(ask(QUERY, { offset: 0, limit: WINDOW }))).bytes).ids;
    const expected = [...window, ...ids.slice(WINDOW)];
    if (isEqual(window, ids.slice(0, WINDOW))) fail("The window is in the engine's order");
    expectEqual("hits of the window and after it", expected.toSorted(), ids.toSorted());
    const random = integersFrom(seed);
    const limits = [7, WINDOW, ids.length, ...Array.from({ length: 4 }, () => 1 + random(ids.length + 5))];
    for (const limit of limits) {
      const shown: string[] = [];
      for (let offset = 0; offset < ids.length + limit; offset += limit) {
        const page = ask(QUERY, { offset, limit });
        const { bytes, outcomes } = await edge.send(page);
        expectEqual(`outcome of hits ${offset} to ${offset + limit}`, outcomes, [offset >= WINDOW ? "beyond_window" : "applied"]);
        const { ids: part, rest } = only(bytes);
        shown.push(...part);
        // Totals, facets and echoes of the paging: as the engine writes them for this page.
        const own = await answer(new Request(`${ENGINE_URL}${page.path}`, page.init));
        expectEqual(`everything but hits ${offset} to ${offset + limit}`, rest, standIn.read(await own.json())[0]?.rest);
      }
      expectEqual(`hits on pages of ${limit} (seed ${seed})`, shown, expected);
    }
  }

  async function checkCursors({ first, next }: NonNullable<StandIn["walk"]>): Promise<void> {
    const edge = open();
    const shown: string[] = [];
    let ask: Ask | undefined = first(QUERY, 9);
    for (let page = 0; ask !== undefined; page++) {
      const { bytes, outcomes } = await edge.send(ask);
      expectEqual(`outcome of page ${page + 1}`, outcomes, [page === 0 ? "applied" : "cursor"]);
      shown.push(...only(bytes).ids);
      ask = next(parse(bytes));
    }
    if (isEqual(shown, ids)) fail("All pages are in the engine's order");
    expectEqual("hits of all pages", shown.toSorted(), ids.toSorted());
  }

  async function checkUntouched(reason: string, headers: Readonly<Record<string, string>>, variables: object): Promise<void> {
    const edge = open(answer, variables);
    const { path, init } = plain!.ask;
    const { bytes, outcomes } = await edge.send({ path, init: { ...init, headers: { ...init.headers, ...headers } } });
    expectEqual("outcome", outcomes, [reason]);
    const asked = edge.exchanges.map(({ url, body }) => [url, body]);
    expectEqual("requests to the engine", asked, [[`${ENGINE_URL}${path}`, init.body ?? ""]]);
    expectBytes("the engine's reply", bytes, edge.exchanges[0]?.reply);
  }

  /** An engine whose reply cannot be used, so that it reaches the shopper as it is. */
  async function checkPassed(status: number, reason: string, engine: (request: Request) => Promise<Response>): Promise<void> {
    const edge = open(engine);
    const { status: found, bytes, outcomes } = await edge.send(plain!.ask);
    expectEqual("status and outcome", [found, outcomes], [status, [reason]]);
    expectBytes("the engine's reply", bytes, edge.exchanges.at(-1)?.reply);
  }

  const cutShort = async (request: Request): Promise<Response> =>
    new Response((await (await answer(request)).text()).slice(0, -20), { headers: JSON_TYPE });

  async function checkDamagedReplies(): Promise<void> {
    const random = integersFrom(seed);
    const { path, init } = plain!.ask;
    const own = await standIn.answer(new Request(`${ENGINE_URL}${path}`, init), items.slice(0, 6));
    const whole = new Uint8Array(await own.arrayBuffer());
    const marks = Array.from('{}[]",:\\0-e \u0001é', (mark) => new TextEncoder().encode(mark));
    for (let run = 0; run < 40; run++) {
      const at = random(whole.length);
      const kind = random(3);
      const put = kind === 0 ? marks[random(marks.length)]! : [];
      const damaged = Uint8Array.from([...whole.subarray(0, at), ...put, ...(kind === 1 ? [] : whole.subarray(at + 1))]);
      const edge = open(async () => new Response(damaged, { headers: JSON_TYPE }));
      const { status, bytes, outcomes } = await edge.send(plain!.ask);
      const damage = `damage at byte ${at} (seed ${seed})`;
      expectEqual(`status, ${damage}`, status, 200);
      const [outcome = ""] = outcomes;
      if (outcome === "applied") expectEqual(`hits, ${damage}`, only(bytes).ids.toSorted(), only(damaged).ids.toSorted());
      else if (!REPLY_REASONS.test(outcome)) fail(`Outcome ${outcome}, ${damage}: expected a reason about the reply`);
      else if (/^(reply|dup)/.test(outcome)) expectBytes(`the engine's reply, ${damage}`, bytes, damaged);
    }
  }

  async function checkDamagedRequests(): Promise<void> {
    const random = integersFrom(seed);
    for (let run = 0; run < 150; run++) {
      const { path, init } = cases[random(cases.length)]!.ask;
      const put = STRANGE[random(STRANGE.length)]!;
      const spoil = (text: string): string => {
        const at = random(text.length + 1);
        return text.slice(0, at) + put + text.slice(at + random(7));
      };
      const query = path.indexOf("?") + 1;
      const inUrl = init.body === undefined && query > 0;
      const spoilt = inUrl ? path.slice(0, query) + spoil(path.slice(query)).replaceAll("#", "") : path;
      const body = init.body === undefined ? {} : { body: spoil(init.body) };
      const edge = open(async () => Response.json({ any: "answer" }));
      const { status } = await edge.send({ path: spoilt, init: { ...init, ...body } });
      const request = `${spoilt} ${body.body ?? ""} (seed ${seed})`;
      if (![200, 400, 404].includes(status)) fail(`Status ${status} for ${request}`);
      const errors = edge.logs.filter(({ level }) => level === "error");
      expectEqual(`errors in the log for ${request}`, errors, []);
    }
  }

  async function checkUnreachable(): Promise<void> {
    const edge = open(() => Promise.reject(new Error("refused by 10.0.0.1")));
    const { status, headers, bytes, outcomes } = await edge.send(plain!.ask);
    expectEqual("status and outcome", [status, outcomes], [502, ["engine_unreachable"]]);
    expectEqual("JSON", headers.get("content-type")?.startsWith("application/json"), true);
    if (JSON.stringify(parse(bytes)).includes("10.0.0.1")) fail("The error names the engine's address");
  }

  async function checkKeys(): Promise<void> {
    const edge = open(answer, { ENGINE_AUTHORIZATION: "the-edges-own-key" });
    const { path, init } = plain!.ask;
    await edge.send({ path, init: { ...init, headers: { ...init.headers, authorization: "Bearer of-the-shopper", cookie: "a=1" } } });
    const values = Array.from(edge.exchanges[0]?.headers ?? [], ([, value]) => value);
    const keys = values.filter((value) => /the-edges-own-key|of-the-shopper|a=1/.test(value));
    expectEqual("keys that the engine gets", keys, ["the-edges-own-key"]);
  }

  return [
    ...cases.map((entry) => ({ name: `${entry.title}: ${entry.outcomes.join(", ")}`, run: () => checkCase(entry) })),
    ...pages.map(({ name, ask }) => ({
      name: `pages by ${name} add up to the engine's hits, in one order for all page sizes`,
      run: () => checkPages(ask),
    })),
    ...(walk === undefined ? [] : [{ name: "pages by cursor add up to the engine's hits", run: () => checkCursors(walk) }]),
    { name: "off: the engine's bytes", run: () => checkUntouched("off", { "x-armmt": "off" }, {}) },
    { name: "control: the engine's bytes", run: () => checkUntouched("engine_order", {}, { DEFAULT_VARIANT: "control" }) },
    { name: "a reply that ends early: the engine's bytes", run: () => checkPassed(200, "reply_not_json", cutShort) },
    { name: "a damaged reply: the engine's bytes with a reason, or whole hits in another order", run: checkDamagedReplies },
    { name: "a damaged request: an answer of the engine, or a refusal", run: checkDamagedRequests },
    { name: "an error of the engine: its status and its bytes", run: () => checkPassed(403, "engine_status", refuse) },
    { name: "an engine that cannot be reached: 502, as JSON", run: checkUnreachable },
    { name: "keys: the edge's goes to the engine, the shopper's does not", run: checkKeys },
  ];
}

const refuse = async (): Promise<Response> => new Response('{"message":"no"}', { status: 403, headers: JSON_TYPE });
const restOf = (searches: readonly ReadSearch[]): readonly unknown[] => searches.map(({ rest }) => rest);

const REPLY_REASONS =
  /^(reply_not_json|reply_not_search|duplicate_ids|no_item_vectors|too_few_hits|redirected|explicit_sort|window_short|engine_\w+)$/;

const STRANGE = ['"', "{", "}", "[", "null", "-1", "1e99", "%", "%zz", "&", "=", "\\", "\n", "é", "\0", '{"$":null}', "0".repeat(40)];

/** An edge whose scorer needs no model. */
function inMemory(dialect: DialectDefinition, ids: readonly string[], catalog: string): NonNullable<ContractOptions["open"]> {
  // Vectors of unit length in directions that follow from the item's index.
  const records = ids.map((itemId, i) => {
    const vector = Float32Array.of(Math.cos(i * 2.4), Math.sin(i * 2.4));
    return { itemId, image: vector, text: vector, features: ITEM_FEATURES.map(() => undefined) };
  });
  return (env, engine) => {
    const logs: Readonly<Record<string, unknown>>[] = [];
    const app = openEdge({
      env,
      kv: memoryKv(catalog, records, MANIFEST),
      sinks: { write: async () => ok(true), writeEvents: async () => ok({ written: 0, duplicates: 0, deferred: 0 }) },
      scorer: scorersOf([ok(SCORER)]),
      fetch: (url, init) => engine(new Request(url, init)),
      dialects: dialectsOf([dialect]),
      log: (entry) => logs.push(entry),
    });
    return {
      logs,
      async send(path, init) {
        const work: Promise<unknown>[] = [];
        const waitUntil = (promise: Promise<unknown>): void => void work.push(promise);
        const context = { waitUntil, passThroughOnException: () => undefined, props: {} };
        const response = await app.fetch(new Request(`https://edge.example.com${path}`, init), {}, context);
        await Promise.allSettled(work);
        return response;
      },
    };
  };
}

const MANIFEST: ModelManifest = {
  format: 1,
  version: "made-up",
  sha256: "0".repeat(64),
  dims: { image: 2, text: 2 },
  features: FEATURES.map((name) => ({ name, mean: 0, std: 1 })),
  tokenizer: { name: TOKENIZER, rows: TOKEN_TABLE_ROWS },
  encoders: { image: "made-up", text: "made-up" },
  trainedOn: "nothing",
  metrics: {},
  parameters: { total: 0, tokenTable: 0 },
  licence: "Apache-2.0",
};

/** The first component of the text vector is the score. */
const SCORER: Scorer = {
  manifest: MANIFEST,
  async score({ k, text, textDim }) {
    const score = Float32Array.from({ length: k }, (_, i) => text[i * textDim] ?? 0);
    return ok({ score, gate: new Float32Array(2 * k).fill(0.5) });
  },
};

/** Per search of the request: "applied" or the reason. */
function outcomesOf(response: Response): readonly string[] {
  const header = response.headers.get("x-armmt") ?? "";
  return header
    .split(", ")
    .map((part) => /^bypass; reason=(\w+)$/.exec(part)?.[1] ?? (part.startsWith("applied; ") ? "applied" : `not an outcome: ${part}`));
}

/** Whole numbers from 0 to `below`. */
function integersFrom(seed: number): (below: number) => number {
  const random = randomFrom(String(seed));
  return (below) => Math.floor(random() * below);
}

function parse(bytes: Uint8Array): unknown {
  return JSON.parse(new TextDecoder().decode(bytes));
}

const sortMembers = (_: string, value: unknown): unknown =>
  isObject(value) ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))) : value;

/** JSON with the members of objects in one order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, sortMembers) ?? "undefined";
}

function isEqual(a: unknown, b: unknown): boolean {
  return canonical(a) === canonical(b);
}

function fail(message: string): never {
  throw new Error(message);
}

function expectEqual(name: string, actual: unknown, expected: unknown): void {
  if (!isEqual(actual, expected)) fail(`${name}: expected ${canonical(expected)}, got ${canonical(actual)}`);
}

const beginningOf = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes).slice(0, 2000);

function expectBytes(name: string, actual: Uint8Array, expected: Uint8Array | undefined): void {
  if (expected !== undefined && actual.length === expected.length && actual.every((byte, i) => byte === expected[i])) return;
  fail(`${name}: expected ${beginningOf(expected)}, got ${beginningOf(actual)}`);
}
