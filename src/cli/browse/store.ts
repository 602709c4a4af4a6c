/** A catalogue's table in KV: documents by version, and the pointer to the live one. */
import { formatBrowseTable, parseBrowseTable } from "../../browse/table.ts";
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
    const pointer: Pointer = { version, previous: current?.version ?? null, publishedAt: at.toISOString() };
    await store.put([{ key: browsePointerKey(catalog), value: JSON.stringify(pointer) }]);
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

/** A second rollback undoes the first. Throws a UserError. */
export async function rollBackBrowse(store: Store, { catalog, at }: { readonly catalog: string; readonly at: Date }) {
  const current = await readPointer(store, catalog);
  if (current === undefined) throw new UserError(`Nothing is published for pages without words of "${catalog}" in ${store.place}`);
  const { previous, version } = current;
  if (previous === null)
    throw new UserError(`Version ${version} of "${catalog}" is the first one: publish it with --trust 0 to take it back`);
  if ((await store.get(browseKey(catalog, previous))) === undefined)
    throw new UserError(`Key ${browseKey(catalog, previous)} is not in ${store.place}: publish again`);
  const pointer: Pointer = { version: previous, previous: version, publishedAt: at.toISOString() };
  await store.put([{ key: browsePointerKey(catalog), value: JSON.stringify(pointer) }]);
  return { catalog, version: previous, previous: version, place: store.place };
}
