/**
 * The tables of this folder, one file per dialect: requests as applications send them, where their shape can be read, and what the edge does
 * with them. Each is an exported list; the tests of the same name plan its requests.
 */
import { readdirSync } from "node:fs";
import * as v from "valibot";

const APPLICATION_SEARCH = v.object({
  application: v.string(),
  /** Repository and file, or an address, where the shape of the request can be read; `unverified: ` before what nobody has read. */
  source: v.string(),
  what: v.string(),
  outcome: v.string(),
});

export interface ApplicationSearch extends v.InferOutput<typeof APPLICATION_SEARCH> {
  /** Name of its file. */
  readonly dialect: string;
}

export async function applicationSearches(): Promise<readonly ApplicationSearch[]> {
  const files = readdirSync(import.meta.dirname).filter((file) => /^[\w-]+\.ts$/.test(file) && file !== "tables.ts");
  const tables = files.toSorted().map(async (file) => {
    const exported: object = await import(/* @vite-ignore */ new URL(file, import.meta.url).href);
    const lists = Object.values(exported).filter((value: unknown) => Array.isArray(value));
    return lists.flatMap((list) => v.parse(v.array(APPLICATION_SEARCH), list)).map((search) => ({ ...search, dialect: file.slice(0, -3) }));
  });
  return (await Promise.all(tables)).flat();
}

/** Markdown: one row per application. */
export function applicationsTable(searches: readonly ApplicationSearch[]): string {
  const groups = Object.values(Object.groupBy(searches, ({ application, dialect }) => `${application}\n${dialect}`));
  const rows = groups.map((group = []) => {
    const { application = "", dialect = "" } = group[0] ?? {};
    const applied = group.filter(({ outcome }) => outcome === "applied").length;
    const reasons = Object.entries(Object.groupBy(group, ({ outcome }) => outcome)).filter(([outcome]) => outcome !== "applied");
    const left = reasons.map(([reason, all = []]) => `\`${reason}\` (${all.map(({ what }) => what).join("; ")})`);
    const unread = group.some(({ source }) => source.startsWith("unverified: ")) ? " (not read in a source)" : "";
    return `| ${application}${unread} | ${dialect} | ${applied} of ${group.length} | ${left.length === 0 ? "–" : left.join("<br>")} |`;
  });
  return ["| application | engine | re-ranked | left alone |", "| --- | --- | --- | --- |", ...rows].join("\n");
}
