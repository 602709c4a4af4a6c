import { describe, expect, it } from "vitest";
import { isBot } from "../../src/experiment/bots.ts";

const CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";
const GOOGLE = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";

describe("isBot()", () => {
  it.each<[string, Record<string, string>, boolean]>([
    ["a browser", { "user-agent": CHROME }, false],
    ["a crawler", { "user-agent": GOOGLE }, true],
    ["a server of the shop", { "user-agent": "elasticsearch-js/9.5.1 (linux; Node.js 22)" }, false],
    ["a server that searches for a crawler", { "user-agent": "node", "x-armmt-user-agent": GOOGLE }, true],
    ["a server that searches for a shopper", { "user-agent": "node", "x-armmt-user-agent": CHROME }, false],
    ["nobody in particular", {}, false],
  ])("%s", (_, headers, expected) => {
    expect(isBot(new Headers(headers))).toBe(expected);
  });
});
