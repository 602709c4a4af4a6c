/**
 * Replies that come packed although the edge asks for plain ones. What a runtime's fetch unpacks differs (workerd: gzip and br; Deno and
 * browsers more; Node's fetch even what ends too early), and all of them keep the header: so the bytes tell whether they are packed.
 */
import type { Bypass } from "../result.ts";
import { joinBytes } from "../web.ts";

/** Codings that are undone here, as formats of DecompressionStream; workerd has no brotli, and unpacks it by itself. */
const FORMATS: ReadonlyMap<string, readonly string[]> = new Map([
  ["gzip", ["gzip"]],
  ["x-gzip", ["gzip"]],
  // By its name zlib's form; some servers send the bare one.
  ["deflate", ["deflate", "deflate-raw"]],
  ["br", ["brotli"]],
]);

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

/** The plain bytes, or why a reply stays packed. */
export type Unpacked = { readonly bytes: Uint8Array<ArrayBuffer> } | { readonly left: Bypass };

/** Rejects where the packed bytes are damaged or end too early. */
export async function unpack(packed: Uint8Array<ArrayBuffer>, codings: readonly string[], maxBytes: number): Promise<Unpacked> {
  const formats = codings.map((coding) => (FORMATS.get(coding) ?? []).filter(isFormat));
  if (codings.length > MAX_CODINGS || formats.some(({ length }) => length === 0)) {
    const named = JSON.stringify(codings.join(", ").slice(0, 100));
    return { left: { reason: "reply_encoded", detail: `The reply is packed as ${named}, which this runtime cannot unpack` } };
  }
  let bytes = packed;
  for (const known of formats.toReversed()) {
    const unpacked = await firstOf(known, (format) => inflate(bytes, format, maxBytes)); // oxlint-disable-line no-await-in-loop
    if (unpacked === undefined) {
      return { left: { reason: "reply_too_large", detail: `The reply is longer than ${maxBytes} bytes when unpacked` } };
    }
    bytes = unpacked;
  }
  return { bytes };
}

/** The types name no format that only some runtimes have. */
function isFormat(name: string): name is CompressionFormat {
  try {
    Reflect.construct(DecompressionStream, [name]);
    return true;
  } catch {
    return false;
  }
}

/** The first that does not reject. */
async function firstOf<F, T>([format, ...others]: readonly F[], attempt: (format: F) => Promise<T>): Promise<T> {
  if (format === undefined) throw new TypeError("There is no format");
  return others.length === 0 ? attempt(format) : attempt(format).catch(() => firstOf(others, attempt));
}

/** `undefined` where it is longer than `maxBytes`. */
async function inflate(
  packed: Uint8Array<ArrayBuffer>,
  format: CompressionFormat,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const reader = new Blob([packed]).stream().pipeThrough(new DecompressionStream(format)).getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read(); // oxlint-disable-line no-await-in-loop
    if (done) return joinBytes(chunks);
    chunks.push(value);
    length += value.length;
    if (length > maxBytes) {
      await reader.cancel();
      return undefined;
    }
  }
}
