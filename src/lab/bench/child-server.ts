/** What every server that the bench starts with `fork` does: it listens on this machine, tells its parent the port, and ends with it. */
import type { Server } from "node:http";

/** Keep-alive connections stay as long as the bench may pause. */
const KEEP_ALIVE_MS = 600_000;

export function serveParent(server: Server): void {
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    process.send?.(typeof address === "object" ? address?.port : undefined);
  });
  process.on("disconnect", () => process.exit(0));
}
