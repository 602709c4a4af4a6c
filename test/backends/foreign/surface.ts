/** What a dialect's requests can say, and whether a name that is not configured arrives at the engine. Reads requests without code of the edge. */
import type { DialectOptions, EngineRequest } from "../../../src/backends/dialect.ts";
import type { DialectDefinition } from "../../../src/backends/dialects.ts";

export interface ForeignRequest {
  readonly path: string;
  /** The name in the path, decoded. */
  readonly index: string | undefined;
  readonly method: "GET" | "POST";
  /** With its question mark, or empty. */
  readonly search: string;
  readonly body: string | Uint8Array;
  readonly contentType?: string;
}

export interface Surface {
  /** With the edge's key. Where requests name indexes: at least "products" and "offers". */
  readonly indexes: ReadonlyMap<string, DialectOptions>;
  readonly definition: DialectDefinition;
  /** Requests of stock clients and of the engine's documentation: each must be accepted and arrive. */
  readonly ordinary: readonly ForeignRequest[];
  /**
   * Requests in which `marker`, a name that no configured index has, stands where the engine would read an index, a store, a handler, a
   * pipeline, a key or an address.
   */
  attacks(marker: string): readonly ForeignRequest[];
  /**
   * Whether the engine takes a value that holds the marker for words or for a name inside of the searched index: mutations can carry it there.
   * `path`: a parameter's name, or the keys that lead to the member, positions of lists among them.
   */
  readonly isText?: (path: readonly string[], value: string) => boolean;
}

export function get(path: string, params: string | Readonly<Record<string, string>>, index?: string): ForeignRequest {
  const search = typeof params === "string" ? params : new URLSearchParams(params).toString();
  return { path, index, method: "GET", search: search === "" ? "" : `?${search}`, body: "" };
}

/** `body`: a text as it is, anything else as JSON. */
export function post(
  path: string,
  body: unknown,
  more: { readonly index?: string; readonly search?: string; readonly contentType?: string } = {},
): ForeignRequest {
  const written = typeof body === "string" ? body : JSON.stringify(body);
  return { path, index: more.index, method: "POST", search: more.search ?? "", body: written, contentType: "application/json", ...more };
}

/** The marker in a request to the engine: `undefined` where it is not there, or only where it is text. Otherwise the request as text. */
export function arrival(request: EngineRequest, marker: string, isText: Surface["isText"]): string | undefined {
  const body = new TextDecoder().decode(request.body);
  const wire = `${request.path}\n${request.search}\n${body}`;
  const found = countIn(wire, marker);
  if (found === 0) return undefined;
  const asText =
    isText === undefined
      ? 0
      : leavesOf(request, body)
          .filter(([path, value]) => isText(path, value))
          .map(([, value]) => countIn(value, marker))
          .reduce((a, b) => a + b, 0);
  return asText >= found ? undefined : `${request.method} ${wire}`;
}

/** Case and escapes do not hide it. */
function countIn(wire: string, marker: string): number {
  let text = wire;
  // A text inside of a text is escaped twice.
  for (let depth = 0; depth < 3; depth++) text = unescaped(text);
  const lower = text.toLowerCase();
  const plain = lower.split(marker).length - 1;
  if (plain > 0) return plain;
  const packed = text
    .match(/[\w+/-]{16,}/g)
    ?.some((word) => [0, 1, 2, 3].some((from) => fromBase64(word.slice(from)).toLowerCase().includes(marker)));
  return packed === true ? 1 : 0;
}

function unescaped(text: string): string {
  return text
    .replaceAll(/\\u([0-9a-f]{4})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    .replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function fromBase64(word: string): string {
  const plain = word.replaceAll("-", "+").replaceAll("_", "/");
  try {
    return atob(plain.slice(0, plain.length - (plain.length % 4)));
  } catch {
    return "";
  }
}

type Leaf = readonly [path: readonly string[], value: string];

function leavesOf({ search }: EngineRequest, body: string): Leaf[] {
  const inUrl = [...new URLSearchParams(search)].map(([name, value]): Leaf => [[name], value]);
  const documents = body.split("\n").filter((line) => line.trim() !== "");
  try {
    return [...inUrl, ...leavesIn(JSON.parse(body), [])];
  } catch {
    // Lines of JSON, or a form.
  }
  try {
    return [...inUrl, ...documents.flatMap((line) => leavesIn(JSON.parse(line), []))];
  } catch {
    return [...inUrl, ...[...new URLSearchParams(body)].map(([name, value]): Leaf => [[name], value])];
  }
}

function leavesIn(value: unknown, path: readonly string[]): Leaf[] {
  if (typeof value === "object" && value !== null) return Object.entries(value).flatMap(([key, inner]) => leavesIn(inner, [...path, key]));
  return typeof value === "string" ? [[path, value]] : [];
}
