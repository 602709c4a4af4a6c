/** What a search of Solr may say with the edge's key: parameters, query parsers and transformers that are understood. */

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

/**
 * Parameters of `select`. What is missing is missing on purpose, as far as it was known: whatever names a handler, a collection, a shard or an
 * address (`qt`, `collection`, `shards`, `_route_`, `stream.*`, `tr`, `v.*`, `useParams`), builds or reloads something, or starts threads.
 */
export const PARAMETERS = words(`
  q q.op q.alt df defType sow fq fl rows start sort cursorMark rq wt indent omitHeader version timeAllowed cpuAllowed memAllowed
  segmentTerminateEarly minExactCount partialResults cache debug debugQuery echoParams NOW TZ _ json.nl json.wrf json.facet
  shards.tolerant shards.info shards.preference collection qt ie
  qf pf pf2 pf3 ps ps2 ps3 qs mm mm.autoRelax tie bq bf boost uf lowercaseOperators stopwords synonyms enableGraphQueries
  rewriters querqy.rewriters querqy.infoLogging querqy.similarityScore querqy.fieldBoostModel gqf gfb generatedFieldBoost
  qboost.method qboost.similarityScore qboost.weight qboost.negWeight qboost.fieldBoost uq.similarityScore uq.fieldBoost
  usePriorRank priorRank multiMatchTie
  pt d sfield spatial dist
  facet facet.query facet.field facet.prefix facet.contains facet.contains.ignoreCase facet.matches facet.sort facet.limit facet.offset
  facet.mincount facet.missing facet.method facet.enum.cache.minDf facet.exists facet.excludeTerms facet.overrequest.count
  facet.overrequest.ratio facet.zeros facet.date facet.date.start facet.date.end facet.date.gap facet.date.hardend
  facet.date.other facet.date.include facet.range facet.range.start facet.range.end facet.range.gap facet.range.hardend
  facet.range.other facet.range.include facet.range.method facet.pivot facet.pivot.mincount facet.interval facet.interval.set
  facet.heatmap facet.heatmap.geom facet.heatmap.gridLevel facet.heatmap.distErrPct facet.heatmap.distErr facet.heatmap.format
  facet.heatmap.maxCells facet.version
  hl hl.method hl.fl hl.q hl.qparser hl.requireFieldMatch hl.queryFieldPattern hl.usePhraseHighlighter hl.highlightMultiTerm hl.snippets
  hl.fragsize hl.tag.pre hl.tag.post hl.encoder hl.maxAnalyzedChars hl.offsetSource hl.tag.ellipsis hl.defaultSummary hl.score.k1
  hl.score.b hl.score.pivot hl.bs.language hl.bs.country hl.bs.variant hl.bs.type hl.bs.separator hl.bs.chars hl.bs.maxScan
  hl.weightMatches hl.fragAlignRatio hl.fragsizeIsMinimum hl.mergeContiguous hl.maxMultiValuedToExamine hl.maxMultiValuedToMatch
  hl.alternateField hl.maxAlternateFieldLength hl.highlightAlternate hl.formatter hl.simple.pre hl.simple.post hl.fragmenter
  hl.regex.slop hl.regex.pattern hl.regex.maxAnalyzedChars hl.preserveMulti hl.payloads hl.fragListBuilder hl.fragmentsBuilder
  hl.boundaryScanner hl.phraseLimit hl.multiValuedSeparatorChar hl.useFastVectorHighlighter hl.preserveOrder hl.increment
  group group.field group.func group.query group.limit group.offset group.sort group.main group.ngroups group.format group.truncate
  group.facet group.cache.percent
  expand expand.field expand.q expand.fq expand.sort expand.rows expand.nullGroup
  mlt mlt.count mlt.fl mlt.mintf mlt.mindf mlt.maxdf mlt.maxdfpct mlt.minwl mlt.maxwl mlt.maxqt mlt.maxntp mlt.boost mlt.qf
  mlt.interestingTerms mlt.match.include mlt.match.offset
  stats stats.field stats.calcdistinct stats.facet
  terms terms.fl terms.limit terms.lower terms.lower.incl terms.upper terms.upper.incl terms.mincount terms.maxcount terms.prefix
  terms.regex terms.regex.flag terms.raw terms.sort terms.stats terms.list terms.ttf
  spellcheck spellcheck.q spellcheck.count spellcheck.dictionary spellcheck.extendedResults spellcheck.collate
  spellcheck.maxCollations spellcheck.maxCollationTries spellcheck.maxCollationEvaluations spellcheck.collateExtendedResults
  spellcheck.collateMaxCollectDocs spellcheck.onlyMorePopular spellcheck.maxResultsForSuggest spellcheck.alternativeTermCount
  spellcheck.accuracy
  suggest suggest.q suggest.count suggest.dictionary suggest.cfq suggest.highlight suggest.allTermsRequired suggest.contextFilterQuery
  elevateIds excludeIds enableElevation forceElevation exclusive elevateOnlyDocsMatchingQuery useConfiguredElevatedOrder
  clustering tv tv.fl tv.tf tv.df tv.positions tv.offsets tv.payloads tv.tf_idf tv.all
`);

/** Names that Solr or its components read themselves, and that are not in the list: no request may use them for a value of its own. */
export const RESERVED = words(`
  action async carrot clustering collections command commit commitwithin config confdir core cores debug debugquery distrib downstream echohandler
  expandmacros expr f file file_path fileset forcebuild fromindex handler ids isshard json loadall lpath multithreaded name node optimize overwrite
  path preferlocalshards property pullreplicas reload replay route rollback router schema separator shard shards shardskey softcommit solrurl
  stream streaming tr trace update updates uri url useparams v velocity waitsearcher xslt zkhost zkaddress _route_ _statever_ _forwardedcount
`);

/** What stands before the first dot of parameters. */
export const PREFIXES: ReadonlySet<string> = new Set(
  [...PARAMETERS].filter((name) => name.includes(".")).map((name) => name.split(".", 1)[0]!),
);

/** Query parsers, as `defType` and in `{!…}`. Not those that read XML or other addresses, or ask a model. The last two come with SAP
 * Commerce and with TYPO3. */
export const PARSERS = words(`
  lucene lucenePlusSort dismax edismax querqy func frange boost term terms field prefix raw query nested collapse child parent filters
  join graph geofilt bbox spatial knn vectorSimilarity mlt mlt_content surround complexphrase simple switch maxscore payload_score payload_check
  min_hash bool rank rerank ltr significantTerms hash_range multiMaxScore typo3access
`);

/** Names inside of `{!…}` and `[…]`, besides parameters of the request. */
export const LOCAL_PARAMS = words(`
  type v f tag ex key cache cost b l u incl incu field size hint nullPolicy min max which of filters param excludeTags includeTags from to fromIndex
  method score separator returnRoot returnOnlyLeaf maxDepth traversalFilter topK k earlyTermination saturationThreshold patience
  efSearchScaleFactor minReturn minTraverse preFilter filteredSearchThreshold must must_not should filter default case mintf mindf minwl maxwl maxqt maxntp maxdf maxdfpct
  reRankQuery reRankDocs reRankWeight reRankScale reRankMainScale reRankOperator reRankFeatures model store operator func includeSpanScore payloads op threshold
  phrase inOrder phraseSlop sim tp analyzer_field ignoreCase percents countDistinct distinctValues cardinality sum sumOfSquares mean stddev count missing
  function weight scalingFactor pivot exponent collectElevatedDocsWhenCollapsing
  query range stats terms style t w childFilter parentFilter limit fl features format logAll
`);

/** Transformers of documents in `fl`, by their names in `[…]`. */
export const TRANSFORMERS = words("elevated excluded explain value child json xml geo docid features fv subquery");

export const WRITERS = words("json xml javabin csv geojson php phps python ruby smile standard default");
