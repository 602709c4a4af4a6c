/**
 * A page of one file, and its searches and pictures at the edge: `npm start` in one terminal, `node examples/plain-html/server.mjs` in another.
 * EDGE_URL: the edge; PORT: of the page.
 */
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";

const edge = process.env.EDGE_URL ?? "http://127.0.0.1:8787";
const port = Number(process.env.PORT ?? 8080);
const page = await readFile(new URL("index.html", import.meta.url));

const server = createServer(async (request, reply) => {
  if (request.url === "/") return reply.setHeader("content-type", "text/html; charset=utf-8").end(page);
  try {
    const body = request.method === "POST" ? await new Response(request).text() : undefined;
    const answer = await fetch(edge + request.url, {
      method: request.method,
      headers: { "content-type": "application/json", "user-agent": request.headers["user-agent"] ?? "" },
      body,
    });
    for (const name of ["content-type", "x-armmt", "x-armmt-events"])
      if (answer.headers.has(name)) reply.setHeader(name, answer.headers.get(name));
    reply.writeHead(answer.status).end(Buffer.from(await answer.arrayBuffer()));
  } catch (error) {
    reply
      .writeHead(502)
      .end(`The edge at ${edge} does not answer (${error.message}): start it with npm start, or name another one in EDGE_URL\n`);
  }
});
server.listen(port, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}`));
