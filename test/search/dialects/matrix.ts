/** The request matrix of the documentation, made of the cases that the contract tests. */
import { composedServices } from "../../engines/compose.ts";
import { ENGINES } from "../../engines/launch.ts";
import { STAND_INS } from "./all.ts";
import { BROWSE_ASKS } from "./browse.ts";
import { type EngineStandIn, type Feature, FEATURES } from "./stand-in.ts";

const describeOutcome = (outcome: string): string => (outcome === "applied" ? "re-ranked" : `passed through (\`${outcome}\`)`);

function cell(dialect: EngineStandIn, feature: Feature): string {
  if (feature === "paging") {
    const ways = [...dialect.pages.map(({ name }) => name), ...(dialect.walk === undefined ? [] : ["cursors: the first page"])];
    return `${ways.join("; ")}: re-ranked`;
  }
  const cases = dialect.cases.filter((one) => one.feature === feature);
  if (cases.length === 0) return "–";
  return cases
    .map(({ title, outcomes, pinned }) => {
      const kept = pinned === undefined ? "" : ", pinned hits stay";
      const [outcome = "", ...others] = new Set(outcomes);
      return others.length > 0 ? `${title}: each search on its own` : `${title}: ${describeOutcome(outcome)}${kept}`;
    })
    .join("<br>");
}

/** Backend → the engines that test/engines asks, by their names there, or where the stand-in's answers come from. */
const ASKED: Readonly<Record<string, readonly string[] | string>> = {
  elasticsearch: ["opensearch", "elasticsearch-9", "elasticsearch-7"],
  solr: ["solr", "solrcloud"],
  vespa: ["vespa"],
  meilisearch: "recorded: Meilisearch 1.50.0",
  // compose.yaml has a newer one.
  typesense: "Typesense 0.24.1",
};

/** Engines that run in tests with their versions, "recorded …", or "documentation". */
function askedOf({ backend }: EngineStandIn): string {
  const asked = ASKED[backend] ?? [];
  if (typeof asked === "string") return asked;
  const services = composedServices();
  const names = asked.filter((name) => Object.hasOwn(ENGINES, name));
  return names.length === 0
    ? "documentation"
    : names.map((name) => `${TITLES[name] ?? name} ${services[name]?.image.split(":")[1]}`).join(", ");
}

const TITLES: Readonly<Record<string, string>> = {
  opensearch: "OpenSearch",
  "elasticsearch-9": "Elasticsearch",
  "elasticsearch-7": "Elasticsearch",
  solr: "Solr",
  solrcloud: "SolrCloud",
  vespa: "Vespa's query container",
};

/** Tested in test/search/browse.node.test.ts. */
function browseCell({ title, backend }: EngineStandIn): string {
  const asked = BROWSE_ASKS[title]?.title ?? (backend === "shopify" ? "`collection`" : undefined);
  return asked === undefined ? "–" : `${asked}: re-ranked with \`browse\``;
}

const row = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;

/** Markdown: one row per engine. */
export function requestMatrix(): string {
  return [
    row(["", "asked of", ...FEATURES, "no words"]),
    row(["---", "---", ...FEATURES.map(() => "---"), "---"]),
    ...STAND_INS.map((dialect) =>
      row([`**${dialect.title}**`, askedOf(dialect), ...FEATURES.map((feature) => cell(dialect, feature)), browseCell(dialect)]),
    ),
  ].join("\n");
}
