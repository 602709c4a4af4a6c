/** What clients send that is no ordinary search. The edge answers in the engine's words or hands it on; meanwhile another shopper searches. */
import type { Ask } from "../search/dialects/stand-in.ts";
import type { Sent } from "./client.ts";

export interface ClientFault {
  readonly name: string;
  readonly isShort?: boolean;
  /** `plain`: the dialect's ordinary search. */
  request(plain: Ask): Sent & { readonly path: string };
  /** The answer must be the engine's own, left alone because the request asks for it. */
  readonly isOff?: boolean;
  /** Leaves after this many ms. */
  readonly leavesAfterMs?: number;
  /** Names an index that is not configured: it must not reach the engine. */
  readonly isForeign?: boolean;
}

const LIMIT = 1_000_000;

const sent = ({ path, init }: Ask, more: Partial<Sent> = {}): ReturnType<ClientFault["request"]> => ({
  path,
  method: init.method ?? "GET",
  body: init.body,
  ...more,
  headers: { ...init.headers, ...more.headers },
});

const body = (make: (own: string) => string | Buffer): ClientFault["request"] => {
  return (plain) => sent(plain, { method: "POST", body: make(plain.init.body ?? "{}"), headers: { "content-type": "application/json" } });
};

const off = (name: string, value: string): ClientFault => ({
  name: `x-armmt: ${name}`,
  isOff: true,
  request: (plain) => sent(plain, { headers: { "x-armmt": value } }),
});

const keys = (own: string): string => {
  const many: string[] = [];
  for (let i = 0, length = 0; length < LIMIT - own.length - 100; i++) length += many[many.push(`"k${i}":1`) - 1]!.length + 1;
  return `{${many.join(",")},${own.replace(/^\s*\{/, "")}`;
};

const inParam = (value: string): ClientFault["request"] => {
  return (plain) => {
    const { path, ...rest } = sent(plain);
    return { ...rest, path: `${path}${path.includes("?") ? "&" : "?"}${value}` };
  };
};

export const CLIENT_FAULTS: readonly ClientFault[] = [
  { name: "90,000 members in a body", request: body(keys), isShort: true },
  { name: "a body nested 400,000 deep", request: body(() => "[".repeat(400_000) + "]".repeat(400_000)) },
  { name: "a body of 1 MB of text", request: body((own) => own.replace(/\}\s*$/, `,"x":"${"y".repeat(LIMIT - own.length - 20)}"}`)) },
  { name: "a body of 1 MB of spaces", request: body((own) => " ".repeat(LIMIT - own.length) + own) },
  { name: "a body of 1 MB of lines", request: body(() => "{}\n".repeat(300_000)) },
  { name: "a body of 1 MB of escapes", request: body((own) => own.replace(/\}\s*$/, `,"x":"${String.raw`\u0041`.repeat(160_000)}"}`)) },
  { name: "a body of 1 MB that is no JSON", request: body(() => Buffer.alloc(LIMIT, 0xff)), isShort: true },
  { name: "a body beyond the limit", request: body(() => Buffer.alloc(2_000_000, " ")) },
  { name: "300,000 parameters", request: body(() => "a=1&".repeat(250_000)) },
  { name: "an empty body", request: body(() => ""), isShort: true },
  { name: "a body in UTF-16", request: body((own) => Buffer.from(own, "utf16le")) },
  { name: "a query of 12 kB", request: inParam(`q=${"x".repeat(12_000)}`) },
  { name: "3,000 parameters in the URL", request: inParam("a=1&".repeat(3000)) },
  { name: "broken escapes in the URL", request: inParam("q=%zz%&%=%e4") },
  {
    name: "100 headers",
    request: (plain) => sent(plain, { headers: Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`x-${i}`, "1"])) }),
  },
  { name: "a session of 6 kB", request: (plain) => sent(plain, { headers: { "x-armmt-session": "s".repeat(6000) } }) },
  { name: "a history of 6 kB", request: (plain) => sent(plain, { headers: { "x-armmt-history": "item-1,".repeat(900) } }) },
  off("off", "off"),
  { ...off("off, off", "off, off"), isShort: true },
  off("off,off", "off,off"),
  off("OFF", "OFF"),
  off("off, sent by a proxy too", "off, proxy"),
  off("proxy, off", "proxy, off"),
  off("off;", "off;"),
  { name: "x-armmt: applied", request: (plain) => sent(plain, { headers: { "x-armmt": "applied" } }) },
  { name: "leaves at once", request: (plain) => sent(plain), leavesAfterMs: 1 },
  { name: "leaves after 20 ms", request: (plain) => sent(plain), leavesAfterMs: 20 },
  {
    name: "another index in the path",
    isForeign: true,
    isShort: true,
    request: (plain) => ({ ...sent(plain), path: plain.path.replace(/products|movies/, "secret") }),
  },
];
