/**
 * Bodies that come packed: requests of clients that save bytes, and replies although the edge asks for plain ones. What a runtime's fetch
 * unpacks of a reply differs (workerd: gzip and br; Deno and browsers more; Node's fetch even what ends too early), and all of them keep the
 * header: so there the bytes tell whether they are packed.
 */
import { joinBytes, nextTurn } from "../web.ts";

/** Codings that are undone here: formats of DecompressionStream, which every runtime has, or functions of Node's zlib. */
const CODINGS: ReadonlyMap<string, readonly (CompressionFormat | ZlibFunction)[]> = new Map([
  ["gzip", ["gzip"]],
  ["x-gzip", ["gzip"]],
  // By its name zlib's form; some clients and servers send the bare one.
  ["deflate", ["deflate", "deflate-raw"]],
  ["br", ["brotliDecompress"]],
  ["zstd", ["zstdDecompress"]],
]);

type ZlibFunction = "brotliDecompress" | "zstdDecompress";

/** The first bytes of what a coding packs; no text begins like that. */
const BEGINNINGS: ReadonlyMap<string, readonly number[]> = new Map([
  ["gzip", [0x1f, 0x8b]],
  ["x-gzip", [0x1f, 0x8b]],
  ["compress", [0x1f, 0x9d]],
  ["x-compress", [0x1f, 0x9d]],
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd]],
]);

/** One coding is usual; each costs a copy. */
const MAX_CODINGS = 3;

/** Enough of a reply to see that it is no text. */
const SAMPLE_BYTES = 4096;

/** In the order in which they were applied; empty for a plain body. */
export function codingsOf(headers: Headers): readonly string[] {
  const value = headers.get("content-encoding");
  if (value === null) return [];
  const names = value.split(",").map((name) => name.trim().toLowerCase());
  return names.filter((name) => name !== "" && name !== "identity");
}

/** Whether a body with this coding came as it was sent, and not unpacked by the runtime. */
export function isPacked(bytes: Uint8Array, coding: string): boolean {
  if (bytes.length === 0) return false;
  const beginning = BEGINNINGS.get(coding);
  return beginning === undefined ? !isText(bytes) : beginning.every((byte, i) => bytes[i] === byte);
}

/** UTF-8 without control characters. Of packed bytes about every eighth is one, and most others are no UTF-8. */
function isText(bytes: Uint8Array): boolean {
  const sample = bytes.subarray(0, SAMPLE_BYTES);
  if (sample.some((byte) => byte < 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09)) return false;
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(sample, { stream: true });
    return true;
  } catch {
    return false;
  }
}

/** The plain bytes, or why they stay packed. */
export type Unpacked = { readonly bytes: Uint8Array<ArrayBuffer> } | { readonly left: "unknown" | "too long" };

/** Rejects where the packed bytes are damaged or end too early, or where something follows them. */
export async function unpack(packed: Uint8Array<ArrayBuffer>, codings: readonly string[], maxBytes: number): Promise<Unpacked> {
  const ways = codings.map((coding) => (CODINGS.get(coding) ?? []).filter(isThere));
  if (codings.length > MAX_CODINGS || ways.some(({ length }) => length === 0)) return { left: "unknown" };
  let bytes = packed;
  for (const known of ways.toReversed()) {
    // oxlint-disable-next-line no-await-in-loop
    const unpacked = await firstOf(known, (way) => (isZlib(way) ? withZlib(bytes, way, maxBytes) : inflate(bytes, way, maxBytes)));
    if (unpacked === undefined) return { left: "too long" };
    bytes = unpacked;
  }
  return { bytes };
}

const isZlib = (way: CompressionFormat | ZlibFunction): way is ZlibFunction => way.endsWith("Decompress");

/** Node, Deno, and Workers with the flag `nodejs_compat` have it; DecompressionStream knows `br` in few runtimes, and `zstd` in none. */
function zlib() {
  return typeof process === "undefined" ? undefined : process.getBuiltinModule?.("node:zlib");
}

function isThere(way: CompressionFormat | ZlibFunction): boolean {
  return !isZlib(way) || typeof zlib()?.[way] === "function";
}

/** The first that does not reject. */
async function firstOf<F, T>([format, ...others]: readonly F[], attempt: (format: F) => Promise<T>): Promise<T> {
  if (format === undefined) throw new TypeError("There is no format");
  return others.length === 0 ? attempt(format) : attempt(format).catch(() => firstOf(others, attempt));
}

/** `undefined` where it is longer than `maxBytes`. */
function withZlib(packed: Uint8Array<ArrayBuffer>, name: ZlibFunction, maxBytes: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
  return new Promise((resolve, reject) => {
    zlib()?.[name](packed, { maxOutputLength: maxBytes }, (cause, bytes) => {
      if (cause === null) resolve(new Uint8Array(bytes));
      else if ("code" in cause && cause.code === "ERR_BUFFER_TOO_LARGE") resolve(undefined);
      else reject(cause);
    });
  });
}

/** Deflate grows a thousandfold at most: what is unpacked and not read yet stays below 16 MB. */
const PIECE_BYTES = 16_384;

/** `undefined` where it is longer than `maxBytes`. */
async function inflate(
  packed: Uint8Array<ArrayBuffer>,
  format: CompressionFormat,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const { readable, writable } = new DecompressionStream(format);
  const [reader, writer] = [readable.getReader(), writable.getWriter()];
  const chunks: Uint8Array[] = [];
  let length = 0;
  async function collect(): Promise<void> {
    for (;;) {
      const { done, value } = await reader.read(); // oxlint-disable-line no-await-in-loop
      if (done) return;
      chunks.push(value);
      length += value.length;
      if (length > maxBytes) return reader.cancel();
    }
  }
  async function feed(): Promise<void> {
    for (let at = 0; at < packed.length; at += PIECE_BYTES) {
      const end = at + PIECE_BYTES;
      await writer.write(packed.subarray(at, end)); // oxlint-disable-line no-await-in-loop
      if (length > maxBytes) return;
      // workerd unpacks at once all that it is given, a megabyte into a gigabyte: so it gets more when that is read.
      for (let before = -1; end < packed.length && before !== length;) {
        before = length;
        await nextTurn(); // oxlint-disable-line no-await-in-loop
      }
    }
    await writer.close();
  }
  try {
    await Promise.all([collect(), feed()]);
  } catch (cause) {
    if (length <= maxBytes) throw cause;
  }
  return length > maxBytes ? undefined : joinBytes(chunks);
}
