/**
 * Item vectors out of KV in two ways, in one workerd: `GET /?way=shards&k=100&cold=1` looks k items up in packed shards, `way=keys` reads
 * one key per item with bulk gets of base64 text. `way=none` only answers. Answers with how many items were found and how many keys read.
 *
 * It keeps no time: the bench measures from outside.
 */
import type { KvReader } from "../../embeddings/store.ts";
import { createItemStore, ShardCache } from "../../embeddings/store.ts";

interface BulkReader extends KvReader {
  get(keys: readonly string[], type: "text"): Promise<Map<string, string | null>>;
  get(key: string, type: "arrayBuffer"): Promise<ArrayBuffer | null>;
  get(key: string, type: "text"): Promise<string | null>;
}

interface Env {
  readonly EMBEDDINGS: BulkReader;
  /** JSON: what can be asked for. */
  readonly IDS: readonly string[];
  readonly CATALOG: string;
}

/** As many as one bulk get may name. */
const BULK = 100;

let reads = 0;

/** KV, with every key that is read counted: that is what is billed. */
function counted(kv: BulkReader): KvReader {
  async function get(key: string, type: "text"): Promise<string | null>;
  async function get(key: string, type: "arrayBuffer"): Promise<ArrayBuffer | null>;
  async function get(key: string, type: "text" | "arrayBuffer"): Promise<string | ArrayBuffer | null> {
    reads++;
    return type === "text" ? kv.get(key, type) : kv.get(key, type);
  }
  return { get };
}

const open = ({ EMBEDDINGS, CATALOG: catalog }: Env) =>
  createItemStore({ kv: counted(EMBEDDINGS), catalog, shards: new ShardCache(2 ** 25), timeoutMs: 10_000, now: () => Date.now() });

let warm: ReturnType<typeof open> | undefined;

async function fromShards(env: Env, ids: readonly string[], isCold: boolean): Promise<number> {
  const store = isCold ? open(env) : (warm ??= open(env));
  const found = await store.lookup(ids);
  if (!found.ok) throw new Error(found.error.detail);
  return found.value.items.filter((item) => item !== undefined).length;
}

/** Bytes before the vectors, see stored.ts. */
const HEAD_BYTES = 32;

async function fromKeys({ EMBEDDINGS }: Env, ids: readonly string[]): Promise<number> {
  let found = 0;
  for (let start = 0; start < ids.length; start += BULK) {
    const keys = ids.slice(start, start + BULK).map((id) => `item/${id}`);
    reads += keys.length;
    for (const value of (await EMBEDDINGS.get(keys, "text")).values()) {
      if (value === null) continue;
      const bytes = Uint8Array.from(atob(value), (letter) => letter.charCodeAt(0));
      const scales = new Float32Array(bytes.buffer, 0, 2);
      const codes = new Int8Array(bytes.buffer, HEAD_BYTES);
      const half = codes.length / 2;
      const vectors = Float32Array.from(codes, (code, i) => code * scales[i < half ? 0 : 1]!);
      if (vectors.length > 0) found++;
    }
  }
  return found;
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const { searchParams } = new URL(request.url);
    const k = Number(searchParams.get("k"));
    const start = Number(searchParams.get("start"));
    const ids = Array.from({ length: k }, (_, i) => env.IDS[(start + i) % env.IDS.length]!);
    const way = searchParams.get("way");
    reads = 0;
    const found =
      way === "shards" ? await fromShards(env, ids, searchParams.get("cold") === "1") : way === "keys" ? await fromKeys(env, ids) : 0;
    return new Response(`${found} ${reads}`);
  },
};
