import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { appendMember, applyEdits, cutMember, refill } from "../../../src/backends/json/edits.ts";
import { elements, find, type JsonText, members, scanJson } from "../../../src/backends/json/spans.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);

function scanned(text: string): JsonText {
  const result = scanJson(encode(text));
  if (!result.ok) throw new Error(`${result.error.message} at ${result.error.offset} in ${text}`);
  return result.value;
}

describe("editing", () => {
  it("cuts any one member and leaves JSON with the others", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 }), fc.nat(), fc.constantFrom(0, 2), (value, index, indent) => {
        const text = scanned(JSON.stringify(value, undefined, indent));
        const all = members(text, text.root);
        const at = index % all.length;
        const left = JSON.parse(decode(applyEdits(text.bytes, [cutMember(all, at)])));
        expect(Object.keys(left)).toEqual(all.filter((_, i) => i !== at).map((member) => member.key));
      }),
    );
  });

  it("refills an array with whole elements, byte for byte", () => {
    const element = fc.jsonValue({ maxDepth: 3 });
    fc.assert(
      fc.property(fc.array(element, { minLength: 1, maxLength: 12 }), fc.constantFrom(0, 1), fc.nat(), (list, indent, seed) => {
        const text = scanned(`{"before":1.0,"list": ${JSON.stringify(list, undefined, indent)} ,"after":12345678901234567890}`);
        const found = find(text, text.root, "list");
        const array = found.ok ? found.value! : text.root;
        const slots = elements(text, array);
        expect(decode(applyEdits(text.bytes, refill(text, array, slots, [...slots.keys()])))).toBe(decode(text.bytes));

        const picks = [...slots.keys()].filter((i) => (seed >> (i % 16)) & 1).toReversed();
        const filled = decode(applyEdits(text.bytes, refill(text, array, slots, picks)));
        expect(JSON.parse(filled).list).toEqual(picks.map((pick) => JSON.parse(JSON.stringify(list[pick]))));
        expect(filled).toContain('"after":12345678901234567890');
        expect(filled.startsWith('{"before":1.0,')).toBe(true);
      }),
    );
  });

  it("takes members that only the edge has asked for out of the elements, as if they had never been there", () => {
    const asked = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 4 });
    const unasked = fc.constantFrom(
      { first: ["secret"], last: [] },
      { first: [], last: ["secret"] },
      { first: ["secret", "pin"], last: ["pin", "x"] },
    );
    fc.assert(
      fc.property(fc.array(asked, { minLength: 1, maxLength: 6 }), unasked, fc.constantFrom(0, 2), (list, { first, last }, indent) => {
        const withExtras = list.map((own) => Object.fromEntries([...first.map((name) => [`\u0000${name}`, [1]]), ...Object.entries(own), ...last.map((name) => [`\u0000${name}`, {}])])); // prettier-ignore
        const text = scanned(JSON.stringify(withExtras, undefined, indent));
        const slots = elements(text, text.root);
        const picks = [...slots.keys()].toReversed();
        const names = new Set([...first, ...last].map((name) => `\u0000${name}`));
        const filled = decode(applyEdits(text.bytes, refill(text, text.root, slots, picks, names)));
        const isWhole = list.every((own) => Object.keys(own).length > 0);
        const expected = JSON.stringify(list.toReversed(), undefined, indent);
        if (isWhole) expect(filled).toBe(expected);
        else expect(JSON.parse(filled)).toEqual(JSON.parse(expected));
      }),
    );
  });

  it("leaves elements between the slots where they are, however short the page", () => {
    fc.assert(
      fc.property(
        fc.array(fc.boolean(), { minLength: 1, maxLength: 12 }),
        fc.nat({ max: 12 }),
        fc.constantFrom(0, 1),
        (isSlot, limit, indent) => {
          const text = scanned(JSON.stringify([...isSlot.keys()], undefined, indent));
          const slots = elements(text, text.root).filter((_, i) => isSlot[i]);
          const picks = [...slots.keys()].toReversed().slice(0, limit);
          const filled = JSON.parse(decode(applyEdits(text.bytes, refill(text, text.root, slots, picks))));
          const hits = [...isSlot.keys()].filter((i) => isSlot[i]);
          let next = 0;
          const expected = isSlot.flatMap((isHit, i) => {
            if (!isHit) return [i];
            const pick = picks[next++];
            return pick === undefined ? [] : [hits[pick]];
          });
          expect(filled).toEqual(expected);
        },
      ),
    );
  });

  it("appends a last member", () => {
    expect(decode(appendMember(scanned('{"a":1 }\n'), "armmt", '{"b":2}'))).toBe('{"a":1 ,"armmt":{"b":2}}\n');
    expect(decode(appendMember(scanned("{}"), "armmt", "null"))).toBe('{"armmt":null}');
  });

  it.each([
    ['[{\n    "id":1\n  }]', "[{ }]"],
    ['[{"id":1}]', "[{}]"],
  ])("writes an object without members as engines do", (written, left) => {
    const text = scanned(written);
    expect(decode(applyEdits(text.bytes, refill(text, text.root, elements(text, text.root), [0], new Set(["id"]))))).toBe(left);
  });
});
