/** The drawn catalogue in an engine: index "products", an empty one "offers", and index "secret" that no configuration names. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { drawCatalogue, type DrawnProduct } from "../../src/demo/catalogue/catalogue.ts";

/** Enough for pages on both sides of the window. */
export const PRODUCTS: readonly DrawnProduct[] = drawCatalogue().slice(0, 1200);

/** For engines whose documents have no structure. */
const FLAT = PRODUCTS.map(({ id, title, category, price, rating, popularity, inStock }) => ({
  id,
  title,
  category,
  price,
  rating,
  popularity,
  in_stock: inStock,
}));

/** Stands in every document of the index that is not configured. */
export const SECRET_TEXT = "nobody-may-read-this";

const MAPPINGS = {
  properties: {
    title: { type: "text", fields: { raw: { type: "keyword" } } },
    category: { type: "text", fields: { raw: { type: "keyword" } } },
    price: { type: "double" },
    rating: { type: "double" },
    popularity: { type: "integer" },
    in_stock: { type: "boolean" },
    created: { type: "date" },
    place: { type: "geo_point" },
    offers: { type: "nested", properties: { seller: { type: "keyword" }, price: { type: "double" } } },
  },
};

const SELLERS = ["north", "south", "east"] as const;

function documentOf({ title, category, price, rating, popularity, inStock, createdAt }: DrawnProduct, i: number): object {
  const offers = SELLERS.slice(0, 1 + (i % 3)).map((seller, n) => ({ seller, price: price + n }));
  return {
    title,
    category,
    price,
    rating,
    popularity,
    in_stock: inStock,
    created: createdAt,
    place: { lat: 50 + (i % 10) / 10, lon: 8 },
    vector: [Math.sin(i) + 2, Math.cos(i), i / 500],
    offers,
  };
}

export async function send(url: string, method: string, body: string, type: string = "application/json"): Promise<string> {
  const response = await fetch(url, { method, headers: { "content-type": type }, body });
  const text = await response.text();
  if (!response.ok || text.includes('"errors":true')) throw new Error(`${method} ${url}: ${response.status} ${text.slice(0, 500)}`);
  return text;
}

/** Elasticsearch and OpenSearch. */
export async function fillElasticsearch(url: string): Promise<void> {
  const settings = { number_of_shards: 3, number_of_replicas: 0 };
  await send(`${url}/products`, "PUT", JSON.stringify({ settings, mappings: MAPPINGS }));
  await send(`${url}/secret`, "PUT", JSON.stringify({ settings: { ...settings, number_of_shards: 1 } }));
  await send(`${url}/offers`, "PUT", JSON.stringify({ settings: { ...settings, number_of_shards: 1 }, mappings: MAPPINGS }));
  // Only Elasticsearch 8 and later know vectors without a plugin.
  const types = [{ type: "dense_vector", dims: 3, index: true, similarity: "cosine" }, { type: "float" }];
  for (const vector of types) {
    const headers = { "content-type": "application/json" };
    const response = await fetch(`${url}/products/_mapping`, { method: "PUT", headers, body: JSON.stringify({ properties: { vector } }) }); // oxlint-disable-line no-await-in-loop
    if (response.ok) break;
  }
  const lines = PRODUCTS.flatMap((product, i) => [{ index: { _index: "products", _id: product.id } }, documentOf(product, i)]);
  const secrets = [0, 1, 2].flatMap((n) => [
    { index: { _index: "secret", _id: `s${n}` } },
    { title: "red mug", email: SECRET_TEXT, ids: [PRODUCTS[n]!.id] },
  ]);
  const body = [...lines, ...secrets].map((line) => `${JSON.stringify(line)}\n`).join("");
  await send(`${url}/_bulk?refresh=true`, "POST", body, "application/x-ndjson");
}

const SOLR_SCHEMA = [
  ["title", "text_general"],
  ["category", "string"],
  ["price", "pdouble"],
  ["rating", "pdouble"],
  ["popularity", "pint"],
  ["in_stock", "boolean"],
] as const;

/** The files of a core, for the home folder of a Solr. */
export function solrCore(name: string): Readonly<Record<string, string>> {
  const fields = SOLR_SCHEMA.map(
    ([field, type]) => `<field name="${field}" type="${type}" indexed="true" stored="true" multiValued="false"/>`,
  ).join("");
  const types = `<fieldType name="string" class="solr.StrField" sortMissingLast="true" docValues="true"/><fieldType name="boolean" class="solr.BoolField"/>
    <fieldType name="pint" class="solr.IntPointField" docValues="true"/><fieldType name="plong" class="solr.LongPointField" docValues="true"/><fieldType name="pdouble" class="solr.DoublePointField" docValues="true"/>
    <fieldType name="text_general" class="solr.TextField"><analyzer><tokenizer class="solr.StandardTokenizerFactory"/><filter class="solr.LowerCaseFilterFactory"/></analyzer></fieldType>`;
  const more = `<field name="id" type="string" indexed="true" stored="true" required="true"/><field name="_version_" type="plong" indexed="false" stored="false" docValues="true"/><field name="email" type="string" indexed="true" stored="true"/>`;
  return {
    [`${name}/core.properties`]: `name=${name}\n`,
    [`${name}/conf/managed-schema.xml`]: `<schema name="${name}" version="1.6">${more}${fields}${types}<uniqueKey>id</uniqueKey></schema>`,
    [`${name}/conf/elevate.xml`]: `<elevate><query text="pinned words"><doc id="${PRODUCTS[7]!.id}"/></query></elevate>`,
    [`${name}/conf/solrconfig.xml`]: `<config><luceneMatchVersion>9.12</luceneMatchVersion><updateHandler class="solr.DirectUpdateHandler2"/>
      <requestDispatcher><requestParsers enableRemoteStreaming="false"/></requestDispatcher>
      <searchComponent name="elevator" class="solr.QueryElevationComponent"><str name="queryFieldType">string</str><str name="config-file">elevate.xml</str></searchComponent>
      <searchComponent name="spellcheck" class="solr.SpellCheckComponent"><lst name="spellchecker"><str name="name">default</str><str name="field">title</str><str name="classname">solr.DirectSolrSpellChecker</str></lst></searchComponent>
      <requestHandler name="/select" class="solr.SearchHandler"><lst name="defaults"><str name="df">title</str></lst><arr name="last-components"><str>spellcheck</str></arr></requestHandler>
      </config>`,
  };
}

/** Cores products, offers and secret in the home folder of a Solr; without core.properties they are configurations of a SolrCloud's collections. */
export function writeCores(home: string, { isCloud = false }: { readonly isCloud?: boolean } = {}): void {
  const files = { "solr.xml": "<solr/>", ...solrCore("products"), ...solrCore("offers"), ...solrCore("secret") };
  for (const [file, content] of Object.entries(files)) {
    if (isCloud && !file.includes("/conf/")) continue;
    mkdirSync(dirname(join(home, file)), { recursive: true });
    writeFileSync(join(home, file), isCloud ? content.replace('<updateHandler class="solr.DirectUpdateHandler2"/>', UPDATE_LOG) : content);
  }
}

/** A shard's replicas need it. */
const UPDATE_LOG = `<updateHandler class="solr.DirectUpdateHandler2"><updateLog/></updateHandler>`;

export async function fillSolr(url: string): Promise<void> {
  await send(`${url}/solr/products/update?commit=true`, "POST", JSON.stringify(FLAT));
  const secrets = [0, 1, 2].map((n) => ({ id: PRODUCTS[n]!.id, title: "red mug", email: SECRET_TEXT }));
  await send(`${url}/solr/secret/update?commit=true`, "POST", JSON.stringify(secrets));
}

const VESPA_SERVICES = (port: number): string => `<services version="1.0">
  <container id="default" version="1.0">
    <component id="com.yahoo.language.simple.SimpleLinguistics"/>
    <search>
      <chain id="default" inherits="vespa"/>
      <provider id="shop" type="local" cluster="shop"><searcher id="ContentNode"/></provider>
    </search>
    <http><server id="default" port="${port}"/></http>
    <accesslog type="disabled"/>
  </container>
  <content id="shop" version="1.0">
    <redundancy>1</redundancy>
    <documents><document type="products" mode="index"/><document type="secret" mode="index"/></documents>
    <nodes><node hostalias="node1" distribution-key="0"/></nodes>
  </content>
</services>`;

const VESPA_SCHEMA = `schema products {
  document products {
    field sku type string { indexing: summary | attribute }
    field title type string {
      indexing: summary | index
      bolding: on
    }
    field category type string { indexing: summary | attribute }
    field price type double { indexing: summary | attribute }
    field rating type double { indexing: summary | attribute }
    field popularity type int {
      indexing: summary | attribute
      attribute: fast-search
    }
    field in_stock type bool { indexing: summary | attribute }
    field embedding type tensor<float>(x[2]) { indexing: attribute }
  }
  fieldset default { fields: title }
  document-summary short {
    summary title {}
    summary price {}
  }
  document-summary known {
    summary sku {}
    summary title {}
  }
  rank-profile bm25 inherits default { first-phase { expression: bm25(title) } }
  rank-profile even inherits default { }
  rank-profile semantic inherits default { inputs { query(e) tensor<float>(x[2]) } }
}`;

const VESPA_SECRET = `schema secret {
  document secret {
    field title type string { indexing: summary | index }
    field email type string { indexing: summary | attribute }
  }
  fieldset default { fields: title }
}`;

/** Query profiles whose settings no request shows. */
const VESPA_PROFILES: Readonly<Record<string, string>> = {
  cheap: '<field name="ranking.sorting">+price</field>',
  five: '<field name="hits" overridable="false">5</field>',
  long: '<field name="hits">24</field>',
};

/** An application package of Vespa, and the documents of its stand-in for content nodes: a file's name → its content. */
export function vespaApplication(port: number): Readonly<Record<string, string>> {
  const products = PRODUCTS.map(({ id, title, category, price, rating, popularity, inStock }) => ({
    sku: id,
    title,
    category,
    price,
    rating,
    popularity,
    in_stock: inStock,
  }));
  // No words of a shopper: a search of the whole application finds them by other means only.
  const secret = [0, 1, 2].map((n) => ({ title: `order ${n}`, email: SECRET_TEXT }));
  const profiles = Object.entries(VESPA_PROFILES).map(([id, fields]) => [
    `search/query-profiles/${id}.xml`,
    `<query-profile id="${id}">${fields}</query-profile>`,
  ]);
  return {
    "services.xml": VESPA_SERVICES(port),
    "schemas/products.sd": VESPA_SCHEMA,
    "schemas/secret.sd": VESPA_SECRET,
    "documents.json": JSON.stringify({ products, secret }),
    ...Object.fromEntries(profiles),
  };
}

/** Without a master key, or with `key`. */
export async function fillMeilisearch(url: string, key: string | undefined): Promise<void> {
  const headers = { "content-type": "application/json", ...(key !== undefined && { authorization: `Bearer ${key}` }) };
  const call = async (method: string, path: string, body?: object): Promise<string> => {
    const response = await fetch(`${url}${path}`, { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text.slice(0, 300)}`);
    return text;
  };
  await call("PATCH", "/indexes/products/settings", { filterableAttributes: ["category", "price"], sortableAttributes: ["price"] });
  const { taskUid } = Object(JSON.parse(await call("POST", "/indexes/products/documents?primaryKey=id", FLAT)));
  while (!/"status": ?"succeeded"/.test(await call("GET", `/tasks/${taskUid}`))) await new Promise((resolve) => setTimeout(resolve, 100)); // oxlint-disable-line no-await-in-loop
}

export async function postTypesense(url: string, key: string, path: string, body: string): Promise<void> {
  const response = await fetch(`${url}${path}`, { method: "POST", headers: { "x-typesense-api-key": key }, body });
  const text = await response.text();
  if (!response.ok || text.includes('"success":false')) throw new Error(`${path}: ${response.status} ${text.slice(0, 300)}`);
}

export async function fillTypesense(url: string, key: string): Promise<void> {
  const fields = Object.entries(FLAT[0]!)
    .filter(([name]) => name !== "id")
    .map(([name, value]) => ({
      name,
      type: typeof value === "string" ? "string" : typeof value === "boolean" ? "bool" : name === "popularity" ? "int32" : "float",
      facet: name === "category",
    }));
  await postTypesense(url, key, "/collections", JSON.stringify({ name: "products", fields }));
  const documents = FLAT.map((document) => JSON.stringify(document)).join("\n");
  await postTypesense(url, key, "/collections/products/documents/import?action=create", documents);
}
