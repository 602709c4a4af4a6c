/** What an engine found, from a file: one JSON object per line, `{query, hits: [{id, score?}]}`, best hit first. */
import { basename } from "node:path";
import * as v from "valibot";
import { UserError, errorText } from "../../web.ts";
import { parseWithIds, readText, refuse } from "../text-files.ts";

export interface FoundHit {
  readonly id: string;
  readonly score: number | undefined;
}

/** By query, the engine's hits, best first. */
export type FoundLists = ReadonlyMap<string, readonly FoundHit[]>;

export interface NamedLists {
  readonly name: string;
  readonly lists: FoundLists;
  /** Queries that the edge leaves in the engine's order. */
  readonly fixed?: ReadonlySet<string> | undefined;
  /** By query, the product ids in the order without a model, where the edge itself made it. */
  readonly served?: ReadonlyMap<string, readonly string[]> | undefined;
}

const idSchema = v.union([v.pipe(v.string(), v.trim(), v.minLength(1)), v.pipe(v.number(), v.transform(String))], "expected an id");
const lineSchema = v.object({
  query: v.pipe(v.string(), v.trim(), v.normalize("NFC"), v.minLength(1, "expected the words of a search")),
  hits: v.array(v.object({ id: idSchema, score: v.nullish(v.pipe(v.number(), v.finite())) })),
});

/** Named by their files: without folders where these names differ. Throws a UserError that names file, line and fix. */
export function readLists(files: readonly string[]): NamedLists[] {
  const names = files.map((file) => basename(file));
  const twice = files.find((file, i) => files.indexOf(file) !== i);
  if (twice !== undefined) throw new UserError(`--lists names ${twice} twice: name each file once`);
  return files.map((file, i) => ({ name: names.filter((name) => name === names[i]).length > 1 ? file : names[i]!, lists: readFile(file) }));
}

function readFile(file: string): FoundLists {
  const lists = new Map<string, readonly FoundHit[]>();
  const firstLine = new Map<string, number>();
  const problems: string[] = [];
  for (const [i, text] of readText(file).split("\n").entries()) {
    if (text.trim() === "") continue;
    const parsed = parseLine(text);
    if (typeof parsed === "string") {
      problems.push(`line ${i + 1}: ${parsed}`);
      continue;
    }
    const { query, hits } = parsed;
    const earlier = firstLine.get(query);
    if (earlier !== undefined) problems.push(`line ${i + 1}: query "${query}" is in line ${earlier} already: keep one line per query`);
    const ids = hits.map(({ id }) => id);
    const seen = new Set<string>();
    const again = ids.find((id) => seen.size === seen.add(id).size);
    if (again !== undefined) problems.push(`line ${i + 1}: product "${again}" is in hits twice: a list holds each product once`);
    firstLine.set(query, i + 1);
    lists.set(
      query,
      hits.map(({ id, score }) => ({ id, score: score ?? undefined })),
    );
  }
  refuse(file, problems);
  if (lists.size === 0)
    throw new UserError(`${file} has no list: it needs a line {"query": "…", "hits": [{"id": "…", "score": 1.5}]} per query`);
  return lists;
}

function parseLine(text: string): v.InferOutput<typeof lineSchema> | string {
  let json: unknown;
  try {
    json = parseWithIds(text, (name) => name === "id");
  } catch (error) {
    return `${JSON.stringify(text.slice(0, 60))} is no JSON (${errorText(error)}): one object per line`;
  }
  const parsed = v.safeParse(lineSchema, json);
  if (parsed.success) return parsed.output;
  const issue = parsed.issues[0];
  return `${v.getDotPath(issue) ?? "the line"}: ${issue.message}: expected {"query": "…", "hits": [{"id": "…", "score": 1.5}]}`;
}
