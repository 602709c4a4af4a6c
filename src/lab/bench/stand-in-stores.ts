/**
 * KV and D1 as workerd asks for them, in a process of their own (`fork`), which tells its port and ends with its parent: what stores cost is
 * not the edge's time, and what they keep is not the edge's memory.
 *
 * KV keeps what is put and gives it back. D1 answers that a statement has changed one row, and keeps nothing but how many there were.
 */
import type { IncomingMessage } from "node:http";
import { createServer } from "node:http";
import { serveParent } from "./child-server.ts";

const values = new Map<string, Buffer>();
const counts = { reads: 0, statements: 0 };

const META = {
  served_by: "stand-in",
  duration: 0,
  changes: 1,
  last_row_id: 1,
  changed_db: true,
  size_after: 0,
  rows_read: 0,
  rows_written: 1,
};
const WRITTEN = { success: true, results: { columns: [], rows: [] }, meta: META };

async function read(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function answer(request: IncomingMessage): Promise<{ status: number; body: Buffer | string }> {
  const { pathname } = new URL(request.url ?? "/", "http://stores");
  const key = decodeURIComponent(pathname.slice(1));
  if (request.method === "PUT") {
    values.set(key, await read(request));
    return { status: 200, body: "" };
  }
  if (request.method === "POST") {
    const statements: unknown = JSON.parse((await read(request)).toString("utf8"));
    const many = Array.isArray(statements) ? statements.map(() => WRITTEN) : WRITTEN;
    counts.statements += Array.isArray(statements) ? statements.length : 1;
    return { status: 200, body: JSON.stringify(many) };
  }
  if (key === "counts") return { status: 200, body: JSON.stringify(counts) };
  counts.reads++;
  const value = values.get(key);
  return value === undefined ? { status: 404, body: "" } : { status: 200, body: value };
}

const server = createServer((request, response) => {
  void answer(request).then(({ status, body }) => {
    response.writeHead(status, { "content-length": Buffer.byteLength(body) });
    response.end(body);
  });
});
serveParent(server);
