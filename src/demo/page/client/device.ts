/**
 * Re-ranking on this device: registers the service worker of `/private/`, keeps what was viewed in IndexedDB, where only that worker reads it,
 * and shows how it stands. With device-panel.ts the only part of the page that knows the product, through what a shop's page would import.
 */
import {
  addViewed,
  clearViewed,
  fetchStatus,
  isSupported,
  registerWorker,
  removeFromDevice,
  removeViewed,
  type ViewedItem,
  viewedItems,
} from "../../../runtimes/browser/index.ts";
import { createDevicePanel } from "./device-panel.ts";
import type { Place } from "./place.ts";
import type { RecentProducts } from "./recent.ts";
import type { RecentProduct } from "./reply.ts";

export const DEVICE_SCOPE = "/private/";

const toRecent = ({ id, title = id, image = "" }: ViewedItem): RecentProduct => ({ id, title, image });

const recent: RecentProducts = {
  load: async () => (await viewedItems()).map(toRecent),
  async add(viewed) {
    await addViewed(viewed);
    return recent.load();
  },
  async remove(id) {
    await removeViewed(id);
    return recent.load();
  },
  async clear() {
    await clearViewed();
    return [];
  },
};

/** Without storage the strip lasts as long as the page, and re-ranks nothing. */
function createFleetingRecent(): RecentProducts {
  let products: RecentProduct[] = [];
  const change = async (changed: RecentProduct[]): Promise<RecentProduct[]> => (products = changed);
  return {
    load: async () => products,
    add: (viewed) => change([viewed, ...products.filter(({ id }) => id !== viewed.id)]),
    remove: (id) => change(products.filter((product) => product.id !== id)),
    clear: () => change([]),
  };
}

/** `onRemoved`: nothing is stored any more, what was viewed included. */
export function createDevicePlace(onRemoved: () => void): Place {
  const hasSupport = isSupported();
  let isRunning = false;
  const panel = createDevicePanel({
    async onDelete() {
      isRunning = false;
      await removeFromDevice(DEVICE_SCOPE);
      panel.showRemoved();
      onRemoved();
    },
  });
  const showStatus = async (): Promise<void> => {
    if (!isRunning) return;
    try {
      const status = await fetchStatus(DEVICE_SCOPE);
      if (isRunning) panel.showStatus(status);
    } catch (error) {
      if (isRunning) panel.showFailure(error);
    }
  };
  for (const type of ["online", "offline"]) addEventListener(type, () => void showStatus());

  return {
    name: "this device",
    recent: hasSupport ? recent : createFleetingRecent(),
    recentNote: "Choose any product: the re-ranked list adapts at once. What you viewed never leaves this device.",
    async start() {
      if (!hasSupport) {
        panel.showUnsupported();
        return;
      }
      panel.showStarting();
      try {
        const provider = new URLSearchParams(location.search).get("provider");
        const url = `${DEVICE_SCOPE}sw.js${provider === null ? "" : `?provider=${encodeURIComponent(provider)}`}`;
        await registerWorker({ url, scope: DEVICE_SCOPE, onProgress: (progress) => panel.showProgress(progress) });
        isRunning = true;
        await showStatus();
      } catch (error) {
        panel.showFailure(error);
      }
    },
    // The worker adds what was viewed, and explains itself to its own pages.
    options: () => ({ explain: isRunning }),
    searched: () => void showStatus(),
  };
}
