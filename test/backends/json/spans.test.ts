import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { elements, find, type JsonText, kindOf, members, readNumber, readString, scanJson } from "../../../src/backends/json/spans.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);

function scanned(text: string): JsonText {
  const result = scanJson(encode(text));
  if (!result.ok) throw new Error(`${result.error.message} at ${result.error.offset} in ${text}`);
  return result.value;
}

const accepts = (text: string) => scanJson(encode(text)).ok;

const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);

function jsonParseAccepts(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe("scanJson()", () => {
  it("accepts what JSON.parse accepts", () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 8 }), fc.constantFrom(0, 1, 4), (text, indent) => {
        expect(accepts(JSON.stringify(JSON.parse(text), undefined, indent))).toBe(true);
      }),
    );
  });

  it("agrees with JSON.parse on a JSON text with one character changed, dropped or doubled", () => {
    const damage = fc.tuple(
      fc.json(),
      fc.nat(),
      fc.constantFrom(...Array.from('{}[]",:\\0-.eE+tfnu \u0001x')),
      fc.constantFrom("put", "drop", "insert"),
    );
    fc.assert(
      fc.property(damage, ([text, index, character, how]) => {
        const at = index % text.length;
        const rest = how === "insert" ? text.slice(at) : text.slice(at + 1);
        const broken = text.slice(0, at) + (how === "drop" ? "" : character) + rest;
        // Cutting a surrogate pair in two makes text that UTF-8 cannot carry.
        fc.pre(broken.isWellFormed());
        expect(accepts(broken), broken).toBe(jsonParseAccepts(broken));
      }),
      { numRuns: 2000 },
    );
  });

  it("notices every truncation of an object", () => {
    const text = '{"took":1,"hits":{"total":{"value":12},"hits":[{"_id":"a\\u00e9\\"","_score":-1.5e+3,"x":[true,false,null]}]}} ';
    for (let length = 0; length < text.length - 1; length++) {
      const result = scanJson(encode(text.slice(0, length)));
      expect(result.ok, text.slice(0, length)).toBe(false);
      if (!result.ok) expect(result.error.offset).toBeLessThanOrEqual(length);
    }
    expect(accepts(text)).toBe(true);
  });

  it("names the offset of what it did not expect", () => {
    expect(scanJson(encode('{"a":1,}'))).toEqual({ ok: false, error: { offset: 7, message: "Expected a key" } });
    expect(scanJson(encode('{"a":1} x'))).toEqual({ ok: false, error: { offset: 8, message: "Expected nothing after the value" } });
    expect(scanJson(encode('["abc'))).toEqual({ ok: false, error: { offset: 5, message: "The text ends too early" } });
    expect(scanJson(encode(""))).toEqual({ ok: false, error: { offset: 0, message: "The text ends too early" } });
  });

  it.each([
    "01",
    "1.",
    ".5",
    "+1",
    "1e",
    "-",
    "tru",
    "nul",
    "'a'",
    '"\\x"',
    '"\\u12g4"',
    '"a\nb"',
    "[1 2]",
    '{"a" 1}',
    "{a:1}",
    "NaN",
    "[,]",
    "\u00a01",
  ])("refuses %j", (text) => {
    expect(accepts(text)).toBe(false);
    expect(jsonParseAccepts(text)).toBe(false);
  });

  it("steps over a byte order mark", () => {
    const text = scanned('\ufeff {"a":1}');
    expect(text.root).toEqual({ start: 4, end: 11 });
  });

  it("refuses nesting past its limit instead of overflowing the stack", () => {
    expect(accepts(nested(1024))).toBe(true);
    const result = scanJson(encode(nested(100_000)));
    expect(result).toEqual({ ok: false, error: { offset: 1024, message: "Nested deeper than 1024 levels" } });
  });
});

describe("members() and elements()", () => {
  it("give the values that JSON.parse gives, by slicing", () => {
    const key = fc.string({ unit: "grapheme" });
    fc.assert(
      fc.property(fc.dictionary(key, fc.jsonValue({ maxDepth: 4 })), fc.constantFrom(0, 2), (value, indent) => {
        const text = scanned(JSON.stringify(value, undefined, indent));
        const read = members(text, text.root).map((member) => [
          member.key,
          JSON.parse(decode(text.bytes.subarray(member.value.start, member.value.end))),
        ]);
        expect(read).toEqual(Object.entries(JSON.parse(JSON.stringify(value))));
      }),
    );
    fc.assert(
      fc.property(fc.array(fc.jsonValue({ maxDepth: 4 })), fc.constantFrom(0, 2), (value, indent) => {
        const text = scanned(JSON.stringify(value, undefined, indent));
        const read = elements(text, text.root).map((span) => JSON.parse(decode(text.bytes.subarray(span.start, span.end))));
        expect(read).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it("are empty for other kinds", () => {
    const text = scanned("[1]");
    expect(members(text, text.root)).toEqual([]);
    expect(elements(text, { start: 1, end: 2 })).toEqual([]);
  });

  it("keeps numbers that a double cannot hold", () => {
    const text = scanned('{"id":9007199254740993,"price":1.0}');
    const [id, price] = members(text, text.root);
    expect(decode(text.bytes.subarray(id!.value.start, id!.value.end))).toBe("9007199254740993");
    expect(decode(text.bytes.subarray(price!.value.start, price!.value.end))).toBe("1.0");
  });
});

describe("find()", () => {
  it("reads through escapes in keys", () => {
    const text = scanned('{"\\u0068its":5}');
    expect(find(text, text.root, "hits")).toEqual({ ok: true, value: { start: 13, end: 14 } });
  });

  it("finds no key that stands in a nested object or in a string", () => {
    const text = scanned('{"a":{"hits":1},"b":"\\"hits\\":2"}');
    expect(find(text, text.root, "hits")).toEqual({ ok: true, value: undefined });
  });

  it("refuses a key that is repeated, also when one is escaped", () => {
    const text = scanned('{"size":1,"s\\u0069ze":2}');
    expect(find(text, text.root, "size")).toEqual({ ok: false, error: { offset: 10, message: 'The key "size" is repeated' } });
  });
});

describe("reading values", () => {
  it("reads every escape as JSON.parse() does, in short texts and in long ones", () => {
    for (const escape of String.raw`\" \\ \/ \b \f \n \r \t \u0041 \u00e4 \uD83D\uDE00 \ud800 \u00Af \\u0041`.split(" ")) {
      for (const padding of ["", "x".repeat(50)]) {
        const written = `"${padding}${escape}z"`;
        const text = scanJson(new TextEncoder().encode(written));
        expect(text.ok && readString(text.value, text.value.root)).toBe(JSON.parse(written));
      }
    }
  });

  it("reads strings and numbers, and nothing else as such", () => {
    const text = scanned('["a\\n\\ud83d\\ude00é","",12.5,-3e2,1e999,null,true,{}]');
    const spans = elements(text, text.root);
    expect(spans.map((span) => readString(text, span))).toEqual(["a\n😀é", "", ...Array<undefined>(6).fill(undefined)]);
    expect(spans.map((span) => readNumber(text, span))).toEqual([
      undefined,
      undefined,
      12.5,
      -300,
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    expect(spans.map((span) => kindOf(text, span))).toEqual([
      "string",
      "string",
      "number",
      "number",
      "number",
      "null",
      "boolean",
      "object",
    ]);
  });

  it("does not read bytes that are no UTF-8", () => {
    const bytes = Uint8Array.of(0x22, 0xff, 0x22);
    const text = scanJson(bytes);
    expect(text.ok && readString(text.value, text.value.root)).toBe(undefined);
  });
});
