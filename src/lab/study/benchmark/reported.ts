/** Parts on real data, whose truth is public: Python computes their figures itself and hands over rows. */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { ROOT } from "../../../cli/embed/encoder.ts";
import { runPython } from "../model/python.ts";
import { type PartName, type Row, rowSchema } from "./benchmark-file.ts";
import { type Part, runsOf } from "./part.ts";
import { SHARED } from "./worlds.ts";
import { UserError } from "../../../web.ts";

const rowsSchema = v.array(rowSchema);

interface Reported {
  readonly name: PartName;
  /** Python module, `--data <folder> --out <rows.json>`. */
  readonly module: string;
  /** Folder of the data below SHARED. */
  readonly source: string;
}

export function reportedPart({ name, module, source }: Reported): Part {
  const data = join(SHARED, source);
  const script = join(ROOT, "model", `${module.replaceAll(".", "/")}.py`);
  return {
    name,
    settings: () => [module, source],
    obstacle: () => [data, script].filter((path) => !existsSync(path)).map((path) => `it needs ${path}`)[0],
    async work(work) {
      const folder = runsOf(work, name.replaceAll(" ", "-"));
      const out = join(folder, "rows.json");
      mkdirSync(folder, { recursive: true });
      await runPython(module, ["--data", data, "--out", out]);
      return readRows(out, name);
    },
  };
}

/** Rows that a Python module wrote; throws a UserError when they are missing, not valid, or of another part. */
export function readRows(path: string, part: PartName): Row[] {
  if (!existsSync(path)) throw new UserError(`${path} was not written`);
  const parsed = v.safeParse(rowsSchema, JSON.parse(readFileSync(path, "utf8")));
  if (!parsed.success) throw new UserError(`${path} is not valid: ${v.summarize(parsed.issues)}`);
  const stranger = parsed.output.find((row) => row.part !== part);
  if (stranger !== undefined) throw new UserError(`${path} holds a row of part "${stranger.part}", not of "${part}"`);
  return parsed.output;
}
