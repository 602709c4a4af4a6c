/** For pages: registers the service worker, reads its status, keeps what was viewed, and removes all of it again. */
import * as v from "valibot";
import { type FetchProgress, parseProgress, REMOVE } from "./messages.ts";
import { removeStored } from "./history.ts";

export { DEVICE_HEADER, formatHistory, HISTORY_HEADER, OFF, OUTCOME_HEADER, parseOutcomes, type PublicOutcome } from "../../protocol.ts";
export { addViewed, clearViewed, removeViewed, type ViewedItem, viewedItems } from "./history.ts";

export interface RegisterOptions {
  /** URL of the worker's script; `?provider=wasm` or `?provider=webgpu` in it requests a provider. */
  readonly url: string;
  /** Path below which pages are re-ranked, such as "/private/"; files.json lies there. */
  readonly scope: string;
  readonly onProgress?: (progress: FetchProgress) => void;
}

/** Whether this browser can re-rank: service workers (https or localhost) and storage. */
export function isSupported(): boolean {
  return "serviceWorker" in navigator && "caches" in globalThis && "indexedDB" in globalThis;
}

/** Resolves once searches of this page go through the worker. Rejects with the browser's error. */
export async function registerWorker({ url, scope, onProgress }: RegisterOptions): Promise<void> {
  const { serviceWorker } = navigator;
  serviceWorker.addEventListener("message", ({ data }) => {
    const progress = parseProgress(data);
    if (progress !== undefined) onProgress?.(progress);
  });
  // Browsers stop idle workers. A shopper who returns to the page may search soon; the status request starts the model.
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && serviceWorker.controller !== null) void fetchStatus(scope).catch(() => undefined);
  });
  const changed = new Promise<void>((resolve) => {
    serviceWorker.addEventListener("controllerchange", () => resolve(), { once: true });
  });
  const registration = await serviceWorker.register(url, { scope });
  const wanted = new URL(url, location.href).href;
  const { controller } = serviceWorker;
  // After a shift-reload a page has no controller although the worker is active, and gets none.
  if (controller === null && registration.active?.state === "activated" && registration.installing === null) {
    throw new Error("This page was loaded past its service worker: load it again");
  }
  if (controller?.scriptURL === wanted) return;
  await Promise.race([changed, failed(registration)]);
}

/** Rejects when the installing worker becomes redundant. */
function failed({ installing }: ServiceWorkerRegistration): Promise<never> {
  return new Promise((_, reject) => {
    installing?.addEventListener("statechange", () => {
      if (installing.state === "redundant") reject(new Error("The service worker could not be installed; the browser's console says why"));
    });
  });
}

const problemSchema = v.nullable(v.object({ reason: v.string(), detail: v.string() }));

const statusSchema = v.object({
  provider: v.optional(v.picklist(["wasm", "webgpu"])),
  adapter: v.optional(v.object({ vendor: v.string(), architecture: v.string(), description: v.string(), isSoftware: v.boolean() })),
  fallback: v.optional(v.object({ reason: v.string(), detail: v.string() })),
  model: v.nullable(v.string()),
  problem: problemSchema,
  update: problemSchema,
  files: v.object({ count: v.number(), held: v.array(v.object({ name: v.string(), bytes: v.number() })), bytes: v.number() }),
  searches: v.object({ device: v.number(), network: v.record(v.string(), v.number()) }),
  engine: v.nullable(v.picklist(["network", "device"])),
});

export type DeviceStatus = v.InferOutput<typeof statusSchema>;

/** Rejects where no worker answers. */
export async function fetchStatus(scope: string): Promise<DeviceStatus> {
  const response = await fetch(new URL("status.json", new URL(scope, location.href)), { cache: "no-store" });
  if (!response.ok) throw new Error(`No worker answers at ${scope}: status ${response.status}`);
  return v.parse(statusSchema, await response.json());
}

/** Deletes files, history and worker. Resolves when all are gone. */
export async function removeFromDevice(scope: string): Promise<void> {
  const registration = await navigator.serviceWorker.getRegistration(scope);
  const worker = registration?.active;
  if (worker) {
    await new Promise<void>((resolve) => {
      const { port1, port2 } = new MessageChannel();
      port1.addEventListener("message", () => resolve());
      port1.start();
      worker.postMessage({ type: REMOVE }, [port2]);
      setTimeout(resolve, 3000); // a worker that hangs must not prevent the deletion
    });
  }
  await removeStored(caches);
  await registration?.unregister();
}
