/** A catalogue's table in KV: documents by version, the pointer to the live one, and who was live when. */
import * as v from "valibot";
import { type BrowseHead, formatBrowseTable, parseBrowseTable } from "../../browse/table.ts";
import { parsePointer, type Pointer } from "../../embeddings/store.ts";
import { browseKey, browsePointerKey } from "../../search/live-browse.ts";
import { documentVersion } from "../../search/live-document.ts";
import { UserError } from "../../web.ts";
import type { Namespace } from "../publish/namespace.ts";

type Store = Pick<Namespace, "place" | "get" | "put">;

async function readPointer(store: Store, catalog: string): Promise<Pointer | undefined> {
  const key = browsePointerKey(catalog);
  const text = await store.get(key);
  if (text === undefined) return undefined;
  const pointer = parsePointer(text);
  if (!pointer.ok) throw new UserError(`Key ${key} in ${store.place} is no pointer: ${pointer.error}. Delete the key and publish again`);
  return pointer.value;
}

/** Changes that are kept. */
const MOST_CHANGES = 100;

const changesSchema = v.pipe(
  v.string(),
  v.parseJson(),
  v.array(
    v.object({
      at: v.string(),
      what: v.picklist(["publish", "rollback"]),
      version: v.string(),
      before: v.nullable(v.string()),
      trust: v.number(),
      /** Of `armmt browse learn`; `null` where the table does not say. */
      verdict: v.nullable(v.string()),
    }),
  ),
);

export type BrowseChange = v.InferOutput<typeof changesSchema>[number];

export const browseHistoryKey = (catalog: string): string => `${catalog}/browse/history`;

/** Newest last. Throws a UserError. */
export async function readBrowseHistory(store: Pick<Store, "place" | "get">, catalog: string): Promise<readonly BrowseChange[]> {
  const key = browseHistoryKey(catalog);
  const text = await store.get(key);
  if (text === undefined) return [];
  const parsed = v.safeParse(changesSchema, text);
  if (parsed.success) return parsed.output;
  throw new UserError(`Key ${key} in ${store.place} is not as armmt writes it (${parsed.issues[0].message}): delete it`);
}

/** History first, then the pointer, which edges read: a crash between leaves them as they were. */
async function goLive(
  store: Store,
  catalog: string,
  { head, ...change }: Omit<BrowseChange, "trust" | "verdict"> & { readonly head: BrowseHead },
): Promise<void> {
  const { verdict } = head;
  const made: BrowseChange = { ...change, trust: head.trust, verdict: typeof verdict === "string" ? verdict : null };
  const history = [...(await readBrowseHistory(store, catalog)), made].slice(-MOST_CHANGES);
  await store.put([{ key: browseHistoryKey(catalog), value: JSON.stringify(history) }]);
  const pointer: Pointer = { version: change.version, previous: change.before, publishedAt: change.at };
  await store.put([{ key: browsePointerKey(catalog), value: JSON.stringify(pointer) }]);
}

interface Publishing {
  readonly catalog: string;
  /** As learned. */
  readonly text: string;
  /** For messages. */
  readonly name: string;
  /** Default: the one in the text. */
  readonly trust?: number | undefined;
  readonly at: Date;
}

/** Document first, then the pointer: no reader follows a pointer to a missing key. Throws a UserError on what an edge would ignore. */
export async function publishBrowse(store: Store, { catalog, text: learned, name, trust, at }: Publishing) {
  const parsed = parseBrowseTable(learned, true);
  if (!parsed.ok) throw new UserError(`${name} is no table of armmt browse learn: ${parsed.error}`);
  const { head, ratesOf } = parsed.value;
  const wanted = { ...head, trust: trust ?? head.trust };
  const text = formatBrowseTable(
    wanted,
    head.pages.map((_, page) => ratesOf(page)),
  );
  const version = await documentVersion(text);
  const current = await readPointer(store, catalog);
  const changed = current?.version !== version;
  if (changed) {
    await store.put([{ key: browseKey(catalog, version), value: text }]);
    await goLive(store, catalog, { at: at.toISOString(), what: "publish", version, before: current?.version ?? null, head: wanted });
  }
  const bytes = new TextEncoder().encode(text).length;
  return {
    catalog,
    version,
    previous: current?.version ?? null,
    trust: wanted.trust,
    pages: head.pages.length,
    bytes,
    changed,
    place: store.place,
  };
}

interface RollingBack {
  readonly catalog: string;
  /** Default: the one before, so that a second rollback undoes the first. */
  readonly version?: string | undefined;
  readonly at: Date;
}

/** Throws a UserError. */
export async function rollBackBrowse(store: Store, { catalog, version: wanted, at }: RollingBack) {
  const current = await readPointer(store, catalog);
  if (current === undefined) throw new UserError(`Nothing is published for pages without words of "${catalog}" in ${store.place}`);
  const version = wanted ?? current.previous;
  if (version === null)
    throw new UserError(`Version ${current.version} of "${catalog}" is the first one: publish it with --trust 0 to take it back`);
  if (version === current.version) throw new UserError(`Version ${version} of "${catalog}" is live already in ${store.place}`);
  const text = await store.get(browseKey(catalog, version));
  if (text === undefined)
    throw new UserError(
      `Key ${browseKey(catalog, version)} is not in ${store.place}: armmt browse history lists versions, or publish again`,
    );
  const parsed = parseBrowseTable(text, true);
  if (!parsed.ok)
    throw new UserError(`Version ${version} of "${catalog}" is no table of this version of armmt (${parsed.error}): learn it again`);
  await goLive(store, catalog, { at: at.toISOString(), what: "rollback", version, before: current.version, head: parsed.value.head });
  return { catalog, version, previous: current.version, trust: parsed.value.head.trust, place: store.place };
}
