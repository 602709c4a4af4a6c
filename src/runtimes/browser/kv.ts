/** The files of a listing as the store of item vectors reads them: see the keys in embeddings/store.ts. */
import type { KvReader } from "../../embeddings/store.ts";
import type { FileStore } from "./files.ts";
import type { Listing } from "./listing.ts";
import { kvName } from "./listing.ts";

/** Rejects with a FileError; a key that is not listed is null. */
export function createFileKv(store: Pick<FileStore, "read">, listing: Listing): KvReader {
  const files = new Map(listing.files.map((file) => [file.name, file]));

  async function get(key: string, type: "arrayBuffer"): Promise<ArrayBuffer | null>;
  async function get(key: string, type: "text"): Promise<string | null>;
  async function get(key: string, type: "arrayBuffer" | "text"): Promise<ArrayBuffer | string | null> {
    const file = files.get(kvName(key));
    if (file === undefined) return null;
    const content = await store.read(file);
    if (type === "text") return new TextDecoder().decode(content);
    const isWhole = content.byteOffset === 0 && content.byteLength === content.buffer.byteLength;
    return isWhole ? content.buffer : content.slice().buffer;
  }

  return { get };
}
