/**
 * Is a port free? Asked before anything slow begins, so that the answer names the port and the flag at once.
 */
import { createServer } from "node:net";
import { UserError } from "../../web.ts";
import { LOCAL_HOST } from "../wrangler.ts";

/** Throws a UserError that names the port and the flag to change it. */
export async function requireFreePort(port: number, flag: string): Promise<void> {
  const problem = await listenProblem(port);
  if (problem === undefined) return;
  if (problem.code === "EADDRINUSE") {
    throw new UserError(`Port ${port} is in use. Stop what listens there, or choose another one with ${flag} <number>`);
  }
  throw new UserError(`Cannot listen on port ${port} (${problem.code ?? problem.message}). Choose another one with ${flag} <number>`);
}

function listenProblem(port: number): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error) => resolve(error));
    server.listen(port, LOCAL_HOST, () => server.close(() => resolve(undefined)));
  });
}
