/** The rules of a catalogue in KV: documents by version, the pointer to the live one, and who changed it when. */
import * as v from "valibot";
import { parsePointer, type Pointer } from "../../embeddings/store.ts";
import { parseRules, type RulesDocument } from "../../rules/document.ts";
import { compileRules } from "../../rules/match.ts";
import { rulesKey, rulesPointerKey, rulesVersion } from "../../search/live-rules.ts";
import { UserError } from "../../web.ts";
import type { Namespace } from "../publish/namespace.ts";

export function rulesHistoryKey(catalog: string): string {
  return `${catalog}/rules/history`;
}

/** Changes that are kept. */
const MOST_CHANGES = 100;

const change = v.object({
  at: v.string(),
  by: v.string(),
  from: v.picklist(["publish", "rollback"]),
  version: v.string(),
  before: v.nullable(v.string()),
  note: v.optional(v.string()),
});

export type RulesChange = v.InferOutput<typeof change>;

type Store = Pick<Namespace, "place" | "get" | "put">;

/** Throws a UserError with every problem: what a running edge would ignore is not published. */
export function requireRules(text: string, name: string): RulesDocument {
  const parsed = parseRules(text);
  const compiled = parsed.ok ? compileRules(parsed.value, "checked") : parsed;
  if (!parsed.ok || !compiled.ok) throw new UserError(`${name} cannot be used:\n${problemsIn(text).join("\n")}`);
  return parsed.value;
}

export function problemsIn(text: string): readonly string[] {
  const parsed = parseRules(text);
  if (!parsed.ok) return parsed.error;
  const compiled = compileRules(parsed.value, "checked");
  return compiled.ok ? [] : compiled.error;
}

export async function readRulesPointer(store: Store, catalog: string): Promise<Pointer | undefined> {
  const key = rulesPointerKey(catalog);
  const text = await store.get(key);
  if (text === undefined) return undefined;
  const pointer = parsePointer(text);
  if (!pointer.ok) throw new UserError(`Key ${key} in ${store.place} is no pointer: ${pointer.error}. Delete the key and publish again`);
  return pointer.value;
}

/** Newest last. */
export async function readRulesHistory(store: Store, catalog: string): Promise<readonly RulesChange[]> {
  const key = rulesHistoryKey(catalog);
  const text = await store.get(key);
  if (text === undefined) return [];
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), v.array(change)), text);
  if (!parsed.success) throw new UserError(`Key ${key} in ${store.place} is no list of changes: delete it, or put back what it was`);
  return parsed.output;
}

/** The text of the live version, or of another. Throws a UserError where there is none. */
export async function readPublishedRules(
  store: Store,
  catalog: string,
  version?: string,
): Promise<{ readonly version: string; readonly text: string }> {
  const wanted = version ?? (await readRulesPointer(store, catalog))?.version;
  if (wanted === undefined) throw new UserError(`No rules are published for "${catalog}" in ${store.place}: run armmt rules publish`);
  const text = await store.get(rulesKey(catalog, wanted));
  if (text === undefined)
    throw new UserError(`Rules ${wanted} of "${catalog}" are not in ${store.place}: armmt rules history lists versions`);
  return { version: wanted, text };
}

interface Publishing {
  readonly catalog: string;
  /** As written. */
  readonly text: string;
  readonly by: string;
  readonly note?: string | undefined;
  /** The version that whoever edits began with; "none" for none. Default: any. */
  readonly expect?: string | undefined;
  readonly at: Date;
}

/** Document first, then history, then the pointer: no reader follows a pointer to a missing key. Throws a UserError. */
export async function publishRules(store: Store, { catalog, text, by, note, expect, at }: Publishing) {
  const { rules } = requireRules(text, "The rules");
  const version = await rulesVersion(text);
  const current = await readRulesPointer(store, catalog);
  if (expect !== undefined && (current?.version ?? "none") !== expect) {
    const last = (await readRulesHistory(store, catalog)).at(-1);
    const who = last === undefined ? "" : ` (${last.by}, ${last.at})`;
    throw new UserError(
      `The live rules are ${current?.version ?? "none"}${who}, not ${expect}: somebody has published since. Export them, put your change in, and publish again`,
    );
  }
  const isNew = current?.version !== version;
  if (isNew) {
    await store.put([{ key: rulesKey(catalog, version), value: text }]);
    await goLive(store, catalog, {
      at: at.toISOString(),
      by,
      from: "publish",
      version,
      before: current?.version ?? null,
      ...(note !== undefined && { note }),
    });
  }
  return {
    catalog,
    version,
    previous: isNew ? (current?.version ?? null) : (current?.previous ?? null),
    rules: rules.length,
    bytes: new TextEncoder().encode(text).length,
    changed: isNew,
    place: store.place,
  };
}

async function goLive(store: Store, catalog: string, made: RulesChange): Promise<void> {
  const history = [...(await readRulesHistory(store, catalog)), made].slice(-MOST_CHANGES);
  await store.put([{ key: rulesHistoryKey(catalog), value: JSON.stringify(history) }]);
  const pointer: Pointer = { version: made.version, previous: made.before, publishedAt: made.at };
  await store.put([{ key: rulesPointerKey(catalog), value: JSON.stringify(pointer) }]);
}

/** `to`: default the version before; a second rollback undoes the first. Throws a UserError. */
export async function rollBackRules(
  store: Store,
  { catalog, by, to, at }: { readonly catalog: string; readonly by: string; readonly to?: string | undefined; readonly at: Date },
) {
  const current = await readRulesPointer(store, catalog);
  if (current === undefined) throw new UserError(`No rules are published for "${catalog}" in ${store.place}: there is none to go back to`);
  const version = to ?? current.previous;
  if (version === null) throw new UserError(`Rules ${current.version} of "${catalog}" are the first ones: there is none to go back to`);
  if (version === current.version) throw new UserError(`Rules ${version} of "${catalog}" are live already`);
  requireRules((await readPublishedRules(store, catalog, version)).text, `Version ${version}`);
  await goLive(store, catalog, { at: at.toISOString(), by, from: "rollback", version, before: current.version });
  return { catalog, version, previous: current.version, place: store.place };
}
