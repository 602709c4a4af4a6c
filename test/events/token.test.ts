/** The token of a search: what it proves, what it hides, how long it is. */
import { describe, expect, it } from "vitest";
import { createEventTokens, queryIdOf, TOKEN_TTL_MS, type TokenContent } from "../../src/events/token.ts";
import { createUnitHash, isUnitHash } from "../../src/events/keys.ts";

const SECRET = "a-secret-for-tests-only-of-32-characters";
const NOW = Date.UTC(2026, 10, 21, 12);

const content: TokenContent = {
  queryId: "query-1",
  application: "products",
  experiment: "rerank",
  variant: "interleave(control, armmt)",
  unit: "0123456789abcdef0123456789abcdef",
  itemIds: ["mug", "cup", "gid://shopify/Product/1"],
  teams: ["a", "b", undefined],
};

/** Of `content`, issued on NOW before tokens held the offset of their page. */
const OLD_TOKEN =
  "1.query-1.cWDHtWJt2th6vBzMAHEgdVz-Uj85MxEpmMVl4ZS5LAH4QtXPp-2eNE-BI8an036h9kt_85JgWl54S-m3B5TjIC0krolcy7k9gMTIZNLiVE_D49eRXI06hvjbWXG3TH2m761tZpssYMxXolJ839Yi-g5t3RXKehb7Wlb0WTNIOCHETZddJpIx7vL45thrvsNduegYzJUYmZMkCgJY129jHBFNKWzZz0nJK9F-";

const tokensAt = (nowMs: number, secret = SECRET) => createEventTokens({ secret, now: () => nowMs });

async function openedAt(nowMs: number, token: string, secret = SECRET) {
  const opened = await tokensAt(nowMs, secret).open(token);
  if (!opened.ok) throw new Error(opened.error);
  return opened.value;
}

const offsetOf = async (offset?: number | null) => (await openedAt(NOW, await tokensAt(NOW).issue({ ...content, offset }))).offset;

const bodyOf = (token: string): string => token.slice(token.lastIndexOf(".") + 1);

const sizeOf = async (count: number, idOf: (i: number) => string): Promise<number> =>
  (
    await tokensAt(NOW).issue({
      queryId: crypto.randomUUID(),
      application: "products",
      experiment: "rerank",
      variant: "armmt",
      unit: "0123456789abcdef0123456789abcdef",
      itemIds: Array.from({ length: count }, (_, i) => idOf(i)),
    })
  ).length;

const short = (i: number): string => String(i);
const long = (i: number): string => `gid://shopify/Product/${1_000_000_000_000 + i}`;

describe("a token", () => {
  it("gives back what was issued", async () => {
    const opened = await openedAt(NOW + 1000, await tokensAt(NOW).issue(content));
    const { queryId, application, experiment, variant, unit } = opened;
    expect({ queryId, application, experiment, variant, unit }).toEqual({
      queryId: "query-1",
      application: "products",
      experiment: "rerank",
      variant: "interleave(control, armmt)",
      unit: "0123456789abcdef0123456789abcdef",
    });
    expect(opened.issuedAtMs).toBe(NOW);
  });

  it("knows where each item stood and who placed it, and no other item", async () => {
    const opened = await openedAt(NOW, await tokensAt(NOW).issue(content));
    const positions = await Promise.all(["mug", "cup", "gid://shopify/Product/1", "plate", "", "mu"].map(opened.positionOf));
    expect(positions).toEqual([1, 2, 3, undefined, undefined, undefined]);
    expect([1, 2, 3, 4].map(opened.teamAt)).toEqual(["a", "b", undefined, undefined]);
  });

  it("knows which places are sponsored, and is as long as ever where none is", async () => {
    const opened = await openedAt(NOW, await tokensAt(NOW).issue({ ...content, slots: [1, 3] }));
    expect([1, 2, 3, 4].map(opened.isSlot)).toEqual([true, false, true, false]);
    const [none, without] = await Promise.all([tokensAt(NOW).issue({ ...content, slots: [] }), tokensAt(NOW).issue(content)]);
    expect(none.length).toBe(without.length);
    expect((await openedAt(NOW, OLD_TOKEN)).isSlot(1)).toBe(false);
  });

  it("tells how many hits come before its page, and where nobody knows, says so", async () => {
    expect([await offsetOf(), await offsetOf(0), await offsetOf(48), await offsetOf(null)]).toEqual([0, 0, 48, undefined]);
  });

  it("of a version that did not know its place opens until it expires", async () => {
    const opened = await openedAt(NOW, OLD_TOKEN);
    expect([opened.queryId, opened.variant, opened.offset]).toEqual(["query-1", content.variant, undefined]);
    expect([await opened.positionOf("cup"), opened.teamAt(2)]).toEqual([2, "b"]);
    expect(await tokensAt(NOW + TOKEN_TTL_MS).open(OLD_TOKEN)).toEqual({ ok: false, error: "token_expired" });
  });

  it("leaves absent what is absent", async () => {
    const opened = await openedAt(NOW, await tokensAt(NOW).issue({ queryId: "q", application: "p", variant: "armmt", itemIds: ["x"] }));
    expect([opened.experiment, opened.unit, opened.teamAt(1)]).toEqual([undefined, undefined, undefined]);
  });

  it("shows a client the query id and nothing else", async () => {
    const token = await tokensAt(NOW).issue({ ...content, queryId: "a.b, ü/1" });
    expect(queryIdOf(token)).toBe("a.b, ü/1");
    expect(token).toMatch(/^1\.[\w.~%!'()*-]+\.[\w-]+$/); // fits a header, a URL, a list with commas
    const binary = atob(
      token
        .slice(token.lastIndexOf(".") + 1)
        .replaceAll("-", "+")
        .replaceAll("_", "/"),
    );
    for (const hidden of ["armmt", "rerank", "control", "0123456789abcdef", "mug"]) expect(binary).not.toContain(hidden);
  });

  it("says nothing by its look: two of the same search differ in every part", async () => {
    const tokens = tokensAt(NOW);
    const full = { ...content, itemIds: Array.from({ length: 100 }, (_, i) => `item-${i}`) };
    const [one, two] = await Promise.all([tokens.issue(full), tokens.issue(full)]);
    const same = bodyOf(one)
      .split("")
      .filter((char, i) => char === bodyOf(two)[i]).length;
    expect(same / bodyOf(one).length).toBeLessThan(0.15);
  });

  it("expires", async () => {
    const token = await tokensAt(NOW).issue(content);
    expect((await tokensAt(NOW + TOKEN_TTL_MS - 1).open(token)).ok).toBe(true);
    expect(await tokensAt(NOW + TOKEN_TTL_MS).open(token)).toEqual({ ok: false, error: "token_expired" });
  });

  it("is refused with any character changed", async () => {
    const tokens = tokensAt(NOW);
    const token = await tokens.issue(content);
    // The last character of base64 may hold bits that belong to no byte.
    for (let i = 0; i < token.length - 1; i++) {
      const changed = token.slice(0, i) + (token[i] === "A" ? "B" : "A") + token.slice(i + 1);
      expect(await tokens.open(changed), `character ${i}`).toEqual({ ok: false, error: "token_invalid" });
    }
  });

  it("is refused when it is another edge's, or none", async () => {
    const token = await tokensAt(NOW, SECRET.toUpperCase()).issue(content);
    for (const one of [token, "", ".", "1..", "1.q.", "1.q.AAAA", `1.q.${"A".repeat(200)}`, "2.q.AAAA", "query-1", "1.%ff.AAAA"]) {
      expect(await tokensAt(NOW).open(one), one).toEqual({ ok: false, error: "token_invalid" });
    }
  });

  it("has the same size whatever the ids look like, which headers can bear", async () => {
    const sizes = [await sizeOf(24, short), await sizeOf(24, long), await sizeOf(100, short), await sizeOf(100, long)];
    expect(sizes).toEqual([sizes[0], sizes[0], sizes[2], sizes[2]]);
    // 1. + uuid + . = 39; 4/3 of nonce 12, length 2, sealed 90, tags 4 each, HMAC 32.
    expect(sizes[0]).toBeLessThanOrEqual(360);
    expect(sizes[2]).toBeLessThanOrEqual(770);
  });
});

describe("createUnitHash()", () => {
  it("gives one unit the same digits, others others, and another secret others too", async () => {
    const hash = createUnitHash(SECRET);
    const digits = await hash("shopper-7");
    expect(isUnitHash(digits)).toBe(true);
    expect(await createUnitHash(SECRET)("shopper-7")).toBe(digits);
    expect(new Set([digits, await hash("shopper-8"), await createUnitHash(`${SECRET}!`)("shopper-7")]).size).toBe(3);
  });
});
