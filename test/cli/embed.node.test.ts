/** `armmt embed` on small catalogues with real pictures, sharp and onnxruntime. */
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { embedCatalog as embedWith, type EmbedOptions } from "../../src/cli/embed.ts";
import { loadImageEncoder } from "../../src/cli/embed/encoder.ts";
import { MAX_SHARD_BYTES, packSet, readSet } from "../../src/cli/embed/pack.ts";
import { PictureError, readPicture } from "../../src/cli/embed/pictures.ts";
import { hashOf, keptProjection } from "../../src/cli/embed/vectors.ts";
import { decodeShard, shardOf } from "../../src/embeddings/format.ts";
import type { ItemRecord } from "../../src/ranking/candidate.ts";
import { randomFrom } from "../../src/ranking/interleave.ts";
import { UserError } from "../../src/web.ts";

const MAIN = fileURLToPath(new URL("../../src/lab/main.ts", import.meta.url));
const MOBILENET = fileURLToPath(new URL("../../../shared/data/encoders/mobilenet-v2/model.onnx", import.meta.url));
const hasMobilenet = existsSync(MOBILENET);
if (!hasMobilenet)
  console.warn("MobileNetV2 is not beside this checkout (../shared/data/encoders): the test of a foreign encoder is skipped");

let root = "";
let folder = "";
let out = "";
let run = 0;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "armmt-embed-"));
});
afterAll(() => rmSync(root, { recursive: true }));
beforeEach(() => {
  folder = join(root, `shop-${run}`);
  out = join(root, `out-${run}`);
  run++;
  mkdirSync(join(folder, "images"), { recursive: true });
});

interface Row {
  readonly id: string;
  readonly title: string;
  readonly price?: number;
  readonly image?: string;
}

/** Pictures are what is tried here: texts need no encoder from a network. */
const embedCatalog = (options: EmbedOptions) => embedWith({ textEncoder: "builtin", ...options });

function catalog(rows: readonly Row[]): string {
  writeFileSync(join(folder, "products.jsonl"), rows.map((row) => JSON.stringify(row)).join("\n"));
  return folder;
}

/** A square of one colour on white, as PNG. */
async function picture(id: string, colour: string): Promise<void> {
  const square = Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="90" height="90"><path d="M20 20h50v50h-50z" fill="${colour}"/></svg>`,
  );
  writeFileSync(join(folder, "images", `${id}.png`), await sharp(square).png().toBuffer());
}

function items(): (id: string) => ItemRecord | undefined {
  const { set, shards } = readSet(out);
  const decoded = shards.map((bytes) => {
    const shard = decodeShard(Uint8Array.from(bytes), {
      imageDim: set.imageDim,
      textDim: set.textDim,
      featureCount: set.itemFeatures.length,
    });
    if (!shard.ok) throw new Error(shard.error);
    return shard.value;
  });
  return (id) => decoded[shardOf(id, set.shardCount)]?.find(id);
}

const dot = (a: Float32Array | undefined, b: Float32Array | undefined) => a!.reduce((sum, value, d) => sum + value * b![d]!, 0);

async function refusal(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof UserError)) throw new Error("expected a UserError", { cause: error });
  return error.message;
}

const three: readonly Row[] = [
  { id: "red", title: "Red square", price: 10 },
  { id: "rouge", title: "Another red square" },
  { id: "blue", title: "Blue square" },
];

async function threePictures(): Promise<void> {
  await Promise.all([picture("red", "#d02020"), picture("rouge", "#d82828"), picture("blue", "#2050d0")]);
}

describe("embedCatalog()", () => {
  it("writes what the edge needs: vectors of unit length, features, names of the encoders", async () => {
    await threePictures();
    const report = await embedCatalog({ catalog: catalog([...three, { id: "bare", title: "!!" }]), out, json: true });
    expect(report).toMatchObject({ catalog: `shop-${run - 1}`, items: 4, withPicture: 3, encoded: 3, unreadable: [], shards: 1 });
    // Of PNG and JPEG files: no drawings, so the encoder of photographs is the default.
    expect(report.imageEncoder).toMatch(/^onnx-[0-9a-f]{12}\+pca48-[0-9a-f]{12}\+hsv200-pca16-[0-9a-f]{12}$/);
    const { set } = readSet(out);
    expect(set).toMatchObject({ version: report.version, imageDim: 64, textDim: 64, itemCount: 4, imageEncoder: report.imageEncoder });
    const find = items();
    const red = find("red");
    expect(dot(red?.image, red?.image)).toBeCloseTo(1, 2);
    expect(dot(red?.text, red?.text)).toBeCloseTo(1, 2);
    expect(red?.features).toEqual([Math.fround(Math.log(10)), undefined, undefined, undefined, undefined, undefined]);
    expect(find("bare")).toMatchObject({ image: undefined, text: undefined });
  });

  it("takes the builtin encoder where most pictures are SVG, and says what it would take for others", async () => {
    await threePictures();
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><path d="M2 2h5v5h-5z" fill="#d02020"/></svg>`;
    for (const name of ["a", "b", "c", "d"]) writeFileSync(join(folder, "images", `${name}.svg`), svg);
    const drawn = ["a", "b", "c", "d"].map((id) => ({ id, title: id, image: `images/${id}.svg` }));
    const mixed = await embedCatalog({ catalog: catalog([...three, ...drawn]), out, json: true });
    expect(mixed).toMatchObject({ withPicture: 7, advice: [] });
    expect(mixed.imageEncoder).toMatch(/^builtin-/);
    const forced = await embedCatalog({ catalog: catalog(three), imageEncoder: "builtin", out, json: true });
    expect(forced.advice.join()).toContain("or give mobilenet-v2");
  });

  it("holds pictures of one colour closer than pictures of two, and titles with shared words", async () => {
    await threePictures();
    await embedCatalog({ catalog: catalog(three), out, json: true });
    const find = items();
    expect(dot(find("red")?.image, find("rouge")?.image)).toBeGreaterThan(dot(find("red")?.image, find("blue")?.image) + 0.1);
    expect(dot(find("red")?.text, find("rouge")?.text)).toBeGreaterThan(dot(find("red")?.text, find("blue")?.text));
  });

  it("encodes nothing again when nothing has changed, and gives the same version", async () => {
    await threePictures();
    const first = await embedCatalog({ catalog: catalog(three), out, json: true });
    const second = await embedCatalog({ catalog: folder, out, json: true });
    expect([first.encoded, second.encoded]).toEqual([3, 0]);
    expect(second.version).toBe(first.version);
    expect(second.withPicture).toBe(3);
  });

  it("encodes only the picture that has changed, and none for a new price", async () => {
    await threePictures();
    const first = await embedCatalog({ catalog: catalog(three), out, json: true });
    await picture("blue", "#20a040");
    const green = await embedCatalog({ catalog: folder, out, json: true });
    expect(green.encoded).toBe(1);
    expect(green.version).not.toBe(first.version);
    const cheaper = await embedCatalog({ catalog: catalog([{ ...three[0]!, price: 9 }, ...three.slice(1)]), out, json: true });
    expect(cheaper.encoded).toBe(0);
    expect(cheaper.version).not.toBe(green.version);
    expect(readdirSync(join(out, "shards"))).toEqual([cheaper.version]);
  });

  it("goes on where a killed run stopped, even in the middle of a record", async () => {
    await threePictures();
    const whole = await embedCatalog({ catalog: catalog(three), out, json: true });
    const [name] = readdirSync(join(out, "cache")).filter((file) => file.endsWith(".vectors"));
    const path = join(out, "cache", name!);
    truncateSync(path, Math.floor((readFileSync(path).length / 3) * 1.5));
    const resumed = await embedCatalog({ catalog: folder, out, json: true });
    expect(resumed.encoded).toBe(2);
    expect(resumed.version).toBe(whole.version);
  });

  it("encodes equal pictures once", async () => {
    await Promise.all(["a", "b", "c"].map((id) => picture(id, "#808080")));
    const rows = ["a", "b", "c"].map((id) => ({ id, title: id }));
    expect(await embedCatalog({ catalog: catalog(rows), out, json: true })).toMatchObject({ encoded: 1, withPicture: 3 });
  });

  it("takes SVG from the catalogue and flattens it on white", async () => {
    const svg = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10"><path d="M2 2h6v6h-6z" fill="#d02020"/></svg>';
    await picture("png", "#d02020");
    const rows = [
      { id: "svg", title: "SVG", image: svg },
      { id: "png", title: "PNG" },
    ];
    await embedCatalog({ catalog: catalog(rows), out, json: true });
    expect(dot(items()("svg")?.image, items()("png")?.image)).toBeGreaterThan(0.9);
  });

  it("refuses an unreadable picture, naming product, file, reason and both ways out", async () => {
    await threePictures();
    writeFileSync(join(folder, "images/blue.png"), "no picture");
    const message = await refusal(embedCatalog({ catalog: catalog(three), out, json: true }));
    expect(message).toMatch(
      /^Cannot read the picture of product "blue" \(.+images\/blue\.png\): Input buffer contains unsupported image format\. /,
    );
    expect(message).toContain("Replace it, or run with --skip-unreadable");
    expect(existsSync(join(out, "set.json"))).toBe(false);
  });

  it("embeds unreadable ones without picture when told to, and lists them", async () => {
    await threePictures();
    const file = join(folder, "images/blue.png");
    writeFileSync(file, readFileSync(file).subarray(0, 60));
    const rows = [...three, { id: "gone", title: "Gone", image: "images/nowhere.png" }];
    const report = await embedCatalog({ catalog: catalog(rows), out, skipUnreadable: true, json: true });
    expect(report).toMatchObject({ items: 4, withPicture: 2 });
    expect(report.unreadable.map(({ itemId, reason }) => [itemId, reason !== ""])).toEqual([
      ["blue", true],
      ["gone", true],
    ]);
    expect(report.unreadable[1]).toMatchObject({ image: join(folder, "images/nowhere.png"), reason: "no such file" });
    expect(items()("blue")?.image).toBeUndefined();
    expect(items()("blue")?.text).toBeDefined();
  });

  it.skipIf(!hasMobilenet)("brings a foreign encoder to 48 numbers, with the same projection in later runs", async () => {
    await threePictures();
    const options = { out, imageEncoder: MOBILENET, json: true };
    const first = await embedCatalog({ catalog: catalog(three), ...options });
    expect(first.imageEncoder).toMatch(/^onnx-[0-9a-f]{12}\+pca48-[0-9a-f]{12}\+hsv200-pca16-[0-9a-f]{12}$/);
    await picture("more", "#e0c020");
    const more = await embedCatalog({ catalog: catalog([...three, { id: "more", title: "More" }]), ...options });
    expect(more).toMatchObject({ encoded: 1, imageEncoder: first.imageEncoder });
    expect(readSet(out).set.imageDim).toBe(64);
  });
});

describe("keptProjection()", () => {
  it("stays, but gives way to one of enough rows where it was fitted on a handful", () => {
    const uniform = randomFrom("rows");
    const rows = Array.from({ length: 40 }, () => Float32Array.from({ length: 12 }, () => uniform()));
    const path = join(root, `projection-${run}.json`);
    const fit = (count: number) => keptProjection(path, rows.slice(0, count), { inDim: 12, outDim: 6 });
    const few = fit(4);
    expect(hashOf(fit(20))).toBe(hashOf(few));
    const enough = fit(24);
    expect(hashOf(enough)).not.toBe(hashOf(few));
    expect(hashOf(fit(40))).toBe(hashOf(enough));
    expect(hashOf(fit(3))).toBe(hashOf(enough));
  });
});

const wave = (i: number) => Float32Array.from({ length: 64 }, (_, d) => Math.sin(i + d));

describe("packSet()", () => {
  it("keeps shards under the limit, finds every item in its shard, and does not depend on the order", () => {
    const features = [1, 2, 3, 4, 5, 6];
    const records = Array.from({ length: 9000 }, (_, i) => ({ itemId: `item-${i}`, image: wave(i), text: wave(-i), features }));
    const identity = { imageDim: 64, textDim: 64, imageEncoder: "i", textEncoder: "t" };
    const { set, shards } = packSet(records, identity);
    expect(Math.max(...shards.map((shard) => shard.length))).toBeLessThanOrEqual(MAX_SHARD_BYTES);
    expect(shards.length).toBeGreaterThan(2);
    expect(shards.length).toBeLessThan(6);
    expect(packSet(records.toReversed(), identity).set).toEqual(set);
    expect(packSet(records, { ...identity, imageEncoder: "other" }).set.version).not.toBe(set.version);
  });

  it("refuses vectors of other dims, naming item and both numbers", () => {
    const record = { itemId: "x", image: new Float32Array(32), text: undefined, features: [1, 2, 3, 4, 5, 6] };
    expect(() => packSet([record], { imageDim: 64, textDim: 64, imageEncoder: "i", textEncoder: "t" })).toThrow(
      'Item "x": image vector has 32 numbers, expected 64',
    );
  });
});

describe("loadImageEncoder() refuses", () => {
  it("names it does not know, and files that are not there", async () => {
    expect(await refusal(loadImageEncoder("resnet"))).toBe(
      'Unknown image encoder "resnet": expected builtin, mobilenet-v2, dinov2, clip, siglip, a path to an .onnx file, or hf:<owner>/<model>',
    );
    expect(await refusal(loadImageEncoder("no/such.onnx"))).toContain("No image encoder at no/such.onnx");
    expect(await refusal(loadImageEncoder("hf:clip"))).toBe('"hf:clip" names no hub model: expected hf:<owner>/<model>');
  });
});

describe("readPicture() over HTTP", () => {
  let server: Server;
  let origin = "";
  beforeAll(async () => {
    server = createServer((request, response) => {
      if (request.url === "/ok.svg") response.end("<svg/>");
      else if (request.url === "/big") response.end("x".repeat(5000));
      else if (request.url !== "/never") response.writeHead(404).end();
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const address = server.address();
    origin = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  const limits = { timeoutMs: 15_000, maxBytes: 1000 };
  const reason = async (url: string, timeoutMs = limits.timeoutMs) => {
    const error: unknown = await readPicture({ kind: "url", url }, { ...limits, timeoutMs }).catch((problem: unknown) => problem);
    return error instanceof PictureError ? error.message : "no PictureError";
  };

  it("gives the bytes", async () => {
    expect(new TextDecoder().decode(await readPicture({ kind: "url", url: `${origin}/ok.svg` }, limits))).toBe("<svg/>");
  });

  it("says why there are none", async () => {
    expect(await reason(`${origin}/gone.png`)).toBe("answer 404");
    expect(await reason(`${origin}/big`)).toBe("larger than 1000 bytes");
    expect(await reason(`${origin}/never`, 150)).toBe("no answer within 150 ms");
    expect(await reason("http://127.0.0.1:1/x.png")).toMatch(/^not reachable: /);
  });
});

function armmt(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((done) => {
    execFile(process.execPath, [MAIN, "embed", "--text-encoder", "builtin", ...args], (error, stdout, stderr) => {
      done({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

describe("armmt embed", () => {
  it("prints a table, or JSON and nothing else", async () => {
    await threePictures();
    const table = await armmt("--catalog", catalog(three), "--out", out);
    expect(table).toMatchObject({ code: 0 });
    expect(table.stdout).toMatch(/items +with picture/);
    const json = await armmt("--catalog", folder, "--out", out, "--json");
    expect(json).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(json.stdout)).toMatchObject({ items: 3, encoded: 0 });
  });

  it("answers what it cannot use with 1 and a message without a stack, wrong usage with 2", async () => {
    const bad = await armmt("--catalog", join(folder, "nowhere"), "--out", out);
    expect(bad).toMatchObject({ code: 1, stdout: "" });
    expect(bad.stderr).toMatch(/^Error: No catalogue at .+nowhere/);
    expect(bad.stderr).not.toContain("    at ");
    expect(await armmt("--catalogue", folder)).toMatchObject({ code: 2 });
  });
});
