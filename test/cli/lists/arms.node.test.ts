/** The sample ratio of what a model would learn from: by the records' own arms, time by time; else by KV or the configuration; else not, and why. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { judgeArms, type LoggedExperiment } from "../../../src/cli/lists/arms.ts";
import { openLog, type LogOptions } from "../../../src/cli/lists/log.ts";
import { createD1Sink } from "../../../src/events/d1.ts";
import { createEventRecord, createQueryRecord, type UbiQueryRecord } from "../../../src/events/ubi.ts";
import { writeKey } from "../../../src/runtimes/node/folder-kv.ts";
import { openSqliteEvents } from "../../../src/runtimes/node/sqlite.ts";
import { DAY_MS } from "../../../src/web.ts";

const folder = mkdtempSync(join(tmpdir(), "armmt-arms-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const AT = Date.UTC(2026, 10, 21, 12);
let count = 0;

interface Arm {
  readonly variant: string;
  readonly shoppers: number;
  readonly arms?: Readonly<Record<string, number>> | undefined;
  readonly experiment?: string;
  readonly day?: number;
  /** Of each of them. */
  readonly searches?: number;
  readonly isKnown?: boolean;
  readonly more?: object;
}

const searchesOf = ({ variant, shoppers, arms, experiment = "rerank", day = 0, searches = 1, isKnown = true, more }: Arm) =>
  Array.from({ length: shoppers * searches }, (_, i): UbiQueryRecord => {
    const ids = ["a", "b", "c"];
    return createQueryRecord({
      application: "shop",
      queryId: `q${++count}`,
      unit: isKnown ? `${experiment} ${variant} ${i % shoppers}` : undefined,
      userQuery: "mug",
      timeMs: AT + day * DAY_MS,
      armmt: {
        format: 2,
        experiment,
        ...(arms && { arms }),
        variant,
        index: "products",
        window: 3,
        original_ids: ids,
        served_ids: ids,
        ...more,
      },
    });
  });

const CONFIG = join(folder, "wrangler.toml");
const settings = (experiments: object) => `[vars]
INDEXES = '${JSON.stringify({ products: { backend: "elasticsearch", url: "http://localhost:9200", window: 20 } })}'
EXPERIMENTS = '${JSON.stringify(experiments)}'
`;
writeFileSync(CONFIG, settings([]));

async function read(records: readonly object[], options: Partial<LogOptions> = {}) {
  const file = join(folder, `${++count}.ndjson`);
  writeFileSync(file, records.map((record) => `${JSON.stringify(record)}\n`).join(""));
  const log = await openLog({ from: file, config: CONFIG, ...options });
  log.close();
  return log;
}

const judged = (experiments: readonly LoggedExperiment[]) => experiments.map(judgeArms);
const HALVES = { control: 0.5, armmt: 0.5 };
const two = (a: number, b: number, more: Partial<Arm> = {}) => [
  ...searchesOf({ arms: HALVES, ...more, variant: "control", shoppers: a }),
  ...searchesOf({ arms: HALVES, ...more, variant: "armmt", shoppers: b }),
];

describe("by the arms that the records name", () => {
  // scipy.stats.chisquare([56, 44], [50, 50]) and ([70, 30], [50, 50]).
  it.each([
    [56, 44, "passed", "p 0.230"],
    [70, 30, "refused", "p 6.3e-5"],
  ])("%i to %i shoppers: %s", async (a, b, state, p) => {
    const [found, ...others] = judged((await read(two(a, b))).experiments);
    expect(others).toEqual([]);
    expect(found).toMatchObject({ state, detail: expect.stringContaining(p) });
    expect(found?.detail).toContain("rerank (2026-11-21)");
    expect(found?.detail).toContain(`control ${a}`);
  });

  it("sees an arm that nobody recorded", async () => {
    const records = searchesOf({ variant: "control", shoppers: 40, arms: HALVES });
    expect(judged((await read(records)).experiments)).toMatchObject([{ state: "refused", detail: expect.stringContaining("armmt 0") }]);
  });

  it("judges each time of an experiment that was changed by itself, and each experiment", async () => {
    const later = { control: 0.9, armmt: 0.1 };
    const records = [
      ...two(50, 50),
      ...searchesOf({ variant: "control", shoppers: 90, arms: later, day: 2 }),
      ...searchesOf({ variant: "armmt", shoppers: 10, arms: later, day: 2 }),
      ...two(30, 80, { experiment: "other", day: 1 }),
    ];
    const { experiments } = await read(records);
    expect(experiments.map(({ experiment, first, from }) => [experiment, first, from])).toEqual([
      ["other", "2026-11-22", "its records"],
      ["rerank", "2026-11-21", "its records"],
      ["rerank", "2026-11-23", "its records"],
    ]);
    expect(judged(experiments).map(({ state }) => state)).toEqual(["refused", "passed", "passed"]);
  });

  it("counts a shopper once, and one of several arms in none", async () => {
    const records = [
      ...two(30, 30, { searches: 3 }),
      // The first ten of control are seen in the other arm too.
      ...searchesOf({ variant: "control", shoppers: 10, arms: HALVES, more: { variant: "armmt" } }),
    ];
    const [found] = (await read(records)).experiments;
    expect(found).toMatchObject({
      crossed: 20,
      arms: [
        { variant: "armmt", shoppers: 30, shopperSearches: 90, squaredShopperSearches: 270, searches: 90 },
        { variant: "control", shoppers: 20, shopperSearches: 60, squaredShopperSearches: 180 },
      ],
    });
  });

  it("raises no false alarm by few shoppers, or by searches without a shopper that come together", async () => {
    const rare = { control: 0.99, armmt: 0.01 };
    // scipy.stats.chisquare([4, 1], [4.95, 0.05]) has p 2e-5, and one of five is not that rare: 4.9 %.
    const few = [
      ...searchesOf({ variant: "control", shoppers: 4, arms: rare }),
      ...searchesOf({ variant: "armmt", shoppers: 1, arms: rare }),
    ];
    expect(judged((await read(few)).experiments)).toMatchObject([
      { state: "skipped", detail: expect.stringContaining("too few shoppers") },
    ]);
    // scipy.stats.chisquare([30, 80]) has p 1.9e-6; searches that come in tens say a tenth as much.
    const crowd = [...two(20, 20, { searches: 10 }), ...two(30, 80, { isKnown: false })];
    expect(judged((await read(crowd)).experiments)).toMatchObject([
      { state: "passed", detail: expect.stringContaining("without a shopper") },
    ]);
    // Nobody known: 300 to 400 could be a few shoppers; an arm that is not there could not.
    const unknown = { isKnown: false } as const;
    expect(judged((await read(two(300, 400, unknown))).experiments)).toMatchObject([{ state: "passed" }]);
    expect(judged((await read(two(300, 0, unknown))).experiments)).toMatchObject([{ state: "refused" }]);
  });

  it("has nothing to compare in a trial of the ladder, and says so", async () => {
    const records = searchesOf({
      variant: "interleave(semantic, armmt@a:1)",
      shoppers: 30,
      arms: { "interleave(semantic, armmt@a:1)": 1, armmt: 0 },
    });
    expect(judged((await read(records)).experiments)).toMatchObject([
      { state: "skipped", detail: expect.stringContaining("one arm only") },
    ]);
  });

  it("takes arms out of a table whose struct names those of all experiments, and lives with others' arms", async () => {
    const [first] = (await read(two(50, 50, { arms: undefined, more: { arms: { ...HALVES, another: null } } }))).experiments;
    expect(first).toMatchObject({ shares: HALVES, from: "its records" });
    const { experiments, leftOut } = await read(two(50, 50, { arms: undefined, more: { arms: "both" } }));
    expect([experiments[0]?.shares, leftOut.size]).toEqual([null, 0]);
  });
});

describe("where the records do not say it", () => {
  const old = { arms: undefined, more: { format: undefined } };

  it("the configuration does", async () => {
    const config = join(folder, "own.toml");
    writeFileSync(config, settings([{ key: "rerank", variations: ["control", "armmt"], weights: [0.9, 0.1] }]));
    const log = await read(two(50, 50, old), { config });
    expect(judged(log.experiments)).toMatchObject([{ state: "refused", detail: expect.stringContaining("own.toml") }]);
    expect(log.counts.unmarked).toBe(100);
  });

  it("the experiments in KV go before it: a server's lie beside its events", async () => {
    const data = join(folder, "data");
    mkdirSync(data);
    const database = await openSqliteEvents(join(data, "events.sqlite"));
    await createD1Sink(database).writeExposures([...two(50, 50, old), ...two(5, 50, { ...old, experiment: "ended" })], false);
    await database.close();
    await writeKey(
      join(data, "kv"),
      "experiments",
      JSON.stringify([{ key: "rerank", variations: ["control", "armmt"], weights: [0.8, 0.2] }]),
    );
    const log = await openLog({ from: join(data, "events.sqlite"), config: CONFIG });
    log.close();
    expect(judged(log.experiments)).toMatchObject([
      { state: "skipped", detail: expect.stringMatching(/^ended .*not checked, because .*does not name it/) },
      { state: "refused", detail: expect.stringContaining('KV key "experiments"') },
    ]);
  });

  it("nobody does: not checked, and why", async () => {
    const [unknown] = judged((await read(two(5, 50, old))).experiments);
    expect(unknown).toMatchObject({
      state: "skipped",
      detail: expect.stringMatching(/not checked, because .*wrangler.toml does not name it/),
    });
    const [without] = judged((await read(two(5, 50, old), { config: join(folder, "absent.toml") })).experiments);
    expect(without?.detail).toMatch(/not checked, because .*Cannot read .*absent.toml/);
  });
});

describe("a search that an admin has forced", () => {
  it("is no list, in no arm and has no labels, and is counted", async () => {
    const forced = searchesOf({ variant: "armmt@new", shoppers: 2, more: { admin: true } });
    const click = createEventRecord({
      application: "shop",
      action: "click",
      queryId: forced[0]!.query_id,
      itemId: "a",
      position: 1,
      timeMs: AT,
    });
    const log = await read([...two(20, 20), ...forced, { ...click, event_id: "e1" }]);
    expect(Object.fromEntries(log.leftOut)).toEqual({ "forced by an admin": 2 });
    expect(Object.fromEntries(log.ignored)).toEqual({ "of a search forced by an admin": 1 });
    expect(log.experiments[0]?.arms.map(({ variant }) => variant)).toEqual(["armmt", "control"]);
    expect(log.counts.unmarked).toBe(0);
  });
});
