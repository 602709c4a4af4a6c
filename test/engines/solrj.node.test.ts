/** SolrJ at a real Solr behind the edge: the binary format, as its users get it. */
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import * as v from "valibot";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createRandom, type Random } from "../../src/demo/catalogue/random.ts";
import { type RunningEdge, startEdge } from "./edge.ts";
import { missing, type RunningEngine, startClient, startEngine } from "./launch.ts";
import { SECRET_TEXT, solrCore } from "./shop.ts";
import { TYPED_PRODUCTS, typedCore } from "./shop-solrj.ts";

const answerSchema = v.partial(
  v.object({
    list: v.string(),
    docs: v.array(v.string()),
    ids: v.array(v.string()),
    highlighting: v.record(v.string(), v.string()),
    rest: v.string(),
    error: v.string(),
  }),
);
type Answer = v.InferOutput<typeof answerSchema>;

/** Parameters. What the edge does with them, it does with the same in JSON. */
const SHAPES: readonly string[] = [
  "q=red mug",
  "q=red mug&rows=5",
  "q=red mug&start=5&rows=7",
  "q=red mug&start=45&rows=10",
  "q=red mug&rows=80",
  "q=red mug&fl=id",
  "q=red mug&fl=id,title,score",
  "q=red mug&fl=*,score,[elevated]",
  "q=red mug&fl=*,[child]",
  "q=red mug&fl=*,[child limit=1],[docid],[explain style=nl]&rows=6",
  "q=red mug&fl=id,same:[subquery]&same.q=red&same.rows=2&rows=4",
  "q=red mug&fl=id,_version_,views,weight,created,raw,batch,grade,place&rows=20",
  "q=red mug&fq=in_stock:true&fq=price:[5 TO 500]",
  "q=red mug&defType=edismax&qf=title^3 category&pf=title&mm=1",
  "q=red mug&facet=true&facet.field=category&facet.field=note&facet.missing=true&facet.limit=40",
  "q=red mug&facet=true&facet.range=created&facet.range.start=NOW/DAY-9YEARS&facet.range.end=NOW/DAY&facet.range.gap=%2B1YEAR",
  "q=red mug&facet=true&facet.range=price&facet.range.start=0&facet.range.end=200&facet.range.gap=50&facet.query=price:[0 TO 20]",
  "q=red mug&facet=true&facet.pivot=category,grade&facet.interval=price&facet.interval.set=[0,10]",
  "q=red mug&stats=true&stats.field=price&stats.field=created",
  "q=red mug&hl=true&hl.fl=title",
  "q=red mug&hl=true&hl.fl=title,note&rows=4&start=3",
  "q=red mug&spellcheck=true&spellcheck.q=rad&spellcheck.extendedResults=true",
  "q=red mug&echoParams=explicit",
  "q=red mug&echoParams=explicit&rows=4&start=2",
  "q=red mug&omitHeader=true",
  "q=pinned words red mug&fl=*,[elevated]&enableElevation=true",
  "q=red mug&sort=score desc",
  "q=red mug&sort=price asc",
  "q=red mug&sort=score desc,id asc&cursorMark=*",
  "q=red mug&group=true&group.field=category",
  "q=red mug&rows=0",
  "q=*:*",
  "q=red mug&fl=title",
  "q=xyzzy",
  "q=title:(red",
  "q=red mug&start=60",
];

/** Of them, so many are re-ranked at least. */
const RERANKED = 20;

/** Every shape is asked with the first, and with one of the others. `STREAM` hands out documents while it reads. */
const CLIENT = ["jdk", "GET"] as const;
const OTHERS = [
  ["jdk", "POST"],
  ["jetty", "GET"],
  ["jdk", "STREAM"],
  ["apache", "GET"],
  ["jetty", "POST"],
  ["apache", "POST"],
] as const;

const FIELDS = [
  "title",
  "category",
  "price",
  "views",
  "weight",
  "created",
  "raw",
  "batch",
  "place",
  "grade",
  "note",
  "tags",
  "sizes",
  "dates",
  "*_s",
  "score",
  "[elevated]",
  "[child]",
];
const WORDS = ["red mug", "striped cushion", "black leather bag", "blue", "shirt", "wooden chair lamp"];

function randomSearch(random: Random): string {
  const some = <T>(all: readonly T[], share: number): T[] => all.filter(() => random.next() < share);
  const params = [`q=${random.pick(WORDS)}`, `rows=${Math.floor(random.next() * 30)}`];
  if (random.next() < 0.5) params.push(`start=${Math.floor(random.next() * 40)}`);
  if (random.next() < 0.7) params.push(`fl=${["id", ...some(FIELDS, 0.4)].join()}`);
  params.push(
    ...some(
      [
        "hl=true&hl.fl=title,note",
        "facet=true&facet.field=category",
        "stats=true&stats.field=price",
        "echoParams=explicit",
        "fq=in_stock:true",
        "omitHeader=true",
      ],
      0.3,
    ),
  );
  return params.join("&");
}

const encode = (search: string): string =>
  search
    .split("&")
    .map((param) => param.replace(/=(.*)/s, (_, value: string) => `=${encodeURIComponent(decodeURIComponent(value))}`))
    .join("&");

async function ask(base: string, search: string, headers: Readonly<Record<string, string>> = {}) {
  const response = await fetch(`${base}/solr/products/select?${search}`, { headers });
  const bytes = Buffer.from(await response.arrayBuffer());
  const outcome = response.headers.get("x-armmt") ?? "";
  return {
    status: response.status,
    type: response.headers.get("content-type"),
    bytes,
    outcome: /reason=(\w+)/.exec(outcome)?.[1] ?? outcome.split(";")[0],
  };
}

const idsOf = (bytes: Buffer): string[] =>
  v
    .parse(
      v.object({ response: v.object({ docs: v.array(v.object({ id: v.optional(v.string(), "null") })) }) }),
      JSON.parse(bytes.toString()),
    )
    .response.docs.map(({ id }) => id);

const problem = missing("solr");
if (problem !== undefined) console.warn(problem);

describe.skipIf(problem !== undefined)("SolrJ", () => {
  let engine: RunningEngine;
  let edge: RunningEdge;
  let client: ChildProcessWithoutNullStreams;
  let answers: AsyncIterator<string>;

  beforeAll(async () => {
    engine = await startEngine("solr", (home) => {
      for (const [file, content] of Object.entries({ "solr.xml": "<solr/>", ...typedCore(), ...solrCore("secret") })) {
        mkdirSync(dirname(join(home, file)), { recursive: true });
        writeFileSync(join(home, file), content);
      }
    });
    const update = `${engine.url}/solr/products/update?commit=true`;
    const added = await fetch(update, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(TYPED_PRODUCTS),
    });
    expect(await added.text()).toContain('"status":0');
    edge = await startEdge("solr", engine.url, { hitFields: { price: "price", inStock: "in_stock" } });
    client = await startClient("solr", "SolrJ");
    client.stderr.on("data", () => undefined);
    answers = createInterface(client.stdout)[Symbol.asyncIterator]();
  }, 300_000);
  afterAll(async () => {
    client?.kill("SIGKILL");
    await edge?.stop();
    await engine?.stop();
  });

  async function solrj(name: string, base: string, method: string, search: string, core = "products"): Promise<Answer> {
    client.stdin.write(`${[name, `${base}/solr/${core}`, method, search].join("\t")}\n`);
    const { value, done } = await answers.next();
    if (done === true) throw new Error("SolrJ has ended");
    return v.parse(answerSchema, JSON.parse(value));
  }

  /** What is wrong with what this client gets of a search that the edge re-ranks or leaves alone. */
  async function judge(name: string, method: string, search: string, outcome: string | undefined): Promise<string[]> {
    const [own, given] = [await solrj(name, engine.url, method, search), await solrj(name, edge.url, method, search)];
    const faults: string[] = [];
    const say = (fault: string): void => void faults.push(`${name} ${method} ${search}: ${fault}`);
    if (outcome !== "applied") {
      const [left, right] = [own, given].map((answer) => JSON.stringify(answer).replaceAll(/127\.0\.0\.1:\d+/g, ""));
      if (left !== right) say(`${right?.slice(0, 500)} instead of ${left?.slice(0, 500)}`);
      return faults;
    }
    const wide = new URLSearchParams(search);
    wide.set("start", "0");
    wide.set("rows", "200");
    const window = await solrj(name, engine.url, method, wide.toString());
    for (const part of ["list", "rest", "error"] as const)
      if (own[part] !== given[part]) say(`${part}: ${given[part]} instead of ${own[part]}`);
    const docs = given.docs ?? [];
    if (docs.length !== own.docs?.length) say(`${docs.length} documents instead of ${own.docs?.length}`);
    if (new Set(docs).size !== docs.length) say("a document is there twice");
    const known = new Set(window.docs);
    const foreign = docs.filter((document) => !known.has(document));
    if (foreign.length > 0) say(`not the engine's: ${foreign[0]}`);
    if (own.highlighting !== undefined) {
      const expected = given.ids?.map((id) => [id, window.highlighting?.[id]]);
      if (JSON.stringify(Object.entries(given.highlighting ?? {})) !== JSON.stringify(expected))
        say("highlighting is not about the shown hits");
    }
    return faults;
  }

  it(`gets what the engine gives, in the order of the edge's JSON: ${SHAPES.length} shapes`, async () => {
    const faults: string[] = [];
    const outcomes: (string | undefined)[] = [];
    for (const [i, shape] of SHAPES.entries()) {
      const search = encode(shape);
      const binary = `${search}&wt=javabin&version=2`;
      /* oxlint-disable no-await-in-loop */
      const [direct, off, served, json] = [
        await ask(engine.url, binary),
        await ask(edge.url, binary, { "x-armmt": "off" }),
        await ask(edge.url, binary),
        await ask(edge.url, `${search}&wt=json`),
      ];
      const { outcome } = json;
      outcomes.push(outcome);
      if (served.outcome !== outcome) faults.push(`${shape}: ${served.outcome}, and ${outcome} as JSON`);
      if (withoutTime(off.bytes) !== withoutTime(direct.bytes) || off.status !== direct.status) faults.push(`${shape}: off differs`);
      if (served.type !== direct.type) faults.push(`${shape}: ${served.type} instead of ${direct.type}`);
      if (outcome !== "applied" && withoutTime(served.bytes) !== withoutTime(direct.bytes)) faults.push(`${shape}: not the engine's bytes`);
      if (outcome === "applied") {
        const { ids } = await solrj(CLIENT[0], edge.url, CLIENT[1], search);
        if (ids?.join() !== idsOf(json.bytes).join()) faults.push(`${shape}: ${ids?.join()} instead of ${idsOf(json.bytes).join()}`);
      }
      for (const [name, method] of [CLIENT, OTHERS[i % OTHERS.length]!]) faults.push(...(await judge(name, method, search, outcome)));
    }
    expect(faults).toEqual([]);
    expect(outcomes.filter((outcome) => outcome === "applied").length).toBeGreaterThanOrEqual(RERANKED);
  }, 180_000);

  it("gets what the engine gives for random requests", async () => {
    const random = createRandom("solrj");
    const faults: string[] = [];
    for (let i = 0; i < 40; i++) {
      const search = encode(randomSearch(random));
      const { outcome } = await ask(edge.url, `${search}&wt=javabin`);
      faults.push(...(await judge("jdk", "GET", search, outcome)));
    }
    expect(faults).toEqual([]);
  }, 120_000);

  it("loses no hit from page to page", async () => {
    for (const query of WORDS.slice(0, 3)) {
      const search = `q=${encodeURIComponent(query)}&fl=id`;
      const { ids: all = [] } = await solrj("jdk", engine.url, "GET", `${search}&rows=96`);
      const pages: string[] = [];
      for (let start = 0; start < all.length; start += 24) {
        const { ids = [] } = await solrj("jdk", edge.url, "GET", `${search}&start=${start}&rows=${Math.min(24, all.length - start)}`);
        pages.push(...ids);
      }
      expect(pages.toSorted(), query).toEqual(all.toSorted());
    }
  }, 60_000);

  it("leaves XML alone", async () => {
    expect(await judge("xml", "GET", encode("q=red mug&fl=*,score"), "request_not_understood")).toEqual([]);
  });

  it("writes nothing, and reads no other core", async () => {
    expect((await solrj("jdk", edge.url, "ADD", "new")).error).toMatch(/404/);
    const { list } = await solrj("jdk", engine.url, "GET", "q=id:new");
    expect(list).toMatch(/^0 /);
    for (const params of ["q=red", "q=red&collection=secret", `q=red&shards=${encodeURIComponent(`${engine.url}/solr/secret`)}`]) {
      const answer = await solrj("jdk", edge.url, "GET", params, params === "q=red" ? "secret" : "products");
      expect(answer.error).toBeDefined();
      expect(JSON.stringify(answer)).not.toContain(SECRET_TEXT);
    }
  });
  /* oxlint-enable no-await-in-loop */
});

/** The milliseconds that the engine took, an int that has one to five bytes. */
function withoutTime(bytes: Buffer): string {
  const text = bytes.toString("latin1");
  const name = text.indexOf("QTime");
  if (name < 0) return text;
  const from = name + 5;
  const tag = text.charCodeAt(from);
  let end = from + 1;
  if (tag === 6) end += 4;
  else if ((tag & 0x10) !== 0) while (text.charCodeAt(end++) >= 0x80);
  return text.slice(0, from) + text.slice(end);
}
