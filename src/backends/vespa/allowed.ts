/**
 * Whether a request of Vespa may go to the engine with the edge's key: every parameter must be understood, and every source and schema that it
 * names must be one of the index's own.
 *
 * Vespa has no rights below the application. Query profiles, search chains, content nodes and traces are not for clients: a profile may leave out
 * what the default one restricts.
 */
import { isAlias } from "./names.ts";
import type { Asked } from "./request.ts";
import { readYql } from "./yql.ts";

const ELSEWHERE = "take it out, or let the index forward the client's own key (forwardCredentials)";

/** Types of `query` that are words; the others are query languages. */
export const TYPES: ReadonlySet<string> = new Set(["all", "any", "linguistics", "phrase", "tokenize", "weakand", "web"]);

/** In lower case; of a name that ends with a dot, all that begin so. */
const PARAMETERS: ReadonlySet<string> = new Set(
  `yql hits offset timeout nocache groupingsessioncache jsoncallback
  model.querystring model.type model.type.composite model.type.tokenization model.type.syntax model.type.isyqldefault model.defaultindex
  model.filter model.language model.locale model.encoding model.sources model.restrict
  ranking.profile ranking.location ranking.sorting ranking.freshness ranking.querycache ranking.rerankcount ranking.keeprankcount ranking.totalkeeprankcount
  ranking.rankscoredroplimit ranking.elementgap. ranking.features. ranking.properties. ranking.matching. ranking.matchphase.
  ranking.secondphase. ranking.globalphase. ranking.softtimeout. ranking.significance. rankfeature. rankproperty. input.
  presentation.bolding presentation.format presentation.format. presentation.summary presentation.summaryfields presentation.timing presentation.reportcoverage
  select select.where select.where. select.grouping select.grouping. select.fields collapsefield collapsesize collapse.summary
  pos.ll pos.radius pos.bb pos.attribute pos.units weakand. wand. rules.off dispatch.topkprobability hitcountestimate recall`.split(/\s+/),
);

/** Names that Vespa reads itself and that are not in the list: no request may use them for a value of its own. */
const RESERVED: ReadonlySet<string> = new Set(
  `explainlevel path profile providername queryprofile searchchain sourcename tracelevel trace user userid groupname streaming dispatch model
  ranking presentation metrics rules rulebase embed qp select input rankfeatures federation collection documenttype schema clustername`.split(
    /\s+/,
  ),
);

/** Why a request must not reach the engine; `undefined` for a search. */
export function strangeIn({ url, form, all }: Pick<Asked, "url" | "form" | "all">, schemas: readonly string[]): string | undefined {
  // Older versions of Jetty decode `%u0041` too.
  const odd = [...url, ...form].find(({ key, raw }) => key.includes("%") || /%u[0-9a-f]/i.test(raw));
  if (odd !== undefined) return `The parameter ${JSON.stringify(odd.key)} is not passed on: write it without %u`;
  const references = new Set(
    all.flatMap(({ value }) => (value.includes("@") ? [...value.matchAll(/@ ?([\w-]+)/g)].map(([, name]) => name) : [])),
  );
  for (const { key, name: exact, value } of all) {
    const name = exact.toLowerCase();
    if (!isParameter(name) && !(references.has(key) && !isAlias(key) && !RESERVED.has(name)) && !isOff(name, value)) {
      return `The parameter ${JSON.stringify(key)} is not passed on with the edge's key: ${ELSEWHERE}`;
    }
    const strange = strangeValue(name, value, schemas);
    if (strange !== undefined) return `The parameter ${JSON.stringify(key)} ${strange}: ${ELSEWHERE}`;
  }
  return undefined;
}

/** A trace that is not asked for. */
function isOff(name: string, value: string): boolean {
  return /^trace\.(?:level|explainlevel|profile|timestamps)$/.test(name) && (value === "0" || value === "false");
}

/** `a.b` may be listed itself, or as all below `a.`. */
function isParameter(name: string): boolean {
  if (PARAMETERS.has(name)) return true;
  // Limits of the content node, threads and memory.
  if (/^(?:ranking\.properties|rankproperty)\.vespa\b/.test(name)) return false;
  for (let dot = name.indexOf("."); dot > 0; dot = name.indexOf(".", dot + 1)) if (PARAMETERS.has(name.slice(0, dot + 1))) return true;
  return false;
}

function strangeValue(name: string, value: string, schemas: readonly string[]): string | undefined {
  if (value.includes("%{")) return "holds %{…}, which is not passed on";
  if (name === "yql") {
    const sources = readYql(value)?.sources;
    if (sources === undefined) return "is not one plain select from sources";
    return strangeSource(sources, schemas);
  }
  if (name === "model.sources") return value === "" || value === "*" ? undefined : strangeSource(value.split(/[, ]+/), schemas);
  if (name === "model.restrict") return strangeSource(value.split(/[, ]+/), schemas);
  if (name === "model.type") return TYPES.has(value.trim().toLowerCase()) ? undefined : "is a query language that is not passed on";
  if (name === "model.type.syntax") return /^(?:none|web)$/i.test(value) ? undefined : "is a query language that is not passed on";
  return undefined;
}

function strangeSource(sources: readonly string[], schemas: readonly string[]): string | undefined {
  const stranger = sources.find((source) => !schemas.includes(source));
  return stranger === undefined ? undefined : `names another source than ${schemas.join(", ")} (the option schemas)`;
}
