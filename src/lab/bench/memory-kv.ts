/** KV in a Map, for what is measured without a store; remembers which keys were read. */
import type { KvReader } from "../../embeddings/store.ts";

export interface MemoryKv extends KvReader {
  put(key: string, value: string | Uint8Array<ArrayBuffer>): Promise<void>;
  /** In order, with repetitions. */
  readonly reads: readonly string[];
}

export function createMemoryKv(): MemoryKv {
  const values = new Map<string, string | Uint8Array<ArrayBuffer>>();
  const reads: string[] = [];
  async function get(key: string, type: "text"): Promise<string | null>;
  async function get(key: string, type: "arrayBuffer"): Promise<ArrayBuffer | null>;
  async function get(key: string, type: "text" | "arrayBuffer"): Promise<string | ArrayBuffer | null> {
    reads.push(key);
    const value = values.get(key);
    if (value === undefined) return null;
    const isText = typeof value === "string";
    if (type === "text") return isText ? value : new TextDecoder().decode(value);
    return isText ? new TextEncoder().encode(value).buffer : value.slice().buffer;
  }
  return { get, put: async (key, value) => void values.set(key, value), reads };
}
