/** Windows that an engine refuses, and answers that are no engine's fault: how often it is asked, what the shopper gets, and what the log says. */
import { describe, expect, it } from "vitest";
import { engineWords } from "../../src/search/engine-words.ts";
import { createWindowMemory, shapeOf } from "../../src/search/window-memory.ts";
import { STAND_INS } from "./dialects/all.ts";
import { elasticsearch } from "./dialects/elasticsearch.ts";
import { type Ask, type EngineStandIn, post } from "./dialects/stand-in.ts";
import { type Engine, ITEMS, openEdge, type PlainEdgeOptions } from "./plain-edge.ts";

/** An engine that counts, and answers every request but the shopper's own as `wide` says. */
function open(standIn: EngineStandIn, wide: (isOwn: boolean) => Response | undefined, options: PlainEdgeOptions = {}) {
  let asked = 0;
  let own: Ask = { path: "", init: {} };
  const engine: Engine = async (request) => {
    asked++;
    const { pathname, search } = new URL(request.url);
    const isOwn = `${pathname}${search}` === own.path && (await request.clone().text()) === (own.init.body ?? "");
    return wide(isOwn) ?? standIn.answer(request, ITEMS);
  };
  const edge = openEdge(standIn, engine, options);
  return {
    ...edge,
    async send(ask: Ask) {
      const before = asked;
      own = ask;
      const { status, headers, outcome, body } = await edge.send(ask);
      return { status, headers, body, outcome: /reason=(\w+)/.exec(outcome)?.[1] ?? outcome.split(";")[0], asked: asked - before };
    },
  };
}

const answerOf = async (standIn: EngineStandIn): Promise<string> => {
  const { path, init } = standIn.cases[0]!.ask;
  return (await standIn.answer(new Request(`http://engine${path}`, init), ITEMS)).text();
};

/** Wider than every page of the stand-ins. */
const WIDE = { window: 30 };

describe.each(STAND_INS)("$title", (standIn) => {
  const { ask } = standIn.cases[0]!;

  // Pages by cursors are not widened.
  it.skipIf(standIn.walk !== undefined)(
    "a refused window costs a second request once, and the shopper gets the engine's own answer",
    async () => {
      const edge = open(standIn, (isOwn) => (isOwn ? undefined : new Response('{"message":"too many"}', { status: 400 })), { index: WIDE });
      const own = await answerOf(standIn);
      for (const asked of [2, 1, 1]) {
        // oxlint-disable-next-line no-await-in-loop
        expect(await edge.send(ask)).toMatchObject({ status: 200, outcome: "engine_refused_window", asked, body: own });
      }
      expect(edge.counters.snapshot().searches).toEqual({ armmt: { engine_refused_window: 3 } });
    },
  );

  it.each([401, 403, 404, 406, 429, 503])("%s is passed on after one request", async (status) => {
    const body = '{"message":"no"}';
    const edge = open(standIn, () => new Response(body, { status, headers: { "retry-after": "7", "content-type": "application/json" } }));
    const reply = await edge.send(ask);
    expect(reply).toMatchObject({ status, outcome: "engine_status", asked: 1, body });
    expect(reply.headers.get("retry-after")).toBe("7");
  });
});

const search = (words: string, more: object = {}): Ask =>
  post("/products/_search", { query: { match: { title: words } }, size: 5, ...more });

const refusal = (reason: string, status = 400): Response =>
  Response.json({ error: { type: "illegal_argument", reason }, status }, { status });

const KNN = { knn: { field: "v", query_vector: [0.25, -1e-3], num_candidates: 12 } };

/** Refuses windows of vector searches. */
const refusing = (options: PlainEdgeOptions = {}) => {
  let current: Ask = search("");
  const edge = open(
    elasticsearch,
    (isOwn) => (!isOwn && current.init.body?.includes("knn") === true ? refusal("[num_candidates] is 12, for [red mug]") : undefined),
    options,
  );
  const send = (ask: Ask) => edge.send((current = ask));
  return { ...edge, send };
};

const withKey = (key: string): Ask => ({ ...search("red mug"), init: { ...search("red mug").init, headers: { authorization: key } } });

describe("a search that can never be widened", () => {
  it("is known by its shape after three of them in a row, and others stay as they are", async () => {
    const edge = refusing();
    const outcomes: string[] = [];
    for (let i = 0; i < 5; i++) {
      const { outcome, asked } = await edge.send(search(`mug ${i}`, KNN)); // oxlint-disable-line no-await-in-loop
      outcomes.push(`${outcome} ${asked}`);
      const other = await edge.send(search(`mug ${i}`)); // oxlint-disable-line no-await-in-loop
      expect(other).toMatchObject({ outcome: "applied", asked: 1 });
    }
    expect(outcomes).toEqual([2, 2, 2, 1, 1].map((asked) => `engine_refused_window ${asked}`));
  });

  it("is tried again from time to time", async () => {
    let time = 0;
    let isRepaired = false;
    const edge = open(elasticsearch, (isOwn) => (isOwn || isRepaired ? undefined : refusal("no")), { clock: () => time });
    const asked = async (): Promise<string> => {
      const reply = await edge.send(search("red mug"));
      return `${reply.outcome} ${reply.asked}`;
    };
    expect([await asked(), await asked()]).toEqual(["engine_refused_window 2", "engine_refused_window 1"]);
    time += 10_000;
    expect([await asked(), await asked()]).toEqual(["engine_refused_window 2", "engine_refused_window 1"]);
    time += 10_000;
    expect(await asked()).toBe("engine_refused_window 1");
    time += 10_000;
    isRepaired = true;
    expect([await asked(), await asked()]).toEqual(["applied 1", "applied 1"]);
  });

  it("is logged in the engine's words, without the client's", async () => {
    const logs: string[] = [];
    const edge = refusing({ log: (entry) => void logs.push(JSON.stringify(entry)) });
    await edge.send(search("red mug", KNN));
    expect(logs.join()).toContain("[num_candidates] is 12, for […]");
  });

  it("says nothing of another page that needs less", async () => {
    const edge = open(elasticsearch, (isOwn) => (isOwn ? undefined : refusal("no")));
    const straddling = search("red mug", { from: 18 });
    expect([await edge.send(straddling), await edge.send(straddling)]).toMatchObject([{ asked: 2 }, { asked: 1 }]);
    expect(await edge.send(search("red mug"))).toMatchObject({ asked: 2 });
  });

  it("says nothing of a client with another key", async () => {
    const limited = open(elasticsearch, (isOwn) => (isOwn ? undefined : refusal("no")), { index: { forwardCredentials: true } });
    expect(await limited.send(withKey("a"))).toMatchObject({ asked: 2 });
    expect(await limited.send(withKey("a"))).toMatchObject({ asked: 1 });
    expect(await limited.send(withKey("b"))).toMatchObject({ asked: 2 });
  });

  it("that fails as the shopper asked for it, too, costs one request, and says nothing of others", async () => {
    const edge = open(elasticsearch, () => refusal("Failed to parse query [red AND (]"));
    expect(await edge.send(search("red AND ("))).toMatchObject({ status: 400, outcome: "engine_status", asked: 2 });
    for (const words of ["a (", "b (", "c (", "d ("]) {
      expect(await edge.send(search(words))).toMatchObject({ asked: 2 }); // oxlint-disable-line no-await-in-loop
      expect(await edge.send(search(words))).toMatchObject({ outcome: "engine_status", asked: 1 }); // oxlint-disable-line no-await-in-loop
    }
  });

  it("an engine without room (429) gets the shopper's own request when they try again", async () => {
    const edge = open(elasticsearch, (isOwn) => (isOwn ? undefined : refusal("circuit_breaking_exception: Data too large", 429)));
    expect(await edge.send(search("red mug"))).toMatchObject({ status: 429, outcome: "engine_status", asked: 1 });
    expect(await edge.send(search("red mug"))).toMatchObject({ status: 200, outcome: "engine_refused_window", asked: 1 });
  });
});

const asIdentity = (words: string, vector: readonly number[]): string =>
  `x=${words}\n${JSON.stringify([words, ["pretty=true"], [JSON.stringify({ match: { "größe.x": words, y: vector } })]])}`;

const one = (identity: string) => [
  {
    index: { name: "products", window: 20, engine: { describeClient: () => "" } },
    plan: { identity, offset: 0, limit: 10 },
    request: { headers: new Headers(), address: undefined, signal: undefined },
  },
];

describe("the memory", () => {
  const WHY = { reason: "engine_refused_window", detail: "no" } as const;

  it("is bounded, whatever clients send", () => {
    const memory = createWindowMemory(() => 0);
    for (let i = 0; i < 1000; i++) memory.failed(one(`{"m${i}":"${i}"}`), WHY, true);
    memory.failed(one("x".repeat(1_000_000)), WHY, true);
    expect(memory.snapshot()).toEqual({ searches: 200, shapes: 200 });
    expect([memory.recall(one('{"m1":"1"}')), memory.recall(one('{"m999":"999"}'))]).toEqual([undefined, WHY]);
  });

  it("forgets a shape with the first window that comes", () => {
    const memory = createWindowMemory(() => 0);
    const fail = (words: string): void => memory.failed(one(`{"q":"${words}"}`), WHY, false);
    fail("a");
    fail("b");
    memory.succeeded(one('{"q":"c"}'));
    fail("d");
    expect(memory.recall(one('{"q":"e"}'))).toBeUndefined();
    fail("f");
    fail("g");
    expect(memory.recall(one('{"q":"e"}'))).toEqual(WHY);
    expect(memory.recall(one('{"other":"e"}'))).toBeUndefined();
  });

  it("takes names for the shape, and no values", () => {
    expect(shapeOf(asIdentity("red mug", [1, 2]))).toBe(shapeOf(asIdentity("blue", [0.5])));
    expect(shapeOf(asIdentity("red mug", [1, 2]))).toBe("x,pretty,match,größe.x,y");
  });

  it("reads a long identity once", () => {
    for (const text of [
      "a".repeat(500_000),
      '\\"'.repeat(250_000),
      "a ".repeat(250_000),
      `${"a\\".repeat(250_000)}"`,
      `a${" ".repeat(500_000)}`,
    ]) {
      const startedAt = performance.now();
      shapeOf(text);
      engineWords("no", { method: "POST", path: "/", search: "", body: new TextEncoder().encode(`{"q":"${text}`) });
      expect(performance.now() - startedAt).toBeLessThan(2000);
    }
  });
});

const words = (said: string, body: string, query = ""): string =>
  engineWords(said, { method: "POST", path: "/", search: query, body: body === "" ? undefined : new TextEncoder().encode(body) });

describe("the engine's words", () => {
  it.each<[string, string, string, string?]>([
    ["JSON", "Cannot parse 'Größe 42 AND': encountered EOF", '{"query":{"query_string":{"query":"größe 42 AND"}}}'],
    ["escapes", "Cannot parse 'Größe 42 AND': encountered EOF", '{"query":{"query_string":{"query":"gr\\u00f6\\u00dfe 42 AND"}}}'],
    ["a form", "Cannot parse 'Größe 42 AND': encountered EOF", "q=gr%C3%B6%C3%9Fe+42+AND&rows=5"],
    ["the URL", "Cannot parse 'Größe 42 AND': encountered EOF", "", "?q=gr%C3%B6%C3%9Fe%2042+AND"],
    ["the URL as it is written", "Cannot parse 'Gr%C3%B6%C3%9Fe+42+AND': encountered EOF", "", "?q=Gr%C3%B6%C3%9Fe+42+AND"],
    ["lines", "Cannot parse 'Größe 42 AND': encountered EOF", '{}\n{"query":{"match":{"t":"größe 42 AND"}}}\n'],
  ])("are without those of %s", (_, said, body, query) => {
    expect(words(said, body, query)).toBe("Cannot parse '…': encountered EOF");
  });

  it("keep the names of members, and are short", () => {
    expect(words("[num_candidates] cannot be less than [k]\n\tat 0x7f", '{"knn":{"k":100,"num_candidates":10}}')).toBe(
      "[num_candidates] cannot be less than [k] at 0x7f",
    );
    expect(words("customer 4711123 is unknown", '{"query":{"term":{"customer":4711123}}}')).toBe("customer … is unknown");
    expect(words("a".repeat(5000), "")).toHaveLength(200);
  });
});
