/** `armmt ladder`: moves, what a run writes, runs that fail or meet, and simulated shops. */
import { describe, expect, it } from "vitest";
import { parseExperiments } from "../../src/config/experiments.ts";
import { parseTreatment } from "../../src/experiment/treatment.ts";
import { firstTrial, moveOf, MOST_VOTES, standingAfter, variantOf, watching } from "../../src/cli/ladder/moves.ts";
import { memoryStore, simulateLadder, simulateWatch, summarise, summariseWatch } from "../../src/cli/ladder/simulate.ts";
import { climb, type LadderOptions, NO_EVIDENCE, readLadder, type Store, undo } from "../../src/cli/ladder/store.ts";
import { readRanking, readRankingHistory, rollBackRanking, writeRanking } from "../../src/cli/publish/ranking.ts";
import { UserError } from "../../src/web.ts";

const votes = (b: number, a: number) => ({ clicks: { a, b, ties: 0 }, purchases: NO_EVIDENCE.purchases });
const WON = votes(90, 10);
const LOST = votes(10, 90);

const trial = firstTrial("m2", undefined);

describe("moveOf()", () => {
  // By Python's math module from equations 9 and 161 of arXiv 2103.06476, N* = 300: half widths 0.24496 after 50, 0.15842 after 100, 0.07599 after 400.
  it.each<[number, number]>([
    [50, 38],
    [100, 66],
    [400, 231],
  ])("of %i votes needs %i to raise, and as many against to stay", (n, needed) => {
    expect(moveOf(trial, votes(needed, n - needed))).toEqual({ kind: "raise", trust: 0.3 });
    expect(moveOf(trial, votes(needed - 1, n - needed + 1))).toEqual({ kind: "wait" });
    expect(moveOf(trial, votes(n - needed, needed))).toEqual({ kind: "stay", isHarm: true });
    expect(moveOf(trial, votes(n - needed + 1, needed - 1))).toEqual({ kind: "wait" });
  });

  it("waits without a vote, and ends without an answer", () => {
    expect(moveOf(trial, NO_EVIDENCE)).toEqual({ kind: "wait" });
    expect(moveOf(trial, votes(MOST_VOTES / 2, MOST_VOTES / 2))).toEqual({ kind: "stay", isHarm: false });
  });

  it("does not raise a model that is clicked and not bought", () => {
    expect(moveOf(trial, { clicks: WON.clicks, purchases: LOST.clicks })).toEqual({ kind: "stay", isHarm: true });
  });

  it("stops a model that serves and is worse than meaning, and no other", () => {
    expect(moveOf(watching("m2", 1), LOST)).toEqual({ kind: "stop" });
    expect(moveOf(watching("m2", 1), WON)).toEqual({ kind: "wait" });
  });

  it("climbs against what is live", () => {
    expect(variantOf(trial)).toBe("interleave(semantic, armmt@m2:0.3)");
    // By .3 a better model would lose against one that serves by 1.
    expect(variantOf(firstTrial("m2", { model: "m1", trust: 1 }))).toBe("interleave(armmt@m1:1, armmt@m2:1)");
    expect(variantOf(firstTrial("m2", { model: "m1", trust: 0.3 }))).toBe("interleave(armmt@m1:0.3, armmt@m2:0.3)");
    expect(variantOf(firstTrial("m2", { model: "m1", trust: 0.5 }))).toBe("interleave(armmt@m1:0.5, armmt@m2:1)");
    expect(variantOf(firstTrial("m2", { model: "m1", trust: 0 }))).toBe("interleave(semantic, armmt@m2:0.3)");
    const second = standingAfter(trial, { kind: "raise", trust: 0.3 }, { model: "m2", trust: 0.3 })!;
    expect(variantOf(second)).toBe("interleave(armmt@m2:0.3, armmt@m2:1)");
    expect(variantOf(standingAfter(second, { kind: "raise", trust: 1 }, { model: "m2", trust: 1 })!)).toBe(
      "interleave(semantic, armmt@m2:1)",
    );
    expect(variantOf(standingAfter(second, { kind: "stay", isHarm: true }, { model: "m2", trust: 0.3 })!)).toBe(
      "interleave(semantic, armmt@m2:0.3)",
    );
    expect(standingAfter(trial, { kind: "stay", isHarm: true }, undefined)).toBeUndefined();
    expect(standingAfter(trial, { kind: "stay", isHarm: true }, { model: "m1", trust: 0 })).toBeUndefined();
    expect(variantOf(standingAfter(trial, { kind: "stay", isHarm: false }, { model: "m1", trust: 1 })!)).toBe(
      "interleave(semantic, armmt@m1:1)",
    );
    for (const standing of [trial, second]) expect(parseTreatment(variantOf(standing)).ok).toBe(true);
  });
});

let hour = 0;
const options = (found: ReturnType<typeof votes>, more: Partial<LadderOptions> = {}): LadderOptions => ({
  catalog: "products",
  model: "m2",
  share: 0.2,
  indexes: ["products"],
  configured: [{ key: "rerank", variations: ["control", "armmt"], weights: [0.5, 0.5] }],
  isAgain: false,
  isTrial: false,
  at: new Date(++hour * 3_600_000),
  votes: async () => found,
  ...more,
});

/** What edges read. */
async function seen(store: Store) {
  const parsed = parseExperiments((await store.get("experiments")) ?? "[]");
  const list = parsed.ok ? parsed.value : [];
  const { model, trust } = (await readRanking(store, "products")) ?? {};
  return { model, trust, first: list[0]?.variations[0], keys: list.map(({ key }) => key) };
}

/** m1 serves with all trust, and m2 has lost against it. */
async function afterLoss(): Promise<ReturnType<typeof memoryStore>> {
  const store = memoryStore();
  await writeRanking(store, "products", { model: "m1", trust: 1, evidence: "earlier", at: new Date(0) });
  await climb(store, options(NO_EVIDENCE));
  expect(await climb(store, options(LOST))).toMatchObject({
    did: "stayed",
    isHarm: true,
    model: "m2",
    trust: 0,
    phase: "watch",
    live: { model: "m1", trust: 1 },
  });
  return store;
}

describe("climb()", () => {
  it("climbs to full trust, watches, and stops what has become worse", async () => {
    const store = memoryStore();
    expect(await climb(store, options(NO_EVIDENCE))).toMatchObject({ did: "started", trust: 0 });
    expect(await seen(store)).toEqual({
      model: undefined,
      trust: undefined,
      first: "interleave(semantic, armmt@m2:0.3)",
      keys: ["ladder-products", "rerank"],
    });
    expect(await climb(store, options(votes(3, 2)))).toMatchObject({ did: "waits", trust: 0 });
    expect(await climb(store, options(WON))).toMatchObject({ did: "raised", trust: 0.3 });
    expect(await seen(store)).toMatchObject({ model: "m2", trust: 0.3, first: "interleave(armmt@m2:0.3, armmt@m2:1)" });
    expect(await climb(store, options(WON))).toMatchObject({ did: "raised", trust: 1 });
    expect(await seen(store)).toMatchObject({ trust: 1, first: "interleave(semantic, armmt@m2:1)" });
    expect(await climb(store, options(LOST))).toMatchObject({ did: "stopped", isHarm: true, trust: 0, trying: null });
    expect(await seen(store)).toEqual({ model: "m2", trust: 0, first: "control", keys: ["rerank"] });
    // From cron it stays stopped; by hand it may be tried again.
    expect(await climb(store, options(WON))).toMatchObject({ did: "ended", trust: 0 });
    expect(await climb(store, options(NO_EVIDENCE, { isAgain: true }))).toMatchObject({ did: "started" });
    expect((await readLadder(store, "products"))?.history.map(({ what }) => what)).toEqual([
      "started",
      "raised",
      "raised",
      "stopped",
      "started",
    ]);
    expect((await readRankingHistory(store, "products")).map(({ trust }) => trust)).toEqual([0.3, 1, 0]);
  });

  it("counts votes of the variant in question since its phase began", async () => {
    const store = memoryStore();
    const asked: string[][] = [];
    const ask = (at: string): Partial<LadderOptions> => ({ at: new Date(at), votes: async (...given) => (asked.push(given), WON) });
    await climb(store, options(WON, ask("2026-01-01T00:00:00Z")));
    await climb(store, options(WON, ask("2026-01-02T00:00:00Z")));
    await climb(store, options(WON, ask("2026-01-03T00:00:00Z")));
    expect(asked).toEqual([
      ["interleave(semantic, armmt@m2:0.3)", "2026-01-01T00:00:00.000Z"],
      ["interleave(armmt@m2:0.3, armmt@m2:1)", "2026-01-02T00:00:00.000Z"],
    ]);
  });

  it("ends as it should when a run ends after any of its writes", async () => {
    for (let survives = 0; survives < 5; survives++) {
      const store = memoryStore();
      await climb(store, options(NO_EVIDENCE));
      let left = survives;
      const breaking: Store = { ...store, put: async (entries) => (left-- > 0 ? store.put(entries) : Promise.reject(new Error("killed"))) };
      const before = await seen(store);
      await climb(breaking, options(WON)).catch(() => undefined);
      // Never a trust that was not earned, nor a model that is not the one.
      expect([before.trust, 0.3]).toContain((await seen(store)).trust);
      // Votes of the phase that a run has found.
      const known = await readLadder(store, "products");
      await climb(store, options(known?.standing?.trust === 0.3 ? WON : NO_EVIDENCE));
      expect(await seen(store), `after ${survives} writes`).toMatchObject({
        model: "m2",
        trust: 0.3,
        first: "interleave(armmt@m2:0.3, armmt@m2:1)",
      });
    }
  });

  it("does what one run does when two meet", async () => {
    const store = memoryStore();
    await climb(store, options(NO_EVIDENCE));
    const met = await Promise.allSettled([climb(store, options(WON)), climb(store, options(WON))]);
    expect(met.some(({ status }) => status === "fulfilled")).toBe(true);
    await climb(store, options(NO_EVIDENCE));
    expect(await seen(store)).toMatchObject({
      model: "m2",
      trust: 0.3,
      first: "interleave(armmt@m2:0.3, armmt@m2:1)",
      keys: ["ladder-products", "rerank"],
    });
  });

  it("writes nothing in a trial, and says what it would do", async () => {
    const store = memoryStore();
    expect(await climb(store, options(NO_EVIDENCE, { isTrial: true }))).toMatchObject({
      did: "started",
      trying: "interleave(semantic, armmt@m2:0.3)",
    });
    expect(store.values.size).toBe(0);
    await climb(store, options(NO_EVIDENCE));
    const before = new Map(store.values);
    expect(await climb(store, options(WON, { isTrial: true }))).toMatchObject({ did: "raised", trust: 0.3 });
    expect(store.values).toEqual(before);
  });

  it("keeps experiments and weights that were changed by hand, and puts its own back", async () => {
    const store = memoryStore();
    await climb(store, options(NO_EVIDENCE));
    await store.put([{ key: "experiments", value: '[{"key":"other","variations":["control","semantic"]}]' }]);
    await climb(store, options(NO_EVIDENCE));
    expect(await seen(store)).toMatchObject({ keys: ["ladder-products", "other"] });
  });

  it("keeps what is live where the next model loses against it, and watches that", async () => {
    const store = await afterLoss();
    expect(await seen(store)).toEqual({
      model: "m1",
      trust: 1,
      first: "interleave(semantic, armmt@m1:1)",
      keys: ["ladder-products", "rerank"],
    });
    // From cron, by the name of the one that has lost, or by none.
    expect(await climb(store, options(WON))).toMatchObject({ did: "waits", model: "m2", trust: 0 });
    expect(await climb(store, options(LOST, { model: undefined }))).toMatchObject({
      did: "stopped",
      isHarm: true,
      trying: null,
      live: { model: "m1", trust: 0 },
    });
    expect(await seen(store)).toEqual({ model: "m1", trust: 0, first: "control", keys: ["rerank"] });
    for (const model of ["m2", undefined]) expect(await climb(store, options(WON, { model }))).toMatchObject({ did: "ended", trust: 0 });
  });

  it("goes on watching by the name of the one that serves, with the votes so far, and tries the other again where asked to", async () => {
    const store = await afterLoss();
    const { since } = (await readLadder(store, "products"))!;
    expect(await climb(store, options(WON, { model: "m1" }))).toMatchObject({ did: "waits", model: "m1", trust: 1 });
    expect(await readLadder(store, "products")).toMatchObject({ model: "m1", since });
    expect(await climb(store, options(LOST, { model: "m1" }))).toMatchObject({ did: "stopped", trust: 0 });
    expect(await climb(store, options(WON, { model: "m1" }))).toMatchObject({ did: "ended" });
    const again = await afterLoss();
    expect(await climb(again, options(NO_EVIDENCE, { isAgain: true }))).toMatchObject({ did: "started", phase: "trial" });
  });

  it("watches what serves by whatever way it came there, but not what nobody trusts", async () => {
    const store = await afterLoss();
    const put = (model: string, trust: number) =>
      writeRanking(store, "products", { model, trust, evidence: "by hand", at: new Date(++hour * 3_600_000) });
    await put("m0", 0.3);
    // Votes about another model decide nothing about this one.
    expect(await climb(store, options(LOST))).toMatchObject({
      did: "watches",
      isHarm: false,
      trying: "interleave(semantic, armmt@m0:0.3)",
    });
    expect(await climb(store, options(WON))).toMatchObject({ did: "waits" });
    await put("m0", 0);
    expect(await climb(store, options(LOST))).toMatchObject({ did: "stopped", live: { model: "m0", trust: 0 } });
    expect(await climb(store, options(WON))).toMatchObject({ did: "ended" });
    await put("m1", 1);
    expect(await climb(store, options(WON))).toMatchObject({ did: "watches", trying: "interleave(semantic, armmt@m1:1)" });
    await undo(store, options(NO_EVIDENCE), 1);
    expect(await climb(store, options(WON))).toMatchObject({ did: "ended", trying: null });
  });

  it("watches what the published set trusts after a lost trial", async () => {
    const [store, bySet] = [memoryStore(), { model: "m1", trust: 1 }];
    await climb(store, options(NO_EVIDENCE, { bySet }));
    expect(await climb(store, options(LOST, { bySet }))).toMatchObject({ did: "stayed", trying: "interleave(semantic, armmt@m1:1)" });
    expect(await climb(store, options(LOST, { bySet }))).toMatchObject({ did: "stopped", live: { model: "m1", trust: 0 } });
    expect(await seen(store)).toMatchObject({ model: "m1", trust: 0 });
  });

  it("puts a better model in the place of the one that serves", async () => {
    const store = memoryStore();
    await writeRanking(store, "products", { model: "m1", trust: 1, evidence: "earlier", at: new Date(0) });
    await climb(store, options(NO_EVIDENCE));
    expect(await climb(store, options(WON))).toMatchObject({ did: "raised", trust: 1, trying: "interleave(semantic, armmt@m2:1)" });
    expect(await seen(store)).toMatchObject({ model: "m2", trust: 1 });
  });

  it("climbs against the model that the published set trusts, where no ranking says otherwise", async () => {
    const bySet = { model: "m1", trust: 1 };
    expect(await climb(memoryStore(), options(NO_EVIDENCE, { bySet }))).toMatchObject({
      did: "started",
      trust: 1,
      trying: "interleave(armmt@m1:1, armmt@m2:1)",
      phase: "trial",
    });
  });

  it("is undone", async () => {
    const store = memoryStore();
    await climb(store, options(NO_EVIDENCE));
    await climb(store, options(WON));
    const back = await rollBackRanking(store, "products", new Date());
    await undo(store, options(NO_EVIDENCE), back.trust);
    expect(await seen(store)).toEqual({ model: undefined, trust: undefined, first: "control", keys: ["rerank"] });
  });

  it.each<[string, string, string]>([
    ["products/ladder", "{", "is not as armmt ladder writes it"],
    ["products/ranking", '{"model":"m1","trust":2}', "is not as armmt writes it"],
    ["experiments", "[{}]", "is not valid"],
  ])("says of a key %s that is not its own what to do", async (key, value, message) => {
    const store = memoryStore();
    store.values.set(key, value);
    const error: unknown = await climb(store, options(WON)).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(UserError);
    expect(String(error)).toContain(message);
  });
});

describe("rollBackRanking()", () => {
  it("goes back, and forth", async () => {
    const store = memoryStore();
    await expect(rollBackRanking(store, "products", new Date())).rejects.toThrow("nothing to take back");
    await writeRanking(store, "products", { model: "m1", trust: 1, evidence: "", at: new Date(1) });
    await writeRanking(store, "products", { model: "m2", trust: 0.3, evidence: "", at: new Date(2) });
    expect(await rollBackRanking(store, "products", new Date(3))).toMatchObject({ model: "m1", trust: 1 });
    expect(await rollBackRanking(store, "products", new Date(4))).toMatchObject({ model: "m2", trust: 0.3 });
  });

  it("goes back to what the published set says before the first ranking, and forth", async () => {
    const store = memoryStore();
    await writeRanking(store, "products", { model: "m1", trust: 1, evidence: "", at: new Date(1) });
    expect(await rollBackRanking(store, "products", new Date(3))).toMatchObject({ model: null, trust: 0 });
    expect(await readRanking(store, "products")).toBeUndefined();
    expect(await rollBackRanking(store, "products", new Date(4))).toMatchObject({ model: "m1", trust: 1 });
    await rollBackRanking(store, "products", new Date(5));
    // Not to the model that was taken back.
    await writeRanking(store, "products", { model: "m2", trust: 1, evidence: "", at: new Date(6) });
    expect(await rollBackRanking(store, "products", new Date(7))).toMatchObject({ model: null });
  });
});

describe("simulated shops", () => {
  it("gain by good models, and lose next to nothing by others", { timeout: 300_000 }, async () => {
    const runs = await Promise.all([0, 1, 2, 3, 4, 5].map((shop) => simulateLadder(shop)));
    const [good, useless, harmful] = summarise(runs);
    expect(good).toMatchObject({ runs: 2, fullTrust: 2, foundWorse: 0 });
    expect(good!.servedMean).toBeGreaterThan(0.02);
    expect(useless!.servedMean).toBeGreaterThan(-0.002);
    expect(harmful).toMatchObject({ runs: 2, noTrust: 2, foundWorse: 2 });
    expect(harmful!.servedMean).toBeGreaterThan(-0.002);
  });

  it("stop a model that turns bad after another has lost against it, and keep one that does not", { timeout: 300_000 }, async () => {
    const shops = [0, 1, 2];
    const spoilt = await Promise.all(shops.map((shop) => simulateWatch(shop, true, 60)));
    expect(summariseWatch(spoilt)).toMatchObject({ runs: 3, lost: 3, stopped: 3 });
    const good = await Promise.all(shops.map((shop) => simulateWatch(shop, false, 60)));
    expect(summariseWatch(good)).toMatchObject({ runs: 3, lost: 3, stopped: 0 });
  });
});
