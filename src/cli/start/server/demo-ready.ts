/** Whether the demo's vectors and page are there and of this version of the code; makes them where not. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { KvReader } from "../../../embeddings/store.ts";
import { parsePointer, parsePublishedSet, pointerKey, setKey } from "../../../embeddings/store.ts";
import { matchShards, parseManifest } from "../../../inference/manifest.ts";
import { DEMO_CATALOG } from "./demo-vars.ts";
import { ROOT } from "../../../runtimes/node/flags.ts";
import type { PrepareOptions } from "./demo-prepare.ts";
import { StartError } from "../../../runtimes/node/start-error.ts";
import { errorText } from "../../../web.ts";

const MESSAGE_LINES = 2;

export interface DemoReadyOptions extends Omit<PrepareOptions, "stamp"> {
  /** Parsed JSON of the model's manifest. */
  readonly manifest: unknown;
  readonly reader: KvReader;
  /** How to start a process that may make all of it; for messages. */
  readonly hint: string;
}

/** Throws a StartError that says what to do first where this process cannot make what is missing. */
export async function makeDemoReady(options: DemoReadyOptions): Promise<void> {
  // Beside the page: what stands in its folder is served.
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

/** By a version of the encoders that the model knows. */
async function isPublished({ reader, manifest }: DemoReadyOptions): Promise<boolean> {
  const pointer = parsePointer((await reader.get(pointerKey(DEMO_CATALOG), "text")) ?? "");
  if (!pointer.ok) return false;
  const set = parsePublishedSet((await reader.get(setKey(DEMO_CATALOG, pointer.value.version), "text")) ?? "");
  const model = parseManifest(manifest);
  return set.ok && model.ok && matchShards(model.value, set.value).ok;
}

/** Newer than all that it is made of. */
function isBuilt(page: string, stamp: string): boolean {
  const builtAt = statSync(stamp, { throwIfNoEntry: false })?.mtimeMs;
  if (builtAt === undefined || !existsSync(join(page, "index.html"))) return false;
  const sources = ["src", "model"].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: folder === "src", encoding: "utf8" }).map((name) => join(ROOT, folder, name)),
  );
  return sources.every((path) => (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) <= builtAt);
}

/** The rest of such messages is advice for other cases. */
function messageOf(error: unknown): string {
  return errorText(error).split("\n").slice(0, MESSAGE_LINES).join("; ").replace(/\.$/, "");
}
