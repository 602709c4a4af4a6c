/**
 * The import rule of the design, read from the sources: pure core ← adapters ← story ← entries, never back, never sideways, and every
 * outside library in its one home. Lives in a test because a rule in a wiki decays.
 */
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { dependencies } from "../package.json";

const SRC = resolve(dirname(fileURLToPath(import.meta.url)), "../src");

interface Import {
  readonly from: string;
  readonly to: string;
  /** Written as a relative path. */
  readonly isLocal: boolean;
  /** Loaded when it is needed, or not at all: `import()` and types. */
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

const PURE = /^(result\.ts|ranking\/|experiment\/|embeddings\/(checksum|format|colour|projection|text-encoder)\.ts)/;
const ADAPTER = /^(backends\/|embeddings\/store\.ts|inference\/|events\/)/;
const STORY = /^(search|config)\.ts|^(search|config)\//;
const ENTRY = /^(app|edge|worker|create-worker|models|rehearsal)\.ts|^(cli|demo|private|server)\//;

type Layer = "pure" | "adapter" | "story" | "entry";

function layerOf(file: string): Layer | undefined {
  if (PURE.test(file)) return "pure";
  if (ADAPTER.test(file)) return "adapter";
  if (STORY.test(file)) return "story";
  if (ENTRY.test(file)) return "entry";
  return undefined;
}

const local = imports.filter((edge) => edge.isLocal && edge.to.endsWith(".ts"));
const folder = (file: string) => file.split("/")[0];
const name = (edge: Import) => `${edge.from} → ${edge.to}`;

describe("layers", () => {
  it("finds the sources and their imports", () => {
    expect(files).toContain("ranking/features.ts");
    expect(imports.map(name)).toContain("ranking/features.ts → ranking/tokenizer.ts");
  });

  it("gives every source file a layer", () => {
    expect(files.filter((file) => layerOf(file) === undefined)).toEqual([]);
  });

  it("keeps the pure core pure", () => {
    const bad = local.filter((edge) => layerOf(edge.from) === "pure" && layerOf(edge.to) !== "pure");
    expect(bad.map(name)).toEqual([]);
  });

  it("keeps adapters off the story, the entries and each other", () => {
    const bad = local.filter((edge) => {
      if (layerOf(edge.from) !== "adapter") return false;
      const to = layerOf(edge.to);
      if (to === "story" || to === "entry") return true;
      return to === "adapter" && folder(edge.from) !== folder(edge.to);
    });
    expect(bad.map(name)).toEqual([]);
  });

  it("keeps the story off the entries", () => {
    const bad = local.filter((edge) => layerOf(edge.from) === "story" && layerOf(edge.to) === "entry");
    expect(bad.map(name)).toEqual([]);
  });

  it("keeps the demo shop a stranger to the product", () => {
    // What a shop itself would write: its service worker, and the part of its page that registers it.
    const meets = /^demo\/(service-worker|page\/client\/device(-panel)?)\.ts$/;
    const bad = local.filter((edge) => {
      if (folder(edge.from) !== "demo" || folder(edge.to) === "demo" || layerOf(edge.to) === "pure") return false;
      return !(meets.test(edge.from) && folder(edge.to) === "private");
    });
    expect(bad.map(name)).toEqual([]);
  });

  it("lets nothing import code for browsers but as text", () => {
    const bad = local.filter((edge) => edge.to.startsWith("events/beacon/") && edge.to !== "events/beacon/bundled.ts");
    expect(bad.map(name)).toEqual([]);
  });

  it("lets no product code but the servers import the command line or the demo", () => {
    const bad = local.filter((edge) => !/^(cli|demo|server)\//.test(edge.from) && /^(cli|demo)\//.test(edge.to));
    expect(bad.map(name)).toEqual([]);
  });

  it("lets a server without the demo start without development dependencies", () => {
    const reached = new Set<string>(["server/node.ts", "server/deno.ts"]);
    for (const file of reached) for (const edge of local) if (edge.from === file && !edge.isDeferred) reached.add(edge.to);
    const packages = imports
      .filter((edge) => reached.has(edge.from) && !edge.isLocal && !edge.isDeferred && !edge.to.startsWith("node:"))
      .map((edge) =>
        edge.to
          .split("/")
          .slice(0, edge.to.startsWith("@") ? 2 : 1)
          .join("/"),
      );
    expect([...new Set(packages)].filter((library) => !Object.hasOwn(dependencies, library))).toEqual([]);
    expect(packages).toEqual(expect.arrayContaining(["hono", "@hono/node-server", "smol-toml", "onnxruntime-web"]));
    expect([...reached].filter((file) => file.startsWith("demo/"))).toEqual([]);
  });
});

describe("one home for each outside library", () => {
  const homes: readonly (readonly [RegExp, RegExp])[] = [
    [/^hono/, /^app\.ts$|^server\/page\.ts$|^demo\/worker\.ts$/],
    [/^@hono\/|^smol-toml/, /^server\//],
    [/^onnxruntime|^@huggingface\/|^webgpu$/, /^inference\//],
    [/^node:/, /^(cli|server)\//],
    [/^(sharp|commander|cli-progress|csv-parse|hyparquet|miniflare|wrangler|autocannon|esbuild|binaryen)/, /^cli\//],
    [/^idb/, /^private\/history\.ts$/],
    [/^minisearch/, /^demo\/engine\.ts$/],
    [/^@cloudflare\/workers-types/, /^(embeddings\/store|create-worker|app)\.ts$|^events\/|^demo\/worker\.ts$/],
    [/^@growthbook\//, /^experiment\/assign\.ts$/],
    [/^isbot/, /^experiment\/bots\.ts$/],
    [/^graphql/, /^backends\/graphql-document\.ts$/],
    [/^valibot/, /^(config|app)\.ts$|^(config|inference|embeddings|backends|events|cli|demo|experiment|private|server)\//],
  ];
  for (const [library, home] of homes) {
    it(`${library.source} only in ${home.source}`, () => {
      const bad = imports.filter((edge) => library.test(edge.to) && !home.test(edge.from));
      expect(bad.map(name)).toEqual([]);
    });
  }
});

describe("shape of the tree", () => {
  it("has no barrels", () => {
    expect(files.filter((file) => /(^|\/)index\.ts$/.test(file))).toEqual([]);
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
