/** Solr: what its clients and documentation send, and where it reads names. */
import { SOLR } from "../../../src/backends/solr.ts";
import { type ForeignRequest, get, post, type Surface } from "./surface.ts";

const PATH = "/solr/products/select";
const FORM = "application/x-www-form-urlencoded";
const url = (params: string | Readonly<Record<string, string>>): ForeignRequest => get(PATH, params, "products");
const form = (params: Readonly<Record<string, string>>, contentType = FORM): ForeignRequest =>
  post(PATH, new URLSearchParams(params).toString(), { index: "products", contentType });

const q = (value: string, more: Readonly<Record<string, string>> = {}): ForeignRequest => url({ q: value, ...more });
const fq = (value: string, more: Readonly<Record<string, string>> = {}): ForeignRequest => url({ q: "red", fq: value, ...more });
const fl = (value: string, more: Readonly<Record<string, string>> = {}): ForeignRequest => url({ q: "red", fl: value, ...more });

const ordinary: readonly ForeignRequest[] = [
  // Solarium (Drupal, TYPO3, Shopware 5).
  url("omitHeader=true&wt=json&json.nl=flat&q=red+mug&start=0&rows=10&fl=*%2Cscore"),
  url({
    omitHeader: "false",
    wt: "json",
    "json.nl": "flat",
    q: "red",
    defType: "edismax",
    qf: "title^2 body",
    "facet.field": "{!key=brand ex=brand}brand",
    facet: "true",
    "f.brand.facet.limit": "10",
    fq: "{!tag=brand}brand:(acme)",
    hl: "true",
    "hl.fl": "title",
    "hl.simple.pre": "<b>",
    spellcheck: "true",
    "spellcheck.collate": "true",
  }),
  form({ omitHeader: "true", wt: "json", "json.nl": "flat", q: "red", rows: "10", ie: "UTF-8" }, `${FORM}; charset=UTF-8`),
  // pysolr, django-haystack.
  url({
    q: "(red mug)",
    df: "text",
    "q.op": "AND",
    "facet.mincount": "1",
    "hl.fragsize": "200",
    fl: "* score",
    start: "0",
    rows: "20",
    wt: "json",
    spellcheck: "true",
    "spellcheck.collate": "true",
    "spellcheck.count": "1",
  }),
  // Blacklight.
  url({
    q: "red",
    qt: "/select",
    rows: "10",
    "facet.query": "pub_date:[NOW-5YEAR TO *]",
    sort: "score desc, pub_date desc",
    stats: "true",
    "stats.field": "pub_date_i",
    "facet.pivot": "a,b",
    "f.subject.facet.limit": "21",
  }),
  url("q=%7B!edismax+qf%3D%24title_qf+pf%3D%24title_pf+v%3D%24qq%7D&qq=red&title_qf=title&title_pf=title&facet.field=a&facet.field=b"),
  // SolrJ, Sunspot, SolrNet.
  url({ q: "red", wt: "javabin", version: "2", collection: "products" }),
  form({ fq: "type:Product", q: "red", fl: "* score", qf: "name_text", defType: "edismax", start: "0", rows: "30" }),
  q("red", { _: "1690000000000", indent: "true", "json.wrf": "callback" }),
  // The documentation of parsers.
  q('+title:(red OR "blue mug"~2)^1.5 -brand:acme price:[10 TO 20}'),
  q("{!lucene q.op=AND df=text}myfield:foo +bar -baz"),
  q("{!dismax qf='title^10 body' mm=2}red mug", { bq: "cat:electronics^5", bf: "recip(rord(date),1,1000,1000)" }),
  q("red", {
    defType: "edismax",
    qf: "title^5",
    pf: "title",
    pf2: "title",
    ps: "2",
    mm: "2<-25% 9<-3",
    tie: "0.1",
    boost: "div(1,sum(1,price))",
    uf: "* -_query_",
    lowercaseOperators: "true",
    sow: "false",
  }),
  fq("{!geofilt sfield=store pt=45.15,-93.85 d=5}"),
  fq("{!bbox}", { sfield: "store", pt: "45.15,-93.85", d: "5", sort: "geodist() asc" }),
  fq("{!frange l=0 u=2.2}sum(user_ranking,editor_ranking)"),
  fq("{!term f=brand}a b", { facet: "true" }),
  fq("{!terms f=id}1,2,3"),
  fq("{!join from=manu_id to=id}title:ipod"),
  fq("{!join from=manu_id to=id fromIndex=offers}title:ipod"),
  fq("{!graph from=in to=out maxDepth=1}id:1"),
  fq("{!collapse field=group_field max=sum(cscore(),price)}", { expand: "true", "expand.rows": "3" }),
  fq("{!cache=false cost=200}price:[1 TO 2]"),
  q("{!parent which='doc_type:parent' score=max}comment:red"),
  q('{!child of="doc_type:parent"}title:red'),
  q("{!bool must=$ref should=title:mug must_not=title:bag}", { ref: "title:red" }),
  q("{!knn f=vector topK=10 preFilter=$pre}[1.0, 2.0, 3.0, 4.0]", { pre: "stock:true" }),
  q("{!boost b=log(popularity)}red"),
  q("{!func}product(price,query($qq))", { qq: "red" }),
  q('_query_:"{!dismax qf=\'title\' mm=1}red mug" AND _val_:"log(price)"'),
  q("text:red AND {!prefix f=cat}ele"),
  q("{!switch case.foo=a:b default=c:d}foo"),
  q('{!complexphrase inOrder=true}title:"re* mug"'),
  q("{!edismax qf=\"title body\" v='it\\'s red'}"),
  q("red", { rq: "{!rerank reRankQuery=$rqq reRankDocs=1000 reRankWeight=3}", rqq: "(hi+hello)" }),
  q("red", { rq: "{!ltr model=shop efi.user_query=$q reRankDocs=100}" }),
  // The documentation of what stands beside the hits.
  url(
    "q=red&facet=true&facet.range=price&f.price.facet.range.start=0&facet.range.start=0&facet.range.end=100&facet.range.gap=10&facet.interval=price&facet.interval.set=%7B!key%3Dfoo%7D%5B0%2C10%5D",
  ),
  q("red", {
    "json.facet":
      '{"categories":{"type":"terms","field":"cat","limit":3,"facet":{"avg":"avg(price)"},"domain":{"excludeTags":"brand","filter":"{!term f=a v=$qa}"}}}',
    qa: "x",
  }),
  q("red", { "json.facet": "{categories:{terms:{field:cat}},low:{query:{q:'price:[0 TO 5]'}}}" }),
  fl("id,score,title:name_s,dist:geodist(),[elevated],[child limit=10 childFilter=color:red],why:[value v=1 t=int],[explain style=nl]"),
  fl("*,sizes:[subquery]", {
    "sizes.q": "{!terms f=parent v=$row.id}",
    "sizes.fl": "id,size",
    "sizes.rows": "5",
    "sizes.sort": "size asc",
    "sizes.fq": "stock:true",
  }),
  fl("*,offers:[subquery fromIndex=offers]", { "offers.q": "{!term f=sku v=$row.sku}" }),
  q("red", { group: "true", "group.field": "sku", "group.limit": "3", "group.ngroups": "true", "group.sort": "price asc" }),
  q("red", { hl: "on", "hl.method": "unified", "hl.q": "title:red", "hl.qparser": "edismax", "f.title.hl.snippets": "3" }),
  q("red", { mlt: "true", "mlt.fl": "title", "mlt.count": "3", "mlt.mindf": "1" }),
  q("red", { elevateIds: "1,2", enableElevation: "true", forceElevation: "true", echoParams: "explicit", timeAllowed: "500" }),
  q("red", {
    "spellcheck.collateParam.q.op": "AND",
    "spellcheck.collateParam.mm": "100%",
    "shards.tolerant": "true",
    "shards.preference": "replica.location:local",
  }),
  q("red", { suggest: "true", "suggest.dictionary": "mySuggester", "suggest.q": "re" }),
  q("red", { defType: "querqy", gfb: "1", "qboost.method": "opt", "querqy.rewriters": "common", qf: "title" }),
  // SAP Commerce, TYPO3, and Haystack with an old Solr.
  q("{!boost}(+{!lucene v=$yq})", { yq: "_query_:\"{!multiMaxScore tie=0.0 v='(name_text_en:red^100.0) OR (code_string:red)'}\"" }),
  fq("{!typo3access}-1,0"),
  q("red", {
    facet: "on",
    "facet.date": "d",
    "facet.date.other": "none",
    "f.d.facet.date.start": "NOW-1YEAR",
    "f.d.facet.date.gap": "+1MONTH",
  }),
  fq("{!rank f=popularity function=log scalingFactor=1.2 weight=2}"),
  q("red", { facet: "true", "facet.field": "brand", "facet.matches": "(?i)(acme|other).*" }),
  q("deep sleep (30 tablets)"),
  url(`q=red&f.${encodeURIComponent("größe")}.facet.limit=5`),
  q('3\\" pipe \\(red\\) c:\\\\temp'),
];

const attacks = (marker: string): readonly ForeignRequest[] => {
  const base64 = btoa(`{"params":{"collection":"${marker}"}}`);
  const named: Readonly<Record<string, string>>[] = [
    { collection: marker },
    { collection: `products,${marker}` },
    { shards: `10.0.0.1:8983/solr/${marker}` },
    { "shards.qt": `/${marker}` },
    { qt: `/${marker}` },
    { tr: `${marker}.xsl` },
    { _route_: `${marker}!` },
    { useParams: marker },
    { "stream.url": `http://${marker}/` },
    { "stream.file": `/etc/${marker}` },
    { "stream.body": `<x>${marker}</x>` },
    { "shard.url": marker },
    { "v.template": marker },
    { "v.template.custom": marker },
    { wt: marker },
    { expr: `search(${marker},q="*:*")` },
    { json: `{"params":{"collection":"${marker}"}}` },
    { json: base64 },
    { "json.params": `{"collection":"${marker}"}` },
    { "json.params.collection": marker },
    { "json.query": `{"join":{"from":"a","to":"b","fromIndex":"${marker}","query":"x"}}` },
    { "json.filter": `{"join":{"from":"a","to":"b","fromIndex":"${marker}","v":"x"}}` },
    { "json.queries.x": `{"lucene":{"query":"{!join from=a to=b fromIndex=${marker}}c"}}` },
    { fq: `{!join from=id to=uid fromIndex=${marker}}a:b` },
    { fq: `{!join from=id to=uid fromIndex="${marker}"}a:b` },
    { fq: `{!join from=id to=uid fromIndex = '${marker}'}a:b` },
    { fq: "{!join from=id to=uid fromIndex=$x}a:b", x: marker },
    { fq: `{!type=join from=id to=uid fromIndex=${marker} v=a}` },
    { fq: `{!join method=crossCollection fromIndex=offers zkHost=${marker} from=a to=b}c` },
    { fq: `{!join method=crossCollection fromIndex=offers solrUrl=http://${marker}/solr from=a to=b}c` },
    { fq: `{!scorejoin from=a to=b fromIndex=${marker}}c` },
    { fq: `{!graph from=a to=b fromIndex=${marker}}c` },
    { fq: `+a:b +_query_:"{!join from=id to=uid fromIndex=${marker}}a:b"` },
    { fq: `_query_:"{\\!join from=id to=uid fromIndex=${marker}}a:b"` },
    { fq: `_query_:"\\u007b!join from=id to=uid fromIndex=${marker}}a:b"` },
    { fq: `_query_:"_query_:\\"{\\\\!join from=id to=uid fromIndex=${marker}}a:b\\""` },
    { fq: `_query_:"{!lucene v='\\' fromIndex=${marker} df=\\''}"` },
    { fq: `a:b OR {!join from=id to=uid fromIndex=${marker}}c` },
    { fq: `{!lucene v='{!join from=id to=uid fromIndex=${marker}}a:b'}` },
    { fq: "{!lucene v=$qq}", qq: `{!join from=id to=uid fromIndex=${marker}}a:b` },
    { fq: "{${a}join from=id to=uid fromIndex=products}x", a: `!join fromIndex=${marker} ` },
    { fq: "${a}", a: `{!join from=id to=uid fromIndex=${marker}}a:b` },
    { "${n}": marker, n: "collection" },
    { fq: `{!xmlparser}<!DOCTYPE a SYSTEM "http://${marker}/"><a/>` },
    { defType: "xmlparser", q: `<!DOCTYPE a SYSTEM "http://${marker}/"><a/>` },
    { fq: `{!knn_text_to_vector model=${marker} f=v topK=10}x` },
    { defType: marker },
    { "hl.qparser": marker },
    { facet: "true", "facet.query": `{!graph from=a to=b fromIndex=${marker}}c` },
    { "facet.field": `{!key=x shards=${marker}}brand` },
    { sort: `query({!join from=id to=uid fromIndex=${marker} v=a:b}) desc` },
    { bq: `{!join from=id to=uid fromIndex=${marker}}a:b` },
    { rq: `{!rerank reRankQuery='{!join from=id to=uid fromIndex=${marker}}a:b'}` },
    { fl: `*,x:[subquery fromIndex=${marker}]`, "x.q": "*:*" },
    { fl: `*,x:[type=subquery fromIndex=${marker}]`, "x.q": "*:*" },
    { fl: "*,x:[subquery]", "x.q": "*:*", "x.collection": marker },
    { fl: "*,x:[subquery]", "x.q": "*:*", "x.shards": `${marker}:8983/solr/o` },
    { fl: "*,x:[subquery]", "x.q": "*:*", "x.qt": `/${marker}` },
    { fl: "*,x:[subquery]", "x.fl": "y:[subquery]", "x.y.collection": marker },
    { fl: `*,[child parentFilter=a:b fl="x:[subquery fromIndex=${marker}]"]`, "x.q": "*:*" },
    { fl: `*,[child parentFilter=a:b fl="x:\\u005bsubquery fromIndex=${marker}]"]` },
    { fl: `*,[${marker}]` },
    { fl: `x:{!join from=id to=uid fromIndex=${marker} v=a}` },
    { "json.facet": `{"a":{"type":"query","q":"{!join from=id to=uid fromIndex=${marker}}a:b"}}` },
    { "json.facet": `{"a":{"type":"query","q":"\\u007b!join from=id to=uid fromIndex=${marker}}a:b"}}` },
    { "spellcheck.collateParam.collection": marker },
    { "spellcheck.collateParam.shards": marker },
    { "f.title.shards": marker },
    { "f.title.facet.shards": marker },
    { shard: marker, q: "$shard" },
    { Collection: marker },
    { "collection ": marker },
    { ie: "UTF-16", collection: marker },
    { "expand.q": `{!join from=id to=uid fromIndex=${marker}}a:b` },
    { "suggest.build": marker },
    // The fields' names would be prefixes of parameters that Solr reads itself.
    { fl: "*,json:[subquery]", fq: "{!term f=a v=$params}", "json.params": `{"shards":"10.0.0.1:8983/solr/${marker}"}` },
    { fl: "*,json:[subquery]", fq: "{!term f=a v=$query}", "json.query": `{"join":{"from":"id","to":"id","fromIndex":"${marker}"}}` },
    { fl: "*,x:[subquery],json:[subquery]", fq: "{!term f=a v=$params}", "x.json.params": `{"collection":"${marker}"}` },
    { fl: "*,suggest:[subquery]", fq: "{!term f=a v=$build}", "suggest.build": marker },
    { fl: "*,shards:[subquery]", fq: "{!term f=a v=$purpose}", "shards.purpose": marker },
    { fl: `x:sleep(60000,${marker})` },
    { fq: `{!frange l=0}sleep ( $ms ,query({!term f=a v=${marker}}))`, ms: "60000" },
    { fq: `_query_:"{!func}sl\\u0065ep('60000',${marker})"` },
    { "json.facet": `{"a":"sum(sleep(60000,${marker}))"}` },
    { facet: "true", "facet.field": "brand", "facet.matches": `(.+)+${marker}` },
    { facet: "true", "facet.field": "{!facet.matches='(.+)+" + marker + "'}brand" },
    { "terms.regex": `(?x)(.+) +${marker}` },
    { hl: "true", "hl.regex.pattern": `.*.*.*.*${marker}` },
    { "spellcheck.reload": marker },
    { "facet.threads": marker },
    { debugQuery: marker },
    { echoHandler: marker },
    { echoParams: marker },
  ];
  return [
    ...named.flatMap((params) => [url({ q: "red", ...params }), form({ q: "red", ...params })]),
    { ...form({}), body: `{"params":{"collection":"${marker}"}}`, contentType: "application/json" },
    { ...form({}), body: ` {query:red,params:{collection:${marker}}}` },
    {
      ...form({}),
      body: `--x\r\nContent-Disposition: form-data; name="collection"\r\n\r\n${marker}\r\n--x--`,
      contentType: "multipart/form-data; boundary=x",
    },
    { ...form({}), body: `<update>${marker}</update>`, contentType: "text/xml" },
    { ...form({}), body: `q=red&coll%65ction=${marker}` },
  ];
};

/** Names of parameters, and names inside of values, at which a text is no text. */
const NAMES =
  /(?:^|[.])(?:collection|shards?|qt|tr|_route_|useparams|expr|json(?:$|.(?!facet|nl|wrf))|wt|deftype|qparser|template|custom|url|file|body|build|reload|threads|debugquery|echohandler|echoparams|ie)(?:$|[.])/i;
const KEYS = String.raw`(?:fromIndex|zkHost|solrUrl|shards|collection|type|model|facet\.matches)\s*=\s*(?!products\b|offers\b)`;
const IN_BRACES = new RegExp(String.raw`\{![^{]*?(?:${KEYS}|xmlparser)|\$\{`);
const IN_BRACKETS = new RegExp(String.raw`\[[^["]*?(?:${KEYS}|\[zq)|\[zq`);

/** Functions and patterns that cost time: whether Solr reads the text as one of these is another question. */
const IS_DEAR = /\bsleep\s*\(\s*[^\s,()]+\s*,/;
const IS_DEAR_PATTERN = /\+\) ?\+|(?:\.\*){4}/;

export const SOLR_SURFACE: Surface = {
  indexes: new Map([
    ["products", {}],
    ["offers", {}],
  ]),
  definition: SOLR,
  ordinary,
  attacks,
  isText([name = ""], value, marker) {
    const plain = value.replaceAll("\\u007b", "{").replaceAll("\\u005b", "[").replaceAll("\\", "");
    if (IS_DEAR.test(plain) || (/matches$|regex/.test(name) && IS_DEAR_PATTERN.test(plain))) return false;
    // Behind a transformer stands the name of a field.
    const isAfterAll = (plain.split("]").at(-1) ?? "").includes(marker) && plain.split(marker).length === 2;
    return !NAMES.test(name) && !IN_BRACES.test(plain) && (isAfterAll || !(/fl$/i.test(name) && IN_BRACKETS.test(plain)));
  },
};
