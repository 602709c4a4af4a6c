/** Several searches in one request of which one cannot be widened, or fails anyhow: the others are re-ranked, and the engine is asked twice once. */
import { describe, expect, it } from "vitest";
import { elasticsearch } from "./dialects/elasticsearch.ts";
import { type Ask, objectOf } from "./dialects/stand-in.ts";
import { ITEMS, openEdge, WINDOW } from "./plain-edge.ts";

const SIZE = 5;

const search = (words: string, more: object = {}): object => ({ query: { match: { title: words } }, size: SIZE, ...more });

const asking = (...searches: readonly object[]): Ask => ({
  path: "/products/_msearch",
  init: {
    method: "POST",
    headers: { "content-type": "application/x-ndjson" },
    body: searches.map((body) => `{}\n${JSON.stringify(body)}\n`).join(""),
  },
});

type Part = Readonly<Record<string, unknown>>;

/** What becomes of the part of a search that has aggregations. */
type Fault = (part: Part, isWide: boolean, asked: number) => Part | Promise<Part>;

const error = (status: number, reason: string): Part => ({
  error: { root_cause: [], type: "illegal_argument_exception", reason, failed_shards: [] },
  status,
});

function open(fault: Fault, vars: object = {}) {
  const logs: string[] = [];
  const asked: string[] = [];
  let time = 0;
  const edge = openEdge(
    elasticsearch,
    async (request) => {
      const body = await request.clone().text();
      asked.push(body);
      const reply = objectOf(await (await elasticsearch.answer(request, ITEMS)).json());
      const bodies = body
        .trimEnd()
        .split("\n")
        .filter((_, i) => i % 2 === 1);
      const parts = Object(reply["responses"]) as readonly Part[]; // oxlint-disable-line typescript/no-unsafe-type-assertion
      const responses = await Promise.all(
        parts.map(async (part, i) =>
          bodies[i]?.includes("aggs") ? fault(part, bodies[i].includes(`"size":${WINDOW}`), asked.length) : part,
        ),
      );
      return Response.json({ ...reply, responses });
    },
    { clock: () => time, log: (entry) => void logs.push(JSON.stringify(entry)), vars },
  );
  return {
    logs,
    asked,
    counters: edge.counters,
    pass: (ms: number): void => void (time += ms),
    /** Outcomes, requests that it took, and what came. */
    async send(...searches: readonly object[]) {
      const before = asked.length;
      const { status, outcome, body } = await edge.send(asking(...searches));
      const outcomes = outcome.split(", ").map((one) => /reason=(\w+)/.exec(one)?.[1] ?? one.split(";")[0]);
      const responses = Object(JSON.parse(body)).responses as readonly Part[]; // oxlint-disable-line typescript/no-unsafe-type-assertion
      return { status, outcomes, asked: asked.length - before, responses };
    },
  };
}

const idsOf = (part: Part | undefined): string[] => Object(part).hits.hits.map(({ _id }: { _id: string }) => _id);
const OWN = ITEMS.slice(0, SIZE).map(({ id }) => id);
const TURNED = ITEMS.slice(WINDOW - SIZE, WINDOW)
  .map(({ id }) => id)
  .toReversed();

const AGGS = { aggs: { titles: { terms: { field: "title" } } } };
const PAIR = [search("red mug"), search("blue lamp", AGGS)] as const;

describe("a search that the engine always refuses", () => {
  const refused = error(400, 'Fielddata is disabled on [title] in [products], asked for "blue lamp"');

  it("keeps its error, and the other one is re-ranked; then with one request", async () => {
    const edge = open(() => refused);
    const first = await edge.send(...PAIR);
    expect(first).toMatchObject({ status: 200, outcomes: ["applied", "engine_status"], asked: 2 });
    expect(idsOf(first.responses[0])).toEqual(TURNED);
    expect(first.responses[1]).toEqual(refused);
    const second = await edge.send(...PAIR);
    expect(second).toMatchObject({ outcomes: ["applied", "engine_status"], asked: 1 });
    expect(second.responses).toEqual(first.responses);
    expect(edge.counters.snapshot().searches).toEqual({ armmt: { applied: 2, engine_status: 2 } });
    // Alone, where nothing is to be re-ranked.
    expect(await edge.send(PAIR[1])).toMatchObject({ outcomes: ["engine_status"], asked: 1, responses: [refused] });
  });

  it("is sent as the shopper sent it once the others have their windows", async () => {
    const edge = open(() => refused);
    await edge.send(...PAIR);
    const [wide, again] = edge.asked.map((body) => body.split("\n").filter((_, i) => i % 2 === 1));
    expect(wide?.map((line) => JSON.parse(line).size)).toEqual([WINDOW, WINDOW]);
    expect(again?.map((line) => JSON.parse(line).size)).toEqual([WINDOW, SIZE]);
    expect(again?.[1]).toBe(JSON.stringify(PAIR[1]));
  });

  it.each([401, 403, 404, 406, 429, 503])("is not asked for again where the answer is %s", async (status) => {
    const edge = open(() => error(status, "no"));
    expect(await edge.send(...PAIR)).toMatchObject({ outcomes: ["applied", "engine_status"], asked: 1 });
  });
});

describe("a search whose window the engine refuses", () => {
  const refusal = error(400, '[num_candidates] cannot be less than [k] for "blue lamp", customer 4711123');

  it("is answered as the shopper asked for it, the other one is re-ranked; then with one request", async () => {
    const edge = open((part, isWide) => (isWide ? refusal : part));
    for (const asked of [2, 1, 1]) {
      // oxlint-disable-next-line no-await-in-loop
      const reply = await edge.send(...PAIR);
      expect(reply).toMatchObject({ outcomes: ["applied", "engine_refused_window"], asked });
      expect([idsOf(reply.responses[0]), idsOf(reply.responses[1])]).toEqual([TURNED, OWN]);
    }
    expect(edge.logs.join()).toContain("[num_candidates] cannot be less than [k]");
    expect(edge.logs.join()).not.toMatch(/blue|lamp|4711123/);
    edge.pass(10_000);
    expect(await edge.send(...PAIR)).toMatchObject({ asked: 2 });
  });

  it("with other words is known after three, and no other search with it", async () => {
    const edge = open((part, isWide) => (isWide ? refusal : part));
    for (const asked of [2, 2, 2, 1, 1]) {
      // oxlint-disable-next-line no-await-in-loop
      expect(await edge.send(search("red mug"), search(`lamp ${asked} ${edge.asked.length}`, AGGS))).toMatchObject({
        outcomes: ["applied", "engine_refused_window"],
        asked,
      });
    }
    expect(await edge.send(search("a mug"), search("a lamp"))).toMatchObject({ outcomes: ["applied", "applied"], asked: 1 });
  });
});

describe("a search whose window falls short", () => {
  it.each<[string, Fault]>([
    ["incomplete", (part, isWide) => (isWide ? { ...part, timed_out: true } : part)],
    ["on fewer shards", (part, isWide) => (isWide ? { ...part, _shards: { total: 2, successful: 1, skipped: 0, failed: 0 } } : part)],
    ["no search reply", (part, isWide) => (isWide ? {} : part)],
  ])("%s: the others keep theirs", async (_, fault) => {
    const edge = open(fault);
    const reply = await edge.send(search("red mug"), search("blue lamp", AGGS), search("green chair"));
    expect(reply).toMatchObject({ outcomes: ["applied", expect.any(String), "applied"], asked: 2 });
    expect(reply.responses.map(idsOf)).toEqual([TURNED, OWN, TURNED]);
    expect(reply.outcomes[1]).not.toBe("applied");
  });
});

it("gets its own request where the second one fails too", async () => {
  const edge = open((part, isWide, asked) => {
    if (asked === 2) throw new TypeError("Network connection lost");
    return isWide ? error(500, "no") : part;
  });
  const reply = await edge.send(...PAIR);
  expect(reply).toMatchObject({ status: 200, outcomes: ["engine_refused_window", "engine_refused_window"], asked: 3 });
  expect(reply.responses.map(idsOf)).toEqual([OWN, OWN]);
});

it("gets its own request at once where all fail, or where most of the time is over", async () => {
  const all = open((part, isWide) => (isWide ? error(400, "no") : part));
  expect(await all.send(PAIR[1], PAIR[1])).toMatchObject({ outcomes: ["engine_refused_window", "engine_refused_window"], asked: 2 });
  const late = open((part, isWide) => {
    late.pass(20_000);
    return isWide ? error(400, "no") : part;
  });
  const reply = await late.send(...PAIR);
  expect(reply).toMatchObject({ outcomes: ["engine_refused_window", "engine_refused_window"], asked: 2 });
  expect(reply.responses.map(idsOf)).toEqual([OWN, OWN]);
});
