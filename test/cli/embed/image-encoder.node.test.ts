/**
 * The encoder against numbers computed elsewhere (TensorFlow Lite's, in the encoder's check.json), the builtin one, and what users get wrong.
 * The parts that need ../shared are skipped where it is absent.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import * as v from "valibot";
import { afterAll, describe, expect, it } from "vitest";
import { loadImageEncoder } from "../../../src/cli/embed/encoder.ts";
import { createGraphEncoder, type ImageEncoder, parsePreprocessing } from "../../../src/cli/embed/image-encoder.ts";
import type { Result } from "../../../src/result.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const SHARED = join(ROOT, "../shared/data");
const MOBILENET = join(SHARED, "encoders/mobilenet-v2");
const hasShared = existsSync(join(MOBILENET, "model.onnx"));
if (!hasShared) console.warn("MobileNetV2 is not beside this checkout (../shared/data/encoders): its checks are skipped");

const scratch = mkdtempSync(join(tmpdir(), "armmt-encoder-"));
afterAll(() => rmSync(scratch, { recursive: true }));

function encoder(result: Result<ImageEncoder, string>): ImageEncoder {
  if (!result.ok) throw new Error(result.error);
  return result.value;
}

function errorOf(result: Result<unknown, string>): string {
  if (result.ok) throw new Error("expected an error");
  return result.error;
}

function json(path: string): unknown {
  return JSON.parse(readFileSync(path, "utf8"));
}

const norm = (vector: Float32Array) => Math.hypot(...vector);

async function mobilenet(): Promise<ImageEncoder> {
  const graph = readFileSync(join(MOBILENET, "model.onnx"));
  const preprocessor = json(join(MOBILENET, "preprocessor_config.json"));
  return encoder(await createGraphEncoder({ graph, name: "mobilenet", isBuiltin: false, preprocessor }));
}

const expectedSchema = v.object({ l2_norm: v.number(), sum: v.number(), first_16: v.array(v.number()), argmax: v.number() });
const checkSchema = v.object({
  synthetic: v.array(v.object({ input: v.string(), ...expectedSchema.entries })),
  images: v.array(v.object({ file: v.string(), ...expectedSchema.entries })),
});

describe.skipIf(!hasShared)("createGraphEncoder() with MobileNetV2 of ../shared", () => {
  it("gives the published numbers for the synthetic ramp, within 0.01 before normalisation", async () => {
    const { synthetic } = v.parse(checkSchema, json(join(MOBILENET, "check.json")));
    const expected = synthetic.find((one) => one.input.includes("x + 2*y + 3*c"))!;
    const ramp = new Uint8Array(224 * 224 * 3);
    for (let y = 0; y < 224; y++) for (let x = 0; x < 224; x++) for (let c = 0; c < 3; c++) ramp[(y * 224 + x) * 3 + c] = x + 2 * y + 3 * c;
    const [vector] = await (await mobilenet()).encode([ramp]);
    expect(vector).toHaveLength(1280);
    expected.first_16.forEach((value, d) => expect(Math.abs(vector![d]! * expected.l2_norm - value)).toBeLessThan(0.01));
    expect(vector!.indexOf(Math.max(...vector!))).toBe(expected.argmax);
    expect(vector!.reduce((sum, value) => sum + value, 0) * expected.l2_norm).toBeCloseTo(expected.sum, 0);
  });

  it("is close on photographs, where decoders and resizers differ: cosine above .97 over the 16 numbers that are published", async () => {
    const { images } = v.parse(checkSchema, json(join(MOBILENET, "check.json")));
    const photo = await mobilenet();
    expect(photo.preprocessing).toMatchObject({ size: 224, shortestEdge: undefined, kernel: "linear" });
    const pictures = await Promise.all(
      images.map(async ({ file }) => {
        const resized = sharp(join(SHARED, file)).resize(224, 224, { fit: "fill", kernel: "linear" });
        return new Uint8Array(await resized.removeAlpha().raw().toBuffer());
      }),
    );
    const vectors = await photo.encode(pictures);
    images.forEach((expected, i) => {
      const found = vectors[i]!.subarray(0, 16);
      const dot = expected.first_16.reduce((sum, value, d) => sum + value * found[d]!, 0);
      expect(dot / norm(found) / Math.hypot(...expected.first_16)).toBeGreaterThan(0.97);
      expect(vectors[i]!.indexOf(Math.max(...vectors[i]!))).toBe(expected.argmax);
    });
  });

  it("gives a picture the same vector alone and in a batch", async () => {
    const photo = await mobilenet();
    const pictures = [10, 120, 250].map((value) => new Uint8Array(224 * 224 * 3).map((_, i) => value + (i % 7)));
    const together = await photo.encode(pictures);
    const [alone] = await photo.encode([pictures[1]!]);
    together[1]!.forEach((value, d) => expect(value).toBeCloseTo(alone![d]!, 5));
    expect(norm(together[2]!)).toBeCloseTo(1, 5);
  });

  it("refuses a preprocessor_config.json that does not fit the graph, naming both sizes", async () => {
    const graph = readFileSync(join(MOBILENET, "model.onnx"));
    const result = await createGraphEncoder({ graph, name: "m.onnx", isBuiltin: false, preprocessor: { size: { height: 96, width: 96 } } });
    expect(errorOf(result)).toBe("Image encoder m.onnx takes 224 px, its preprocessor_config.json says 96 px");
  });
});

describe("loadImageEncoder() by name", () => {
  it("gives the encoder of photographs that comes with the package, without a network", async () => {
    const named = await loadImageEncoder("mobilenet-v2", { json: true });
    expect(named).toMatchObject({ dim: 1280, isBuiltin: false, preprocessing: { size: 224 } });
    expect(named.words).toBeUndefined();
    // As of the same files by their path: sets that were embedded so stay comparable.
    expect(named.fingerprint).toBe("onnx-7ce550d8dc3d");
  });

  it("says what to put where for one that cannot be fetched", async () => {
    const earlier = process.env["HF_ENDPOINT"];
    process.env["HF_ENDPOINT"] = "http://127.0.0.1:1";
    try {
      const models = join(scratch, "none");
      for (const name of ["dinov2", "clip", "siglip", "hf:acme/none"]) {
        const error = await loadImageEncoder(name, { models, json: true }).catch(String); // oxlint-disable-line no-await-in-loop
        expect(error).toContain("Cannot fetch image encoder hf:");
        expect(error).toContain(
          `put its preprocessor_config.json and its onnx/vision_model.onnx as model.onnx into ${models}/hf-pictures/`,
        );
        expect(error).toContain("--image-encoder mobilenet-v2");
      }
    } finally {
      if (earlier === undefined) delete process.env["HF_ENDPOINT"];
      else process.env["HF_ENDPOINT"] = earlier;
    }
  });
});

const builtinPath = join(ROOT, "model/image-encoder.onnx");

describe("createGraphEncoder() with the builtin encoder", () => {
  it("gives 48 numbers of unit length from 64 px, and tells pictures apart", async () => {
    const builtin = encoder(await createGraphEncoder({ graph: readFileSync(builtinPath), name: "builtin", isBuiltin: true }));
    expect(builtin).toMatchObject({ dim: 48, preprocessing: { size: 64 } });
    expect(builtin.fingerprint).toMatch(/^builtin-[0-9a-f]{12}$/);
    const plain = new Uint8Array(64 * 64 * 3).fill(250);
    const striped = plain.map((value, i) => (Math.floor(i / 3 / 64) % 8 < 4 && i % 3 > 0 ? 20 : value));
    const [a, b] = await builtin.encode([plain, striped]);
    expect(norm(a!)).toBeCloseTo(1, 4);
    expect(a!.reduce((sum, value, d) => sum + value * b![d]!, 0)).toBeLessThan(0.8);
  });

  it("refuses a picture of another size by rejecting, naming both sizes", async () => {
    const builtin = encoder(await createGraphEncoder({ graph: readFileSync(builtinPath), name: "builtin", isBuiltin: true }));
    await expect(builtin.encode([new Uint8Array(10)])).rejects.toThrow("10 bytes, expected 12288 (64 px, RGB)");
  });
});

describe("wrong encoders", () => {
  it("a file that is no graph", async () => {
    const graph = new TextEncoder().encode("<html>not found</html>");
    const message = errorOf(await createGraphEncoder({ graph, name: "enc.onnx", isBuiltin: false }));
    expect(message).toMatch(
      /^Cannot load image encoder enc\.onnx: .+ Give an ONNX file with a float32 input \[batch, 3, height, width\]$/s,
    );
  });

  it("a graph that takes no picture: the ranking model", async () => {
    const graph = readFileSync(join(ROOT, "model/student.onnx"));
    const message = errorOf(await createGraphEncoder({ graph, name: "student.onnx", isBuiltin: false }));
    expect(message).toContain("Image encoder student.onnx has inputs [");
    expect(message).toContain("expected one: float32 [batch, 3, height, width]");
  });
});

describe("parsePreprocessing()", () => {
  it("reads CLIP's: shortest edge, middle cut out, own mean and deviation", () => {
    const clip = {
      do_center_crop: true,
      crop_size: { height: 224, width: 224 },
      size: { shortest_edge: 256 },
      resample: 3,
      image_mean: [0.48, 0.46, 0.41],
      image_std: [0.27, 0.26, 0.28],
    };
    expect(parsePreprocessing(clip, 1)).toEqual({
      ok: true,
      value: { size: 224, shortestEdge: 256, kernel: "cubic", mean: [0.48, 0.46, 0.41], std: [0.27, 0.26, 0.28] },
    });
  });

  it("takes the graph's size and [-1, 1] without a file, and 0..1 without normalisation", () => {
    expect(parsePreprocessing(undefined, 96)).toMatchObject({ ok: true, value: { size: 96, mean: [0.5, 0.5, 0.5] } });
    expect(parsePreprocessing({ do_normalize: false }, 96)).toMatchObject({
      ok: true,
      value: { size: 96, mean: [0, 0, 0], std: [1, 1, 1] },
    });
  });

  it("names the field that is wrong", () => {
    expect(errorOf(parsePreprocessing({ image_mean: [1] }, 96))).toContain("image_mean");
    expect(errorOf(parsePreprocessing({ size: { height: 10, width: 20 } }, 96))).toBe("size: height and width differ, expected a square");
    expect(errorOf(parsePreprocessing({ size: "big" }, 96))).toContain("size");
  });
});
