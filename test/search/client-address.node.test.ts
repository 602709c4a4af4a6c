/** The shopper's address: who knows it, and who is told. */
import { describe, expect, it } from "vitest";
import { ALL_DIALECTS } from "../../src/backends/all-dialects.ts";
import { openEdge, type Platform } from "../../src/edge.ts";
import { ok } from "../../src/result.ts";
import { lastAddress, readAddress } from "../../src/search/client-address.ts";
import { STAND_INS } from "./dialects/all.ts";
import { generic } from "./dialects/generic.ts";
import type { EngineStandIn } from "./dialects/stand-in.ts";

/** What clients send to be taken for somebody else. */
const FORGED = {
  "x-forwarded-for": "198.51.100.1",
  "x-real-ip": "198.51.100.1",
  forwarded: "for=198.51.100.1",
  "cf-connecting-ip": "198.51.100.1",
  "true-client-ip": "198.51.100.1",
  "x-client-ip": "198.51.100.1",
  "shopify-storefront-buyer-ip": "198.51.100.1",
};

interface Options {
  readonly index?: object;
  readonly vars?: object;
  readonly headers?: Readonly<Record<string, string>>;
  readonly address?: string | undefined;
  readonly isWithinRate?: Platform["isWithinRate"];
}

/** The headers that the engine gets. */
async function sent({ backend, index, config, cases }: EngineStandIn, options: Options = {}): Promise<Headers> {
  const seen: Headers[] = [];
  const app = openEdge({
    env: { INDEXES: { [index]: { backend, url: "http://127.0.0.1:7700", window: 20, ...config, ...options.index } }, ...options.vars },
    kv: { get: async () => null },
    sinks: { write: async () => ok(true), writeEvents: async () => ok({ written: 0, duplicates: 0, deferred: 0 }) },
    scorer: () => ({ ok: false, error: { reason: "model_unavailable", detail: "" } }),
    fetch: async (url, init) => {
      seen.push(new Request(url, init).headers);
      return Response.json({});
    },
    dialects: ALL_DIALECTS,
    clientAddress: () => options.address,
    isWithinRate: options.isWithinRate,
    log: () => undefined,
  });
  const { path, init } = cases[0]!.ask;
  await app.fetch(new Request(`https://edge.example.com${path}`, { ...init, headers: { ...init.headers, ...FORGED, ...options.headers } }));
  const [headers] = seen;
  if (headers === undefined) throw new Error("The engine was not asked");
  return headers;
}

const addressesIn = (headers: Headers) => [...headers].filter(([, value]) => /198\.51|203\.0|2001:/.test(value));

const each = STAND_INS.map((standIn) => [standIn.title, standIn] as const);

const behindProxy = (header: string, value: string): Options => ({
  index: { forwardClientAddress: true },
  vars: { CLIENT_ADDRESS_HEADER: header },
  headers: { [header]: value },
  address: "10.0.0.1",
});

const told = async (header: string, value: string) => (await sent(generic, behindProxy(header, value))).get("x-forwarded-for");

describe("the engine", () => {
  it.each(each)("%s: learns no address, whatever the client sends and whatever the edge knows", async (_, standIn) => {
    for (const forwardCredentials of [false, true]) {
      for (const more of [{}, { vars: { CLIENT_ADDRESS_HEADER: "x-forwarded-for" } }, { vars: { ENGINE_AUTHORIZATION: "key" } }]) {
        // oxlint-disable-next-line no-await-in-loop
        expect(addressesIn(await sent(standIn, { index: { forwardCredentials }, address: "203.0.113.7", ...more }))).toEqual([]);
      }
    }
  });

  it.each(each)("%s: learns the address that the runtime knows, where the index says so, and no other", async (_, standIn) => {
    const name = standIn.backend === "shopify" ? "shopify-storefront-buyer-ip" : "x-forwarded-for";
    for (const forwardCredentials of [false, true]) {
      const index = { forwardCredentials, forwardClientAddress: true };
      expect(addressesIn(await sent(standIn, { index, address: "203.0.113.7" }))).toEqual([[name, "203.0.113.7"]]); // oxlint-disable-line no-await-in-loop
      expect(addressesIn(await sent(standIn, { index, address: "::ffff:203.0.113.7" }))).toEqual([[name, "203.0.113.7"]]); // oxlint-disable-line no-await-in-loop
      expect(addressesIn(await sent(standIn, { index, address: undefined }))).toEqual([]); // oxlint-disable-line no-await-in-loop
    }
  });

  it("learns the one that the shop's own proxy wrote, which is the last", async () => {
    expect(await told("x-forwarded-for", "198.51.100.1, 203.0.113.7")).toBe("203.0.113.7");
    expect(await told("x-forwarded-for", "198.51.100.1,203.0.113.7:50123")).toBe("203.0.113.7");
    expect(await told("X-Real-IP", "2001:DB8::7")).toBe("2001:db8::7");
    expect(await told("fastly-client-ip", "203.0.113.7, unknown")).toBe(null);
    expect(await told("x-absent", "")).toBe(null);
  });

  it.each(each)("%s: learns on which site a page is, where the client's own key goes, and nothing else of the page", async (_, standIn) => {
    const headers = { origin: "https://shop.example.com", referer: "https://shop.example.com/search?q=my+words#top" };
    const forwarding = await sent(standIn, { headers, index: { forwardCredentials: true } });
    expect([forwarding.get("origin"), forwarding.get("referer")]).toEqual([
      standIn.backend === "elasticsearch" ? null : "https://shop.example.com",
      "https://shop.example.com/",
    ]);
    const own = { index: { forwardCredentials: true }, vars: { ENGINE_AUTHORIZATION: "key" } };
    for (const options of [{ headers }, { headers, ...own }]) {
      const withheld = await sent(standIn, options); // oxlint-disable-line no-await-in-loop
      expect([withheld.get("origin"), withheld.get("referer")]).toEqual([null, null]);
    }
  });

  it.each(["about:client", "android-app://com.example/a", "no address", "javascript:alert(1)"])(
    "learns no page from %s",
    async (referer) => {
      const headers = await sent(generic, { headers: { referer }, index: { forwardCredentials: true } });
      expect(headers.has("referer")).toBe(false);
    },
  );
});

describe("the rate limit", () => {
  it("counts by the address that the runtime knows, and nobody without one", async () => {
    const counted: string[] = [];
    const isWithinRate = async (key: string) => counted.push(key) > 0;
    await sent(generic, { isWithinRate, address: "203.0.113.7" });
    await sent(generic, { isWithinRate, address: undefined });
    await sent(generic, { isWithinRate, address: "10.0.0.1", vars: { CLIENT_ADDRESS_HEADER: "x-real-ip" } });
    expect(counted).toEqual(["203.0.113.7", "198.51.100.1"]);
  });
});

describe("readAddress()", () => {
  it.each([
    ["203.0.113.7", "203.0.113.7"],
    [" 203.0.113.7 ", "203.0.113.7"],
    ["203.0.113.7:443", "203.0.113.7"],
    ["::ffff:203.0.113.7", "203.0.113.7"],
    ["[::ffff:203.0.113.7]:443", "203.0.113.7"],
    ["2001:DB8:0:0::7", "2001:db8::7"],
    ["[2001:db8::7]", "2001:db8::7"],
    ["[2001:db8::7]:443", "2001:db8::7"],
    ["fe80::1%eth0", "fe80::1"],
    ["::1", "::1"],
  ])("reads %j", (text, address) => {
    expect(readAddress(text)).toBe(address);
    expect(lastAddress(`198.51.100.1, ${text}`)).toBe(address);
  });

  it.each([
    "",
    " ",
    "unknown",
    "_hidden",
    "127.1",
    "0x7f.0.0.1",
    "256.1.1.1",
    "1.2.3",
    "1.2.3.4.5",
    "::g",
    "1:2",
    "a",
    "abcd",
    "1.2.3.4, ",
    "1.2.3.4\r\nx: y",
    "[1.2.3.4]x",
    "for=1.2.3.4",
    ":".repeat(9999),
  ])("reads nothing from %j", (text) => {
    expect(readAddress(text)).toBe(undefined);
  });
});
