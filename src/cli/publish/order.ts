/** The order that an edge will serve of a published set, told while somebody looks: at the terminal that publishes it. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import * as v from "valibot";
import { type ManifestIdentity, parseManifest } from "../../inference/manifest.ts";
import { servedOrder, type ServedOrder, type TrustedSet } from "../../inference/trust.ts";
import { PACKAGE_ROOT } from "../../runtimes/node/package-root.ts";

/** By the project's first model, or the package's own; `undefined` where there is none that can be read: `armmt build` says why. */
export function orderOf(set: TrustedSet): ServedOrder | undefined {
  const manifest = liveManifest();
  return manifest && servedOrder(manifest, set);
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
