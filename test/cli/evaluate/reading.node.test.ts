/** Judgments and lists as relevance teams have them: what is read, and what is said about what cannot be. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import { readJudgments } from "../../../src/cli/evaluate/judgments.ts";
import { readLists } from "../../../src/cli/evaluate/lists.ts";
import { UserError } from "../../../src/web.ts";

const folder = mkdtempSync(join(tmpdir(), "armmt-evaluate-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(content: string | Uint8Array, name = "judgments.csv"): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const KNOWN = new Set(["1", "2", "a,b", "grün"]);
const read = (content: string | Uint8Array, { name = "judgments.csv", skipUnknown = false } = {}) =>
  readJudgments(file(content, name), { isKnown: (id) => KNOWN.has(id), skipUnknown });
const plain = (judgments: ReturnType<typeof read>) =>
  Object.fromEntries(Array.from(judgments.queries, ([query, ratings]) => [query, Object.fromEntries(ratings)]));

const lists = (content: string | Uint8Array, name = "lists.jsonl") => readLists([file(content, name)])[0]!;

function refusal(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
  throw new Error("expected a UserError");
}

describe("a judgments file", () => {
  const expected = { "red mug": { 1: 3, 2: 0 } };

  it.each<[string, string | Uint8Array, string?]>([
    ["plain", "query,product_id,rating\nred mug,1,3\nred mug,2,0\n"],
    ["with a byte-order mark and CRLF", "\uFEFFquery,product_id,rating\r\nred mug,1,3\r\nred mug,2,0\r\n"],
    ["with semicolons", "query;product_id;rating\nred mug;1;3\nred mug;2;0"],
    ["with tabs", "query\tproduct_id\trating\nred mug\t1\t3\nred mug\t2\t0", "judgments.tsv"],
    ["quoted", 'query,product_id,rating\n"red mug","1","3"\n" red mug ",2,0'],
    ["with other columns, in another order", "rater,rating,product_id,query\nkim,3,1,red mug\nkim,0,2,red mug"],
    ["with names in another case", "Query,Product_ID,RATING\nred mug,1,3\nred mug,2,0"],
    ["as Quepid exports it", "query,docid,rating\nred mug,1,3\nred mug,2,0"],
    ["compressed", gzipSync("query,product_id,rating\nred mug,1,3\nred mug,2,0"), "judgments.csv.gz"],
    ["as JSON lines", '{"query":"red mug","product_id":1,"rating":3}\n{"query":"red mug","product_id":"2","rating":0}', "judgments.jsonl"],
    ["in UTF-16, as spreadsheets save it", Buffer.from("\uFEFFquery,product_id,rating\nred mug,1,3\nred mug,2,0", "utf16le")],
    ["with ratings between grades and empty lines", "query,product_id,rating\n\nred mug,1,3.0\n\nred mug,2,0\n\n"],
  ])("%s", (_, content, name) => {
    expect(plain(read(content, { name }))).toEqual(expected);
  });

  it("keeps quoted separators, quotes and line feeds", () => {
    const { queries } = read('query,product_id,rating\n"19"" rack, black","a,b",2\n"two\nlines",1,1');
    expect([...queries.keys()]).toEqual(['19" rack, black', "two\nlines"]);
    expect(queries.get('19" rack, black')?.get("a,b")).toBe(2);
  });

  it.each<[string, string | Uint8Array, RegExp]>([
    ["an empty file", "", /has no judgment.*query,product_id,rating/],
    ["a header alone", "query,product_id,rating\n", /has no judgment/],
    ["no header", "red mug,1,3\nred mug,2,0", /has no column query: it has .*Let its first line be query,product_id,rating/],
    ["a missing column", "query,product_id\nred mug,1", /has no column rating: it has query, product_id/],
    ["no rating", "query,product_id,rating\nred mug,1,\nred mug,2,1\n", /line 2: rating is empty/],
    ["no query", 'query,product_id,rating\nred mug,1,1\n" ",1,1\n', /line 3: query is empty/],
    ["a word", "query,product_id,rating\nred mug,1,good\n", /line 2: rating is "good", expected a number from 0 \(irrelevant\) to 10/],
    ["a negative rating", "query,product_id,rating\nred mug,1,-1\n", /line 2: rating is "-1"/],
    ["per cent", "query,product_id,rating\nred mug,1,80\n", /line 2: rating is "80", expected .* to 10/],
    ["a decimal comma", "query;product_id;rating\nred mug;1;2,5\n", /line 2: rating is "2,5"/],
    [
      "a product twice",
      "query,product_id,rating\nred mug,1,3\nred mug,1,2\n",
      /line 3: product "1" is judged for "red mug" in line 2 already: .*the mean/,
    ],
    ["a stranger", "query,product_id,rating\nred mug,9,3\n", /line 2: product "9" is not in the catalogue: .*--skip-unknown/],
    ["a short line", "query,product_id,rating\nred mug,1\n", /line 2.*correct the line or quote the value/],
    ["an open quote", 'query,product_id,rating\n"red mug,1,3\n', /Cannot read .*judgments\.csv/],
    ["Latin-1", Buffer.from("query,product_id,rating\ngr\u00fcn,1,3\n", "latin1"), /is not UTF-8 text: save it as UTF-8/],
  ])("%s is refused", (_, content, message) => {
    expect(refusal(() => read(content))).toMatch(message);
  });

  it("names the first five problems and counts the others", () => {
    const lines = Array.from({ length: 8 }, (_, i) => `red mug,1,bad${i}`);
    const message = refusal(() => read(["query,product_id,rating", ...lines].join("\n")));
    expect(message).toContain("line 6:");
    expect(message).not.toContain("line 7:");
    expect(message).toContain("and 3 more");
  });

  it("takes one word in two normal forms for one", () => {
    expect([...read("query,product_id,rating\ngru\u0308n,1,3\n").queries.keys()]).toEqual(["gr\u00fcn"]);
    expect([...lists('{"query":"gru\u0308n","hits":[]}').lists.keys()]).toEqual(["gr\u00fcn"]);
  });

  it("leaves strangers out where it is asked to, and counts them", () => {
    const judgments = read("query,product_id,rating\nred mug,9,3\nred mug,1,1\nlamp,8,1\n", { skipUnknown: true });
    expect([plain(judgments), judgments.unknown]).toEqual([{ "red mug": { 1: 1 } }, 2]);
    expect(refusal(() => read("query,product_id,rating\nred mug,9,3\n", { skipUnknown: true }))).toMatch(
      /judges no product of the catalogue/,
    );
  });

  it("names a file that is not there, and a name that says no format", () => {
    expect(refusal(() => readJudgments(join(folder, "nowhere.csv"), { isKnown: () => true, skipUnknown: false }))).toMatch(
      /Cannot read .*nowhere\.csv/,
    );
    expect(refusal(() => read("query,product_id,rating", { name: "judgments.xlsx" }))).toMatch(
      /judgments\.xlsx: expected a name ending in/,
    );
  });
});

describe("a lists file", () => {
  it("has hits in their order, with scores where there are some", () => {
    const { name, lists: found } = lists(
      '{"query":"red mug","hits":[{"id":2,"score":1.5},{"id":"1"}]}\r\n\r\n{"query":" lamp ","hits":[],"took":3}\n',
    );
    expect(name).toBe("lists.jsonl");
    expect(found).toEqual(
      new Map([
        ["red mug", [{ id: "2", score: 1.5 }, { id: "1", score: undefined }]],
        ["lamp", []],
      ]), // prettier-ignore
    );
  });

  it("keeps ids of more digits than a number holds, and large scores", () => {
    const { lists: found } = lists('{"query":"a","hits":[{"id":9007199254740993,"score":578730000000000000}]}');
    expect(found.get("a")).toEqual([{ id: "9007199254740993", score: 5.7873e17 }]);
  });

  it("is read compressed, whatever its name", () => {
    expect(lists(gzipSync('\uFEFF{"query":"lamp","hits":[{"id":"1","score":null}]}'), "lists.gz").lists.get("lamp")).toEqual([
      { id: "1", score: undefined },
    ]);
  });

  it.each([
    ["an empty file", "", /has no list: it needs a line \{"query"/],
    ["a CSV file", "query,id\nred mug,1", /line 1: "query,id" is no JSON/],
    ["no hits", '{"query":"red mug"}', /line 1: hits: .*expected \{"query"/],
    ["no query", '{"query":" ","hits":[]}', /line 1: query: expected the words of a search/],
    ["a hit without an id", '{"query":"red mug","hits":[{"score":1}]}', /line 1: hits\.0\.id: /],
    ["a score that is text", '{"query":"red mug","hits":[{"id":"1","score":"1.5"}]}', /line 1: hits\.0\.score/],
    ["a query twice", '{"query":"a","hits":[]}\n{"query":"a","hits":[]}', /line 2: query "a" is in line 1 already/],
    ["a product twice", '{"query":"a","hits":[{"id":"1"},{"id":1}]}', /line 1: product "1" is in hits twice/],
  ])("%s is refused", (_, content, message) => {
    expect(refusal(() => lists(content))).toMatch(message);
  });

  it("is named with its folders where another file has its name", () => {
    const [one, two] = [file('{"query":"a","hits":[]}', "one.jsonl"), file('{"query":"a","hits":[]}', "two.jsonl")];
    expect(readLists([one, two]).map(({ name }) => name)).toEqual(["one.jsonl", "two.jsonl"]);
    expect(readLists([one, `${folder}/./one.jsonl`]).map(({ name }) => name)).toEqual([one, `${folder}/./one.jsonl`]);
    expect(refusal(() => readLists([one, one]))).toMatch(/twice/);
  });
});
