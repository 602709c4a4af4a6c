/** Solr whose handlers add to what clients ask: orders, groups, rows, fields, headers and pins that no request names. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningEdge, startEdge } from "./edge.ts";
import { ask, judgeAll, listAt, type Shape } from "./judge.ts";
import { missing, type RunningEngine, startEngine } from "./launch.ts";
import { fillHandlers, handlerCores, HANDLERS, PINNED } from "./solr-handlers.ts";
import { encode, SOLR } from "./shapes-solr.ts";

/** Parameters beside the words → outcome. */
const OUTCOMES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  stock: {
    "": "applied",
    "rows=5&start=3": "applied",
    "fl=id": "applied",
    "fl=title,price,id": "applied",
    "fl=*": "applied",
    "echoParams=none": "applied",
    "echoParams=explicit&fq=in_stock:true&fq=price:[1 TO *]&facet=true&facet.field=category&facet.limit=2&hl=true&hl.fl=title": "applied",
    "omitHeader=true": "applied",
    "rows=50": "applied",
    "rows=80": "applied",
    "indent=off&start=45": "applied",
    "omitHeader=true&wt=json&json.nl=flat&start=0&rows=10&fl=*,score": "applied",
  },
  sorted: { "": "explicit_sort", "start=5": "explicit_sort", "sort=score desc": "applied" },
  collapsed: { "": "grouped", "fq=in_stock:true": "grouped" },
  grouped: { "": "grouped", "group=false": "applied" },
  similar: { "mlt=false": "applied", "rows=3": "engine_refused_window" },
  omitting: { "": "applied", "omitHeader=false&rows=4": "applied" },
  echoing: { "": "applied", "rows=5&fq=in_stock:true": "applied", "echoParams=explicit": "applied" },
  functions: { "defType=lucene": "applied" },
  silent: { "": "engine_refused_window", "fl=id,title": "reply_not_search" },
  elevated: {
    "": "applied",
    "fl=title,price,id": "applied",
    "fl=id,score": "applied",
    "fl=id,[elevated]": "applied",
    "enableElevation=false": "applied",
  },
  keyed: { "hl=true&hl.fl=title&fl=sku,title": "applied", "": "applied", "fl=title,price,key": "applied" },
};

const shapes: readonly Shape[] = Object.entries(OUTCOMES).flatMap(([core, outcomes]) =>
  Object.entries(outcomes).map(([params, outcome]) => ({
    label: `${core} ?${params}`,
    path: `/solr/${core}/select?${encode(`q=red mug&${params}`)}`,
    outcome,
  })),
);

const isKeyed = ({ path }: Shape): boolean => path.includes("/keyed/");

const pinnedPath = (params: string): string => `/solr/elevated/select?q=red+mug${params}`;

const idsIn = (body: string): string[] => (listAt(body, SOLR.hits)?.elements ?? []).map((hit) => /"id":\s*"(\w+)"/.exec(hit)?.[1] ?? "");

const idsOf = async (base: string, path: string): Promise<string[]> => idsIn((await ask(base, { path })).body);

const problem = missing("solr");
if (problem !== undefined) console.warn(problem);

describe.skipIf(problem !== undefined)("solr, configured by its shop", () => {
  let engine: RunningEngine;
  let edge: RunningEdge;
  let wider: RunningEdge;
  let keyed: RunningEdge;
  beforeAll(async () => {
    engine = await startEngine("solr", (home) => {
      for (const [file, content] of Object.entries({ "solr.xml": "<solr/>", ...handlerCores() })) {
        mkdirSync(dirname(join(home, file)), { recursive: true });
        writeFileSync(join(home, file), content);
      }
    });
    await fillHandlers(engine.url);
    edge = await startEdge(
      "solr",
      engine.url,
      {},
      Object.keys(HANDLERS).filter((name) => name !== "keyed"),
    );
    wider = await startEdge("solr", engine.url, { pageSize: 24 }, ["rows24"]);
    keyed = await startEdge("solr", engine.url, { idField: "sku" }, ["keyed"]);
  }, 300_000);
  afterAll(async () => {
    await edge?.stop();
    await wider?.stop();
    await keyed?.stop();
    await engine?.stop();
  });

  it("keeps orders and groups that only the handler knows, and re-ranks the rest", async () => {
    expect(
      await judgeAll(
        shapes.filter((shape) => !isKeyed(shape)),
        engine.url,
        edge.url,
        SOLR,
      ),
    ).toEqual([]);
    expect(await judgeAll(shapes.filter(isKeyed), engine.url, keyed.url, { ...SOLR, id: "key" })).toEqual([]);
  }, 120_000);

  it("gives as many rows as the handler does, and re-ranks them where the configuration says so", async () => {
    const seen: string[] = [];
    const all = await idsOf(engine.url, "/solr/rows24/select?q=red+mug&fl=id&rows=200");
    for (const start of [0, 24, 48]) {
      const path = `/solr/rows24/select?q=red+mug&fl=id&start=${start}`;
      const [direct, told, untold] = await Promise.all([engine, wider, edge].map(({ url }) => ask(url, { path }))); // oxlint-disable-line no-await-in-loop
      const counts = [direct, told, untold].map((reply) => listAt(reply!.body, SOLR.hits)?.elements.length);
      expect(counts).toEqual(Array(3).fill(Math.min(24, Math.max(0, all.length - start))));
      expect([told?.outcome, untold?.outcome]).toEqual(["applied", "reply_not_search"]);
      seen.push(...idsIn(told!.body));
    }
    expect(seen.toSorted()).toEqual(all.slice(0, seen.length).toSorted());
  });

  it("widens a page of which the handler fixes the rows", async () => {
    const all = await idsOf(engine.url, "/solr/fixed/select?q=red+mug&fl=id&start=0");
    const { body, outcome } = await ask(edge.url, { path: "/solr/fixed/select?q=red+mug&fl=id&rows=7" });
    expect([outcome, idsIn(body).length, all.length]).toEqual(["applied", 7, 7]);
  });

  it("keeps pins of elevate.xml where they are", async () => {
    for (const params of ["", "&fl=id", "&fl=id,score", "&fl=*", "&start=0&rows=50", "&elevateIds=p0100,p0200&fl=id"]) {
      const { body, outcome } = await ask(edge.url, { path: pinnedPath(params) }); // oxlint-disable-line no-await-in-loop
      expect(outcome, params).toBe("applied");
      expect(idsIn(body).slice(0, 2), params).toEqual(params.includes("elevateIds") ? ["p0100", "p0200"] : PINNED);
    }
  });
});
