/** Dialects as imports: a factory's index is a table of the configuration, and a bundle holds only the dialects that it imports. */
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";
import { algolia } from "../../src/backends/algolia.ts";
import { ALL_DIALECTS } from "../../src/backends/all-dialects.ts";
import { createDialects, defineDialect, dialectLimits, dialectsOf, type IndexDefinition } from "../../src/backends/dialects.ts";
import { elasticsearch, opensearch } from "../../src/backends/elasticsearch.ts";
import { generic } from "../../src/backends/generic.ts";
import { meilisearch } from "../../src/backends/meilisearch.ts";
import { shopify } from "../../src/backends/shopify.ts";
import { solr } from "../../src/backends/solr.ts";
import { typesense } from "../../src/backends/typesense.ts";
import { vespa } from "../../src/backends/vespa.ts";
import { parseConfig } from "../../src/config/config.ts";

const common = {
  url: "https://search.example.com",
  window: 100,
  catalog: "shop",
  idField: "sku",
  hitFields: { price: "price" },
  headers: { "x-team": "search" },
  forwardCredentials: true,
};
const search = {
  path: "/v1/search",
  query: "q",
  page: "page",
  limit: "size",
  hits: "results",
  leaveAlone: { explicit_sort: ["sort"] },
  echo: {},
};

const definitions: readonly IndexDefinition[] = [
  elasticsearch(common),
  opensearch(common),
  algolia({ ...common, pageSize: 24 }),
  typesense(common),
  meilisearch(common),
  solr(common),
  vespa({ ...common, pageSize: 24 }),
  shopify(common),
  generic({ ...common, pageSize: 24, generic: search }),
];

describe("factories", () => {
  it.each(definitions)("$backend: options are those of INDEXES.<name>", ({ dialect, ...index }) => {
    expect(ALL_DIALECTS.get(index.backend)).toBe(dialect);
    const config = parseConfig({ INDEXES: { products: index } }, dialectLimits(dialectsOf([dialect])));
    expect(config.ok ? config.value.indexes.get("products") : config.error).toMatchObject({ ...common, backend: index.backend });
  });

  it("cover every dialect", () => {
    expect(definitions.map(({ backend }) => backend).toSorted()).toEqual([...ALL_DIALECTS.keys()].toSorted());
  });
});

describe("defineDialect()", () => {
  it("takes limits that are left out to be none", () => {
    const { create } = elasticsearch(common).dialect;
    const acme = defineDialect({ names: ["acme", "acme-cloud"], create, limits: { maxWindow: 50 } });
    expect(acme.limits).toEqual({ maxWindow: 50, maxIndexes: Number.POSITIVE_INFINITY });
    const dialects = createDialects(
      new Map([
        ["a", { backend: "acme" }],
        ["b", { backend: "acme-cloud" }],
      ]),
      dialectsOf([acme]),
    );
    expect(dialects.get("a")).toBe(dialects.get("b"));
    expect(() => createDialects(new Map([["a", { backend: "other" }]]), dialectsOf([acme]))).toThrow(
      /"other": use one of acme, acme-cloud/,
    );
  });
});

/** Sources and packages in a bundle of one file, packages as their names. */
async function bundled(file: string): Promise<readonly string[]> {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const { metafile } = await build({
    entryPoints: [`src/backends/${file}`],
    absWorkingDir: root,
    bundle: true,
    format: "esm",
    write: false,
    metafile: true,
  });
  return Object.entries(metafile.outputs)
    .flatMap(([, { inputs }]) => Object.keys(inputs))
    .map((path) => /node_modules\/([^/]+)/.exec(path)?.[1] ?? path.replace("src/backends/", ""));
}

describe("a bundle with one dialect", () => {
  const files = [...new Set(definitions.map(({ dialect }) => `${dialect.names[0]}.ts`))];

  it.each(files)("%s holds no other dialect", async (file) => {
    const inputs = await bundled(file);
    expect(inputs).toContain(file);
    const name = file.replace(".ts", "");
    const others = files.filter((other) => other !== file).map((other) => other.replace(".ts", ""));
    expect(inputs.filter((input) => others.some((other) => input.startsWith(other)))).toEqual([]);
    expect(inputs.includes("graphql"), `graphql in ${name}`).toBe(file === "shopify.ts");
    expect(inputs.some((input) => input.startsWith("graphql"))).toBe(file === "shopify.ts");
  });
});
