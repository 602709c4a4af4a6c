/** One line that says on what a figure was measured. */
import { createRequire } from "node:module";
import { availableParallelism, cpus, totalmem } from "node:os";

export function describeMachine(): string {
  const model = cpus()[0]?.model.trim() ?? "unknown processor";
  const memoryGb = Math.round(totalmem() / 2 ** 30);
  return `${model}, ${availableParallelism()} cores, ${memoryGb} GB, ${process.platform} ${process.arch}, node ${process.version}, workerd ${workerd().version}`;
}

export interface Workerd {
  /** Path of the executable. */
  readonly path: string;
  readonly version: string;
}

/** The workerd that miniflare (and so wrangler) runs. */
export function workerd(): Workerd {
  const fromHere = createRequire(import.meta.url);
  const fromMiniflare = createRequire(fromHere.resolve("miniflare"));
  const loaded: unknown = fromMiniflare("workerd");
  const isModule = typeof loaded === "object" && loaded !== null && "default" in loaded && "version" in loaded;
  if (!isModule || typeof loaded.default !== "string" || typeof loaded.version !== "string") {
    throw new Error("The workerd package does not say where its executable is");
  }
  return { path: loaded.default, version: loaded.version };
}
