/** The edge's variables → those of the edge in a browser: one index, as the edge has it, without what only the edge may know. */
import * as v from "valibot";
import type { Listing } from "../../runtimes/browser/listing.ts";
import { loadWrangler } from "../wrangler.ts";
import { UserError } from "../../web.ts";

export interface ConfigSource {
  /** Path of the edge's wrangler.toml. */
  readonly file: string;
  readonly index: string;
  /** Under which name the vectors are listed. */
  readonly catalog: string;
  /** Default: as the edge has it. */
  readonly window?: number | undefined;
}

const indexesSchema = v.record(v.string(), v.looseObject({ window: v.number() }));

/** Throws a UserError where the file has no such index. */
export async function privateConfig({ file, index, catalog, window }: ConfigSource): Promise<Listing["config"]> {
  const { unstable_readConfig: readConfig } = await loadWrangler();
  const indexes = v.safeParse(indexesSchema, readConfig({ config: file }).vars["INDEXES"]);
  const table = indexes.success ? indexes.output[index] : undefined;
  if (table === undefined) {
    const known = indexes.success ? Object.keys(indexes.output).join(", ") : "none";
    throw new UserError(`${file} has no [vars.INDEXES.${index}] (it has: ${known}): name one with --index`);
  }
  // The engine is where the page's own searches go; its address and headers are the edge's affair, and files.json is for everybody to read.
  const { url: _, headers: __, forwardCredentials: ___, ...rest } = table;
  return { INDEXES: { [index]: { ...rest, catalog, ...(window !== undefined && { window }) } } };
}
