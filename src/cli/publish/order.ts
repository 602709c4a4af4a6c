/** The order that an edge will serve of a published set, told while somebody looks: at the terminal that publishes it. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import * as v from "valibot";
import { parsePointer, parsePublishedSet, pointerKey, type PublishedSet, setKey } from "../../embeddings/store.ts";
import { type ManifestIdentity, parseManifest } from "../../inference/manifest.ts";
import { servedOrder, type ServedOrder, type TrustedSet } from "../../inference/trust.ts";
import { PACKAGE_ROOT } from "../../runtimes/node/package-root.ts";
import type { Namespace } from "./namespace.ts";

/** By the project's first model, or the package's own; `undefined` where there is none that can be read: `armmt build` says why. */
export function orderOf(set: TrustedSet): ServedOrder | undefined {
  const manifest = liveManifest();
  return manifest && servedOrder(manifest, set);
}

/** The live set of a catalogue; `undefined` where there is none that can be read. */
export async function readLiveSet(store: Pick<Namespace, "get">, catalog: string): Promise<PublishedSet | undefined> {
  const pointer = parsePointer((await store.get(pointerKey(catalog))) ?? "");
  const set = pointer.ok ? parsePublishedSet((await store.get(setKey(catalog, pointer.value.version))) ?? "") : undefined;
  return set?.ok === true ? set.value : undefined;
}

/** The deployed model that a catalogue follows by its published set alone, and how far; `undefined` where it follows none. */
export async function followedBySet(
  store: Pick<Namespace, "get">,
  catalog: string,
): Promise<{ readonly model: string; readonly trust: number } | undefined> {
  const [manifest, set] = [liveManifest(), await readLiveSet(store, catalog)];
  const trust = manifest === undefined || set === undefined ? 0 : servedOrder(manifest, set).trust;
  return manifest === undefined || trust === 0 ? undefined : { model: manifest.version, trust };
}

/** Whether the project's models, or the package's own, include this version. */
export function isDeployed(version: string): boolean {
  return manifests().some((manifest) => manifest.version === version);
}

function liveManifest(): ManifestIdentity | undefined {
  return manifests()[0];
}

/** Empty where one cannot be read: `armmt build` says why. */
function manifests(): readonly ManifestIdentity[] {
  try {
    const own = resolve("models.json");
    const list = existsSync(own) ? own : join(PACKAGE_ROOT, "models.json");
    const folders = v.parse(v.array(v.string()), JSON.parse(readFileSync(list, "utf8")));
    return folders.flatMap((folder) => {
      const manifest = parseManifest(JSON.parse(readFileSync(resolve(dirname(list), folder, "manifest.json"), "utf8")));
      return manifest.ok ? [manifest.value] : [];
    });
  } catch {
    return [];
  }
}
