import { describe, expect, it } from "vitest";
import { TEXT_DIM, createTextEncoder, itemText, tokenTable } from "../../src/embeddings/text-encoder.ts";

const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);

describe("createTextEncoder()", () => {
  const encode = createTextEncoder();
  const vector = (text: string): Float32Array => {
    const found = encode(text);
    if (found === undefined) throw new Error(`no vector for ${text}`);
    return found;
  };

  it("gives unit vectors of the stated size", () => {
    expect(vector("Red ceramic mug")).toHaveLength(TEXT_DIM);
    expect(dot(vector("Red ceramic mug"), vector("Red ceramic mug"))).toBeCloseTo(1, 5);
  });

  it("holds texts that share words closer than texts that do not", () => {
    const mug = vector("red ceramic mug");
    expect(dot(mug, vector("mug, red"))).toBeGreaterThan(0.6);
    expect(Math.abs(dot(mug, vector("leather office chair")))).toBeLessThan(0.35);
  });

  it("has no vector for a text without words", () => {
    expect(encode("!!")).toBeUndefined();
  });
});

describe("itemText()", () => {
  it("puts the category after the title, so that a tote is a bag", () => {
    expect(itemText({ title: "Canvas tote", category: "bag" })).toBe("Canvas tote bag");
    expect(itemText({ title: "Canvas tote", category: "" }, ["natural"])).toBe("Canvas tote natural");
  });
});

describe("tokenTable()", () => {
  it("is zero in the padding row and ±1/8 elsewhere", () => {
    const table = tokenTable();
    expect(table.subarray(0, TEXT_DIM).every((value) => value === 0)).toBe(true);
    expect(table.subarray(TEXT_DIM).every((value) => Math.abs(value) === 1 / 8)).toBe(true);
  });

  it("is close to orthogonal: the mean squared cosine of different rows is about 1/dim", () => {
    const table = tokenTable();
    const row = (i: number) => table.subarray(i * TEXT_DIM, (i + 1) * TEXT_DIM);
    let sum = 0;
    for (let i = 1; i <= 400; i++) sum += dot(row(i), row(i + 1)) ** 2;
    expect(sum / 400).toBeGreaterThan(0.5 / TEXT_DIM);
    expect(sum / 400).toBeLessThan(2 / TEXT_DIM);
  });
});
