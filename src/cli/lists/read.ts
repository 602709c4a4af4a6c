/** Reads what `armmt lists` wrote, one row group at a time. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import * as v from "valibot";
import { LIST_COLUMNS, OPTIONAL_COLUMNS, type ListRow, listRowSchema } from "./columns.ts";
import type { Split } from "./split.ts";
import { UserError } from "../../web.ts";

/**
 * Rows of lists.parquet in `folder`, in the order of the file: all, or those of one split. Throws a UserError that names the file and what it lacks.
 * Columns that others add (`relevance`) are not among a row's.
 */
export async function* readLists(folder: string, only?: Split): AsyncGenerator<ListRow> {
  const path = join(folder, "lists.parquet");
  if (!existsSync(path)) throw new UserError(`${path} does not exist: make it with armmt lists --out ${folder}`);
  const file = await asyncBufferFromFile(path);
  const metadata = await parquetMetadataAsync(file);
  const known = new Set(metadata.schema.map(({ name }) => name));
  const missing = LIST_COLUMNS.filter((name) => !known.has(name) && !OPTIONAL_COLUMNS.has(name));
  if (missing.length > 0) throw new UserError(`${path} lacks the columns ${missing.join(", ")}: make it again with armmt lists`);
  let rowStart = 0;
  for (const { num_rows: count } of metadata.row_groups) {
    const rowEnd = rowStart + Number(count);
    // oxlint-disable-next-line no-await-in-loop -- one row group in memory
    const rows = await parquetReadObjects({ file, metadata, columns: LIST_COLUMNS.filter((name) => known.has(name)), rowStart, rowEnd });
    for (const [i, row] of rows.entries()) {
      if (only !== undefined && row["split"] !== only) continue;
      const parsed = v.safeParse(listRowSchema, row);
      if (!parsed.success) {
        const [issue] = parsed.issues;
        throw new UserError(`${path}, row ${rowStart + i + 1}: ${v.getDotPath(issue) ?? "row"}: ${issue.message}`);
      }
      yield parsed.output;
    }
    rowStart = rowEnd;
  }
}
