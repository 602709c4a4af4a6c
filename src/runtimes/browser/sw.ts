/** `sw.js` of a shop without a service worker of its own: searches are re-ranked on the device, the network answers everything else. */
import { runWorker, type WorkerScope } from "./service-worker.ts";

declare const self: WorkerScope;

runWorker(self);
