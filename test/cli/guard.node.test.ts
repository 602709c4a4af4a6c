/** `armmt guard` on the command line, with the files of a server; and its judgement in simulated experiments. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import * as v from "valibot";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { simulateWorld, WORLDS } from "../../src/cli/guard/simulate.ts";
import { run, SHOP_COMMANDS } from "../../src/cli/main.ts";
import { readHistory, switchVariants } from "../../src/cli/guard/switch.ts";
import { openFolderNamespace, openLocalNamespace } from "../../src/cli/publish/namespace.ts";
import { openLocalDatabase } from "../../src/cli/report/database.ts";
import { parseExperiments } from "../../src/config/experiments.ts";
import { GUARDRAILS, judge, STOP_ALPHA } from "../../src/report/guardrails.ts";
import type { ClusterSums } from "../../src/report/statistics/ratio.ts";
import { TABLES } from "../report/simulated-database.ts";

const folder = mkdtempSync(join(tmpdir(), "armmt-guard-"));
const database = join(folder, "events.sqlite");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** In this process: wrangler, which reads the configuration, is loaded once. */
async function armmt(...args: string[]): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  const said = { stdout: "", stderr: "" };
  const spies = (["stdout", "stderr"] as const).map((name) =>
    vi.spyOn(process[name], "write").mockImplementation((text) => {
      said[name] += String(text);
      return true;
    }),
  );
  process.exitCode = undefined;
  try {
    const config = args.includes("--config") ? [] : ["--config", join(folder, "wrangler.toml")];
    return { code: await run(["guard", ...args, ...config], SHOP_COMMANDS), ...said };
  } finally {
    process.exitCode = undefined;
    for (const spy of spies) spy.mockRestore();
  }
}

/** `rerank`: armmt loses half of its searches to an error. `same`: no difference. */
function fill(): void {
  const file = new DatabaseSync(database);
  for (const table of TABLES) file.exec(table);
  const add =
    file.prepare(`INSERT INTO ubi_queries (timestamp, application, query_id, unit, user_query, experiment, variant, bypass, query_attributes, hit_ids)
    VALUES (?, 'shop', ?, ?, '', ?, ?, ?, '{"armmt":{"engine_ms":20,"edge_ms":4}}', ?)`);
  file.exec("BEGIN");
  for (const experiment of ["rerank", "same", "lost"])
    for (let n = 0; n < 2000; n++) {
      const variant = n % 2 === 0 ? "control" : "armmt";
      if (experiment === "lost" && n % 6 === 1) continue;
      const isBroken = experiment === "rerank" && variant === "armmt" && n % 4 === 1;
      const bypass = isBroken ? "engine_status" : variant === "control" ? "engine_order" : null;
      add.run("2026-11-02T09:00:00.000Z", `${experiment}-${n}`, `u${n}`, experiment, variant, bypass, isBroken ? "[]" : '["x"]');
    }
  file.exec("COMMIT");
  file.close();
}

const EXPERIMENTS = ["rerank", "same", "lost"].map((key) => ({ key, variations: ["control", "armmt"], weights: [0.5, 0.5] }));

beforeAll(() => {
  fill();
  writeFileSync(
    join(folder, "wrangler.toml"),
    `name = "edge"\n[vars]\nLIVE_EXPERIMENTS = true\nEXPERIMENTS = '${JSON.stringify(EXPERIMENTS)}'\n`,
  );
});

const KV = join(folder, "kv");
const log = ["--database", database, "--folder", KV];
const jsonSchema = v.looseObject({
  switchedOff: v.array(v.string()),
  isTrial: v.boolean(),
  guardrails: v.array(v.looseObject({ state: v.string() })),
});
const live = () => parseExperiments(readFileSync(join(KV, "experiments"), "utf8"));

describe("armmt guard", () => {
  it("switches a harmful arm off once, says why, and back on; the split does not move", async () => {
    const trial = await armmt("rerank", ...log, "--dry-run", "--json");
    expect(trial.code).toBe(3);
    expect(v.parse(jsonSchema, JSON.parse(trial.stdout))).toMatchObject({ switchedOff: ["armmt"], isTrial: true });
    expect(() => readFileSync(join(KV, "experiments"))).toThrow(/ENOENT/);

    const first = await armmt("rerank", ...log);
    expect(first).toMatchObject({ code: 3, stdout: expect.stringMatching(/armmt +Searches without result .* harm/) });
    expect(live()).toEqual({ ok: true, value: [{ ...EXPERIMENTS[0], off: ["armmt"] }, EXPERIMENTS[1], EXPERIMENTS[2]] });
    const again = await armmt("rerank", ...log);
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining("Off already: armmt") });

    expect(await armmt("rerank", ...log, "--undo")).toMatchObject({ code: 0, stdout: expect.stringContaining("switched armmt on again") });
    expect(live()).toMatchObject({ ok: true, value: [{ key: "rerank", off: [] }, {}, {}] });
    // What was judged before is not judged again.
    expect(await armmt("rerank", ...log)).toMatchObject({ code: 0, stdout: expect.stringContaining("nothing to switch off") });
    const history = await readHistory(openFolderNamespace(KV));
    expect(history.map(({ now, variants, evidence }) => [now, variants, evidence.length > 0])).toEqual([["off", ["armmt"], true], ["on", ["armmt"], false]]); // prettier-ignore
  });

  it("leaves alone what does no harm, and what cannot be trusted", async () => {
    const [same, lost] = [await armmt("same", ...log), await armmt("lost", ...log)];
    expect(same).toMatchObject({ code: 0, stdout: expect.stringContaining("nothing to switch off") });
    expect(lost).toMatchObject({ code: 1, stdout: expect.stringContaining("cannot be trusted") });
  });

  it("allows as much harm as it is told, and says what is wrong with its options", async () => {
    const outcomes = [
      await armmt("rerank", "--database", database, "--dry-run", "--allow", "without-result=0.6,bypass=0.6"),
      await armmt("rerank", ...log, "--allow", "speed=1"),
      await armmt(),
      await armmt("nothing", ...log),
    ];
    expect(outcomes.map(({ code }) => code)).toEqual([0, 2, 2, 1]);
    expect(outcomes[1]?.stderr).toContain("one of without-result, bypass, latency, buyers, revenue");
    expect(outcomes[3]?.stderr).toContain('No experiment "nothing"');
    for (const { stderr } of outcomes) expect(stderr).not.toMatch(/^\s+at /m);
  });

  it("refuses to write a key that the edge does not read", async () => {
    const config = join(folder, "deaf.toml");
    writeFileSync(config, `name = "edge"\n[vars]\nEXPERIMENTS = '${JSON.stringify(EXPERIMENTS)}'\n`);
    const { code, stderr } = await armmt("rerank", ...log, "--config", config);
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining("LIVE_EXPERIMENTS is not true") });
  });
});

/** 2,000 searches of as many shoppers, of which half of armmt's show nothing because of an error. */
const BROKEN = `WITH RECURSIVE shopper(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM shopper WHERE n < 1999)
  INSERT INTO ubi_queries (timestamp, application, query_id, unit, user_query, experiment, variant, bypass, query_attributes, hit_ids)
  SELECT '2026-11-02T09:00:00.000Z', 'shop', 'rerank-' || n, 'u' || n, '', 'rerank', iif(n % 2, 'armmt', 'control'),
    CASE n % 4 WHEN 1 THEN 'engine_status' WHEN 3 THEN NULL ELSE 'engine_order' END, '{"armmt":{"engine_ms":20,"edge_ms":4}}', iif(n % 4 = 1, '[]', '["x"]')
  FROM shopper`;

describe("armmt guard --local", () => {
  it("reads the D1 and writes the KV of a real workerd, as wrangler dev has them", async () => {
    const [config, state] = [join(folder, "local.toml"), join(folder, "state")];
    mkdirSync(state);
    writeFileSync(
      config,
      [
        'name = "edge"\ncompatibility_date = "2026-10-01"',
        '[[kv_namespaces]]\nbinding = "EMBEDDINGS"\nid = "embeddings"',
        '[[d1_databases]]\nbinding = "EVENTS"\ndatabase_name = "events"\ndatabase_id = "events"',
        `[vars]\nLIVE_EXPERIMENTS = true\nEXPERIMENTS = '${JSON.stringify(EXPERIMENTS)}'\n`,
      ].join("\n"),
    );
    const filled = await openLocalDatabase({ config, binding: "EVENTS", stateDir: state });
    for (const sql of [...TABLES, BROKEN]) await filled.all(sql); // oxlint-disable-line no-await-in-loop
    await filled.close();
    const { code, stdout, stderr } = await armmt("rerank", "--local", "--persist-to", state, "--config", config);
    expect({ code, stderr }).toMatchObject({ code: 3 });
    expect(stdout).toMatch(/switched off in .*armmt/);
    const written = await openLocalNamespace({ config, binding: "EMBEDDINGS", stateDir: state });
    expect(parseExperiments((await written.get("experiments")) ?? "")).toMatchObject({
      ok: true,
      value: [{ key: "rerank", off: ["armmt"] }, {}, {}],
    });
    await written.close();
  }, 300_000);
});

describe("switchVariants()", () => {
  it("keeps what others have changed while the log was read", async () => {
    const store = openFolderNamespace(join(folder, "other"));
    const changed = JSON.stringify([{ ...EXPERIMENTS[0], weights: [0.9, 0.1] }]);
    await store.put([{ key: "experiments", value: changed }]);
    const change = { configured: [], experiment: "rerank", variants: ["armmt"], now: "off" as const, evidence: [], at: new Date() };
    expect(await switchVariants(store, change)).toEqual(["armmt"]);
    expect(JSON.parse((await store.get("experiments")) ?? "")).toEqual([{ ...EXPERIMENTS[0], weights: [0.9, 0.1], off: ["armmt"] }]);
    expect(await switchVariants(store, change)).toEqual([]);
    expect(await readHistory(store)).toHaveLength(1);
  });
});

const counted = (clusters: number, y: number): ClusterSums => ({ clusters, active: y, y, x: clusters, yy: y, xx: clusters, xy: y });
const OPTIONS = { alpha: STOP_ALPHA, tuning: 5000, tests: 5, allowed: 0, designEffect: 1 };
const [BUYERS, EMPTY] = [GUARDRAILS.find(({ id }) => id === "buyers")!, GUARDRAILS.find(({ id }) => id === "without-result")!];

describe("judge()", () => {
  it("sees an arm that sells nothing, and one in which every search fails", () => {
    expect(judge(BUYERS, counted(5000, 152), counted(5000, 0), OPTIONS).state).toBe("harm");
    expect(judge(EMPTY, counted(500, 0), counted(500, 500), OPTIONS).state).toBe("harm");
  });

  it("never stops what is better than control, and waits where there is too little", () => {
    expect(judge(BUYERS, counted(5000, 0), counted(5000, 152), OPTIONS).state).toBe("open");
    expect(judge(EMPTY, counted(500, 500), counted(500, 0), OPTIONS).state).toBe("open");
    expect(judge(BUYERS, counted(99, 30), counted(99, 0), OPTIONS).state).toBe("unknown");
    expect(judge(BUYERS, counted(5000, 19), counted(5000, 0), OPTIONS).state).toBe("unknown");
    // Five buyers were to be expected of the small arm: none is no proof.
    expect(judge(BUYERS, counted(9000, 90), counted(500, 0), OPTIONS).state).toBe("open");
  });

  it("widens its bound where searches hang together in an unknown way", () => {
    const [alone, together] = [1, 10].map((designEffect) =>
      judge(EMPTY, counted(5000, 50), counted(5000, 100), { ...OPTIONS, designEffect }),
    );
    expect(together?.bound).toBeGreaterThan(alone?.bound ?? Infinity);
  });
});

describe("simulated experiments, read every day", () => {
  const without = { name: "none", conversion: 1, extraBypass: 0, extraEmpty: 0, extraMs: 0 };

  it("are stopped without harm in at most 1 of 100 (armmt guard --simulate has 2,000 of each world)", () => {
    for (const world of WORLDS.filter(({ shoppersPerDay }) => shoppersPerDay < 200)) {
      expect({ ...simulateWorld(world, without, 20, "test") }).toMatchObject({ stopped: 0 });
    }
  });

  it("are stopped where the variant breaks searches or is slow", () => {
    const world = WORLDS[0]!;
    for (const harm of [
      { ...without, extraBypass: 0.2 },
      { ...without, extraMs: 200 },
      { ...without, extraEmpty: 0.05 },
      { ...without, conversion: 0 },
    ])
      expect(simulateWorld(world, harm, 5, "test").stopped).toBe(5);
  });
});
