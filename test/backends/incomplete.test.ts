/** A reply in which an engine itself says that hits may be missing, in every dialect that has such words. */
import { describe, expect, it } from "vitest";
import { ALL_DIALECTS } from "../../src/backends/all-dialects.ts";
import type { DialectOptions } from "../../src/backends/dialect.ts";
import { dialectLimits } from "../../src/backends/dialects.ts";
import { parseConfig } from "../../src/config/config.ts";
import { GENERIC_SIGN, SIGNS, withMember } from "../faults/incomplete.ts";
import { STAND_INS } from "../search/dialects/all.ts";

const ITEMS = Array.from({ length: 30 }, (_, i) => ({ id: `item-${i}`, title: `item ${i}`, price: i }));

const standIns = STAND_INS.filter(({ title }) => !title.includes("commercetools")).flatMap((standIn) => {
  const signs = SIGNS.get(standIn.backend);
  return signs === undefined ? [] : [{ ...standIn, signs }];
});

/** As the configuration reads them. */
function optionsOf(backend: string, index: string, given: object): DialectOptions {
  const generic = backend === "generic" ? { generic: { ...Object(given).generic, incomplete: GENERIC_SIGN } } : {};
  const indexes = { [index]: { backend, url: "http://127.0.0.1:9200", window: 20, ...given, ...generic } };
  const config = parseConfig({ INDEXES: indexes }, dialectLimits(ALL_DIALECTS));
  const options = config.ok ? config.value.indexes.get(index) : undefined;
  if (options === undefined) throw new Error(JSON.stringify(config));
  return options;
}

it("knows the words of every backend but Shopify's, whose errors are a bypass of their own", () => {
  expect(new Set([...standIns.map(({ backend }) => backend), "shopify"])).toEqual(new Set(STAND_INS.map(({ backend }) => backend)));
});

describe.each(standIns)("$title", ({ signs, ...standIn }) => {
  const { backend, index, config, cases } = standIn;
  const dialect = ALL_DIALECTS.get(backend)!.create(new Map([[index, optionsOf(backend, index, { ...config })]]));
  const { path, init } = cases[0]!.ask;
  const url = new URL(`http://engine${path}`);

  async function reasonWith(member: readonly string[], value: unknown): Promise<string | undefined> {
    const method = init.method === "POST" ? ("POST" as const) : ("GET" as const);
    const request = { method, path: url.pathname, search: url.search, body: new TextEncoder().encode(init.body ?? "") };
    const plan = dialect.plan(request, index);
    if (!plan.ok) throw new Error(plan.error.message);
    const reply = withMember(await (await standIn.answer(new Request(url, init), ITEMS)).json(), member, value);
    const read = plan.value.parseReply(new TextEncoder().encode(JSON.stringify(reply)));
    if (!read.ok) throw new Error(read.error.detail);
    const [search] = read.value.searches;
    if (search?.ok !== true) throw new Error("The search cannot be read");
    expect(search.value.hits.length).toBeGreaterThan(1);
    return search.value.bypass?.reason;
  }

  it.each(signs)("$path", async ({ path: member, says, saysNot }) => {
    for (const value of says) expect([value, await reasonWith(member, value)]).toEqual([value, "engine_incomplete"]);
    for (const value of saysNot) expect([value, await reasonWith(member, value)]).toEqual([value, undefined]);
  });
});
