/** KV in a Map, which counts reads. */
import type { KvReader } from "../../embeddings/store.ts";
import type { KvWriter } from "../harness/catalogue.ts";

export interface MemoryKv extends KvReader, KvWriter {
  /** Keys read since the start. */
  readonly reads: () => number;
}

export function createMemoryKv(): MemoryKv {
  const values = new Map<string, Buffer<ArrayBuffer>>();
  let reads = 0;
  async function get(key: string, type: "text"): Promise<string | null>;
  async function get(key: string, type: "arrayBuffer"): Promise<ArrayBuffer | null>;
  async function get(key: string, type: "text" | "arrayBuffer"): Promise<string | ArrayBuffer | null> {
    reads++;
    const value = values.get(key);
    if (value === undefined) return null;
    return type === "text" ? value.toString("utf8") : Uint8Array.from(value).buffer;
  }
  return { get, put: async (key, value) => void values.set(key, Buffer.from(value)), reads: () => reads };
}
