/** The service worker of a shop that brings none of its own: searches are re-ranked on the device, all else is the network's. */
import { runWorker } from "./run-worker.ts";
import type { WorkerScope } from "./worker-scope.ts";

declare const self: WorkerScope;

runWorker(self);
