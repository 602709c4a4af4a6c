/** Names of Vespa's parameters. */

/**
 * Other names, in lower case: as such Vespa takes them in any case, all other names only as they are written. The right ones are as Vespa
 * writes them.
 */
const ALIASES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    hits: "hits",
    count: "hits",
    offset: "offset",
    start: "offset",
    timeout: "timeout",
    nocache: "noCache",
    groupingsessioncache: "groupingSessionCache",
    query: "model.queryString",
    type: "model.type",
    encoding: "model.encoding",
    "default-index": "model.defaultIndex",
    filter: "model.filter",
    language: "model.language",
    lang: "model.language",
    locale: "model.locale",
    sources: "model.sources",
    search: "model.sources",
    restrict: "model.restrict",
    searchgroup: "model.searchGroup",
    searchpath: "model.searchPath",
    ranking: "ranking.profile",
    sorting: "ranking.sorting",
    sortspec: "ranking.sorting",
    datetime: "ranking.freshness",
    location: "ranking.location",
    matchphase: "ranking.matchPhase",
    rankfeatures: "ranking.listFeatures",
    format: "presentation.format",
    template: "presentation.format",
    "format.tensors": "presentation.format.tensors",
    bolding: "presentation.bolding",
    summary: "presentation.summary",
    summaryfields: "presentation.summaryFields",
    timing: "presentation.timing",
    profile: "trace.profile",
    tracelevel: "trace.level",
    explainlevel: "trace.explainLevel",
  }),
);

/** As Vespa reads it. */
export function nameOf(key: string): string {
  return ALIASES.get(key.toLowerCase()) ?? key;
}

export function isAlias(key: string): boolean {
  return ALIASES.has(key.toLowerCase());
}
