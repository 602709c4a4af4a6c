/** A gzip file from the network or the cache → its content, checked. Nothing here knows where files come from. */
import type { ListedFile } from "./listing.ts";
import { FileError } from "./problem.ts";
import { errorText } from "../../web.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Some hosts send `.gz` with `content-encoding: gzip`, and the browser has unpacked it already. */
function isGzip(bytes: Bytes): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** Throws a FileError when it is damaged, or longer or shorter than listed: no more than that is ever unpacked. */
export async function unpack(file: ListedFile, packed: Bytes): Promise<Bytes> {
  // A file that is a gzip file itself could not be told from its packed form; none of ours is.
  const content = isGzip(packed) ? await gunzip(file, packed) : packed;
  if (content.length === file.bytes) return content;
  throw corrupt(file, `${content.length} bytes, files.json says ${file.bytes}`);
}

/** Throws a FileError that names both hashes when the content is not what was listed. */
export async function verify(file: ListedFile, content: Bytes): Promise<void> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
  const sha256 = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (sha256 !== file.sha256) throw corrupt(file, `SHA-256 ${sha256}, files.json says ${file.sha256}`);
}

async function gunzip(file: ListedFile, packed: Bytes): Promise<Bytes> {
  const content = new Uint8Array(file.bytes);
  let length = 0;
  const reader = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip")).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      if (length + value.length > content.length) throw corrupt(file, `more than the ${file.bytes} bytes of files.json`);
      content.set(value, length);
      length += value.length;
    }
  } catch (cause) {
    void reader.cancel().catch(() => undefined);
    if (cause instanceof FileError) throw cause;
    throw corrupt(file, `no whole gzip file (${errorText(cause)})`);
  }
  return content.subarray(0, length);
}

function corrupt({ name, url }: ListedFile, found: string): FileError {
  return new FileError("file_corrupt", `${name} (${url}) has ${found}: run armmt private again and upload what it wrote`);
}
