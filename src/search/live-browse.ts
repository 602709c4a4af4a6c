/** What a catalogue's lists without words have taught, as it is published now. */
import { type BrowseTable, type PageFilters, parseBrowseTable } from "../browse/table.ts";
import { ok } from "../result.ts";
import { createLiveDocument, type LiveDocument, type LiveDocumentOptions } from "./live-document.ts";

export function browsePointerKey(catalog: string): string {
  return `${catalog}/browse/live`;
}

export function browseKey(catalog: string, version: string): string {
  return `${catalog}/browse/${version}`;
}

export interface VersionedTable extends BrowseTable {
  readonly version: string;
}

/** Read when a search without words asks for it. */
export type LiveBrowse = LiveDocument<VersionedTable>;

export function createLiveBrowse(options: Pick<LiveDocumentOptions<VersionedTable>, "kv" | "catalog" | "now" | "log">): LiveBrowse {
  const { catalog } = options;
  return createLiveDocument({
    ...options,
    name: "browse rates",
    pointerKey: browsePointerKey(catalog),
    keyOf: (version) => browseKey(catalog, version),
    async compile(text, version) {
      const parsed = parseBrowseTable(text);
      return parsed.ok ? ok({ ...parsed.value, version }) : { ok: false, error: [parsed.error] };
    },
    describe: (current) => ({
      version: current?.version ?? null,
      pages: current?.head.pages.length ?? 0,
      trust: current?.head.trust ?? 0,
    }),
  });
}

/** A search that asks for a page without words. */
export interface Browsed {
  readonly filters: PageFilters;
  /** `undefined` where nothing is published: then only an exploration changes the order. */
  readonly table: VersionedTable | undefined;
}
