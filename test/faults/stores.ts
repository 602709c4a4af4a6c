/** KV and D1 in workerd's own protocol, which fail as they are told. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";
import type { KvReader } from "../../src/embeddings/store.ts";
import { listen } from "./listen.ts";

const ROW_WRITTEN = {
  success: true,
  results: { columns: [], rows: [] },
  meta: { served_by: "faults", duration: 0, changes: 1, last_row_id: 1, changed_db: true, size_after: 0, rows_read: 0, rows_written: 1 },
};

/** Answers instead of the store, or leaves the answer to it (false). `key`: of KV; `undefined` for a statement of D1. */
export type StoreFault = (key: string | undefined, response: ServerResponse) => boolean;

export async function startStores(kv: KvReader) {
  const state: { fault: StoreFault } = { fault: () => false };
  const server = createServer((request, response) => void answer(request, response).catch(() => response.destroy()));
  const { port, close } = await listen(server);

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request);
    const isStatement = request.method === "POST";
    const key = decodeURIComponent(new URL(request.url ?? "/", "http://stores").pathname.slice(1));
    if (state.fault(isStatement ? undefined : key, response)) return;
    if (isStatement) {
      const statements: unknown = JSON.parse(body.toString("utf8"));
      response.end(JSON.stringify(Array.isArray(statements) ? statements.map(() => ROW_WRITTEN) : ROW_WRITTEN));
      return;
    }
    const value = await kv.get(key, "arrayBuffer");
    if (value === null) response.writeHead(404).end();
    else response.end(Buffer.from(value));
  }

  return {
    address: `127.0.0.1:${port}`,
    set(next: StoreFault): void {
      state.fault = next;
    },
    close,
  };
}
