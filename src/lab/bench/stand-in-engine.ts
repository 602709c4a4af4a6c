/**
 * A search engine that takes next to no time, so that what is measured is the edge; see engine-replies.ts for what it answers. Runs as a
 * process of its own (`fork`), tells its port, and ends with its parent.
 */
import { createServer } from "node:http";
import { serveParent } from "./child-server.ts";
import { replyTo } from "./engine-replies.ts";

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const body = replyTo(request.url ?? "", Buffer.concat(chunks).toString("utf8"));
    response.writeHead(200, { "content-type": "application/json", "content-length": body.length });
    response.end(body);
  });
});
serveParent(server);
