/** Makes the demo's vectors and page where they are missing or older than the code. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { type KvReader, parsePointer, parsePublishedSet, pointerKey, setKey } from "../../../embeddings/store.ts";
import { matchShards, parseManifest } from "../../../inference/manifest.ts";
import { DEMO_CATALOG } from "./demo-vars.ts";
import { PACKAGE_ROOT } from "../../../runtimes/node/package-root.ts";
import type { PrepareOptions } from "./demo-prepare.ts";
import { StartError } from "../../../runtimes/node/settings.ts";
import { errorText } from "../../../web.ts";

const MESSAGE_LINES = 2;

export interface DemoReadyOptions extends Omit<PrepareOptions, "stamp"> {
  /** Parsed JSON of the model's manifest. */
  readonly manifest: unknown;
  readonly reader: KvReader;
  /** How to start a process that can make them; for messages. */
  readonly hint: string;
}

/** Throws a StartError with the fix where this process cannot make them. */
export async function makeDemoReady(options: DemoReadyOptions): Promise<void> {
  // Beside the page's folder, whose files are served.
  const stamp = `${options.page}.built`;
  if ((await isPublished(options)) && isBuilt(options.page, stamp)) return;
  try {
    const { prepareDemo } = await import("./demo-prepare.ts");
    await prepareDemo({ ...options, stamp });
  } catch (cause) {
    const problem = `The demo's item vectors and page cannot be made in ${options.data}: ${messageOf(cause)}. ${options.hint}`;
    throw new StartError([problem], 1, { cause });
  }
}

/** By encoders that the model was trained with. */
async function isPublished({ reader, manifest }: DemoReadyOptions): Promise<boolean> {
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

/** The lines after the first two are advice for other cases. */
function messageOf(error: unknown): string {
  return errorText(error).split("\n").slice(0, MESSAGE_LINES).join("; ").replace(/\.$/, "");
}
