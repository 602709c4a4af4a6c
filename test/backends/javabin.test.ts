/** Replies in Solr's binary format: any reply, any page, the engine's own values; and what is not in the format is left alone. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RequestPlan } from "../../src/backends/dialect.ts";
import { hitReader } from "../../src/backends/dialects.ts";
import { cutMember, replaceNumbers } from "../../src/backends/json/edits.ts";
import { leftToEngine, planOne } from "../../src/backends/json/plan.ts";
import { partOf, readHits } from "../../src/backends/json/reply.ts";
import { isTrueAt, members, numberAt, spanAt } from "../../src/backends/json/spans.ts";
import { withJavabin } from "../../src/backends/solr/javabin.ts";
import { ok } from "../../src/result.ts";
import { decode, encode, type Entry, type Value } from "./javabin-codec.ts";

const anyText = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.constantFrom("", "id", "docs", 'quotes " \\', "\ufeff\u0000\u2028", "😀".repeat(20), "x".repeat(200)),
);
const int = fc.oneof(fc.constantFrom(0, 1, 14, 15, 16, 255, -1, 2 ** 31 - 1, -(2 ** 31)), fc.integer());
const long = fc.oneof(
  fc.constantFrom(0n, 14n, 15n, -1n, 2n ** 53n + 1n, 2n ** 56n - 1n, 2n ** 56n, 2n ** 63n - 1n, -(2n ** 63n)),
  fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
);
/** Few, so that documents share names, and more than 31, so that some numbers of names need a second byte. */
const name = fc.oneof(
  fc.integer({ min: 0, max: 60 }).map((n) => `field${n}_s`),
  anyText,
);

const { value } = fc.letrec<{ value: Value }>((tie) => {
  const entries = fc.array(fc.tuple(fc.oneof({ weight: 9, arbitrary: name }, { weight: 1, arbitrary: fc.constant(null) }), tie("value")), {
    maxLength: 4,
  });
  const named = fc.array(fc.tuple(name, tie("value")), { maxLength: 4 });
  const list = fc.array(tie("value"), { maxLength: 4 });
  return {
    value: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      fc.constantFrom<Value>(null, true, false),
      anyText,
      int.map((n): Value => ["int", n]),
      long.map((n): Value => ["long", n]),
      fc.float().map((n): Value => ["float", n]),
      fc.double().map((n): Value => ["double", n]),
      long.map((n): Value => ["date", n]),
      fc.integer({ min: -128, max: 127 }).map((n): Value => ["byte", n]),
      fc.integer({ min: -32768, max: 32767 }).map((n): Value => ["short", n]),
      fc.array(fc.integer({ min: 0, max: 255 })).map((bytes): Value => ["bytes", bytes]),
      fc.array(fc.integer()).map((ints): Value => ["ints", ints]),
      fc.array(fc.boolean()).map((flags): Value => ["flags", flags]),
      fc.tuple(int, anyText).map(([n, string]): Value => ["enum", n, string]),
      name.map((string): Value => ["name", string]),
      list.map((all): Value => ["list", all]),
      list.map((all): Value => ["iterator", all]),
      fc.tuple(tie("value"), tie("value")).map(([left, right]): Value => ["pair", left, right]),
      entries.map((all): Value => ["named", all]),
      entries.map((all): Value => ["ordered", all]),
      named.map((all): Value => ["map", all]),
      named.map((all): Value => ["entries", all]),
      fc
        .tuple(named, fc.array(named, { maxLength: 2 }))
        .map(([all, children]): Value => ["document", all, children.map((child) => ["document", child, []])]),
      fc.tuple(list, list).map(([numbers, documents]): Value => ["documents", numbers, documents]),
    ),
  };
});

const document = fc.record({
  before: fc.array(fc.tuple(name, value), { maxLength: 5 }),
  after: fc.array(fc.tuple(name, value), { maxLength: 5 }),
  score: fc.option(fc.float({ noNaN: true, noDefaultInfinity: true })),
  children: fc.array(fc.array(fc.tuple(name, value), { maxLength: 2 }), { maxLength: 2 }),
});

const ordered = (all: Readonly<Record<string, Value>>): Value => ["ordered", Object.entries(all)];
const documentWith = (all: Readonly<Record<string, Value>>): Value => ["document", Object.entries(all), []];

interface Reply {
  readonly numbers: readonly Value[];
  readonly documents: readonly Value[];
  readonly before: readonly Entry[];
  readonly after: readonly Entry[];
}

/** Ids and scores are none but the edge's own. */
const isFree = ([key]: Entry): boolean => !["id", "score", "price", "[elevated]", "response", "responseHeader"].includes(key ?? "");

const reply: fc.Arbitrary<Reply> = fc
  .record({
    documents: fc.array(document, { maxLength: 8 }),
    exact: fc.option(fc.boolean(), { nil: undefined }),
    maxScore: fc.option(fc.float({ noNaN: true, noDefaultInfinity: true })),
    before: fc.array(fc.tuple(name, value), { maxLength: 2 }),
    after: fc.array(fc.tuple(name, value), { maxLength: 3 }),
  })
  .map(({ documents, exact, maxScore, before, after }) => ({
    numbers: [["long", 99n], ["long", 0n], maxScore === null ? null : ["float", maxScore], ...(exact === undefined ? [] : [exact])],
    documents: documents.map((one, i): Value => {
      const id: Value = i % 3 === 2 ? ["int", i] : `p${i}`;
      const score: Entry[] = one.score === null ? [] : [["score", ["float", one.score]]];
      const fields: Entry[] = [...one.before.filter(isFree), ["id", id], ...one.after.filter(isFree), ...score];
      return ["document", fields, one.children.map((child): Value => ["document", child, []])];
    }),
    before: before.filter(isFree),
    after: after.filter(isFree),
  }));

const only = (...documents: readonly Value[]): Reply => ({
  numbers: [["long", 99n], ["long", 0n], null, true],
  documents,
  before: [],
  after: [],
});

interface Shown {
  readonly order?: readonly number[];
  readonly start?: number;
  readonly params?: Readonly<Record<string, Value>>;
}

const SENT = { q: "red mug", fq: ["list", ["a", "b"]], start: "0", rows: "50", wt: "javabin" } as const;

function replyOf({ numbers, documents, before, after }: Reply, { order, start = 0, params = SENT }: Shown = {}): Uint8Array<ArrayBuffer> {
  const header = ordered({ status: ["int", 0], QTime: ["int", 17], params: ordered(params) });
  const shown: Value[] = numbers.map((number, i) => (i === 1 ? ["long", BigInt(start)] : number));
  const response: Value = ["documents", shown, order?.map((i) => documents[i]!) ?? documents];
  return encode(["ordered", [["responseHeader", header], ...before, ["response", response], ...after]]);
}

/** A reader of JSON replies: re-orders, and does to them what the dialect does, or nothing else where there is no `start`. */
function jsonPlan({ start, idField = "id" }: { readonly start?: number; readonly idField?: string } = {}): RequestPlan {
  const fields = { idField, hitFields: { price: "price" } };
  const readHit = hitReader(fields, (text, slot, itemId, values) =>
    ok({ itemId, score: numberAt(text, ["score"], slot), isPinned: isTrueAt(text, ["[elevated]"], slot), values }),
  );
  return planOne(leftToEngine("products", ""), { method: "GET", path: "/", search: "", body: undefined }, (text, from) => {
    const found = readHits(text, ["response", "docs"], from, readHit);
    if (!found.ok || start === undefined) return found.ok ? partOf(text, found.value) : found;
    const params = members(text, spanAt(text, ["responseHeader", "params"])!);
    const rows = cutMember(
      params,
      params.findIndex(({ key }) => key === "rows"),
    );
    const own = { ...params.find(({ key }) => key === "fq")!.value, text: '["new",["list"]]' };
    const edits = [...replaceNumbers(text, { "response.start": start }), rows, own];
    return partOf(text, found.value, { unasked: new Set(["score", "[elevated]"]), edits: () => edits });
  });
}

const planOf = (options: Parameters<typeof jsonPlan>[0] = {}): RequestPlan =>
  withJavabin(jsonPlan(options), { idField: "id", options: { hitFields: { price: "price" } }, ...options });

function read(bytes: Uint8Array, plan: RequestPlan = planOf()) {
  const given = plan.parseReply(bytes);
  if (!given.ok) return given;
  const part = given.value.searches[0]!;
  return part.ok ? ok({ ...part.value, assemble: (order: readonly number[]) => Buffer.from(given.value.assemble([order])) }) : part;
}

const LEFT = { ok: false, error: { reason: expect.stringMatching(/^reply_not_(?:search|json)$/) } };
const all = ({ hits }: { readonly hits: readonly unknown[] }): number[] => hits.map((_, i) => i);

describe("a reply in javabin", () => {
  it("is written by these tests as they read it", () => {
    fc.assert(
      fc.property(value, (any) => {
        expect(decode(encode(any))).toEqual(any);
      }),
      { numRuns: 300 },
    );
  });

  it("says nothing of fields that are not read: what stands for them is no value", () => {
    const documents = Array.from({ length: 9 }, (_, i) => documentWith({ id: `p${i}`, weight: ["int", 70], price: ["float", 3] }));
    const found = read(replyOf(only(...documents)));
    if (!found.ok) throw new Error(found.error.detail);
    const { valuesOf } = found.value;
    expect(documents.map((_, i) => [valuesOf?.(i, "price"), valuesOf?.(i, "weight")])).toEqual(documents.map(() => [[3], []]));
  });

  it("is the same bytes in the engine's order", () => {
    fc.assert(
      fc.property(reply, (any) => {
        const bytes = replyOf(any);
        const given = read(bytes);
        expect(given.ok && given.value.assemble(all(given.value))).toEqual(Buffer.from(bytes));
      }),
      { numRuns: 250 },
    );
  });

  it("has exactly the values of the documents that are shown, in their order, and all others as they were", () => {
    const page = reply.chain((any) => fc.tuple(fc.constant(any), fc.shuffledSubarray(any.documents.map((_, i) => i)), fc.nat(40)));
    const { q, start, wt } = SENT;
    fc.assert(
      fc.property(page, ([any, order, from]) => {
        const given = read(replyOf(any), planOf({ start: from }));
        const documents = any.documents.map((one): Value =>
          isDocument(one) ? ["document", one[1].filter(([key]) => key !== "score"), one[2]] : one,
        );
        const expected = replyOf(
          { ...any, documents },
          { order, start: from, params: { q, fq: ["list", ["new", ["list", ["list"]]]], start, wt } },
        );
        expect(given.ok && decode(given.value.assemble(order))).toEqual(decode(expected));
        // A name is written out where it comes first, as Solr itself would.
        expect(given.ok && given.value.assemble(order)).toEqual(Buffer.from(expected));
      }),
      { numRuns: 250 },
    );
  });

  it("has the hits of the same reply in JSON", () => {
    const documents = [
      documentWith({ id: "p1", price: ["double", 12.9], score: ["float", Math.fround(3.0469646)], "[elevated]": true }),
      documentWith({ title: "x", id: ["long", 9007199254740993n], price: ["float", Math.fround(0.1)] }),
      documentWith({ id: ["int", 7], price: "13.5", "[elevated]": false, score: ["float", -0] }),
    ];
    const json = [
      `{"id":"p1","price":12.9,"score":3.0469646,"[elevated]":true}`,
      `{"title":"x","id":9007199254740993,"price":0.1}`,
      `{"id":7,"price":"13.5","[elevated]":false,"score":-0}`,
    ];
    const plainBytes = new TextEncoder().encode(`{"response":{"numFound":3,"start":0,"numFoundExact":true,"docs":[${json.join()}]}}`);
    const [binary, plain] = [read(replyOf(only(...documents))), read(plainBytes, jsonPlan())];
    expect(binary.ok && binary.value.hits).toEqual(plain.ok && plain.value.hits);
  });

  it("may come as JSON all the same", () => {
    const given = read(new TextEncoder().encode(`{"response":{"docs":[{"id":"p1"}]}}`));
    expect(given.ok && given.value.hits.map(({ itemId }) => itemId)).toEqual(["p1"]);
  });

  it("is known by fields below others", () => {
    const documents = [documentWith({ item: documentWith({ note: "a", sku: "s1" }) }), documentWith({ item: ordered({ sku: "s2" }) })];
    const given = read(replyOf(only(...documents)), planOf({ idField: "item.sku" }));
    expect(given.ok && given.value.hits.map(({ itemId }) => itemId)).toEqual(["s1", "s2"]);
  });
});

describe("bytes that are not the format", () => {
  const replies = fc.sample(
    reply.filter(({ documents }) => documents.length > 3),
    { numRuns: 5, seed: 20 },
  );
  const REPLIES = replies.map((any) => replyOf(any));

  it("are left alone wherever they break off", () => {
    for (const bytes of REPLIES) {
      for (let end = 0; end < bytes.length; end++) expect(read(bytes.slice(0, end))).toMatchObject(LEFT);
    }
  });

  it("are left alone, or come back as they were, whatever is wrong with them", () => {
    const change = fc.tuple(fc.nat(10_000), fc.integer({ min: 0, max: 255 }));
    fc.assert(
      fc.property(fc.constantFrom(...REPLIES), fc.array(change, { minLength: 1, maxLength: 3 }), (bytes, changes) => {
        const changed = bytes.slice();
        for (const [at, byte] of changes) changed[at % bytes.length] = byte;
        const given = read(changed);
        if (given.ok) expect(given.value.assemble(all(given.value))).toEqual(Buffer.from(changed));
        else expect(["reply_not_search", "reply_not_json", "duplicate_ids"]).toContain(given.error.reason);
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ["an older version", encode(["ordered", []]).with(0, 1)],
    ["two values", Uint8Array.of(2, 0, 0)],
    ["nothing", new Uint8Array()],
    ["a name that was never written", Uint8Array.of(2, 0xa1, 0xe7, 0)],
    ["a list of two thousand million", Uint8Array.of(2, 0x9f, 0xff, 0xff, 0xff, 0xff, 0x07)],
    ["an endless number", Uint8Array.of(2, ...Array.from({ length: 100 }, () => 0xff))],
    ["lists in lists", Uint8Array.of(2, ...Array.from({ length: 100_000 }, () => 0x81), 0)],
    ["lists in lists in a field", Uint8Array.of(2, 0xa1, 0xe0, 0x21, 0x61, ...Array.from({ length: 100_000 }, () => 0x82), 0)],
    ["a text that is not UTF-8", Uint8Array.of(2, 0xa1, 0xe0, 0x21, 0xff, 0)],
    ["a name that is written out again", Uint8Array.of(2, 0xa2, 0xe0, 0x21, 0x61, 0, 0xe0, 0x21, 0x61, 0)],
    ["a size with a byte too many", Uint8Array.of(2, 0xbf, 0x80, 0x00)],
  ])("%s is left alone", (_, bytes) => {
    expect(read(bytes)).toMatchObject(LEFT);
  });

  it("are not made longer than a multiple, however long the names are", () => {
    const names: Entry[] = Array.from({ length: 20_000 }, () => ["n".repeat(2000), null]);
    const given = read(encode(["ordered", [["section", ["ordered", names]]]]));
    expect(given.ok ? "" : given.error.detail).toContain("too long as JSON");
  });
});

function isDocument(any: Value): any is readonly ["document", readonly Entry[], children: readonly Value[]] {
  return Array.isArray(any) && any[0] === "document";
}
