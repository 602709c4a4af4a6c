/** Windows that come late, short, incomplete or not at all: the shopper's own request keeps its share of the time, and the edge learns. */
import { beforeAll, describe, expect, it } from "vitest";
import { createWindows } from "../../src/search/windows.ts";
import { publish } from "./catalog.ts";
import { demoShop, type Edge, type Engine, match, openEdge, outcomeOf, postJson, type ReplyJson, WINDOW } from "./edge.ts";

const CATALOG = "windows";
const PATH = "/products/_search";
const PAGE = { from: 5, size: 10 };

beforeAll(() => publish(CATALOG));

const sizeOf = async (request: Request): Promise<number> => JSON.parse(await request.clone().text()).size;
const isWide = async (request: Request) => (await sizeOf(request)) === WINDOW;

const wait = (ms: number) =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

/** The shop, except for requests for the whole window. */
const forWindows =
  (reply: (request: Request) => Promise<Response>): Engine =>
  async (request) =>
    (await isWide(request)) ? reply(request) : demoShop(request);

/** The shop's reply with at most so many hits, and a total that says otherwise (or none). */
const capped = async (request: Request, most: number, total: object | undefined): Promise<Response> => {
  const reply: ReplyJson & { hits: object } = await (await demoShop(request)).json();
  const { total: _total, ...others } = reply.hits;
  return Response.json({ ...reply, hits: { ...(total !== undefined && { total }), ...others, hits: reply.hits.hits.slice(0, most) } });
};

const own = async (page: object): Promise<string> =>
  (await demoShop(new Request(`http://shop${PATH}`, postJson(match("red", page))))).text();

async function ask(edge: Edge, page: object = PAGE): Promise<string> {
  const before = edge.exchanges.length;
  const response = await edge.send(PATH, postJson(match("red", page)));
  const isOwn = (await response.text()) === (await own(page));
  return `${outcomeOf(response)}, ${edge.exchanges.length - before} asked${isOwn ? ", own" : ""}`;
}

/** All hits of a search. */
const ALL = 7;

const few: Engine = (request) => capped(request, ALL, { value: ALL, relation: "eq" });

const fewUncounted: Engine = async (request) => {
  const { from, size } = JSON.parse(await request.clone().text());
  return capped(request, Math.max(0, Math.min(size, ALL - from)), undefined);
};

const down: Engine = () => Promise.reject(new TypeError("Network connection lost"));

describe("a late window", () => {
  const LIMITS = { ENGINE_TIMEOUT_MS: 1500, RANK_BUDGET_MS: 1400 };

  it("leaves time for the shopper's own request", async () => {
    const edge = openEdge({ catalog: CATALOG, vars: LIMITS, engine: forWindows(() => wait(5000).then(() => new Response("late"))) });
    expect(await ask(edge)).toBe("window_timeout, 2 asked, own");
    expect(edge.counters.snapshot()).toMatchObject({ searches: { armmt: { window_timeout: 1 } }, exposures: { written: 1 } });
  });

  it("is not asked for again at once after three of one shape, or five, and tried again later", async () => {
    let time = 1_000_000;
    let isLate = true;
    const engine = forWindows(async (request) => {
      if (!isLate) return demoShop(request);
      await wait(5000);
      return new Response("late");
    });
    const edge = openEdge({ catalog: CATALOG, now: () => time, vars: { ENGINE_TIMEOUT_MS: 1500, RANK_BUDGET_MS: 1400 }, engine });
    const outcomes: string[] = [];
    const OTHER = { ...PAGE, track_scores: true };
    for (const page of [PAGE, PAGE, PAGE, PAGE, OTHER, OTHER, OTHER, OTHER]) {
      outcomes.push(await ask(edge, page)); // oxlint-disable-line no-await-in-loop
    }
    expect(outcomes).toEqual([
      ...Array.from({ length: 3 }, () => "window_timeout, 2 asked, own"),
      "window_timeout, 1 asked, own",
      ...Array.from({ length: 2 }, () => "window_timeout, 2 asked, own"),
      "window_paused, 1 asked, own",
      "window_paused, 1 asked, own",
    ]);
    isLate = false;
    time += 10_000;
    expect(await ask(edge)).toMatch(/^applied, 1 asked/);
    expect(await ask(edge, OTHER)).toMatch(/^applied, 1 asked/);
  });

  it("says nothing of windows where the engine is down altogether: each search is still sent", async () => {
    const edge = openEdge({ catalog: CATALOG, engine: down });
    for (let i = 0; i < 8; i++) expect(await ask(edge)).toBe("engine_unreachable, 2 asked"); // oxlint-disable-line no-await-in-loop
  });

  it("is the engine's fault only where the shopper's own request is quick", async () => {
    let time = 1_000_000;
    const slow: Engine = async (request) => {
      if (await isWide(request)) await wait(5000);
      // On the clock of the test: more than half of what the window had.
      else time += 500;
      return demoShop(request);
    };
    const edge = openEdge({ catalog: CATALOG, now: () => time, vars: LIMITS, engine: slow });
    for (let i = 0; i < 6; i++) expect(await ask(edge)).toBe("window_timeout, 2 asked, own"); // oxlint-disable-line no-await-in-loop
  });
});

describe("a short window", () => {
  it.each([
    ["exact", { value: 400, relation: "eq" }],
    ["a lower bound", { value: 100, relation: "gte" }],
  ])("is never cut from where the total, %s, says more", async (_, total) => {
    for (const page of [PAGE, { from: 0, size: 5 }, { from: 18, size: 2 }]) {
      const edge = openEdge({ catalog: CATALOG, engine: forWindows((request) => capped(request, 10, total)) });
      // oxlint-disable-next-line no-await-in-loop
      expect(await ask(edge, page)).toBe("window_short, 2 asked, own");
    }
  });

  it("is cut from where these are all hits", async () => {
    const edge = openEdge({ catalog: CATALOG, engine: few });
    expect(await ask(edge)).toBe("applied, 1 asked");
  });

  it("without a total, is not cut from where the page is incomplete and the engine has more", async () => {
    const edge = openEdge({ catalog: CATALOG, engine: forWindows((request) => capped(request, 10, undefined)) });
    // The first page is complete.
    expect(await ask(edge, { from: 0, size: 10 })).toMatch(/^applied, 1 asked/);
    expect(await ask(edge)).toBe("window_short, 2 asked, own");
    for (let i = 0; i < 5; i++) expect(await ask(edge)).toBe("window_short, 1 asked, own"); // oxlint-disable-line no-await-in-loop
  });

  it("without a total, is believed after it was right three times", async () => {
    let time = 1_000_000;
    const edge = openEdge({ catalog: CATALOG, engine: fewUncounted, now: () => time });
    for (let i = 0; i < 3; i++) expect(await ask(edge)).toBe("window_short, 2 asked"); // oxlint-disable-line no-await-in-loop
    for (let i = 0; i < 5; i++) expect(await ask(edge)).toBe("applied, 1 asked"); // oxlint-disable-line no-await-in-loop
    time += 60_000;
    expect(await ask(edge)).toBe("window_short, 2 asked");
    expect(await ask(edge)).toBe("applied, 1 asked");
  });
});

it("describes its state for the status page", () => {
  let time = 0;
  const windows = createWindows(() => time);
  for (let i = 0; i < 5; i++) windows.failed();
  expect(windows.admits()).toBe(false);
  expect(windows.snapshot()).toMatchObject({ state: "open", opened: 1, refused: 1 });
  time = 10_000;
  expect([windows.admits(), windows.admits()]).toEqual([true, false]);
});

it("knows what a reply usually takes, whatever one of them took", () => {
  const windows = createWindows(() => 0);
  for (let i = 0; i < 100; i++) windows.noteReply(i % 2 === 0 ? 10 : 14);
  windows.noteReply(60);
  expect(windows.usualMs()).toBeGreaterThan(10);
  expect(windows.usualMs()).toBeLessThan(16);
  for (let i = 0; i < 100; i++) windows.noteReply(300);
  expect(windows.usualMs()).toBeGreaterThan(280);
});

it("knows what the engine itself takes, from the quickest of the last replies", () => {
  let time = 0;
  const windows = createWindows(() => time);
  expect(windows.quickestMs()).toBe(0);
  for (const ms of [40, 12, 300]) windows.noteReply(ms);
  expect(windows.quickestMs()).toBe(12);
  for (let i = 0; i < 3; i++) {
    time += 31_000;
    windows.noteReply(90);
  }
  expect(windows.quickestMs()).toBe(90);
});
