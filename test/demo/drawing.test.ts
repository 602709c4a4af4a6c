import { describe, expect, it } from "vitest";
import { drawCatalogue } from "../../src/demo/catalogue/catalogue.ts";
import { drawPicture } from "../../src/demo/drawing/picture.ts";
import { CATEGORY_LIST } from "../../src/demo/catalogue/vocabulary.ts";
import { sha256Hex } from "../../src/web.ts";

/** The first fault in nesting, attributes or numbers of an SVG text, or undefined. */
function faultOf(svg: string): string | undefined {
  const open: string[] = [];
  const rest = svg.replace(
    /<(\/?)([a-zA-Z]+)((?:\s+[a-zA-Z][\w:-]*="[^"<]*")*)\s*(\/?)>/g,
    (_, closing: string, name: string, __: string, empty: string) => {
      if (closing === "/") {
        if (open.pop() !== name) open.push(`unexpected </${name}>`);
      } else if (empty === "") open.push(name);
      return "";
    },
  );
  if (rest !== "") return `text outside of tags: ${rest.slice(0, 80)}`;
  if (open.length > 0) return `not closed: ${open.join(", ")}`;
  return /NaN|undefined|Infinity|\[object/.exec(svg)?.[0];
}

describe("faultOf()", () => {
  it.each(["<svg><g></svg>", '<svg a="1><g/></svg>', "<svg>x</svg>", '<svg d="MNaN 0"/>', "<svg></g></svg>"])(
    "finds the fault in %s",
    (svg) => {
      expect(faultOf(svg)).toBeDefined();
    },
  );

  it("finds none in a good picture", () => {
    expect(faultOf('<svg a="1"><g b-c="d"><path d="M0 0"/></g></svg>')).toBeUndefined();
  });
});

describe("drawPicture()", () => {
  const products = drawCatalogue({ count: 400 });

  it("is the same text every time", () => {
    const again = drawCatalogue({ count: 20 });
    expect(again.map(drawPicture)).toEqual(products.slice(0, 20).map(drawPicture));
  });

  it("keeps the pictures of the catalogue, byte for byte", async () => {
    // The committed model was trained and measured on these pictures: a change means training again.
    const pictures = drawCatalogue().map(drawPicture).join("");
    expect(await sha256Hex(pictures)).toBe("85f65892350f2ae86e3bc7b930a666ca507aa61228aa6c244df0f11bb44d2374");
  });

  it("is well-formed and square", () => {
    for (const product of products) {
      const svg = drawPicture(product);
      expect(faultOf(svg), product.id).toBeUndefined();
      expect(svg).toContain('viewBox="0 0 200 200"');
    }
  });

  it("prefixes its ids with the product's and uses only ids that it defines", () => {
    for (const product of products) {
      const svg = drawPicture(product);
      const defined = [...svg.matchAll(/ id="([^"]+)"/g)].map((match) => match[1]);
      const used = [...svg.matchAll(/url\(#([^)]+)\)/g)].map((match) => match[1]);
      expect(new Set(defined).size).toBe(defined.length);
      expect(defined.filter((id) => !id?.startsWith(`${product.id}-`))).toEqual([]);
      expect(used.filter((id) => !defined.includes(id))).toEqual([]);
    }
  });

  it("draws every silhouette in every style, pattern and material of its category", () => {
    for (const { name: category, silhouettes, styles, patterns, materials } of CATEGORY_LIST) {
      for (const silhouette of silhouettes) {
        const looks = [
          ...styles.map((style) => ({ style, pattern: patterns[0]!, material: materials[0]! })),
          ...patterns.map((pattern) => ({ style: styles[0]!, pattern, material: materials[0]! })),
          ...materials.map((material) => ({ style: styles[0]!, pattern: patterns[0]!, material })),
        ];
        const pictures = looks.map((look) =>
          drawPicture({ id: "x", category, look: { silhouette: silhouette.name, colour: "red", accent: "white", ...look } }),
        );
        expect(
          pictures.map(faultOf).filter((fault) => fault !== undefined),
          silhouette.name,
        ).toEqual([]);
        // The three rows begin with the same look; all others differ.
        expect(new Set(pictures).size, silhouette.name).toBe(pictures.length - 2);
      }
    }
  });

  it("names a look without a drawing", () => {
    const [product] = products;
    if (product === undefined) throw new Error("The catalogue is empty");
    const odd = { ...product, category: "mug", look: { ...product.look, silhouette: "teapot" } };
    expect(() => drawPicture(odd)).toThrow('no drawing of a "teapot" in category "mug"');
  });
});
