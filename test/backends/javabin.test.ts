/** Replies in Solr's binary format: any reply, any page, the engine's own values; and what is not in the format is left alone. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createDialects, dialectsOf } from "../../src/backends/dialects.ts";
import type { DialectOptions } from "../../src/backends/dialect.ts";
import { SOLR } from "../../src/backends/solr.ts";
import { decode, encode, type Entry, type Value } from "./javabin-codec.ts";
import { parseReply, type PlannedSearch, planSearch } from "./one-search.ts";

const text = fc.oneof(
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
  text,
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
      text,
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
      fc.tuple(int, text).map(([n, string]): Value => ["enum", n, string]),
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

const isFree = ([key]: Entry): boolean => !["id", "score", "price", "[elevated]"].includes(key ?? "");

function documentOf(
  id: Value,
  { before, after, score, children }: { before: Entry[]; after: Entry[]; score: number | null; children: Entry[][] },
): Value {
  const fields: Entry[] = [
    ...before.filter(isFree),
    ["id", id],
    ...after.filter(isFree),
    ...(score === null ? [] : [["score", ["float", score]] as const]),
  ];
  return ["document", fields, children.map((child): Value => ["document", child, []])];
}

interface Reply {
  readonly start: bigint;
  readonly numbers: readonly Value[];
  readonly documents: readonly Value[];
  readonly before: readonly Entry[];
  readonly after: readonly Entry[];
}

const isSection = ([key]: Entry): boolean => !["response", "responseHeader", "highlighting"].includes(key ?? "");

const reply: fc.Arbitrary<Reply> = fc
  .record({
    documents: fc.array(document, { maxLength: 8 }),
    exact: fc.option(fc.boolean(), { nil: undefined }),
    maxScore: fc.oneof(
      fc.constant(null),
      fc.float({ noNaN: true, noDefaultInfinity: true }).map((n): Value => ["float", n]),
    ),
    before: fc.array(fc.tuple(name, value), { maxLength: 2 }),
    after: fc.array(fc.tuple(name, value), { maxLength: 3 }),
  })
  .map(({ documents, exact, maxScore, before, after }) => ({
    start: 0n,
    numbers: [["long", 99n], ["long", 0n], maxScore, ...(exact === undefined ? [] : [exact])],
    documents: documents.map((one, i) => documentOf(i % 3 === 2 ? ["int", i] : `p${i}`, one)),
    before: before.filter(isSection),
    after: after.filter(isSection),
  }));

const HEADER: Entry = [
  "responseHeader",
  [
    "ordered",
    [
      ["status", ["int", 0]],
      ["QTime", ["int", 17]],
      [
        "params",
        [
          "ordered",
          [
            ["q", "red mug"],
            ["start", "0"],
            ["rows", "50"],
            ["wt", "javabin"],
          ],
        ],
      ],
    ],
  ],
];

function replyOf(
  { numbers, documents, before, after }: Reply,
  order: readonly number[],
  start?: number,
  header: Entry = HEADER,
): Uint8Array<ArrayBuffer> {
  const shown: Value[] = numbers.map((number, i) => (i === 1 && start !== undefined ? ["long", BigInt(start)] : number));
  const response: Entry = ["response", ["documents", shown, order.map((i) => documents[i]!)]];
  return encode(["ordered", [header, ...before, response, ...after]]);
}

const dialectOf = (options: DialectOptions) => {
  const dialect = createDialects(new Map([["products", { backend: "solr", ...options }]]), dialectsOf([SOLR])).get("products");
  if (dialect === undefined) throw new Error("There is no dialect");
  return dialect;
};
const dialect = dialectOf({ hitFields: { price: "price" } });
const asked = (search: string, by = dialect): PlannedSearch =>
  planSearch(by, "products", { method: "GET", search, body: new Uint8Array() });
const FIRST_PAGE = asked("?q=red+mug&start=0&rows=50&wt=javabin&version=2");

describe("a reply in javabin", () => {
  it("is written by these tests as they read it", () => {
    fc.assert(
      fc.property(value, (any) => void expect(decode(encode(any))).toEqual(any)),
      { numRuns: 300 },
    );
  });

  it("is the same bytes in the engine's order", () => {
    fc.assert(
      fc.property(reply, (any) => {
        const order = any.documents.map((_, i) => i);
        const bytes = replyOf(any, order);
        const read = parseReply(dialect, bytes, FIRST_PAGE);
        expect(read.ok && Buffer.from(read.value.assemble(order))).toEqual(Buffer.from(bytes));
      }),
      { numRuns: 400 },
    );
  });

  it("has exactly the values of the documents that are shown, in their order, and all others as they were", () => {
    const page = reply.chain((any) => fc.tuple(fc.constant(any), fc.shuffledSubarray(any.documents.map((_, i) => i)), fc.nat(40)));
    fc.assert(
      fc.property(page, ([any, order, start]) => {
        const read = parseReply(
          dialect,
          replyOf(
            any,
            any.documents.map((_, i) => i),
          ),
          asked(`?q=red+mug&start=${start}&wt=javabin`),
        );
        const params: Value = [
          "ordered",
          [
            ["q", "red mug"],
            ["start", String(start)],
            ["wt", "javabin"],
          ],
        ];
        const header: Entry = [
          "responseHeader",
          [
            "ordered",
            [
              ["status", ["int", 0]],
              ["QTime", ["int", 17]],
              ["params", params],
            ],
          ],
        ];
        const expected = replyOf(any, order, start, header);
        const given = read.ok ? read.value.assemble(order) : new Uint8Array();
        expect(decode(given)).toEqual(decode(expected));
        // A name is written out where it comes first, as Solr itself would.
        expect(Buffer.from(given)).toEqual(Buffer.from(expected));
      }),
      { numRuns: 400 },
    );
  });

  it("has the hits of the same reply in JSON", () => {
    const documents: Value[] = [
      [
        "document",
        [
          ["id", "p1"],
          ["price", ["double", 12.9]],
          ["score", ["float", Math.fround(3.0469646)]],
          ["[elevated]", true],
        ],
        [],
      ],
      [
        "document",
        [
          ["title", "x"],
          ["id", ["long", 9007199254740993n]],
          ["price", ["float", Math.fround(0.1)]],
        ],
        [],
      ],
      [
        "document",
        [
          ["id", ["int", 7]],
          ["price", "13.5"],
          ["[elevated]", false],
        ],
        [],
      ],
    ];
    const json = [
      `{"id":"p1","price":12.9,"score":3.0469646,"[elevated]":true}`,
      `{"title":"x","id":9007199254740993,"price":0.1}`,
      `{"id":7,"price":"13.5","[elevated]":false}`,
    ];
    const binary = parseReply(
      dialect,
      replyOf({ start: 0n, numbers: [["long", 3n], ["long", 0n], null, true], documents, before: [], after: [] }, [0, 1, 2]),
      FIRST_PAGE,
    );
    const text = new TextEncoder().encode(`{"response":{"numFound":3,"start":0,"numFoundExact":true,"docs":[${json.join()}]}}`);
    const plain = parseReply(dialect, text, asked("?q=red+mug&wt=json"));
    expect(binary.ok && binary.value.hits).toEqual(plain.ok && plain.value.hits);
  });

  it("is known by fields below others", () => {
    const nested = dialectOf({ idField: "item.sku" });
    const documents: Value[] = [
      [
        "document",
        [
          [
            "item",
            [
              "document",
              [
                ["note", "a"],
                ["sku", "s1"],
              ],
              [],
            ],
          ],
        ],
        [],
      ],
      ["document", [["item", ["ordered", [["sku", "s2"]]]]], []],
    ];
    const read = parseReply(
      nested,
      replyOf({ start: 0n, numbers: [["long", 2n], ["long", 0n], null], documents, before: [], after: [] }, [0, 1]),
      asked("?q=red&wt=javabin", nested),
    );
    expect(read.ok && read.value.hits.map(({ itemId }) => itemId)).toEqual(["s1", "s2"]);
  });

  it("shows the highlighting of its own hits", () => {
    const highlighting: Entry = [
      "highlighting",
      ["ordered", ["p0", "p1", "p2"].map((id): Entry => [id, ["ordered", [["title", ["list", [`<em>${id}</em>`]]]]]])],
    ];
    const documents = ["p0", "p1", "p2"].map((id): Value => ["document", [["id", id]], []]);
    const of = (order: readonly number[], shown: readonly Entry[]) =>
      replyOf({ start: 0n, numbers: [["long", 3n], ["long", 0n], null, true], documents, before: [], after: shown }, order);
    const read = parseReply(dialect, of([0, 1, 2], [highlighting]), FIRST_PAGE);
    const [, all] = highlighting;
    const own = Array.isArray(all) && all[0] === "ordered" ? all[1] : [];
    expect(read.ok && decode(read.value.assemble([2, 0]))).toEqual(decode(of([2, 0], [["highlighting", ["ordered", [own[2]!, own[0]!]]]])));
  });

  it("keeps the engine's order where Solr says that it is incomplete", () => {
    const header: Entry = [
      "responseHeader",
      [
        "ordered",
        [
          ["partialResults", true],
          ["status", ["int", 0]],
        ],
      ],
    ];
    const documents: Value[] = [["document", [["id", "p0"]], []]];
    const read = parseReply(
      dialect,
      replyOf({ start: 0n, numbers: [["long", 1n], ["long", 0n], null, true], documents, before: [], after: [] }, [0], undefined, header),
      FIRST_PAGE,
    );
    expect(read.ok && read.value.bypass?.reason).toBe("engine_incomplete");
  });
});

describe("bytes that are not the format", () => {
  const REPLY = fc
    .sample(
      reply.filter(({ documents }) => documents.length > 3),
      { numRuns: 5, seed: 20 },
    )
    .map((any) =>
      replyOf(
        any,
        any.documents.map((_, i) => i),
      ),
    );

  it("are left alone wherever they break off", () => {
    for (const bytes of REPLY) {
      for (let end = 0; end < bytes.length; end++)
        expect(parseReply(dialect, bytes.slice(0, end), FIRST_PAGE)).toMatchObject({ ok: false, error: { reason: "reply_not_search" } });
    }
  });

  it("are left alone, or come back as they were, whatever is wrong with them", () => {
    const broken = fc.tuple(
      fc.constantFrom(...REPLY),
      fc.array(fc.tuple(fc.nat(10_000), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 3 }),
    );
    fc.assert(
      fc.property(broken, ([bytes, changes]) => {
        const changed = bytes.slice();
        for (const [at, byte] of changes) changed[at % bytes.length] = byte;
        const read = parseReply(dialect, changed, FIRST_PAGE);
        if (!read.ok) {
          expect(["reply_not_search", "duplicate_ids"]).toContain(read.error.reason);
          return;
        }
        const start = Buffer.from(changed);
        const given = Buffer.from(read.value.assemble(read.value.hits.map((_, i) => i)));
        // Where the change is in \`start\` or in an echoed parameter, it is put right.
        expect(Math.abs(given.length - start.length)).toBeLessThan(64);
      }),
      { numRuns: 3000 },
    );
  });

  it.each([
    ["JSON", new TextEncoder().encode(`{"response":{"docs":[]}}`)],
    ["an older version", encode(["ordered", []]).with(0, 1)],
    ["two values", Uint8Array.of(2, 0, 0)],
    ["nothing", new Uint8Array()],
    ["a name that was never written", Uint8Array.of(2, 0xa1, 0xe7, 0)],
    ["a list of two thousand million", Uint8Array.of(2, 0x9f, 0xff, 0xff, 0xff, 0xff, 0x07)],
    ["an endless number", Uint8Array.of(2, ...Array.from({ length: 100 }, () => 0xff))],
    ["lists in lists", Uint8Array.of(2, ...Array.from({ length: 100_000 }, () => 0x81), 0)],
    ["lists in lists in a field", Uint8Array.of(2, 0xa1, 0xe0, 0x21, 0x61, ...Array.from({ length: 100_000 }, () => 0x82), 0)],
    ["a text that is not UTF-8", Uint8Array.of(2, 0xa1, 0xe0, 0x21, 0xff, 0)],
    ["a name that is repeated as a text", Uint8Array.of(2, 0xa2, 0xe0, 0x21, 0x61, 0, 0xe0, 0x21, 0x61, 0)],
    ["a size with a byte too many", Uint8Array.of(2, 0xbf, 0x80, 0x00)],
  ])("%s is left alone", (_, bytes) => {
    expect(parseReply(dialect, bytes, FIRST_PAGE)).toMatchObject({ ok: false, error: { reason: "reply_not_search" } });
  });

  it("are not made longer than a multiple, however long the names are", () => {
    const long = "n".repeat(10_000);
    const names: Entry[] = Array.from({ length: 100_000 }, () => [long, null]);
    const bytes = encode(["ordered", [["section", ["ordered", names]]]]);
    expect(parseReply(dialect, bytes, FIRST_PAGE)).toMatchObject({
      ok: false,
      error: { reason: "reply_not_search", detail: expect.stringContaining("too long") },
    });
  });
});
