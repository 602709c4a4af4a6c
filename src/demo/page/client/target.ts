/**
 * Where searches are re-ranked: at the edge (`/`), or on this device (`/private/`). The page is the same; it differs in where recently viewed
 * products are kept. No server keeps any. The only file of the page that imports the product, by its public names.
 */
import * as v from "valibot";
import {
  addViewed,
  clearViewed,
  type DeviceStatus,
  fetchStatus,
  isSupported,
  registerWorker,
  removeFromDevice,
  removeViewed,
  viewedItems,
} from "../../../runtimes/browser/index.ts";
import type { Catalog, SearchOptions } from "./api.ts";
import { byId, element, errorText, row } from "./dom.ts";

/** Recently viewed products, most recent first. */
const recentSchema = v.array(v.object({ id: v.string(), title: v.string(), image: v.string() }));

export type RecentProduct = v.InferOutput<typeof recentSchema>[number];

interface RecentProducts {
  load(): Promise<RecentProduct[]>;
  add(viewed: RecentProduct): Promise<void>;
  remove(id: string): Promise<void>;
  clear(): Promise<void>;
}

export interface Target {
  /** Who re-ranks, as part of a sentence. */
  readonly name: "the edge" | "this device";
  readonly recent: RecentProducts;
  /** Under the strip while it is empty. */
  readonly recentNote: string;
  /** Resolves when the first search may begin. */
  start(): Promise<void>;
  /** Options of a re-ranked search; `viewed`: product ids, most recent first. */
  options(viewed: readonly string[], catalog: Catalog | undefined): SearchOptions;
  /** Called after each search. */
  searched(): void;
}

/** The edge gets the ids of viewed products in a header of each search. */
export function createEdgeTarget(storage: Storage): Target {
  // Of this page alone, and stored nowhere: it puts its searches into one arm of the demo's experiment.
  const session = crypto.randomUUID();
  return {
    name: "the edge",
    recent: createRecent(storage),
    recentNote: "Choose any product: the re-ranked list adapts at once. This stays in your browser.",
    start: async () => undefined,
    options: (viewed, catalog) => ({
      history: viewed,
      explain: catalog?.explainToken !== undefined,
      explainToken: catalog?.explainToken,
      session,
    }),
    searched: () => undefined,
  };
}

const KEY = "armmt.recently-viewed";
/** As many as the edge uses. */
const MAX_RECENT = 20;

/** Kept in `storage`; without one, as long as the page. */
function createRecent(storage?: Storage): RecentProducts {
  let products: RecentProduct[] = [];
  try {
    products = parseRecent(storage?.getItem(KEY) ?? "[]");
  } catch {
    // Storage is switched off.
  }
  const change = async (changed: RecentProduct[]): Promise<void> => {
    products = changed;
    try {
      storage?.setItem(KEY, JSON.stringify(products));
    } catch {
      // Storage full or switched off: the strip still works until the page is left.
    }
  };
  return {
    load: async () => products,
    add: (viewed) => change(addRecent(products, viewed)),
    remove: (id) => change(products.filter((product) => product.id !== id)),
    clear: () => change([]),
  };
}

/** A viewed product comes to the front, without duplicates. */
export function addRecent(products: readonly RecentProduct[], viewed: RecentProduct): RecentProduct[] {
  return [viewed, ...products.filter(({ id }) => id !== viewed.id)].slice(0, MAX_RECENT);
}

/** Anything but a list of products reads as none. */
export function parseRecent(text: string): RecentProduct[] {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), recentSchema), text);
  return parsed.success ? parsed.output : [];
}

export const DEVICE_SCOPE = "/private/";

/** Kept in IndexedDB, where only the service worker reads them. */
const recent: RecentProducts = {
  load: async () => (await viewedItems()).map(({ id, title = id, image = "" }) => ({ id, title, image })),
  add: addViewed,
  remove: removeViewed,
  clear: clearViewed,
};

/**
 * Registers the service worker of `/private/` and shows its state. `onRemoved`: called when nothing is stored any more, recently viewed
 * products included.
 */
export function createDeviceTarget(onRemoved: () => void): Target {
  const hasSupport = isSupported();
  let isRunning = false;
  const panel = createPanel(async () => {
    isRunning = false;
    await removeFromDevice(DEVICE_SCOPE);
    panel.showRemoved();
    onRemoved();
  });
  const showStatus = async (): Promise<void> => {
    if (!isRunning) return;
    try {
      const status = await fetchStatus(DEVICE_SCOPE);
      if (isRunning) panel.showStatus(status);
    } catch (error) {
      if (isRunning) panel.showFailure(errorText(error));
    }
  };
  for (const type of ["online", "offline"]) addEventListener(type, () => void showStatus());

  return {
    name: "this device",
    // Without storage the strip re-ranks nothing.
    recent: hasSupport ? recent : createRecent(),
    recentNote: "Choose any product: the re-ranked list adapts at once. What you viewed never leaves this device.",
    async start() {
      if (!hasSupport) {
        panel.showFailure(
          isSecureContext
            ? "This browser has no service workers here; some switch them off in private windows."
            : "Service workers need https, or an address of this machine such as localhost.",
        );
        return;
      }
      panel.showStarting();
      try {
        const provider = new URLSearchParams(location.search).get("provider");
        const url = `${DEVICE_SCOPE}sw.js${provider === null ? "" : `?provider=${encodeURIComponent(provider)}`}`;
        await registerWorker({ url, scope: DEVICE_SCOPE, onProgress: panel.showProgress });
        isRunning = true;
        await showStatus();
      } catch (error) {
        panel.showFailure(errorText(error));
      }
    },
    // The worker adds recently viewed products, and explains itself to its own pages.
    options: () => ({ explain: isRunning }),
    searched: () => void showStatus(),
  };
}

const PROVIDERS = { wasm: "WebAssembly", webgpu: "WebGPU" } as const;

/** Why WebGPU is not used, after "WebGPU: ". */
const FALLBACKS: Readonly<Record<string, string>> = {
  no_webgpu: "not in this browser",
  no_adapter: "no graphics adapter",
  software_adapter: "only in software, which is slower",
  session_failed: "could not start the model",
  scores_differ: "computed other scores",
  run_failed: "a run failed",
  run_timeout: "a run took too long",
  device_lost: "the graphics device was lost",
};

/** Why this device does not re-rank. */
const PROBLEMS: Readonly<Record<string, string>> = {
  listing_unreachable: "its files could not be fetched",
  listing_invalid: "the list of its files is damaged",
  file_unreachable: "a file could not be fetched",
  file_unlisted: "a file is missing from the list",
  file_corrupt: "a file arrived damaged and was refused",
  storage_full: "the browser has no room to store it",
  worker_outdated: "an update is under way",
  model_unavailable: "the model could not be started",
  not_ready: "the model is still loading",
};

const INSTEAD = "The edge answers instead, without what you viewed.";

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
const size = (bytes: number): string => (bytes < 100_000 ? `${(bytes / 1000).toFixed(1)} kB` : megabytes(bytes));
const count = new Intl.NumberFormat("en");

/** The panel that says whether this device re-ranks, and what it stores. */
function createPanel(onDelete: () => Promise<void>) {
  const panel = byId("device", HTMLElement);
  const state = byId("device-state", HTMLElement);
  const facts = byId("device-facts", HTMLUListElement);
  const bar = byId("device-progress", HTMLProgressElement);
  const more = byId("device-more", HTMLDetailsElement);
  const button = byId("device-delete", HTMLButtonElement);
  panel.hidden = false;
  button.addEventListener("click", () => {
    button.disabled = true;
    void onDelete();
  });

  /** `kind` colours the dot. */
  const show = (kind: "busy" | "on" | "off", text: string, lines: readonly (string | undefined)[] = []): void => {
    panel.dataset["state"] = kind;
    // A screen reader says it again whenever it is set.
    if (state.textContent !== text) state.textContent = text;
    facts.replaceChildren(...lines.filter((line) => line !== undefined).map((line) => element("li", {}, line)));
    bar.hidden = kind !== "busy";
  };

  return {
    showStarting: () => show("busy", "Getting ready: the model is downloaded to this device, once."),

    showProgress: ({ doneBytes, totalBytes }: { readonly doneBytes: number; readonly totalBytes: number }) => {
      if (totalBytes === 0) return;
      bar.max = totalBytes;
      bar.value = doneBytes;
      show("busy", `Fetching the model, ${megabytes(totalBytes)}, once.`, [`${megabytes(doneBytes)} of ${megabytes(totalBytes)}`]);
    },

    showStatus: (status: DeviceStatus) => {
      const { provider, fallback, problem, update, model, files, engine } = status;
      const stored = files.bytes > 0 ? `${megabytes(files.bytes)} stored` : undefined;
      const online = engine === "device" ? "Shop out of reach: this device searches" : "Online";
      const connection = navigator.onLine ? online : "Offline: this device searches";
      if (problem === null && provider !== undefined) {
        show("on", `${PROVIDERS[provider]} re-ranks here. What you viewed stays here.`, [
          connection,
          `Model ${model ?? "unknown"}`,
          stored,
          fallback === undefined ? undefined : `WebGPU: ${FALLBACKS[fallback.reason] ?? fallback.reason}`,
          update === null || !navigator.onLine ? undefined : `No update: ${PROBLEMS[update.reason] ?? update.reason}`,
        ]);
      } else {
        const why = PROBLEMS[problem?.reason ?? ""] ?? problem?.reason ?? "it is not ready";
        show("off", `Not re-ranked on this device: ${why}.`, [INSTEAD, connection, stored]);
      }
      more.hidden = false;
      byId("device-sheet", HTMLElement).replaceChildren(...sheet(status));
      button.hidden = false;
      button.disabled = false;
    },

    /** Not supported, or it could not be installed or asked. */
    showFailure: (reason: string) => show("off", "Not re-ranked on this device.", [INSTEAD, reason]),

    showRemoved: () => {
      show("off", "Deleted: nothing of this page is stored on this device. Load the page again to start over.");
      more.hidden = true;
      button.hidden = true;
    },
  };
}

/** Details: files, and what a developer wants to know. */
function sheet({ files, fallback, problem, update, adapter, searches }: DeviceStatus): HTMLElement[] {
  const elsewhere = Object.entries(searches.network).map(([reason, times]) => `${reason} ${count.format(times)}`);
  const details = [problem, update, fallback].filter((detail) => detail !== null && detail !== undefined);
  const bytesByKind = new Map<string, number>();
  for (const { name, bytes } of files.held) bytesByKind.set(kindOf(name), (bytesByKind.get(kindOf(name)) ?? 0) + bytes);
  const largestFirst = [...bytesByKind].toSorted(([, a], [, b]) => b - a);
  return [
    element("dl", {}, ...largestFirst.flatMap(([kind, bytes]) => row(kind, size(bytes)))),
    element(
      "p",
      {},
      `${count.format(searches.device)} searches re-ranked here${elsewhere.length === 0 ? "" : `, left to the network: ${elsewhere.join(", ")}`}. ` +
        (adapter === undefined ? "" : `Adapter: ${[adapter.vendor, adapter.architecture].filter(Boolean).join(" ")}. `) +
        "Counted since the browser last started the worker.",
    ),
    ...details.map(({ reason, detail }) => element("p", {}, element("code", {}, `${reason}: ${detail}`))),
  ];
}

function kindOf(name: string): string {
  if (name.startsWith("onnxruntime-web/")) return name.includes("asyncify") ? "onnxruntime for WebGPU" : "onnxruntime for WebAssembly";
  if (name.startsWith("model/")) return "Model";
  return name.startsWith("kv/") ? "Item vectors" : "Catalogue of the shop";
}
