/**
 * The demo shop as an extension of the servers; its code is loaded only where it is wanted. Makes the demo's vectors and page where they are
 * missing or older than the code.
 */
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { type KvReader, parsePointer, parsePublishedSet, pointerKey, setKey } from "../../../embeddings/store.ts";
import { matchShards, parseManifest } from "../../../inference/manifest.ts";
import type { Extension } from "../../../runtimes/node/command.ts";
import { folderKv } from "../../../runtimes/node/folder-kv.ts";
import { readModelFiles } from "../../../runtimes/node/models.ts";
import { PACKAGE_ROOT } from "../../../runtimes/node/package-root.ts";
import { StartError } from "../../../runtimes/node/settings.ts";
import { errorText } from "../../../web.ts";
import { DEMO_CATALOG, DEMO_INDEX, withDemo } from "./demo-vars.ts";

/** `hint`: how to start the server so that it can make the demo's data. */
export function createDemo(hint: string): Extension {
  const token = randomBytes(18).toString("base64url");
  return {
    usage: {
      commands: `npm run serve:node -- [options]     (Node)
       deno task serve [options]           (Deno)`,
      added: ", and the demo shop behind it",
      flag: "  --no-demo            without the demo shop: the engines and the storefront of the configuration\n",
    },
    adapt: (vars) => withDemo(vars, token),
    async openFetch({ data: folder, host, json, config, fetch }) {
      const index = config.indexes.get(DEMO_INDEX);
      if (index === undefined) return fetch;
      const data = resolve(folder);
      const [kv, page] = [join(data, "kv"), join(data, "page")];
      const { manifest } = await readModelFiles();
      const stamp = `${page}.built`; // beside the page's folder, whose files are served
      if (!(await isPublished(folderKv(kv), manifest)) || !isBuilt(page, stamp)) {
        try {
          const { prepareDemo } = await import("./demo-prepare.ts");
          await prepareDemo({ data, kv, page, stamp, index, json });
        } catch (cause) {
          // The lines after the first two are advice for other cases.
          const reason = errorText(cause).split("\n").slice(0, 2).join("; ").replace(/\.$/, "");
          const problem = `The demo's item vectors and page cannot be made in ${data}: ${reason}. ${hint}`;
          throw new StartError([problem], 1, { cause });
        }
      }
      const { withDemoShop } = await import("./demo-shop.ts");
      // Only a page on this machine may have a token that opens explanations.
      const isLoopback = host === "localhost" || host === "::1" || host.startsWith("127.");
      return withDemoShop(page, isLoopback && config.adminToken === token ? token : undefined, fetch);
    },
  };
}

/** By encoders that the model was trained with. */
async function isPublished(reader: KvReader, manifest: unknown): Promise<boolean> {
  const pointer = parsePointer((await reader.get(pointerKey(DEMO_CATALOG), "text")) ?? "");
  if (!pointer.ok) return false;
  const set = parsePublishedSet((await reader.get(setKey(DEMO_CATALOG, pointer.value.version), "text")) ?? "");
  const model = parseManifest(manifest);
  return set.ok && model.ok && matchShards(model.value, set.value).ok;
}

/** Newer than all its sources. */
function isBuilt(page: string, stamp: string): boolean {
  const builtAt = statSync(stamp, { throwIfNoEntry: false })?.mtimeMs;
  if (builtAt === undefined || !existsSync(join(page, "index.html"))) return false;
  const sources = ["src", "model"].flatMap((folder) =>
    readdirSync(join(PACKAGE_ROOT, folder), { recursive: folder === "src", encoding: "utf8" }).map((name) =>
      join(PACKAGE_ROOT, folder, name),
    ),
  );
  return sources.every((path) => (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) <= builtAt);
}
