/** The last step of `npm start`: one real search through everything, and the summary. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import type { Catalog } from "../catalog/file.ts";
import type { EmbedReport } from "../embed.ts";
import { PACKAGE_ROOT } from "../../runtimes/node/package-root.ts";
import { UserError } from "../../web.ts";
import { OUTCOME_HEADER } from "../../protocol.ts";

export interface Proof {
  readonly query: string;
  /** The reply's `x-armmt` header. */
  readonly header: string;
  readonly hits: number;
}

export interface Running {
  readonly edgeUrl: string;
  readonly shopUrl: string;
  readonly catalog: Catalog;
  readonly embedded: EmbedReport;
  readonly proof: Proof;
  /** From the command's beginning. */
  readonly seconds: number;
}

const examplesSchema = v.object({ exampleQueries: v.array(v.string()) });
const replySchema = v.object({ hits: v.object({ hits: v.array(v.unknown()) }) });

/** Searches for the shop's first example. Throws where the reply is not a list; a bypass is one, its header says why. */
export async function trySearch(edgeUrl: string): Promise<Proof> {
  const examples = v.parse(examplesSchema, await (await fetch(`${edgeUrl}/catalog.json`)).json());
  const query = examples.exampleQueries[0] ?? "";
  const response = await fetch(`${edgeUrl}/products/_search`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: searchBody(query),
  });
  const text = await response.text();
  if (!response.ok) throw new UserError(`A search for "${query}" failed with status ${response.status}: ${text.slice(0, 300)}`);
  const reply = v.parse(replySchema, JSON.parse(text));
  return { query, header: response.headers.get(OUTCOME_HEADER) ?? `(no ${OUTCOME_HEADER} header)`, hits: reply.hits.hits.length };
}

function searchBody(query: string): string {
  return JSON.stringify({ query: { multi_match: { query, fields: ["title^2", "category"] } }, size: 3 });
}

function modelVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(join(PACKAGE_ROOT, "model/manifest.json"), "utf8"));
  return v.parse(v.object({ version: v.string() }), manifest).version;
}

/** One line of JSON with `json`, a small table for people otherwise. */
export function announce(running: Running, { json = false }: { readonly json?: boolean }): void {
  const { edgeUrl, shopUrl, catalog, embedded, proof, seconds } = running;
  const model = modelVersion();
  const items = catalog.items.length;
  if (json) {
    const facts = { edge: edgeUrl, shop: shopUrl, catalog: catalog.name, source: catalog.source, items, set: embedded.version, model };
    process.stdout.write(`${JSON.stringify({ ...facts, proof, seconds: Number(seconds.toFixed(2)) })}\n`);
    return;
  }
  const address = edgeUrl.replace("127.0.0.1", "localhost");
  const isApplied = proof.header.startsWith("applied");
  const rows: readonly (readonly [string, string])[] = [
    ["Page", `${address}/`],
    ["Private", `${address}/private/  the same, re-ranked on this device`],
    ["Edge", `${edgeUrl}  the Worker, in workerd`],
    ["Shop", `${shopUrl}  search engine and pictures, in workerd`],
    [
      "Catalogue",
      `${catalog.source === "drawn" ? "drawn" : catalog.name}, ${items.toLocaleString("en")} products, vectors ${embedded.version}`,
    ],
    ["Model", model],
    ["Search", `"${proof.query}" answers with x-armmt: ${proof.header}`],
  ];
  const lines = rows.map(([name, text]) => `  ${name.padEnd(11)}${text}`).join("\n");
  const curl = `curl -si ${address}/products/_search -H 'content-type: application/json' \\\n    -d '${searchBody(proof.query).replaceAll("'", "'\\''")}'`;
  process.stdout.write(`\nReady after ${seconds.toFixed(1)} s\n\n${lines}\n\nTry it:\n  ${curl}\n\nCtrl-C stops both.\n`);
  if (!isApplied) process.stderr.write(`\nSearches pass through in the engine's order: ${proof.header}\n`);
}
