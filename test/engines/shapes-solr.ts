/** Requests of Solr: parameters → what the edge does with them. */
import type { Dialect, Shape } from "./judge.ts";

export const SOLR: Dialect = {
  // `params` are echoed in the order of a hash table, which follows from the names alone.
  mask: (body) => body.replaceAll(/"QTime":\d+|<int name="QTime">\d+/g, '"QTime":0').replaceAll(/"rid":"[^"]*"/g, '"rid":""'),
  hits: ["response", "docs"],
  byHit: "highlighting",
  window: (shape, size) => {
    const [path = "", query = ""] = shape.path.split("?");
    const params = new URLSearchParams(query);
    const body = new URLSearchParams(shape.body ?? "");
    for (const given of [params, body]) for (const name of ["start", "rows"]) given.delete(name);
    params.set("start", "0");
    params.set("rows", String(size));
    return { ...shape, path: `${path}?${params.toString()}`, ...(shape.body !== undefined && { body: body.toString() }) };
  },
};

/** Parameters beside `q=red mug` under which the list is re-ranked. */
const BESIDE: readonly string[] = [
  "",
  "rows=5",
  "start=5&rows=7",
  "rows=80",
  "start=45&rows=10",
  "wt=json",
  "indent=false",
  "indent=true&rows=3",
  "fl=id,title",
  "fl=*,score",
  "fl=id,t:score",
  "fl=**&rows=3",
  "fl=i?&rows=3",
  "fl=&fl=id",
  "fl=id,title,score&rows=4",
  "fq=in_stock:true",
  "fq=in_stock:true&fq=price:[5 TO 500]",
  "fq={!term f=category}mug",
  "fq=category:(mug OR bag)",
  "defType=edismax&qf=title^3 category",
  "defType=edismax&qf=title&pf=title^2&mm=1&tie=0.1&ps=2",
  "defType=edismax&qf=title&bf=log(sum(popularity,1))&boost=2",
  "defType=edismax&qf=title&bq=in_stock:true^2",
  "defType=dismax&qf=title&mm=1",
  "defType=lucene&df=title&q.op=OR",
  "sort=score desc",
  "facet=true&facet.field=category",
  "facet=on&facet.field=category&facet.mincount=1&facet.limit=5&facet.sort=count",
  "facet=true&facet.query=price:[0 TO 20]&facet.query=price:[20 TO *]",
  "facet=true&facet.range=price&facet.range.start=0&facet.range.end=200&facet.range.gap=50",
  "facet=true&f.category.facet.limit=3&facet.field={!ex=cat}category&fq={!tag=cat}category:mug",
  "stats=true&stats.field=price",
  "hl=true&hl.fl=title",
  "hl=true&hl.fl=title&hl.simple.pre=<b>&hl.simple.post=</b>&rows=4",
  "hl=on&hl.method=unified&hl.fl=title&hl.snippets=1&hl.fragsize=0",
  "spellcheck=true&spellcheck.count=3&spellcheck.collate=true",
  "echoParams=explicit",
  "echoParams=explicit&rows=4&start=2",
  "echoParams=none",
  "omitHeader=true",
  "debugQuery=false",
  "timeAllowed=5000",
  "cache=false",
  "lowercaseOperators=false&stopwords=true",
  "uf=*",
  "mm=2<-1&defType=edismax&qf=title",
];

/** All parameters → outcome. */
const OTHERS: Readonly<Record<string, string>> = {
  "q=red mug&sort=price asc": "explicit_sort",
  "q=red mug&sort=score desc,price asc": "applied",
  "q=red mug&sort=in_stock desc,score desc&fq=in_stock:true": "applied",
  "q=red mug&sort=in_stock desc,score desc": "explicit_sort",
  "q=red mug&sort=score asc": "explicit_sort",
  "q=red mug&sort=_docid_ asc": "explicit_sort",
  "q=red mug&group=true&group.field=category": "grouped",
  "q=red mug&fq={!collapse field=category}": "grouped",
  "q=red mug&mlt=true&mlt.fl=title&mlt.mindf=1&mlt.mintf=1": "grouped",
  "q=red mug&rows=0": "size_zero",
  "q=red mug&rows=0&facet=true&facet.field=category": "size_zero",
  "q=*:*": "no_query_text",
  "q=*:*&fq=category:mug": "no_query_text",
  "rows=3": "no_query_text",
  "q=red mug&start=60": "beyond_window",
  "q=xyzzy": "too_few_hits",
  "q=red mug&cursorMark=*&sort=score desc,id asc": "cursor",
  "q=red mug&wt=xml": "request_not_understood",
  "q=red mug&wt=csv": "request_not_understood",
  "q=red mug&fl=title,price,popularity,rating,category": "applied",
  "q=red mug&fl=title:id,id": "applied",
  "q=red mug&fl=id:title": "request_not_understood",
  "q=red mug&fl=i*,p*": "applied",
  "q=red mug&fl=": "applied",
  'q=red mug&fl=id,x:[value v="a"]': "applied",
  "q=red mug&fl=id,[docid]": "applied",
  "q=red mug&fl=id,sum(price,1)": "applied",
  "q=title:red": "applied",
  "q=title:red AND category:mug": "applied",
  'q="leather bag"~9': "applied",
  "q=red mug&json.nl=map&facet=true&facet.field=category": "applied",
  "q=red mug&json.nl=arrarr&facet=true&facet.field=category&omitHeader=true": "applied",
  "q=red mug&json.facet={c:{type:terms,field:category,facet:{p:'avg(price)'}}}": "applied",
  "q=red mug&json.facet.c={type:range,field:price,start:0,end:100,gap:10}&rows=4&start=4": "applied",
  "q=red mug&fq={!collapse field=category}&sort=score desc": "grouped",
  "q=red mug&fq={! collapse field=category}": "grouped",
  "q=red mug&fq={!cost=200 collapse field=category}": "grouped",
  "q=red mug&fq={!v=$c}&c={!collapse field=category}": "grouped",
  "q=red mug&group=truely&group.field=category": "grouped",
  "q=red mug&group=true&group.field=category&group.main=true": "grouped",
  "q=red mug&minExactCount=5": "request_not_understood",
  "q=red mug&rows=5&rows=2": "request_not_understood",
  "q=red mug&rows=007": "applied",
  "q=red mug&q=blue bag": "applied",
  "q=red mug&sort=score desc&sort=price asc": "applied",
  "q=red mug&sort=price asc&sort=score desc": "explicit_sort",
  "q=red mug&shards.tolerant=true&shards.info=true": "applied",
  "q=red mug&shards.preference=replica.location:local": "applied",
  "q=red mug&ie=UTF-8&qt=": "applied",
  "q=red mug&qt=search": "applied",
  "q=red mug&wt=standard": "applied",
  "q=red mug&wt=": "applied",
  "q=red mug&timeAllowed=5000&partialResults=true": "applied",
  "q=red mug&stats=true&stats.field={!mean=true}price": "applied",
  "q=red mug&facet=true&facet.pivot=category,in_stock": "applied",
  "q=red mug&facet=true&facet.interval=price&facet.interval.set=[0,10]&facet.interval.set=(10,*]": "applied",
  "q=red mug&rq={!rerank reRankQuery=$rqq reRankDocs=100 reRankWeight=3}&rqq=category:mug": "applied",
  "q=red mug&hl=true&hl.fl=title&fl=title,price,id&rows=7&start=3": "applied",
  "q=red mug&hl=true&hl.fl=title&hl.method=original&hl.snippets=2&omitHeader=true": "applied",
  "q=-red": "no_query_text",
  "q=*:* -red": "no_query_text",
  "q=title:*": "no_query_text",
  "q=title:[* TO *]": "no_query_text",
  "q=price:[1 TO 20]": "no_query_text",
  "q=id:p0001": "no_query_text",
  "q=in_stock:true": "no_query_text",
  "q={!func}price": "no_query_text",
  "q={!term f=category}mug": "no_query_text",
  "q={!terms f=id}p0001,p0002": "no_query_text",
  "q=price&defType=func": "no_query_text",
  "q={!frange l=0 u=20}price": "no_query_text",
  'q=_val_:"price"': "no_query_text",
  "q=red NOT mug": "applied",
  "q=red !mug": "applied",
  "q=(red^2 OR title:red) AND mug": "applied",
  "q={!boost b=log(sum(popularity,1))}red mug": "applied",
  "q={!edismax qf=title v='red mug'}": "applied",
  "q={!type=dismax qf=title}red mug": "applied",
  'q=_query_:"{!dismax qf=title}red mug" AND in_stock:true': "applied",
  'q=_query_:"{!dismax qf=title v=$qq}"&qq=red mug': "applied",
  "q={!bool must=title:red should=title:mug}": "applied",
  "q={!field f=title}red": "applied",
  "q=red*": "applied",
  "q=café mug": "applied",
  "q=+red mug": "applied",
  "q=red^2 mug": "applied",
  "q=red OR mug": "applied",
  "q={!edismax qf=title}red mug": "applied",
  "q={!edismax qf=title v=$qq}&qq=red mug": "applied",
  "q=title:(red": "engine_status",
};

export function encode(params: string): string {
  return params
    .split("&")
    .filter((param) => param !== "")
    .map((param) => {
      const [name = "", ...value] = param.split("=");
      return `${name}=${encodeURIComponent(value.join("="))}`;
    })
    .join("&");
}

const FORM = { "content-type": "application/x-www-form-urlencoded" };

export const SHAPES: readonly Shape[] = [
  ...BESIDE.map((params): Shape => ({
    label: `?q=red mug&${params}`,
    path: `/solr/products/select?${encode(`q=red mug&${params}`)}`,
    outcome: "applied",
  })),
  ...BESIDE.map((params): Shape => {
    return {
      label: `form, ${params}`,
      path: "/solr/products/select",
      body: encode(`q=red mug&${params}`),
      headers: FORM,
      outcome: "applied",
    };
  }),
  ...BESIDE.slice(0, 24).map((params): Shape => {
    return {
      label: `form and URL, ${params}`,
      path: `/solr/products/select?${encode(params)}`,
      body: encode("q=red mug"),
      headers: FORM,
      outcome: "applied",
    };
  }),
  ...Object.entries(OTHERS).map(([params, outcome]): Shape => ({
    label: `?${params}`,
    path: `/solr/products/select?${encode(params)}`,
    outcome,
  })),
];
