/** Cloudflare's entry. A shop that needs more than bindings and variables writes its own such file; see create-worker.ts. */
import { createWorker } from "./create-worker.ts";

export default createWorker();
