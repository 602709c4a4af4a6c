/**
 * The import rule of the design, read from the sources. Each layer imports only layers before it:
 *
 *     core ← adapters ← search ← app ← runtimes ← report ← cli ← lab
 *
 * The demo stands beside them and imports public names only. No two rooms import each other, and each outside library has one home.
 */
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { dependencies, peerDependencies } from "../package.json";

const SRC = resolve(dirname(fileURLToPath(import.meta.url)), "../src");

interface Import {
  readonly from: string;
  readonly to: string;
  /** Written as a relative path. */
  readonly isLocal: boolean;
  /** `import()` and types: loaded on demand, or never. */
  readonly isDeferred: boolean;
}

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s+(?:type\s+)?(?:[\w*{][^;'"]*?\s+from\s+)?["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']\s*\)/g;

function importsOf(source: string, file: string): Import[] {
  return [...source.matchAll(IMPORT)].map((match) => {
    const specifier = match[1] ?? match[2] ?? "";
    const isLocal = specifier.startsWith(".");
    const to = isLocal ? relative(SRC, resolve(dirname(join(SRC, file)), specifier)) : specifier;
    return { from: file, to, isLocal, isDeferred: match[2] !== undefined || /^\s*(?:import|export)\s+type\b/.test(match[0]) };
  });
}

const files = readdirSync(SRC, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts") && !file.endsWith(".d.ts"));
const imports = files.flatMap((file) => importsOf(readFileSync(join(SRC, file), "utf8"), file));

/** In order: a layer imports itself and those before it. */
const LAYERS: readonly (readonly [string, RegExp])[] = [
  [
    "core",
    /^(result|protocol|web|breaker|in-flight)\.ts$|^(browse|ranking|experiment|rules)\/|^embeddings\/(checksum|format|text-encoder)\.ts$/,
  ],
  ["adapters", /^(backends|embeddings|inference|events)\//],
  ["search", /^search\.ts$|^(search|config)\//],
  ["app", /^(app|edge|index|hono|testing)\.ts$|^(app|dashboard)\//],
  ["runtimes", /^runtimes\//],
  ["report", /^report\//],
  ["cli", /^cli\//],
  ["lab", /^lab\//],
];

/** Its place in LAYERS; -1 for the demo, which is in none. */
function layerOf(file: string): number {
  return LAYERS.findIndex(([, pattern]) => pattern.test(file));
}

function isAdapter(file: string): boolean {
  return LAYERS[layerOf(file)]?.[0] === "adapters";
}

/** What others may import: the files that the package's `exports` name. */
const DOOR = /^(index|hono|testing)\.ts$|^runtimes\/(cloudflare|node|browser)\/(index|service-worker)\.ts$/;

const local = imports.filter((edge) => edge.isLocal && edge.to.endsWith(".ts"));
const folder = (file: string) => file.split("/")[0]!;
const name = (edge: Import) => `${edge.from} → ${edge.to}`;

/** A folder, or in `cli`, `runtimes`, `lab` and `lab/study` one of their parts: a file with the folder of the same name. */
function roomOf(file: string): string {
  const depth = file.startsWith("lab/study/") ? 3 : /^(cli|runtimes|lab)\//.test(file) ? 2 : 1;
  return file.split("/").slice(0, depth).join("/").replace(/\.ts$/, "");
}

describe("layers", () => {
  it("finds the sources and their imports", () => {
    expect(files).toContain("ranking/features.ts");
    expect(imports.map(name)).toContain("ranking/features.ts → ranking/tokenizer.ts");
  });

  it("gives every source file a layer", () => {
    expect(files.filter((file) => layerOf(file) < 0 && folder(file) !== "demo")).toEqual([]);
  });

  it("imports only from the same layer or one before it", () => {
    const bad = local.filter((edge) => layerOf(edge.from) >= 0 && layerOf(edge.to) > layerOf(edge.from));
    expect(bad.map(name)).toEqual([]);
  });

  it("keeps adapters off each other", () => {
    const bad = local.filter((edge) => isAdapter(edge.from) && isAdapter(edge.to) && folder(edge.from) !== folder(edge.to));
    expect(bad.map(name)).toEqual([]);
  });

  it("has no two rooms that import each other", () => {
    const pairs = new Map<string, string[]>();
    for (const edge of local) {
      const [from, to] = [roomOf(edge.from), roomOf(edge.to)];
      if (from !== to) pairs.set(`${from} → ${to}`, [...(pairs.get(`${from} → ${to}`) ?? []), name(edge)]);
    }
    const mutual = [...pairs].filter(([pair]) => pairs.has(pair.split(" → ").toReversed().join(" → ")));
    expect(Object.fromEntries(mutual)).toEqual({});
  });

  it("imports the demo from the command line and the lab only, and the lab from nowhere", () => {
    const bad = local.filter((edge) => folder(edge.to) === "demo" && !/^(demo|cli|lab)\//.test(edge.from));
    expect(bad.map(name)).toEqual([]);
    expect(local.filter((edge) => folder(edge.to) === "lab" && folder(edge.from) !== "lab").map(name)).toEqual([]);
  });

  it("lets the demo import public names only", () => {
    const bad = local.filter((edge) => folder(edge.from) === "demo" && folder(edge.to) !== "demo" && !DOOR.test(edge.to));
    expect(bad.map(name)).toEqual([]);
  });

  it("imports browser code as text only", () => {
    const bad = local.filter((edge) => edge.to.startsWith("events/beacon/") && edge.to !== "events/beacon/bundled.ts");
    expect(bad.map(name)).toEqual([]);
  });

  it("starts a server without development dependencies", () => {
    const reached = new Set<string>(["runtimes/node/index.ts", "cli/start/server/node.ts", "cli/start/server/deno.ts"]);
    for (const file of reached) for (const edge of local) if (edge.from === file && !edge.isDeferred) reached.add(edge.to);
    const packages = imports
      .filter((edge) => reached.has(edge.from) && !edge.isLocal && !edge.isDeferred && !edge.to.startsWith("node:"))
      .map((edge) =>
        edge.to
          .split("/")
          .slice(0, edge.to.startsWith("@") ? 2 : 1)
          .join("/"),
      );
    expect([...new Set(packages)].filter((library) => !Object.hasOwn({ ...dependencies, hono: peerDependencies.hono }, library))).toEqual(
      [],
    );
    expect(packages).toEqual(expect.arrayContaining(["hono", "@hono/node-server", "smol-toml", "onnxruntime-web"]));
  });
});

describe("one home for each outside library", () => {
  const homes: readonly (readonly [RegExp, RegExp])[] = [
    [/^hono/, /^(app|hono)\.ts$|^app\/|^runtimes\/node\/packed\.ts$|^cli\/start\/|^demo\/worker\.ts$/],
    [/^@hono\/|^smol-toml/, /^runtimes\/node\/|^cli\/start\//],
    [/^onnxruntime-web|^webgpu$/, /^inference\//],
    [/^onnxruntime-node|^@huggingface\//, /^(inference|cli\/embed)\//],
    [/^node:/, /^(runtimes\/(node|deno)|report|cli|lab)\//],
    [/^(commander|cli-progress|csv-parse|miniflare|wrangler|esbuild|binaryen|sharp)/, /^(cli|lab)\//],
    [/^hyparquet/, /^(cli\/lists|lab)\//],
    [/^autocannon/, /^lab\//],
    [/^vega$/, /^report\/charts\.ts$/],
    [/^cephes$/, /^report\/statistics\/distributions\.ts$/],
    [/^idb/, /^runtimes\/browser\/history\.ts$/],
    [/^(instantsearch\.js|searchkit|@searchkit\/)/, /^demo\/page\/client\/stock\.ts$/],
    [/^minisearch/, /^demo\/engine\.ts$/],
    [/^@cloudflare\/workers-types/, /^(embeddings\/store|app)\.ts$|^(events|runtimes\/cloudflare)\/|^demo\/worker\.ts$/],
    [/^@growthbook\//, /^experiment\/assign\.ts$/],
    [/^isbot/, /^experiment\/bots\.ts$/],
    [/^graphql/, /^backends\/graphql-document\.ts$/],
    [
      /^valibot/,
      /^app\.ts$|^(config|dashboard|inference|embeddings|backends|events|experiment|browse|rules|runtimes|report|cli|lab|demo)\//,
    ],
  ];
  for (const [library, home] of homes) {
    it(`${library.source} only in ${home.source}`, () => {
      const bad = imports.filter((edge) => library.test(edge.to) && !home.test(edge.from));
      expect(bad.map(name)).toEqual([]);
    });
  }
});

describe("shape of the tree", () => {
  it("has no barrels but the public door", () => {
    expect(files.filter((file) => /(^|\/)index\.ts$/.test(file) && !DOOR.test(file))).toEqual([]);
  });

  it("imports sources with their extension", () => {
    const bad = imports.filter((edge) => edge.isLocal && !/\.\w+$/.test(edge.to));
    expect(bad.map(name)).toEqual([]);
  });

  it("has no import cycle", () => {
    const next = new Map<string, string[]>();
    for (const edge of local) next.set(edge.from, [...(next.get(edge.from) ?? []), edge.to]);
    const done = new Set<string>();
    const cycles: string[] = [];
    const walk = (file: string, path: readonly string[]): void => {
      const seen = path.indexOf(file);
      if (seen >= 0) {
        cycles.push([...path.slice(seen), file].join(" → "));
        return;
      }
      if (done.has(file)) return;
      for (const to of next.get(file) ?? []) walk(to, [...path, file]);
      done.add(file);
    };
    for (const file of files) walk(file, []);
    expect(cycles).toEqual([]);
  });
});
