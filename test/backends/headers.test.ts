import { describe, expect, it } from "vitest";
import {
  conditionsOf,
  headersFromEngine,
  headersFromStorefront,
  headersToEngine,
  headersToStorefront,
} from "../../src/backends/headers.ts";

const UNCHANGED = { isEdited: false, isPrivate: false };

/** A Headers that holds what some hosts let through, and the constructor of others refuses. */
const holding = (name: string, value: string): Headers => {
  const headers = new Headers({ [name]: "x" });
  return Object.assign(Object.create(headers), { get: (asked: string) => (asked === name ? value : null) });
};

describe("a header with control characters", () => {
  const bad = ["a\u0000b", "a\u0007b", "a\rb", "a\nb: c", "a\u001bb", "a\u007fb"];
  it.each(bad)("goes no further: %j", (value) => {
    expect(headersFromEngine(holding("warning", value), UNCHANGED).has("warning")).toBe(false);
    expect(headersFromStorefront(holding("link", value)).has("link")).toBe(false);
    expect(headersToStorefront(holding("user-agent", value)).has("user-agent")).toBe(false);
  });

  it("goes on without them: spaces, tabs and letters beyond ASCII are none", () => {
    for (const value of ["a b", "a\tb", "caf\u00e9", '299 - "x"', ""]) {
      expect(headersFromEngine(holding("warning", value), UNCHANGED).get("warning")).toBe(value);
    }
  });
});

describe("headersToEngine()", () => {
  const options = { fromClient: [], address: undefined, own: { "x-request-id": "ours" } };
  const sentBy = (headers: Record<string, string>) => [...headersToEngine({ headers: new Headers(headers), address: undefined }, options)];

  it("tells which program asks, and nothing of the connection or the body's coding", () => {
    expect(
      sentBy({
        "user-agent": "shop/1",
        "content-encoding": "gzip",
        "if-none-match": '"v1"',
        connection: "close",
        "x-request-id": "theirs",
      }),
    ).toEqual([
      ["accept-encoding", "identity"],
      ["user-agent", "shop/1"],
      ["x-request-id", "ours"],
    ]);
  });
});

describe("conditionsOf()", () => {
  it.each([
    ['"v1"', '"v1"'],
    ['W/"v1"', 'W/"v1", "v1"'],
    ['"a", W/"b,c" , "d"', '"a", W/"b,c", "b,c" , "d"'],
    ["*", "*"],
  ])("asks for the tag %s as servers and engines write it", (given, expected) => {
    expect([...conditionsOf(new Headers({ "if-none-match": given }))]).toEqual([["if-none-match", expected]]);
  });
});
