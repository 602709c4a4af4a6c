/** A few faults of each kind against real workerd and the server in Node; all of them: `npm run faults`. */
import { beforeAll, describe, expect, it } from "vitest";
import { STAND_INS } from "../search/dialects/all.ts";
import { judge, type Case } from "./judge.ts";
import { runMatrix, type Try } from "./run.ts";
import { elasticsearch } from "../search/dialects/elasticsearch.ts";
import { RUNTIMES } from "./edges.ts";
import { createTally, markdownOf } from "./table.ts";

/** The dialects that are tried: one whose requests have a body, one whose have none. */
const TRIED = STAND_INS.filter(({ backend }) => backend === "elasticsearch" || backend === "solr");

describe("the short fault suite", () => {
  const tries: Try[] = [];
  const onTry = (tried: Try): void => void tries.push(tried);

  beforeAll(async () => {
    await runMatrix({ runtimes: RUNTIMES, dialects: TRIED, only: [], isShort: true, onTry, onPart: () => undefined });
  }, 300_000);

  it("breaks no promise", () => {
    const broken = tries.flatMap(({ group, fault, dialect, runtime, violations }) =>
      violations.map(({ promise, detail }) => `${group}: ${fault}, ${dialect}, ${runtime}: ${promise}: ${detail}`),
    );
    expect(broken).toEqual([]);
  });

  it("tries every group in both runtimes and both dialects", () => {
    const groups = new Set(tries.map(({ group }) => group));
    expect([...groups]).toEqual(
      expect.arrayContaining(["transfer", "time", "status", "headers", "compression", "content", "window", "incomplete", "client", "KV"]),
    );
    const places = new Set(tries.map(({ dialect, runtime }) => `${dialect}, ${runtime}`));
    expect(places.size).toBe(TRIED.length * RUNTIMES.length);
  });
});

const reply = (ids: readonly string[], more: object = {}): Buffer => {
  const hits = ids.map((id) => ({ _id: id }));
  return Buffer.from(JSON.stringify({ hits: { hits }, ...more }));
};
const whole = (body: Buffer, headers: Record<string, string> = {}, status = 200): Case["alone"] => ({
  kind: "whole",
  ms: 5,
  status,
  headers,
  body,
});
const APPLIED = { "x-armmt": "applied; model=m; window=20; list=0" };
const left = (reason: string): Record<string, string> => ({ "x-armmt": `bypass; reason=${reason}` });
const own = reply(["a", "b"]);
const wide = [reply(["a", "b", "c", "d"])];
const broken = { kind: "broken", ms: 5, cause: "reset", length: 20 } as const;

function found(alone: Case["alone"], served: Case["served"], more: Partial<Case> = {}): string[] {
  const one = { standIn: elasticsearch, alone, served, wide: [], maxMs: 100, mayRefuse: false, ...more };
  return judge(one).map(({ promise }) => promise);
}

describe("the oracle", () => {
  it("accepts the engine's own bytes, a permutation, and a refusal where there was no answer", () => {
    expect(found(whole(own), whole(own, left("off")))).toEqual([]);
    expect(found(whole(own), whole(reply(["d", "a"]), APPLIED), { wide })).toEqual([]);
    expect(found(broken, whole(Buffer.from("{}"), left("engine_unreachable"), 502))).toEqual([]);
  });

  it.each<[string, Case["alone"], Case["served"], string[], Partial<Case>?]>([
    ["other bytes", whole(own), whole(reply(["b", "a"]), left("off")), ["answer"]],
    ["another status", whole(own), whole(own, left("off"), 201), ["answer"]],
    ["a hit that is not in the window", whole(own), whole(reply(["a", "x"]), APPLIED), ["order"], { wide }],
    ["a hit twice", whole(own), whole(reply(["a", "a"]), APPLIED), ["order"], { wide }],
    ["a hit too few", whole(own), whole(reply(["d"]), APPLIED), ["order"], { wide }],
    ["something else that changed", whole(own), whole(reply(["b", "a"], { took: 7 }), APPLIED), ["order"]],
    ["no reason", whole(own), whole(own), ["reason"]],
    ["a bug", whole(own), whole(own, left("internal_error")), ["reason"]],
    ["status 500", whole(own), whole(Buffer.from("{}"), {}, 500), ["reason", "reason", "answer"]],
    ["a refusal of a good answer", whole(own), whole(own, left("engine_timeout"), 504), ["answer"]],
    ["a part as a whole", broken, whole(own.subarray(0, 20), left("reply_not_json")), ["answer"]],
    [
      "packed bytes without a word",
      whole(Buffer.of(40, 181, 47, 253), { "content-encoding": "zstd" }),
      whole(Buffer.of(40, 181, 47, 253), left("off")),
      ["answer"],
    ],
    ["a late answer", whole(own), { ...whole(own, left("off")), ms: 200 }, ["time"]],
    ["no end", whole(own), { kind: "late", ms: 100, length: 0 }, ["time"]],
    ["a broken connection", whole(own), broken, ["answer"]],
    ["far more bytes than were sent", whole(own), { ...broken, length: 1e9 }, ["time", "answer"]],
  ])("finds %s", (_, alone, served, expected, more) => expect(found(alone, served, more)).toEqual(expected));
});

it("prints one line per fault, as the documentation has it", () => {
  const tally = createTally();
  const violations = [{ promise: "answer", detail: "other bytes" }] as const;
  tally.add({ group: "KV", fault: "hangs", dialect: "Solr", runtime: "Node", violations: [], isLimit: true });
  tally.add({ group: "KV", fault: "hangs", dialect: "Vespa", runtime: "workerd", violations, isLimit: false });
  expect(markdownOf(tally, ["workerd", "Node"]).split("\n")).toEqual([
    "| fault | tries, workerd | tries, Node | violations: answer | violations: order | violations: reason | violations: time | limits of the runtime |",
    "| --- | --: | --: | --: | --: | --: | --: | --: |",
    "| KV: hangs | 1 | 1 | 1 | 0 | 0 | 0 | 1 |",
  ]);
  expect([tally.tries(), tally.violations(), tally.limits()]).toEqual([2, 1, 1]);
});
