import { beforeAll, describe, expect, it } from "vitest";
import goldenJson from "../../model/golden.json";
import manifest from "../../model/manifest.json";
import student from "../../model/student.onnx";
import type { Scorer } from "../../src/inference/scorer.ts";
import { createWasmScorer } from "../harness/wasm-scorer.ts";
import type { ListTensors } from "../../src/ranking/features.ts";
import { type GoldenCase, parseGolden } from "../../src/inference/golden.ts";

const { cases, tolerance, sha256 } = parseGolden(goldenJson);

async function loaded(): Promise<Scorer> {
  const created = await createWasmScorer({ model: student, manifest });
  if (!created.ok) throw new Error(created.error.detail);
  return created.value;
}

async function scoresOf(scorer: Scorer, list: ListTensors) {
  const scored = await scorer.score(list);
  if (!scored.ok) throw new Error(scored.error.detail);
  return scored.value;
}

function named(name: string): GoldenCase {
  const found = cases.find((golden) => golden.name === name);
  if (found === undefined) throw new Error(`golden.json has no case "${name}"`);
  return found;
}

/** Rows of `values` ([rows, width]) in the order of `rows`. */
function take(values: Float32Array, width: number, rows: readonly number[]): Float32Array {
  const taken = new Float32Array(rows.length * width);
  rows.forEach((row, i) => taken.set(values.subarray(row * width, (row + 1) * width), i * width));
  return taken;
}

/** The list with only the candidates of `rows`, in that order. */
function arrange(list: ListTensors, rows: readonly number[]): ListTensors {
  return {
    ...list,
    k: rows.length,
    image: take(list.image, list.imageDim, rows),
    text: take(list.text, list.textDim, rows),
    features: take(list.features, list.f, rows),
    presence: take(list.presence, 2, rows),
    mask: take(list.mask, 1, rows),
  };
}

/** The largest difference over the candidates that the mask keeps. */
function worst(actual: Float32Array, expected: Float32Array, list: ListTensors): number {
  expect(actual.length).toBe(expected.length);
  const width = expected.length / list.k;
  return expected.reduce(
    (max, value, i) => (list.mask[Math.floor(i / width)] === 0 ? max : Math.max(max, Math.abs(value - actual[i]!))),
    0,
  );
}

const range = (length: number) => Array.from({ length }, (_, i) => i);

describe("createWasmScorer() and the training side", () => {
  let scorer: Scorer;
  beforeAll(async () => {
    scorer = await loaded();
  });

  it("covers the list sizes and gaps that serving meets", () => {
    expect(sha256).toBe(manifest.sha256);
    expect(cases.map((golden) => golden.list.k)).toEqual(expect.arrayContaining([1, 2, 50, 100, 200]));
    expect(cases.some(({ list }) => list.mask.includes(0))).toBe(true);
    expect(cases.some(({ list }) => list.historyMask.every((value) => value === 0))).toBe(true);
    for (const column of [0, 1]) {
      expect(cases.some(({ list }) => range(list.k).some((i) => list.presence[i * 2 + column] === 0))).toBe(true);
    }
  });

  for (const { name, list, score, gate } of cases) {
    it(`agree on golden case: ${name}`, async () => {
      const scored = await scoresOf(scorer, list);
      expect(worst(scored.score, score, list)).toBeLessThanOrEqual(tolerance);
      expect(worst(scored.gate, gate, list)).toBeLessThanOrEqual(tolerance);
    });
  }

  it("gives the same scores whether a list is padded or not", async () => {
    const { list } = named("padded list");
    const real = range(list.k).filter((i) => list.mask[i] === 1);
    expect(real.length).toBeLessThan(list.k);
    const padded = await scoresOf(scorer, list);
    const bare = arrange(list, real);
    const short = await scoresOf(scorer, bare);
    expect(worst(short.score, padded.score.slice(0, real.length), bare)).toBeLessThanOrEqual(1e-5);
  });

  it("scores a candidate the same wherever it stands in the list", async () => {
    const { list } = named("fifty candidates");
    const rows = range(list.k).map((i) => (i * 17 + 5) % list.k); // 17 and 50 share no factor, so each row once
    const shuffled = arrange(list, rows);
    const straight = await scoresOf(scorer, list);
    const moved = await scoresOf(scorer, shuffled);
    expect(worst(moved.score, take(straight.score, 1, rows), shuffled)).toBeLessThanOrEqual(1e-5);
    expect(worst(moved.gate, take(straight.gate, 2, rows), shuffled)).toBeLessThanOrEqual(1e-5);
  });

  it("answers eight calls at once as if they had come one by one", async () => {
    const lists = [...cases, ...cases].slice(0, 8);
    const together = await Promise.all(lists.map(({ list }) => scoresOf(scorer, list)));
    for (const [i, { list, score }] of lists.entries()) expect(worst(together[i]!.score, score, list)).toBeLessThanOrEqual(tolerance);
  });

  it("refuses NaN and goes on working afterwards", async () => {
    const { list, score } = named("two candidates");
    for (const broken of [
      { ...list, image: list.image.map(() => NaN) },
      { ...list, features: list.features.map(() => Infinity) },
    ]) {
      expect(await scorer.score(broken)).toMatchObject({ ok: false, error: { reason: "scores_not_finite" } });
    }
    expect(worst((await scoresOf(scorer, list)).score, score, list)).toBeLessThanOrEqual(tolerance);
  });

  it("refuses a list of other dims by name", async () => {
    const { list } = named("two candidates");
    const refused = await scorer.score({ ...list, imageDim: 32, image: new Float32Array(64) });
    expect(refused).toMatchObject({ ok: false, error: { reason: "model_mismatch" } });
    expect(refused.ok ? "" : refused.error.detail).toMatch(/image dim 64 .*the list has 32/);
  });

  it("refuses arrays that are not as long as their dims say, and goes on working", async () => {
    const { list, score } = named("two candidates");
    const refused = await scorer.score({ ...list, features: list.features.slice(1) });
    expect(refused).toMatchObject({ ok: false, error: { reason: "model_failed" } });
    expect(worst((await scoresOf(scorer, list)).score, score, list)).toBeLessThanOrEqual(tolerance);
  });

  it("refuses a token outside the table, and goes on working", async () => {
    const { list, score } = named("two candidates");
    const refused = await scorer.score({ ...list, queryTokenIds: list.queryTokenIds.map(() => 1e6) });
    expect(refused).toMatchObject({ ok: false, error: { reason: "model_failed" } });
    expect(worst((await scoresOf(scorer, list)).score, score, list)).toBeLessThanOrEqual(tolerance);
  });
});

const sha256Of = async (bytes: ArrayBuffer) =>
  Array.from(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)), (byte) => byte.toString(16).padStart(2, "0")).join("");

async function refusal(options: { model?: ArrayBuffer; manifest?: unknown }) {
  const created = await createWasmScorer({ model: student, manifest, ...options });
  return created.ok ? "accepted" : `${created.error.reason}: ${created.error.detail}`;
}

describe("createWasmScorer() refuses by name", () => {
  it("something that is no manifest", async () => {
    expect(await refusal({ manifest: {} })).toMatch(/^model_mismatch: manifest\.json is not valid: format/);
    expect(await refusal({ manifest: undefined })).toMatch(/^model_mismatch: /);
  });

  it("a feature that this code does not have", async () => {
    const features = manifest.features.map((feature, i) => (i === 0 ? { ...feature, name: "moon_phase" } : feature));
    expect(await refusal({ manifest: { ...manifest, features } })).toMatch(/^model_mismatch: .*lacks \[rank_log\].*unknown \[moon_phase\]/);
  });

  it("a graph that is not the manifest's", async () => {
    const changed = student.slice(0);
    new Uint8Array(changed)[5000]! ^= 1;
    const detail = await refusal({ model: changed });
    expect(detail).toMatch(/^model_mismatch: student\.onnx has SHA-256 [0-9a-f]{64}/);
    expect(detail).toContain(manifest.sha256);
  });

  it("dims that the graph does not have", async () => {
    expect(await refusal({ manifest: { ...manifest, dims: { ...manifest.dims, image: 32 } } })).toMatch(
      /^model_mismatch: Input (history_)?image of model .* is 64 wide, expected 32/,
    );
  });

  it("bytes that are no graph", async () => {
    const garbage = new ArrayBuffer(1000);
    const detail = await refusal({ model: garbage, manifest: { ...manifest, sha256: await sha256Of(garbage) } });
    expect(detail).toMatch(/^model_unavailable: Cannot create a session for model/);
    expect((await createWasmScorer({ model: student, manifest })).ok).toBe(true);
  });
});
