/** The pure parts of the page of rules: drafts, what is written by hand, and what a reply says of its hits. */
import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  act,
  changesOf,
  doneTo,
  freeId,
  hiddenBy,
  pin,
  put,
  rebase,
  release,
  type Rules,
  stateOf,
  whenOf,
  without,
} from "../../../src/report/dashboard/rules/draft.ts";
import { FIELDS, isLines, shown, written } from "../../../src/report/dashboard/rules/fields.ts";
import { hitsOf } from "../../../src/report/dashboard/rules/reply.ts";
import { didInWords, distance, moment, whenInWords } from "../../../src/report/dashboard/rules/words.ts";
import { checkRules, parseRules, type Rule } from "../../../src/rules/document.ts";

const WHEN = whenOf(" red bag ", undefined);
const rulesOf = (text: string): Rules => {
  const parsed = parseRules(text);
  if (!parsed.ok) throw new Error(parsed.error.join());
  return parsed.value.rules;
};
const rule = (id: string, note: string): Rule => ({ id, note, action: { do: "diversify", first: 5 } });
const pinsOf = (rules: Rules): string =>
  rules.flatMap(({ action }) => (action.do === "pin" ? action.items.map(({ id, position }) => `${position}:${id}`) : [])).join(" ");

describe("a draft", () => {
  it("pins an item where it is dropped; pins without a gap make room, and an item has one place", () => {
    const one = pin([], WHEN, "a", 1, "mia");
    expect(one).toEqual([{ id: "pin-red-bag", name: "pin: red bag", owner: "mia", when: { query: [{ is: "red bag" }] }, action: { do: "pin", items: [{ id: "a", position: 1 }] } }]); // prettier-ignore
    const more = pin(pin(pin(one, WHEN, "b", 2, ""), WHEN, "c", 5, ""), WHEN, "d", 1, "");
    expect(pinsOf(more)).toBe("1:d 2:a 3:b 5:c");
    expect(pinsOf(pin(more, WHEN, "c", 2, ""))).toBe("1:d 2:c 3:a 4:b");
    expect(pinsOf(pin(more, WHEN, "d", 3, ""))).toBe("2:a 3:d 4:b 5:c");
  });

  it("is always a valid document, whatever is pinned, hidden, boosted, buried and let go", () => {
    const step = fc.record({ kind: fc.constantFrom("pin", "hide", "boost", "bury", "release"), id: fc.constantFrom("a", "b", "__proto__", "4711"), at: fc.integer({ min: 1, max: 6 }), query: fc.constantFrom("", "red bag", "__proto__", "ÄÖ!") }); // prettier-ignore
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        const rules = steps.reduce((draft: Rules, { kind, id, at, query }) => {
          const when = whenOf(query, at > 3 ? "products" : undefined);
          if (kind === "pin") return pin(draft, when, id, at, "");
          return kind === "release" ? release(draft, when, id) : act(draft, kind, when, id, "");
        }, []);
        const checked = checkRules({ format: 1, rules });
        expect(checked.ok ? [] : checked.error).toEqual([]);
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  it("never changes rules that say more than which items", () => {
    const own = rulesOf(JSON.stringify({ format: 1, rules: [{ id: "brand", when: { query: [{ is: "red bag" }] }, action: { do: "hide", match: [{ field: "brand", is: ["Acme"] }] } }, { id: "off", enabled: false, when: { query: [{ is: "red bag" }] }, action: { do: "pin", items: [{ id: "a", position: 1 }] } }] })); // prettier-ignore
    const draft = pin(act(own, "hide", WHEN, "a", ""), WHEN, "b", 1, "");
    expect(draft.slice(0, 2)).toEqual(own);
    expect(draft.map(({ id }) => id)).toEqual(["brand", "off", "hide-red-bag", "pin-red-bag"]);
    expect(hiddenBy(draft, WHEN)).toEqual(["a"]);
    expect([doneTo(draft, WHEN, "a"), doneTo(draft, WHEN, "b"), doneTo(draft, WHEN, "c")]).toEqual([["hide"], ["pin"], []]);
    expect(release(release(draft, WHEN, "a"), WHEN, "b")).toEqual(own);
  });

  it("puts my changes on top of somebody else's, and names what both have changed", () => {
    const base = [rule("a", "1"), rule("b", "1"), rule("c", "1"), rule("d", "1")];
    const mine = [...without(put(base, rule("a", "mine")), "c"), rule("new", "mine")];
    const theirs = [...without(put(put(base, rule("a", "theirs")), rule("c", "theirs")), "d"), rule("other", "theirs")];
    const { rules, both } = rebase(base, mine, theirs);
    expect(rules.map(({ id, note }) => `${id} ${note}`)).toEqual(["a mine", "b 1", "other theirs", "new mine"]);
    expect(both).toEqual(["a", "c"]);
    expect(changesOf(base, mine)).toEqual([{ id: "a", how: "changed" }, { id: "c", how: "taken out" }, { id: "new", how: "new" }]); // prettier-ignore
    expect(rebase(base, mine, mine).both).toEqual([]);
  });

  it("gives ids that nobody has, and that a document may hold", () => {
    expect([freeId([], "pin Rote Täsche!"), freeId([], "日本"), freeId([], `pin ${"x".repeat(300)}`).length]).toEqual(["pin-rote-t-sche", "rule", 50]); // prettier-ignore
    expect(freeId(pin([], WHEN, "a", 1, ""), "pin red bag")).toBe("pin-red-bag-2");
  });

  it("says of each rule whether it is live", () => {
    const at = Date.parse("2026-11-30T12:00:00Z");
    const state = (more: object): string => stateOf({ ...rule("a", ""), ...more }, at);
    expect([state({}), state({ enabled: false }), state({ when: { from: "2026-11-30T12:00:00Z" } }), state({ when: { from: "2026-11-30T13:01:00+01:00" } }), state({ when: { until: "2026-11-30T13:00:00+01:00" } })]).toEqual(["live", "off", "live", "planned", "over"]); // prettier-ignore
  });
});

describe("what is written by hand", () => {
  const VALUES = {
    phrases: [{ is: "tv" }, { starts: "smart" }, { contains: "a: b" }, { contains: "smart tv", ordered: true }],
    filters: { category: ["shoes", "boots"], "a b": ["x: y"] },
    lines: ["DE", "a, b"],
    values: [3, "3", true],
    items: [
      { id: "tv-55", position: 1 },
      { id: "a: b", position: 2 },
    ],
    conditions: [{ ids: ["a", "b"] }, { field: "brand", is: ["Acme", 3, false, "false", "null"] }, { field: "variants.stock", is: [0], every: true }, { field: "price", above: 10, below: 20.5 }, { field: "price", below: -1 }], // prettier-ignore
  } as const;

  it.each(["phrases", "filters", "lines", "values", "items", "conditions"] as const)("comes back as it was: %s", (control) => {
    const text = shown(control, VALUES[control]);
    expect(text).not.toMatch(/^[[{]/);
    expect(written(control, text)).toEqual(VALUES[control]);
  });

  it("is shown as JSON where a line cannot say it, and nothing is lost", () => {
    for (const [control, value] of [
      ["conditions", [{ field: "every thing", is: ["a"] }]],
      ["conditions", [{ field: "a|b", is: ["c | d"] }]],
      ["conditions", [{ field: "brand", is: ["A"], more: 1 }]],
      ["conditions", [{ field: "a:b", is: ["c"] }]],
      ["phrases", [{ contains: "tv", ordered: false }]],
      ["phrases", [{ is: " tv" }]],
      ["items", [{ id: "a", position: 1, note: "x" }]],
      ["lines", ["a\nb"]],
      ["filters", { "a:b": ["c"] }],
    ] as const) {
      expect(written(control, shown(control, value))).toEqual(value);
    }
  });

  it("has a field for each member of the schema but share, which stands in the JSON", () => {
    const schema = readFileSync(new URL("../../../docs/reference/rules.schema.json", import.meta.url), "utf8");
    const { properties } = JSON.parse(schema).properties.rules.items;
    const paths = FIELDS.map(({ path }) => path.join("."));
    const missing = [
      ...Object.keys(properties).filter((name) => !["id", "enabled", "when", "action"].includes(name)),
      ...Object.keys(properties.when.properties).map((name) => `when.${name}`),
      ...properties.action.anyOf.flatMap((one: { properties: object }) => Object.keys(one.properties).map((name) => `action.${name}`)),
    ].filter((path) => path !== "action.do" && !paths.includes(path));
    expect(missing).toEqual(["when.share"]);
    expect(FIELDS.filter(({ control }) => isLines(control)).length).toBeGreaterThan(5);
  });
});

describe("a reply", () => {
  it.each([
    ["elasticsearch", { hits: { hits: [{ _id: "7", _source: { title: "Mug", image: "/i/7.svg" } }] } }],
    ["algolia", { hits: [{ objectID: "7", name: "Mug", images: [{ url: "/i/7.svg" }] }] }],
    ["meilisearch", { hits: [{ id: 7, title: "Mug", thumbnail_url: "/i/7.svg" }] }],
    ["typesense", { hits: [{ document: { id: "7", product_name: "Mug", image_url: "/i/7.svg" }, highlights: [] }] }],
    ["solr", { response: { docs: [{ id: "7", title: ["Mug"], img: ["/i/7.svg"] }] } }],
    ["vespa", { root: { children: [{ id: "id:p:p::7", fields: { id: "7", title: "Mug", picture: "/i/7.svg" } }] } }],
    ["shopify", { data: { search: { nodes: [{ id: "7", title: "Mug", featuredImage: { url: "/i/7.svg" } }] } } }],
  ])("of %s says title and picture", (_, reply) => {
    expect(hitsOf({ armmt: { items: [{ id: "7" }] }, ...reply }, ["7"])).toEqual([{ title: "Mug", picture: "/i/7.svg" }]);
  });

  it("says nothing where hits are not found, and shows no address but http's and the shop's own", () => {
    expect(hitsOf({ hits: [{ id: "8" }] }, ["7"])).toEqual([undefined]);
    expect(hitsOf({ hits: [] }, [])).toEqual([]);
    expect(hitsOf({ hits: [{ id: "7", image: "javascript:alert(1)" }] }, ["7"])[0]?.picture).toBeUndefined();
    expect(hitsOf({ hits: [{ id: "7", image: "data:image/svg+xml,x" }] }, ["7"])[0]?.picture).toBeUndefined();
  });
});

describe("words", () => {
  const at = Date.parse("2026-11-30T12:00:00Z");
  it("say when, in the rule's own zone, and leave out nothing", () => {
    expect(moment("2026-11-30T22:59:00Z", "Europe/Berlin")).toBe("30 Nov 2026, 23:59 Europe/Berlin");
    expect(moment("2026-11-30T22:59:00Z", "Not/AZone")).toBe("2026-11-30T22:59:00Z");
    expect([distance("2026-11-30T15:00:00Z", at), distance("2026-11-30T11:30:00Z", at), distance("2026-12-03T12:00:00Z", at)]).toEqual(["in 3 h", "30 min ago", "in 3 d"]); // prettier-ignore
    const half: Rule = { id: "a", when: { country: ["DE"], share: { to: 0.5 }, until: "2026-11-30T15:00:00Z" }, action: { do: "diversify", first: 5 } }; // prettier-ignore
    expect(whenInWords(half, at)).toBe('Countries DE; share {"to":0.5}; until 30 Nov 2026, 15:00 UTC (in 3 h)');
    expect(whenInWords({ id: "a", action: half.action }, at)).toBe("everywhere");
    expect(didInWords(undefined)).toBe("matched no search");
    expect(didInWords(new Map([["", 2], ["matched", 3], ["sorted", 1]]))).toBe("matched 3, acted in 2; did nothing: sorted 1"); // prettier-ignore
  });
});
