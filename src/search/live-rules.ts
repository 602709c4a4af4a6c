/** The rules of one catalogue that are live now. Without readable ones, the order is without rules, and the status says why. */
import type { Result } from "../result.ts";
import { parseInTurns } from "../rules/document.ts";
import { type CompiledRules, compileRules } from "../rules/match.ts";
import { nextTurn } from "../web.ts";
import { createLiveDocument, documentVersion, type LiveDocument, type LiveDocumentOptions } from "./live-document.ts";

/** The parts of a key are names of files too, so the pointer cannot be `<catalog>/rules`: documents are below it. */
export function rulesPointerKey(catalog: string): string {
  return `${catalog}/rules/live`;
}

export function rulesKey(catalog: string, version: string): string {
  return `${catalog}/rules/${version}`;
}

export const rulesVersion = documentVersion;

export type LiveRules = LiveDocument<CompiledRules>;

export function createLiveRules(options: Pick<LiveDocumentOptions<CompiledRules>, "kv" | "catalog" | "now" | "log">): LiveRules {
  const { catalog } = options;
  return createLiveDocument({
    ...options,
    name: "rules",
    pointerKey: rulesPointerKey(catalog),
    keyOf: (version) => rulesKey(catalog, version),
    compile: compileText,
    describe: (current) => ({ version: current?.version ?? null, rules: current?.count ?? 0 }),
  });
}

/** The errors are lines. */
export async function compileText(text: string, version: string): Promise<Result<CompiledRules, readonly string[]>> {
  const parsed = await parseInTurns(text, nextTurn);
  return parsed.ok ? compileRules(parsed.value, version) : parsed;
}
