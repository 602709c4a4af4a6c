/**
 * The rules of a catalogue in KV: documents by version, the pointer to the live one, and who changed it when. `armmt rules` and the admin page write
 * them by this code.
 */
import { parsePointer, type Pointer } from "../embeddings/store.ts";
import { parseInTurns, parseRules, type RulesDocument } from "../rules/document.ts";
import { MOST_CHANGES, parseChanges, type RulesChange } from "../rules/history.ts";
import { compileRules } from "../rules/match.ts";
import { nextTurn, UserError } from "../web.ts";
import { rulesKey, rulesPointerKey, rulesVersion } from "./live-rules.ts";

export function rulesHistoryKey(catalog: string): string {
  return `${catalog}/rules/history`;
}

/** A KV namespace, or the folder that a server reads. */
export interface RulesStore {
  /** For messages. */
  readonly place: string;
  get(key: string): Promise<string | undefined>;
  put(entries: readonly { readonly key: string; readonly value: string }[]): Promise<void>;
}

/** Other rules are live than those that an edit began with. */
export class RulesConflict extends UserError {
  /** "none" for none. */
  readonly live: string;
  /** As the history says; absent where it does not. */
  readonly last: RulesChange | undefined;

  constructor(live: string, expected: string, last: RulesChange | undefined) {
    const who = last === undefined ? "" : ` (${last.by}, ${last.at})`;
    super(
      `The live rules are ${live}${who}, not ${expected}: somebody has published since. Export them, put your change in, and publish again`,
    );
    this.live = live;
    this.last = last;
  }
}

/** Throws a UserError with every problem: what a running edge would ignore is not published. */
export function requireRules(text: string, name: string): RulesDocument {
  const parsed = parseRules(text);
  const compiled = parsed.ok ? compileRules(parsed.value, "checked") : parsed;
  if (!parsed.ok || !compiled.ok) throw new UserError(`${name} cannot be used:\n${problemsIn(text).join("\n")}`);
  return parsed.value;
}

/** As requireRules(), for an edge that serves searches meanwhile. */
async function requireInTurns(text: string, name: string): Promise<RulesDocument> {
  const parsed = await parseInTurns(text, nextTurn);
  const compiled = parsed.ok ? compileRules(parsed.value, "checked") : parsed;
  if (!parsed.ok || !compiled.ok) throw new UserError([`${name} cannot be used:`, ...(compiled.ok ? [] : compiled.error)].join("\n"));
  return parsed.value;
}

export function problemsIn(text: string): readonly string[] {
  const parsed = parseRules(text);
  if (!parsed.ok) return parsed.error;
  const compiled = compileRules(parsed.value, "checked");
  return compiled.ok ? [] : compiled.error;
}

export async function readRulesPointer(store: RulesStore, catalog: string): Promise<Pointer | undefined> {
  const key = rulesPointerKey(catalog);
  const text = await store.get(key);
  if (text === undefined) return undefined;
  const pointer = parsePointer(text);
  if (!pointer.ok) throw new UserError(`Key ${key} in ${store.place} is no pointer: ${pointer.error}. Delete the key and publish again`);
  return pointer.value;
}

/** Newest last. */
export async function readRulesHistory(store: RulesStore, catalog: string): Promise<readonly RulesChange[]> {
  const key = rulesHistoryKey(catalog);
  const text = await store.get(key);
  if (text === undefined) return [];
  const changes = parseChanges(text);
  if (changes === undefined) throw new UserError(`Key ${key} in ${store.place} is no list of changes: delete it, or put back what it was`);
  return changes;
}

/** The text of the live version, or of another. Throws a UserError where there is none. */
export async function readPublishedRules(
  store: RulesStore,
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
  /** Default: "publish". */
  readonly from?: RulesChange["from"];
  readonly at: Date;
}

/** Document first, then history, then the pointer: no reader follows a pointer to a missing key. Throws a UserError. */
export async function publishRules(store: RulesStore, { catalog, text, by, note, expect, from = "publish", at }: Publishing) {
  const { rules } = await requireInTurns(text, "The rules");
  const version = await rulesVersion(text);
  const current = await readRulesPointer(store, catalog);
  const live = current?.version ?? "none";
  if (expect !== undefined && live !== expect) {
    const last = (await readRulesHistory(store, catalog)).findLast((change) => change.version === live);
    throw new RulesConflict(live, expect, last);
  }
  const isNew = current?.version !== version;
  if (isNew) {
    await store.put([{ key: rulesKey(catalog, version), value: text }]);
    await goLive(store, catalog, {
      at: at.toISOString(),
      by,
      from,
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

async function goLive(store: RulesStore, catalog: string, made: RulesChange): Promise<void> {
  const history = [...(await readRulesHistory(store, catalog)), made].slice(-MOST_CHANGES);
  await store.put([{ key: rulesHistoryKey(catalog), value: JSON.stringify(history) }]);
  const pointer: Pointer = { version: made.version, previous: made.before, publishedAt: made.at };
  await store.put([{ key: rulesPointerKey(catalog), value: JSON.stringify(pointer) }]);
}

interface RollingBack extends Pick<Publishing, "catalog" | "by" | "expect" | "at"> {
  /** Default: the version before; a second rollback undoes the first. */
  readonly to?: string | undefined;
}

/** Throws a UserError. */
export async function rollBackRules(store: RulesStore, { catalog, by, to, expect, at }: RollingBack) {
  const current = await readRulesPointer(store, catalog);
  if (current === undefined) throw new UserError(`No rules are published for "${catalog}" in ${store.place}: there is none to go back to`);
  const version = to ?? current.previous;
  if (version === null) throw new UserError(`Rules ${current.version} of "${catalog}" are the first ones: there is none to go back to`);
  if (version === current.version) throw new UserError(`Rules ${version} of "${catalog}" are live already`);
  const { text } = await readPublishedRules(store, catalog, version);
  await publishRules(store, { catalog, text, by, expect, from: "rollback", at });
  return { catalog, version, previous: current.version, place: store.place };
}
