/**
 * Models that come without a deployment, in workerd, on the runtime that `armmt build` left: the images of two models change places in one
 * onnxruntime, and nothing that is broken replaces what serves.
 */
import { describe, expect, it } from "vitest";
import edge from "../../.armmt/edge/edge.bin";
import goldenJson from "../../model/golden.json";
import manifest from "../../model/manifest.json";
import student from "../../model/student.onnx";
import type { KvReader } from "../../src/embeddings/store.ts";
import { kvOf } from "../../src/embeddings/store.ts";
import { decodeEdgeFile, encodeEdgeFile, type RuntimeIdentity } from "../../src/inference/edge-file.ts";
import { parseGolden } from "../../src/inference/golden.ts";
import { modelKey, type OpenPublished, type PartName, partKey } from "../../src/inference/published-model.ts";
import type { Snapshot } from "../../src/inference/snapshot.ts";
import { openPublished } from "../../src/runtimes/cloudflare/open-models.ts";
import { loadModels } from "../../src/runtimes/cloudflare/models.ts";
import { createLiveModels, MAX_MODELS } from "../../src/search/live-models.ts";
import { sha256Hex } from "../../src/web.ts";

const deployed = await loadModels();
const { snapshot, runtime } = decodeEdgeFile(edge);
const own = { snapshot, runtime };
const [first] = parseGolden(goldenJson).cases;
const utf8 = new TextEncoder();

/** The committed model under another version, as if it were another graph: then it cannot share a session with the deployed one. */
function disguise(version: string) {
  const sha256 = [...utf8.encode(version)]
    .map((byte) => byte.toString(16))
    .join("")
    .padEnd(64, "0")
    .slice(0, 64);
  return { version, sha256, manifest: { ...manifest, version, sha256 }, golden: { ...goldenJson, model: version, sha256 } };
}

interface Change {
  readonly snapshot?: (own: Snapshot) => Snapshot;
  readonly runtime?: (own: RuntimeIdentity) => RuntimeIdentity;
  readonly manifest?: (own: typeof manifest) => unknown;
  readonly golden?: (own: typeof goldenJson) => unknown;
  /** After checksums were taken. */
  readonly stored?: (name: PartName, bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer> | undefined;
}

type Values = Map<string, Uint8Array<ArrayBuffer>>;

const as = <T>(edit: ((own: T) => T) | undefined, value: T): T => (edit === undefined ? value : edit(value));

async function publish(values: Values, version: string, change: Change = {}): Promise<void> {
  if (own.snapshot === undefined || own.runtime === undefined) throw new Error("Run armmt build first");
  const model = disguise(version);
  const file = encodeEdgeFile({
    kind: "snapshot",
    models: [{ manifest: model.manifest, sha256: model.sha256 }],
    snapshot: as(change.snapshot, own.snapshot),
    runtime: as(change.runtime, own.runtime),
  });
  const golden = utf8.encode(JSON.stringify(change.golden?.(model.golden) ?? model.golden));
  const parts: Partial<Record<PartName, { bytes: number; sha256: string }>> = {};
  for (const [name, bytes] of [
    ["edge", Uint8Array.from(file)],
    ["golden", golden],
    ["graph", new Uint8Array(student)],
  ] as const) {
    const part = { bytes: bytes.length, sha256: await sha256Hex(bytes) };
    parts[name] = part;
    const stored = change.stored === undefined ? bytes : change.stored(name, bytes);
    if (stored !== undefined) values.set(partKey(version, name, part), stored);
  }
  const publishedAt = "2026-11-30T00:00:00Z";
  const description = { format: 1, version, publishedAt, manifest: change.manifest?.(model.manifest) ?? model.manifest, parts };
  values.set(modelKey(version), utf8.encode(JSON.stringify(description)));
}

function rank(values: Values, model: string | null, trust: number, since = "2026-11-30T00:00:00Z"): void {
  values.set("products/ranking", utf8.encode(JSON.stringify({ format: 1, model, trust, since, evidence: "a test" })));
}

function open(values: Values, kv: KvReader = kvOf(async (key) => values.get(key)), opener: OpenPublished = openPublished) {
  let at = 1_000_000;
  const after: Promise<unknown>[] = [];
  const log: unknown[] = [];
  const models = createLiveModels({
    catalogs: ["products"],
    kv,
    deployed,
    open: opener,
    now: () => at,
    log: (entry) => void log.push(entry),
  });
  return {
    models,
    log,
    /** A minute later, and all work after the reply is done. */
    minute: async (): Promise<void> => {
      at += 60_001;
      models.refresh((work) => void after.push(work));
      await Promise.all(after.splice(0));
    },
    pass: (ms: number) => void (at += ms),
  };
}

async function works(scorer: ReturnType<typeof deployed>): Promise<boolean> {
  if (!scorer.ok || first === undefined) return false;
  const scored = await scorer.value.score(first.list);
  return scored.ok && scored.value.score.every((score, i) => first.list.mask[i] === 0 || Math.abs(score - first.score[i]!) < 1e-4);
}

const zeroed = (bytes: Uint8Array): Uint8Array => bytes.map((byte, i) => (i > bytes.length / 2 ? 0 : byte));

describe.skipIf(own.snapshot === undefined)("createLiveModels() (skipped before `armmt build`)", () => {
  it("takes up a published model within a minute, after a reply, and both serve in turn", async () => {
    const values: Values = new Map();
    const { models, minute } = open(values);
    expect(models.scorer("v2")).toMatchObject({ ok: false, error: { reason: "model_unavailable" } });
    await publish(values, "v2");
    await minute();
    for (let i = 0; i < 3; i++) {
      expect(await works(models.scorer("v2"))).toBe(true);
      expect(await works(models.scorer())).toBe(true);
    }
    expect(models.snapshot()).toMatchObject({ models: { v2: { state: "ready" } } });
  });

  it("follows a catalogue's ranking when its model is ready, and follows the last one until then", async () => {
    const values: Values = new Map();
    const { models, minute } = open(values);
    await publish(values, "v2");
    rank(values, "v2", 0.3);
    await minute();
    expect(models.rankingOf("products")).toMatchObject({ model: "v2", trust: 0.3 });
    rank(values, "v3", 1, "2026-11-30T01:00:00Z");
    await minute();
    expect(models.rankingOf("products")).toMatchObject({ model: "v2", trust: 0.3 });
    expect(models.snapshot()).toMatchObject({ rankings: { products: { follows: { model: "v2" }, next: { model: "v3" } } } });
    await publish(values, "v3");
    await minute();
    expect(models.rankingOf("products")).toMatchObject({ model: "v3", trust: 1 });
    // To follow nothing needs no model.
    rank(values, "gone", 0, "2026-11-30T02:00:00Z");
    await minute();
    expect(models.rankingOf("products")).toMatchObject({ trust: 0 });
    values.set("products/ranking", utf8.encode("{"));
    await minute();
    expect(models.rankingOf("products")).toMatchObject({ trust: 0 });
    values.delete("products/ranking");
    await minute();
    expect(models.rankingOf("products")).toBeUndefined();
    rank(values, "v2", 1, "2026-11-30T04:00:00Z");
    await minute();
    expect(models.rankingOf("products")).toMatchObject({ model: "v2" });
    // Taken back to before the first ranking: as the published set says.
    rank(values, null, 0, "2026-11-30T05:00:00Z");
    await minute();
    expect(models.rankingOf("products")).toBeUndefined();
  });

  it.each<[string, Change, RegExp]>([
    [
      "a session whose second half is nothing",
      { snapshot: (s) => ({ ...s, bytes: zeroed(s.bytes) }) },
      /golden\.json .*(off by|traps)|cannot be|trapped|session/,
    ],
    [
      "weights that are off",
      { snapshot: (s) => ({ ...s, bytes: s.bytes.map((byte, i) => (i > s.bytes.length - 400_000 ? byte ^ 1 : byte)) }) },
      /golden\.json|trapped|cannot/,
    ],
    [
      "a session for more memory than there is",
      { snapshot: (s) => ({ ...s, head: { ...s.head, memoryBytes: 1 << 30 } }) },
      /needs 1073741824 bytes of memory/,
    ],
    [
      "a session that writes outside of the memory",
      { snapshot: (s) => ({ ...s, runs: s.runs.map((n, i) => (i % 2 === 0 ? n + 2 ** 31 : n)) }) },
      /v2/,
    ],
    ["another onnxruntime", { runtime: (r) => ({ ...r, stock: "00" }) }, /another onnxruntime-web/],
    ["an operator that this runtime lacks", { runtime: (r) => ({ ...r, operators: [...r.operators, "Einsum"] }) }, /operators \[Einsum\]/],
    ["a function that this runtime lacks", { runtime: (r) => ({ ...r, functions: [...r.functions, 99_999] }) }, /uses 1 functions/],
    ["other features", { manifest: (m) => ({ ...m, features: m.features.slice(1) }) }, /features/],
    ["another tokenizer", { manifest: (m) => ({ ...m, tokenizer: { ...m.tokenizer, name: "other" } }) }, /tokenizer other/],
    ["golden scores of another graph", { golden: (g) => ({ ...g, sha256: "00" }) }, /golden\.json .*belongs to a graph/],
    ["golden scores that are no JSON", { golden: () => "" }, /golden\.json/],
    [
      "a part that is cut off",
      { stored: (name, bytes) => (name === "edge" ? bytes.slice(0, -1) : bytes) },
      /has \d+ bytes, its description says/,
    ],
    ["a part with another byte", { stored: (name, bytes) => (name === "golden" ? bytes.with(9, 0) : bytes) }, /SHA-256/],
    ["a part that is not there", { stored: (name, bytes) => (name === "edge" ? undefined : bytes) }, /does not exist/],
  ])("refuses %s, and what served goes on", async (_, change, why) => {
    const values: Values = new Map();
    const { models, minute } = open(values);
    await publish(values, "good");
    rank(values, "good", 1);
    await minute();
    await publish(values, "v2", change);
    rank(values, "v2", 1, "2026-11-30T01:00:00Z");
    await minute();
    const refused = models.scorer("v2");
    expect(refused.ok ? "" : refused.error.detail).toMatch(why);
    expect(models.rankingOf("products")).toMatchObject({ model: "good" });
    expect(await works(models.scorer("good"))).toBe(true);
    expect(await works(models.scorer())).toBe(true);
    // Published again as it should be.
    await publish(values, "v2");
    values.set(modelKey("v2"), utf8.encode(`${new TextDecoder().decode(values.get(modelKey("v2")))} `));
    await minute();
    expect(models.rankingOf("products")).toMatchObject({ model: "v2" });
  });

  it("does not read again what it has refused, as long as it is the same", async () => {
    const values: Values = new Map();
    const read: string[] = [];
    const { models, minute } = open(
      values,
      kvOf(async (key) => (read.push(key), values.get(key))),
    );
    await publish(values, "v2", { runtime: (r) => ({ ...r, stock: "00" }) });
    models.scorer("v2");
    await minute();
    read.length = 0;
    await minute();
    expect(read).toEqual(["products/ranking", "models/v2/model"]);
  });

  it("drops the model that nobody has asked for longest, and none that is used", async () => {
    const values: Values = new Map();
    const { models, minute, pass } = open(values);
    const versions = Array.from({ length: MAX_MODELS }, (_, i) => `m${i}`);
    rank(values, "m0", 1);
    for (const version of [...versions, "late"]) await publish(values, version);
    for (const version of versions) models.scorer(version);
    await minute();
    models.scorer("late");
    await minute();
    expect(models.scorer("late")).toMatchObject({
      ok: false,
      error: { reason: "model_unavailable", detail: expect.stringContaining("No room") },
    });
    pass(700_000);
    models.scorer("late");
    await minute();
    expect(models.scorer("late").ok).toBe(true);
    expect(models.scorer("m0").ok).toBe(true);
    expect(models.snapshot()).toMatchObject({ dropped: ["m1"] });
  });

  it("closes a model that was opened too late, when another turn has opened it", async () => {
    const values: Values = new Map();
    const releases: (() => void)[] = [];
    let [opens, closed] = [0, 0];
    const opener: OpenPublished = async (model, read) => {
      const opened = await openPublished(model, read);
      if (!opened.ok) return opened;
      if (opens++ === 0) await new Promise<void>((resolve) => releases.push(resolve));
      return { ok: true, value: { ...opened.value, close: async () => void closed++ } };
    };
    const { models, minute } = open(values, undefined, opener);
    await publish(values, "v2");
    models.scorer("v2");
    const hanging = minute();
    for (let i = 0; i < 200 && releases.length === 0; i++) await new Promise((resolve) => setTimeout(resolve, 10));
    await minute();
    expect(models.snapshot()).toMatchObject({ models: { v2: { state: "ready" } } });
    expect([opens, closed]).toEqual([2, 0]);
    releases[0]?.();
    await hanging;
    expect([opens, closed]).toEqual([2, 1]);
    expect(await works(models.scorer("v2"))).toBe(true);
  });

  it("serves on while KV fails or hangs, and no search waits", async () => {
    const values: Values = new Map();
    let state: "works" | "fails" | "hangs" = "works";
    const kv = kvOf((key) => {
      if (state === "hangs") return new Promise(() => undefined);
      return state === "fails" ? Promise.reject(new Error("KV is down")) : Promise.resolve(values.get(key));
    });
    const { models, minute } = open(values, kv);
    await publish(values, "v2");
    rank(values, "v2", 1);
    await minute();
    state = "fails";
    await minute();
    expect(models.rankingOf("products")).toMatchObject({ model: "v2" });
    expect(models.snapshot()).toMatchObject({ rankings: { products: { problem: expect.stringContaining("KV is down") } } });
    state = "hangs";
    const hanging = minute();
    expect(await works(models.scorer("v2"))).toBe(true);
    expect(models.rankingOf("products")).toMatchObject({ model: "v2" });
    void hanging;
  });
});
