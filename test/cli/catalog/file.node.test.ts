/** Catalogues from outside: what is read from which form, and what a user is told when it is wrong. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Catalog, readCatalog } from "../../../src/cli/catalog/file.ts";
import { UserError } from "../../../src/web.ts";

const FASHION = fileURLToPath(new URL("../../../../shared/data/fashion", import.meta.url));
const hasFashion = existsSync(FASHION);
if (!hasFashion) console.warn("The fashion photographs are not beside this checkout (../shared/data): the test that reads them is skipped");

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "armmt-catalog-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, content);
  return path;
}

function errorOf(read: () => Catalog): string {
  try {
    read();
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
  throw new Error("expected a UserError");
}

const refuse = (name: string, content: string, options = {}) => errorOf(() => readCatalog({ catalog: write(name, content), ...options }));

describe("readCatalog()", () => {
  it("draws the drawn catalogue: at least 2,000 products with their own SVG", () => {
    const { name, items } = readCatalog({ catalog: "drawn" });
    expect(name).toBe("products");
    expect(items.length).toBeGreaterThanOrEqual(2000);
    const [first] = items;
    expect(first?.text).toBe(`${first?.product.title} ${first?.product.category}`);
    expect(first?.image?.kind === "svg" && first.image.svg()).toMatch(/^<svg/);
  });

  it("reads every known field of JSONL, in its type", () => {
    const line = {
      id: 17,
      title: "Red mug",
      category: "mugs",
      price: "12.50",
      rating: 4.5,
      ratingCount: 3,
      popularity: 0,
      inStock: false,
      createdAt: "2026-02-28T10:00:00Z",
      image: "pictures/mug.png",
      tags: ["a", "b"],
      extra: { nested: true },
      empty: null,
    };
    const { name, items } = readCatalog({ catalog: write("Mugs 2026.jsonl", `${JSON.stringify(line)}\n\n`) });
    expect(name).toBe("mugs-2026");
    expect(items).toEqual([
      {
        product: {
          id: "17",
          title: "Red mug",
          category: "mugs",
          price: 12.5,
          rating: 4.5,
          ratingCount: 3,
          popularity: 0,
          inStock: false,
          createdAt: "2026-02-28",
          image: "/images/17.png",
        },
        text: "Red mug mugs",
        image: { kind: "file", path: join(folder, "pictures/mug.png") },
      },
    ]);
  });

  it("reads CSV with quotes, semicolons, a byte order mark and empty values", () => {
    const { items } = readCatalog({ catalog: write("semi.csv", '\uFEFFid;title;price\r\n1;"Mug; ""red""";\r\n2;Cup;3\r\n') });
    expect(items.map(({ product }) => product)).toEqual([
      { id: "1", title: 'Mug; "red"', category: "", image: "" },
      { id: "2", title: "Cup", category: "", price: 3, image: "" },
    ]);
  });

  it("reads gzip, a folder, and finds images/<id>.<extension>", () => {
    write("shop/products.jsonl.gz", gzipSync('{"id":"a/1","title":"A"}\n{"id":"b","title":"B"}\n{"id":"c","title":"C"}\n'));
    write("shop/images/b.JPG", "");
    write("shop/images/notes.txt", "");
    const { name, items } = readCatalog({ catalog: join(folder, "shop") });
    expect(name).toBe("shop");
    expect(items.map(({ image }) => image)).toEqual([undefined, { kind: "file", path: join(folder, "shop/images/b.JPG") }, undefined]);
    expect(items.map(({ product }) => product.image)).toEqual(["", "/images/b.jpg", ""]);
  });

  it("reads UTF-16, and gzip by what it is", () => {
    for (const [name, content] of [
      ["wide.csv", Buffer.from("\uFEFFid,title\n1,Mütze\n", "utf16le")],
      ["packed.csv", gzipSync("id,title\n1,Mütze\n")],
    ] as const) {
      expect(readCatalog({ catalog: write(name, content) }).items.map(({ product }) => product.title)).toEqual(["Mütze"]);
    }
  });

  it("keeps ids of more digits than a number holds", () => {
    const catalog = write(
      "long-ids.jsonl",
      '{"id":9007199254740993,"title":"a"}\n{"id":9007199254740992,"title":"b"}\n{"id":"1","title":12}',
    );
    expect(readCatalog({ catalog }).items.map(({ product }) => product.id)).toEqual(["9007199254740993", "9007199254740992", "1"]);
  });

  it("takes URLs and SVG for pictures as they are", () => {
    const rows = [
      { id: "u", title: "U", image: "https://shop.example/u.png" },
      { id: "s/1", title: "S", image: "<svg xmlns='http://www.w3.org/2000/svg'/>" },
    ];
    const { items } = readCatalog({ catalog: write("urls.jsonl", rows.map((row) => JSON.stringify(row)).join("\n")) });
    expect(items[0]?.image).toEqual({ kind: "url", url: "https://shop.example/u.png" });
    expect(items[0]?.product.image).toBe("https://shop.example/u.png");
    expect(items[1]?.image?.kind).toBe("svg");
    expect(items[1]?.product.image).toBe("/images/s%2F1.svg");
  });

  it("takes the fields that are named, and adds text fields to the text", () => {
    const catalog = write("named.csv", "nr,label,kind,colour,cost\n7,Chair,seat,blue,99\n");
    const options = { idField: "nr", titleField: "label", categoryField: "kind", priceField: "cost", textFields: ["kind", "colour"] };
    const [item] = readCatalog({ catalog, ...options }).items;
    expect(item?.product).toMatchObject({ id: "7", title: "Chair", category: "seat", price: 99 });
    expect(item?.text).toBe("Chair seat blue");
  });

  it.skipIf(!hasFashion)("reads the fashion photographs of ../shared without any option", () => {
    const { name, items } = readCatalog({ catalog: FASHION });
    expect([name, items.length]).toEqual(["fashion", 9583]);
    expect(items[0]).toEqual({
      product: { id: "10000", title: "Palm Tree Girls Sp Jace Sko White Skirts", category: "Skirts", image: "/images/10000.jpg" },
      text: "Palm Tree Girls Sp Jace Sko White Skirts Skirts",
      image: { kind: "file", path: join(FASHION, "images/10000.jpg") },
    });
    expect(items.every(({ image }) => image?.kind === "file")).toBe(true);
  });
});

describe("readCatalog() refuses", () => {
  it("a path where nothing is", () => {
    expect(errorOf(() => readCatalog({ catalog: "no/such/folder" }))).toBe(
      'No catalogue at no/such/folder: give "drawn", a folder, or a .jsonl or .csv file',
    );
  });

  it("a folder without a catalogue, and a file of another kind", () => {
    write("void/readme.txt", "");
    expect(errorOf(() => readCatalog({ catalog: join(folder, "void") }))).toContain("expected one of products.jsonl, products.csv");
    expect(refuse("list.xml", "<x/>")).toContain("expected a name ending in .jsonl, .ndjson, .csv or .tsv");
  });

  it("a text that is not UTF-8, whose words nobody would search for", () => {
    const catalog = write("latin.csv", Buffer.from("id,title\n1,M\u00fctze\n", "latin1"));
    expect(errorOf(() => readCatalog({ catalog }))).toMatch(/latin\.csv is not UTF-8 text: save it as UTF-8/);
  });

  it("an empty catalogue", () => {
    expect(refuse("empty.jsonl", "\n\n")).toMatch(/^The catalogue .+empty\.jsonl is empty: it needs at least one product$/);
    expect(refuse("empty.csv", "id,title\n")).toContain("is empty");
    expect(refuse("nothing.csv", "")).toContain("is empty");
  });

  it("a line that is no JSON object, naming line and text", () => {
    expect(refuse("bad.jsonl", '{"id":"1","title":"A"}\n{"id":"2",\n')).toMatch(
      /bad\.jsonl line 2: "\{\\"id\\":\\"2\\"," is no JSON: one object/,
    );
    expect(refuse("list.jsonl", "[1]\n")).toContain('line 1: "[1]" is no JSON object');
  });

  it("a CSV line with another number of values, naming the line", () => {
    expect(refuse("ragged.csv", "id,title\n1,A\n2,B,C\n")).toMatch(/ragged\.csv: .*line 3.*: correct the line or quote the value/);
  });

  it("values out of range, naming line, field, value and what is expected", () => {
    const message = refuse("values.csv", "id,title,price,rating,inStock,createdAt\n1,A,-3,9,maybe,2026-02-31\n2,B,x,,,\n");
    expect(message).toContain('line 2: price is "-3", expected a number above 0: correct it or leave it empty');
    expect(message).toContain('line 2: rating is "9", expected a number from 0 to 5');
    expect(message).toContain('line 2: inStock is "maybe", expected true or false');
    expect(message).toContain('line 2: createdAt is "2026-02-31", expected a date such as 2026-03-31');
    expect(message).toContain('line 3: price is "x"');
  });

  it("a missing title or id, and ids that occur twice", () => {
    expect(refuse("title.csv", "id,title\n1,\n2,B\n")).toContain('line 2: title of product "1" is empty: every product needs a title');
    expect(refuse("id.csv", "id,title\n,A\n2,B\n")).toContain("line 2: id is empty: every product needs an id");
    expect(refuse("twice.csv", "id,title\n1,A\n2,B\n1,C\n")).toContain('line 4: id "1" is also in line 2: give every product its own id');
  });

  it("fields that are not there, naming flag and what there is", () => {
    expect(refuse("fields.csv", "code,label\n1,A\n")).toBe(
      "No field for the id: the catalogue has code, label. Name the right one with --id-field",
    );
    expect(refuse("field.csv", "id,title\n1,A\n", { ratingCountField: "votes" })).toBe(
      'No product has a field "votes" (--rating-count-field): the catalogue has id, title',
    );
    expect(refuse("text.csv", "id,title\n1,A\n", { textFields: ["brand"] })).toContain('"brand" (--text-fields)');
  });

  it("many problems at once, and shows the first five", () => {
    const rows = Array.from({ length: 12 }, (_, i) => `${i},A,zero`).join("\n");
    expect(refuse("many.csv", `id,title,price\n${rows}\n`)).toMatch(/(\n {2}line \d+: .*){5}\n {2}and 7 more$/);
  });
});
