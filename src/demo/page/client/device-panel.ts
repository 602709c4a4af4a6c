/** The panel that says what runs on this device, why, and what is stored. Knows the document and words; asks nothing. */
import type { DeviceStatus } from "../../../runtimes/browser/index.ts";
import { byId, element } from "./dom.ts";

export interface DevicePanel {
  showStarting(): void;
  showProgress(progress: { readonly doneBytes: number; readonly totalBytes: number }): void;
  showStatus(status: DeviceStatus): void;
  /** Could not be installed or asked. */
  showFailure(error: unknown): void;
  showUnsupported(): void;
  showRemoved(): void;
}

export interface DevicePanelEvents {
  readonly onDelete: () => Promise<void>;
}

const PROVIDERS = { wasm: "WebAssembly", webgpu: "WebGPU" } as const;

/** Why WebGPU does not serve, after "WebGPU: ". */
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
const count = new Intl.NumberFormat("en");

export function createDevicePanel({ onDelete }: DevicePanelEvents): DevicePanel {
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
    showStarting: () => show("busy", "Getting ready: the model comes to this device, once."),

    showProgress: ({ doneBytes, totalBytes }) => {
      if (totalBytes === 0) return;
      bar.max = totalBytes;
      bar.value = doneBytes;
      show("busy", `Fetching the model, ${megabytes(totalBytes)}, once.`, [`${megabytes(doneBytes)} of ${megabytes(totalBytes)}`]);
    },

    showStatus: (status) => {
      const { provider, fallback, problem, update, model, files, engine } = status;
      const stored = files.bytes > 0 ? `${megabytes(files.bytes)} stored` : undefined;
      const where = navigator.onLine
        ? engine === "device"
          ? "Shop out of reach: this device searches"
          : "Online"
        : "Offline: this device searches";
      const updating = update === null || !navigator.onLine ? undefined : `No update: ${PROBLEMS[update.reason] ?? update.reason}`;
      if (problem === null && provider !== undefined) {
        const why = fallback === undefined ? undefined : `WebGPU: ${FALLBACKS[fallback.reason] ?? fallback.reason}`;
        show("on", `${PROVIDERS[provider]} re-ranks here. What you viewed stays here.`, [
          where,
          `Model ${model ?? "unknown"}`,
          stored,
          why,
          updating,
        ]);
      } else {
        const why = PROBLEMS[problem?.reason ?? ""] ?? problem?.reason ?? "it is not ready";
        show("off", `Not re-ranked on this device: ${why}.`, [INSTEAD, where, stored]);
      }
      more.hidden = false;
      byId("device-sheet", HTMLElement).replaceChildren(...sheet(status));
      button.hidden = false;
      button.disabled = false;
    },

    showFailure: (error) => {
      const reason = error instanceof Error ? error.message : String(error);
      show("off", "Not re-ranked on this device.", [INSTEAD, reason]);
    },

    showUnsupported: () => {
      const why = isSecureContext
        ? "This browser has no service workers here; some switch them off in private windows."
        : "Service workers need https, or an address of this machine such as localhost.";
      show("off", "Not re-ranked on this device.", [INSTEAD, why]);
    },

    showRemoved: () => {
      show("off", "Deleted: nothing of this page is stored on this device. Load the page again to begin anew.");
      more.hidden = true;
      button.hidden = true;
    },
  };
}

const row = (term: string, value: string): HTMLElement[] => [element("dt", {}, term), element("dd", {}, value)];

/** What is behind the summary: files, and what a developer wants to know. */
function sheet({ files, fallback, problem, update, adapter, searches }: DeviceStatus): HTMLElement[] {
  const elsewhere = Object.entries(searches.network).map(([reason, times]) => `${reason} ${count.format(times)}`);
  const details = [problem, update, fallback].flatMap((one) => (one === null || one === undefined ? [] : [`${one.reason}: ${one.detail}`]));
  return [
    element("dl", {}, ...[...byKind(files.held)].flatMap(([kind, bytes]) => row(kind, size(bytes)))),
    element(
      "p",
      {},
      `${count.format(searches.device)} searches re-ranked here${elsewhere.length === 0 ? "" : `, left to the network: ${elsewhere.join(", ")}`}. ` +
        (adapter === undefined ? "" : `Adapter: ${[adapter.vendor, adapter.architecture].filter(Boolean).join(" ")}. `) +
        "Counted since the browser last started the worker.",
    ),
    ...details.map((text) => element("p", {}, element("code", {}, text))),
  ];
}

function byKind(held: DeviceStatus["files"]["held"]): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const { name, bytes } of held) sums.set(kindOf(name), (sums.get(kindOf(name)) ?? 0) + bytes);
  return new Map([...sums].toSorted(([, a], [, b]) => b - a));
}

function kindOf(name: string): string {
  if (name.startsWith("onnxruntime-web/")) return name.includes("asyncify") ? "onnxruntime for WebGPU" : "onnxruntime for WebAssembly";
  if (name.startsWith("model/")) return "Model";
  return name.startsWith("kv/") ? "Item vectors" : "Catalogue of the shop";
}

const size = (bytes: number): string => (bytes < 100_000 ? `${(bytes / 1000).toFixed(1)} kB` : megabytes(bytes));
