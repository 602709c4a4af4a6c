/** What compose.yaml needs: configurations and documents in .armmt/engines; with `--addresses` the lines that name its engines to the tests. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { type EngineName, ENGINES } from "./launch.ts";
import { PRODUCTS, writeCores } from "./shop.ts";

const COMPOSE = fileURLToPath(new URL("compose.yaml", import.meta.url));
const FOLDER = fileURLToPath(new URL("../../.armmt/engines/", import.meta.url));

interface Service {
  readonly image: string;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
}

export function composedServices(): Readonly<Record<string, Service>> {
  const { services }: { services: Record<string, Service> } = parse(readFileSync(COMPOSE, "utf8"), { merge: true }); // oxlint-disable-line no-unsafe-type-assertion
  return services;
}

/** Environment variable → address. */
export function addresses(): Readonly<Record<string, string>> {
  const services = composedServices();
  // oxlint-disable-next-line no-unsafe-type-assertion -- the keys of a constant
  const names = Object.keys(ENGINES) as EngineName[];
  return Object.fromEntries(
    names.flatMap((name) => {
      const [host, port] = services[name]?.ports?.[0]?.split(":") ?? [];
      return port === undefined ? [] : [[ENGINES[name].url, `http://${host}:${port}`]];
    }),
  );
}

const VESPA_SERVICES = `<services version="1.0">
  <container id="default" version="1.0"><search/><document-api/></container>
  <content id="shop" version="1.0">
    <min-redundancy>1</min-redundancy>
    <documents><document type="products" mode="index"/></documents>
    <nodes count="1"/>
  </content>
</services>
`;

const VESPA_SCHEMA = `schema products {
  document products {
    field sku type string { indexing: summary | attribute }
    field title type string {
      indexing: summary | index
      index: enable-bm25
    }
    field category type string { indexing: summary | attribute }
    field price type double { indexing: summary | attribute }
    field rating type double { indexing: summary | attribute }
    field popularity type int { indexing: summary | attribute }
    field in_stock type bool { indexing: summary | attribute }
  }
  fieldset default { fields: title }
  rank-profile default { first-phase { expression: bm25(title) } }
}
`;

function writeConfigurations(): void {
  rmSync(FOLDER, { recursive: true, force: true });
  for (const [name, isCloud] of [
    ["solr", false],
    ["solrcloud", true],
  ] as const) {
    mkdirSync(join(FOLDER, name), { recursive: true });
    writeCores(join(FOLDER, name), { isCloud });
  }
  const vespa = join(FOLDER, "vespa");
  mkdirSync(join(vespa, "schemas"), { recursive: true });
  writeFileSync(join(vespa, "services.xml"), VESPA_SERVICES);
  writeFileSync(join(vespa, "schemas/products.sd"), VESPA_SCHEMA);
  const documents = PRODUCTS.map(({ id, title, category, price, rating, popularity, inStock }) => ({
    put: `id:shop:products::${id}`,
    fields: { sku: id, title, category, price, rating, popularity, in_stock: inStock },
  }));
  writeFileSync(join(vespa, "documents.jsonl"), documents.map((document) => `${JSON.stringify(document)}\n`).join(""));
}

if (import.meta.main) {
  if (process.argv.includes("--addresses")) for (const [name, url] of Object.entries(addresses())) console.log(`export ${name}=${url}`);
  else writeConfigurations();
}
