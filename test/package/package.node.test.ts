/** The package as a shop gets it: packed, installed into an empty folder, and used there as the examples use it. */
import { execFile, spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import * as v from "valibot";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import packageJson from "../../package.json";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const home = mkdtempSync(join(tmpdir(), "armmt-package-"));
const path = (name: string): string => join(home, name);

/** Packages that users install for the command line; linked from the checkout, because they are large. */
const TOOLS = ["wrangler", "sharp", "onnxruntime-node", "@types/node"];

const ENGINES = ["algolia", "elasticsearch", "generic", "meilisearch", "shopify", "solr", "typesense", "vespa"];

const env = { ...process.env, WRANGLER_SEND_METRICS: "false", CLOUDFLARE_CF_FETCH_ENABLED: "false", CI: "true" };

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(command: string, args: readonly string[], cwd = home): Promise<Outcome> {
  return new Promise((done) => {
    execFile(command, args, { cwd, env, maxBuffer: 1 << 26 }, (error, stdout, stderr) =>
      done({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

async function succeed(command: string, args: readonly string[], cwd = home): Promise<string> {
  const { code, stdout, stderr } = await run(command, args, cwd);
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${code}:\n${stderr}\n${stdout}`);
  return stdout;
}

const armmt = (...args: string[]): Promise<string> => succeed("node_modules/.bin/armmt", args);

const packed = v.tuple([v.object({ filename: v.string(), size: v.number(), files: v.array(v.object({ path: v.string() })) })]);
let tarball: v.InferOutput<typeof packed>[0];

let engine: Server;
let engineUrl = "";

/** Answers every search with twelve hits, in the shape of Elasticsearch. */
async function startEngine(): Promise<void> {
  const hits = Array.from({ length: 12 }, (_, i) => ({ _index: "products", _id: `p${i + 1}`, _score: 12 - i, _source: {} }));
  const reply = JSON.stringify({ took: 1, timed_out: false, hits: { total: { value: 12, relation: "eq" }, hits } });
  engine = createServer((request, response) => {
    request.resume();
    response.setHeader("content-type", "application/json").end(reply);
  });
  await new Promise<void>((done) => engine.listen(0, "127.0.0.1", done));
  const address = engine.address();
  engineUrl = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
}

beforeAll(async () => {
  await startEngine();
  [tarball] = v.parse(packed, JSON.parse(await succeed("npm", ["pack", "--silent", "--json", "--pack-destination", home], ROOT)));
  writeFileSync(path("package.json"), JSON.stringify({ name: "shop", private: true, type: "module" }));
  await succeed("npm", ["install", "--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund", `./${tarball.filename}`, "hono"]);
  for (const name of ["worker", "node-server", "catalogue"]) cpSync(join(ROOT, "examples", name), path(name), { recursive: true });
  const worker = path("worker/src/index.ts");
  writeFileSync(worker, readFileSync(worker, "utf8").replace("http://127.0.0.1:9200", engineUrl));
}, 180_000);

afterAll(() => {
  engine.close();
  rmSync(home, { recursive: true, force: true });
});

const SQLITE = `
import { sqliteSink } from "armmt-edge/node";
const { EVENTS, close } = await sqliteSink("events/events.sqlite");
await EVENTS.prepare("CREATE TABLE t (n TEXT)").run();
const { meta } = await EVENTS.prepare("INSERT INTO t VALUES (?1)").bind("1").run();
console.log(meta.changes, await close());
`;

const replySchema = v.object({ hits: v.object({ hits: v.array(v.object({ _id: v.string() })) }) });

/** Starts a server and asks it a search until it is re-ranked: on a busy machine the first ones may take longer than their budget. */
async function searchWith(command: readonly string[], cwd: string, more: Readonly<Record<string, string>> = {}): Promise<void> {
  const child = spawn(process.execPath, command, { cwd, env: { ...env, ...more }, stdio: ["ignore", "pipe", "pipe"] });
  let printed = "";
  try {
    const url = await new Promise<string>((done, fail) => {
      const listen = (chunk: Buffer): void => {
        printed += chunk.toString();
        const [found] = /http:\/\/(?:localhost|127\.0\.0\.1):\d+/.exec(printed) ?? [];
        if (found !== undefined) done(found);
      };
      child.stdout.on("data", listen);
      child.stderr.on("data", listen);
      child.once("exit", (code) => fail(new Error(`${command.join(" ")} ended with ${code}:\n${printed}`)));
    });
    return await vi.waitFor(async () => {
      const response = await fetch(`${url}/products/_search?q=red+mug`);
      expect(response.status, printed).toBe(200);
      const { hits } = v.parse(replySchema, await response.json());
      expect(new Set(hits.hits.map(({ _id }) => _id)).size).toBe(10);
      expect(response.headers.get("x-armmt")).toMatch(/^applied; model=/);
    });
  } finally {
    child.kill("SIGTERM");
  }
}

describe("npm pack", () => {
  it("carries what runs and the model, what trains one, and neither tests nor bench nor the study", () => {
    const files = tarball.files.map((file) => file.path);
    expect(files).toEqual(expect.arrayContaining(["README.md", "LICENSE", "package.json", "models.json", "dist/cli/armmt.js"]));
    for (const name of [
      "student.onnx",
      "manifest.json",
      "golden.json",
      "image-encoder.onnx",
      "axes/minilm-1.bin",
      "encoders/mobilenet-v2/model.onnx",
      "encoders/mobilenet-v2/LICENSE",
    ])
      expect(files).toContain(`model/${name}`);
    for (const name of ["requirements.txt", "requirements-uv.txt", "armmt/training/train_trees.py", "armmt/model/export.py"])
      expect(files).toContain(`model/${name}`);
    expect(files.filter((file) => /^(src|test|examples)\/|^dist\/lab\/|^model\/(tests|armmt\/study)\/|\.pyc$/.test(file))).toEqual([]);
    // 1.8 MB of it is the encoder of photographs, which is the default of most shops.
    expect(tarball.size).toBeLessThan(5_400_000);
  });

  it("has every file that the exports name", () => {
    const files = new Set(tarball.files.map((file) => `./${file.path}`));
    const named = Object.values(packageJson.exports).flatMap((target) => (typeof target === "string" ? [target] : Object.values(target)));
    expect(named.filter((file) => !file.includes("*") && !files.has(file))).toEqual([]);
  });
});

describe("in an empty folder", () => {
  it("runs armmt", async () => {
    expect(await succeed("npx", ["--no-install", "armmt", "--help"])).toContain("publish");
  });

  it("finds the thread that writes events into a SQLite file", async () => {
    writeFileSync(path("sqlite.mjs"), SQLITE);
    expect(await succeed(process.execPath, ["sqlite.mjs"])).toBe("1 0\n");
  });

  it("names the packages that a command needs besides", async () => {
    const { code, stderr } = await run("node_modules/.bin/armmt", ["embed", "--catalog", "catalogue/products.csv"]);
    expect(code).toBe(1);
    expect(stderr).toContain("npm install --save-dev sharp onnxruntime-node");
  });

  it("has types that strict consumers compile with, without skipLibCheck", async () => {
    link();
    writeFileSync(path("use.ts"), USE);
    const strict = { strict: true, exactOptionalPropertyTypes: true, skipLibCheck: false, noEmit: true };
    const compilerOptions = { ...strict, target: "ES2024", lib: ["ESNext", "DOM", "DOM.Iterable"], module: "nodenext", types: ["node"] };
    writeFileSync(path("tsconfig.json"), JSON.stringify({ compilerOptions, include: ["use.ts", "worker", "node-server"] }));
    expect(await run(process.execPath, [join(ROOT, "node_modules/typescript/bin/tsc"), "-p", "."])).toMatchObject({ code: 0, stdout: "" });
  });

  it("bundles the dialects that a Worker imports, and no GraphQL parser", async () => {
    const [one, all] = await Promise.all([bundled(["elasticsearch"]), bundled(ENGINES)]);
    const others = ENGINES.filter((name) => name !== "elasticsearch").map((name) => `backends/${name}`);
    expect(one.inputs.filter((file) => others.some((name) => file.includes(name)) || file.includes("graphql"))).toEqual([]);
    expect(all.inputs.some((file) => file.includes("node_modules/graphql/"))).toBe(true);
    expect(one.bytes).toBeLessThan(all.bytes * 0.8);
    console.log(`A Worker with Elasticsearch alone: ${one.bytes} bytes of JavaScript (minified); with all engines: ${all.bytes}`);
  });

  it("embeds, publishes, and serves searches from a Worker and from a Node server of one's own", { timeout: 180_000 }, async () => {
    link();
    expect(await armmt("embed", "--catalog", "catalogue/products.csv", "--text-encoder", "builtin", "--trust", "1", "--json")).toContain(
      '"withPicture": 12',
    );
    const state = path("worker/.armmt/state");
    await Promise.all([
      armmt("publish", "--local", "--config", "worker/wrangler.toml", "--persist-to", state),
      armmt("publish", "--folder", "node-server/.armmt/server/kv"),
    ]);
    const wrangler = path("node_modules/wrangler/bin/wrangler.js");
    const dev = [wrangler, "dev", "--port", "0", "--inspector-port", "0", "--persist-to", state];
    await searchWith(dev, path("worker"));
    await searchWith(["server.ts"], path("node-server"), { PORT: "0", ENGINE_URL: engineUrl });
  });
});

/** The tools that a user would install now. */
function link(): void {
  for (const name of TOOLS) {
    const target = path(join("node_modules", name));
    mkdirSync(dirname(target), { recursive: true });
    rmSync(target, { recursive: true, force: true });
    symlinkSync(join(ROOT, "node_modules", name), target, "dir");
  }
}

/** A Worker that imports these engines, bundled as wrangler does. */
async function bundled(engines: readonly string[]): Promise<{ readonly bytes: number; readonly inputs: readonly string[] }> {
  const lines = engines.map((name) => `import { ${name} } from "armmt-edge/backends/${name}";`);
  const indexes = engines.map((name) => `${name}: ${name}({ url: "https://x", window: 100 })`).join(", ");
  const contents = `${lines.join("\n")}
export default await createWorker({ models: {}, indexes: { ${indexes} } });`;
  const { metafile } = await build({
    stdin: { contents, resolveDir: home },
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*"],
    metafile: true,
    write: false,
    outfile: "worker.js",
  });
  const [output] = Object.values(metafile.outputs);
  return {
    bytes: output!.bytes,
    inputs: Object.entries(output!.inputs).flatMap(([file, { bytesInOutput }]) => (bytesInOutput > 0 ? [file] : [])),
  };
}

/** Each door once. */
const USE = `import { openVectors, rerank, type Reranked } from "armmt-edge";
import { elasticsearch } from "armmt-edge/backends/elasticsearch";
import { registerWorker } from "armmt-edge/browser";
import { runWorker } from "armmt-edge/browser/service-worker";
import { createWorker, openModels } from "armmt-edge/cloudflare";
import { rerank as createApp } from "armmt-edge/hono";
import { folderKv, nodeScorer, serve } from "armmt-edge/node";
import { d1 } from "armmt-edge/sinks/d1";

const vectors = openVectors({ kv: folderKv("kv"), catalog: "products" });
const { scorer } = await nodeScorer();
const ranked: Reranked = await rerank({ query: "red mug", hits: [{ id: "p1", score: 3.5 }], vectors, scorer });
// @ts-expect-error -- a window is a number
elasticsearch({ url: "https://search.example.com", window: "100" });
// @ts-expect-error -- no such option
createApp({ indexes: {}, vectors: folderKv("kv"), scorer, rankBudget: 100 });
export { createWorker, d1, openModels, ranked, registerWorker, runWorker, serve };
`;
