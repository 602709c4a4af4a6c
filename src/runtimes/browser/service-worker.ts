/**
 * The service worker, for a shop's own script to build on: install, take over, answer, update, remove. Importing this runs nothing.
 *
 * The browser stops an idle worker and starts it again with the next request; lasting data is in the Cache API and in IndexedDB.
 */
import * as v from "valibot";
import type { Fetch } from "../../backends/engine.ts";
import { logToConsole as log } from "../../edge.ts";
import { PROVIDER_PREFERENCES } from "../../inference/providers.ts";
import { FileStore } from "./files.ts";
import { CACHE_PREFIX, removeStored } from "./history.ts";
import { type FetchProgress, isRemoval, progressMessage } from "./messages.ts";
import { problemOf } from "./problem.ts";
import { BrowserWorker, type EngineSource } from "./worker.ts";

export { CACHE_PREFIX };

/** Additions of a shop's own service worker; all are optional. */
export interface WorkerExtras {
  /** Sends a search to the engine instead of the network, and returns the source of the reply. */
  readonly fetchEngine?: (url: string, init: RequestInit) => Promise<{ readonly response: Response; readonly source: EngineSource }>;
  /** Answers all other requests of the page to its own origin. Default: the network. */
  readonly serve?: (request: Request) => Promise<Response>;
  /** Runs during the installation, which fails where this rejects. */
  readonly prepare?: () => Promise<void>;
}

const preferenceSchema = v.fallback(v.picklist(PROVIDER_PREFERENCES), "auto");

/** Registers the listeners. Call it at the top of the script: browsers accept no later ones. */
export function runWorker(scope: WorkerScope, createExtras: (device: Pick<BrowserWorker, "readFile">) => WorkerExtras = () => ({})): void {
  const base = new URL(scope.registration.scope);
  const statusPath = `${base.pathname}status.json`;
  const store = new FileStore({
    url: new URL("files.json", base),
    cacheName: `${CACHE_PREFIX}:${base.pathname}`,
    fetch: (url, init) => fetch(url, init),
    caches,
  });
  const fetchEngine: Fetch = async (url, init) => {
    const { response, source } = (await extras.fetchEngine?.(url, init)) ?? { response: await fetch(url, init), source: "network" };
    worker.noteEngine(source);
    return response;
  };
  const preference = v.parse(preferenceSchema, new URL(scope.location.href).searchParams.get("provider"));
  const worker = new BrowserWorker({ store, origin: base.origin, preference, fetch: fetchEngine });
  const extras = createExtras({ readFile: (name) => worker.readFile(name) });

  async function tellPages(progress: FetchProgress): Promise<void> {
    const pages = await scope.clients.matchAll({ includeUncontrolled: true });
    for (const page of pages) page.postMessage(progressMessage(progress), []);
  }

  async function install(): Promise<void> {
    try {
      await Promise.all([worker.install((progress) => void tellPages(progress)), extras.prepare?.()]);
    } catch (cause) {
      const { reason, detail } = problemOf(cause);
      log({ level: "warn", event: "private_install", reason, detail });
      // An active worker stays. The first one takes over nevertheless: it passes searches on and reports why.
      if (scope.registration.active !== null) throw cause;
    }
    await scope.skipWaiting();
  }

  async function lookForUpdate(): Promise<void> {
    if (await worker.update((progress) => void tellPages(progress))) await scope.registration.update();
  }

  async function remove(): Promise<void> {
    await worker.remove();
    await removeStored(caches);
    await scope.registration.unregister();
  }

  async function answer(event: FetchEvent): Promise<Response> {
    const { request } = event;
    const answered = request.destination === "" ? await worker.search(request, (work) => event.waitUntil(work)) : undefined;
    if (answered !== undefined) return answered;
    return extras.serve !== undefined && (await worker.mayKeep()) ? extras.serve(request) : fetch(request);
  }

  scope.addEventListener("install", (event) => event.waitUntil(install()));
  scope.addEventListener("activate", (event) => event.waitUntil(scope.clients.claim()));
  scope.addEventListener("message", (event) => {
    if (!isRemoval(event.data)) return;
    event.waitUntil(remove().then(() => event.ports[0]?.postMessage("removed")));
  });
  scope.addEventListener("fetch", (event) => {
    const { url, destination, mode } = event.request;
    const { origin, pathname } = new URL(url);
    if (origin !== base.origin) return;
    if (mode === "navigate") event.waitUntil(Promise.all([worker.warmUp(), lookForUpdate()]));
    if (pathname === statusPath) {
      event.respondWith(worker.status().then((status) => Response.json(status, { headers: { "cache-control": "no-store" } })));
    } else if (destination === "" || extras.serve !== undefined) {
      event.respondWith(answer(event));
    }
  });
}

// The parts of a service worker's global scope that are used. TypeScript's own library for workers cannot be loaded beside the one for pages.

interface ExtendableEvent extends Event {
  waitUntil(work: Promise<unknown>): void;
}

interface FetchEvent extends ExtendableEvent {
  readonly request: Request;
  respondWith(response: Promise<Response>): void;
}

export interface WorkerScope {
  readonly location: { readonly href: string };
  readonly registration: {
    readonly scope: string;
    readonly active: unknown;
    update(): Promise<unknown>;
    unregister(): Promise<boolean>;
  };
  readonly clients: {
    claim(): Promise<void>;
    matchAll(options: { readonly includeUncontrolled: boolean }): Promise<readonly Pick<MessagePort, "postMessage">[]>;
  };
  skipWaiting(): Promise<void>;
  addEventListener(type: "install" | "activate", listener: (event: ExtendableEvent) => void): void;
  addEventListener(type: "fetch", listener: (event: FetchEvent) => void): void;
  addEventListener(type: "message", listener: (event: ExtendableEvent & MessageEvent<unknown>) => void): void;
}
