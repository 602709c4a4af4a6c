/** Cloudflare's entry. A shop that needs more than bindings and variables writes such a file of its own; see create-worker.ts. */
import { createWorker } from "./create-worker.ts";

export default createWorker();
