/**
 * Any reply, any page: what the shopper gets is the engine's window in another order, made of the engine's bytes. Replies are random JSON
 * with all that tempts a rewriter: big integers, escapes, keys that look doubled, white space, ids inside documents.
 */
import * as fc from "fast-check";
import { beforeAll, expect, it } from "vitest";
import { drawnItems, publish } from "./catalog.ts";
import { match, openEdge, outcomeOf, postJson } from "./edge.ts";

const CATALOG = "permutation";
const WINDOW = 12;
const IDS = drawnItems()
  .slice(0, 30)
  .map((item) => item.itemId);

beforeAll(() => publish(CATALOG));

const oddMember = fc.constantFrom(
  '"big":12345678901234567890',
  '"one":1.0',
  '"exp":-1.5E+3',
  '"text":"\\ud83d\\ude00 \\"quoted\\" \\\\ é ] } ,"',
  '"_id":"not this one"',
  '"hits":{"hits":[{"_id":"nor this"}]}',
  '"same":1,"same":2',
  '"":null',
  '"list":[ ]',
);
const space = fc.constantFrom("", " ", "\n  ", "\t");

const hit = fc
  .record({
    members: fc.array(oddMember, { maxLength: 5 }),
    score: fc.constantFrom("1", "0.5", "2.25", "null", "7e-1"),
    before: space,
    after: space,
    idFirst: fc.boolean(),
  })
  .map(({ members, score, before, after, idFirst }) => (id: string) => {
    const idMember = `"_id"${before}:${after}${JSON.stringify(id)}`;
    const rest = `"_score":${score},"_source":{${members.join(`,${after}`)}}`;
    return `{${before}${idFirst ? `${idMember},${rest}` : `${rest},${idMember}`}${after}}`;
  });

const search = fc.record({
  ids: fc.shuffledSubarray(IDS),
  hits: fc.array(hit, { minLength: IDS.length, maxLength: IDS.length }),
  separator: fc.tuple(space, space),
  limit: fc.integer({ min: 1, max: 16 }),
  isPretty: fc.boolean(),
});

it("all pages together are the engine's list, each hit once and byte for byte, the first W re-ranked and the rest as it was", async () => {
  await fc.assert(
    fc.asyncProperty(search, async ({ ids, hits, separator, limit, isPretty }) => {
      const raw = ids.map((id, i) => hits[i]!(id));
      const [gap, edgeSpace] = separator;
      const head = `{"took":3,${gap}"hits":{"total":{"value":${raw.length}},${isPretty ? "\n" : ""}"hits":[`;
      const tail = `${edgeSpace}]},"aggregations":{"n":98765432109876543210}}${isPretty ? "\n" : ""}`;
      const engine = async (request: Request): Promise<Response> => {
        const { from, size } = JSON.parse(await request.text());
        return new Response(head + raw.slice(from, from + size).join(`,${gap}`) + tail);
      };
      const edge = openEdge({
        catalog: CATALOG,
        engine,
        vars: { INDEXES: { products: { backend: "elasticsearch", url: "http://127.0.0.1:9200", window: WINDOW, catalog: CATALOG } } },
      });
      const page = async (from: number, headers: Record<string, string> = {}) =>
        edge.send("/products/_search", postJson(match("shoes", { from, size: limit }), headers));

      const shown: string[] = [];
      for (let from = 0; from < raw.length; from += limit) {
        const response = await page(from);
        const text = await response.text();
        const expectedOutcome = from >= WINDOW ? "beyond_window" : raw.length < 2 ? "too_few_hits" : "applied";
        expect(outcomeOf(response)).toBe(expectedOutcome);
        expect(text.startsWith(head) && text.endsWith(tail)).toBe(true);
        // Cut the page back into hits by the engine's own texts, longest first because one may begin like another.
        let rest = text.slice(head.length, text.length - tail.length);
        const count = Math.min(limit, raw.length - from);
        for (let i = 0; i < count; i++) {
          const next = raw.find((one) => rest.startsWith(one) && !shown.includes(one));
          expect(next, rest.slice(0, 80)).toBeDefined();
          shown.push(next!);
          rest = rest.slice(next!.length);
          if (i < count - 1) {
            expect(rest.startsWith(`,${gap}`)).toBe(true);
            rest = rest.slice(1 + gap.length);
          }
        }
        expect(rest).toBe("");
        expect(await (await page(from, { "x-armmt": "off" })).text()).toBe(head + raw.slice(from, from + limit).join(`,${gap}`) + tail);
      }
      expect(shown.slice(0, WINDOW).toSorted()).toEqual(raw.slice(0, WINDOW).toSorted());
      expect(shown.slice(WINDOW)).toEqual(raw.slice(WINDOW));
    }),
    { numRuns: 30 },
  );
});
