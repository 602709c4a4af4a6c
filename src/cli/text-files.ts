/** Text files of a shop, plain or compressed, and what is wrong in them. */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { errorText, UserError } from "../web.ts";

const PROBLEMS_SHOWN = 5;

const GZIP = [0x1f, 0x8b];
const UTF16 = { "utf-16le": [0xff, 0xfe], "utf-16be": [0xfe, 0xff] };

/** Without a byte-order mark. UTF-16, which spreadsheets write, is read too. Throws a UserError. */
export function readText(file: string): string {
  const bytes = unpacked(file);
  const [wide] = Object.entries(UTF16).find(([, mark]) => startsWith(bytes, mark)) ?? [];
  try {
    return new TextDecoder(wide ?? "utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new UserError(`${file} is not UTF-8 text: save it as UTF-8, or its words do not match those of searches`);
  }
}

function unpacked(file: string): Buffer {
  try {
    const bytes = readFileSync(file);
    return startsWith(bytes, GZIP) ? gunzipSync(bytes) : bytes;
  } catch (error) {
    throw new UserError(`Cannot read ${file}: ${errorText(error)}`, { cause: error });
  }
}

function startsWith(bytes: Uint8Array, mark: readonly number[]): boolean {
  return mark.every((byte, i) => bytes[i] === byte);
}

/** JSON in which an id of more digits than a number holds stays as it is written, as text. `isId`: of a member's name. Throws a SyntaxError. */
export function parseWithIds(json: string, isId: (name: string) => boolean): unknown {
  return JSON.parse(json, (name, value: unknown, context?: { readonly source?: string }) => {
    const isRounded = typeof value === "number" && Number.isInteger(value) && !Number.isSafeInteger(value);
    return isRounded && isId(name) && /^\d+$/.test(context?.source ?? "") ? context?.source : value;
  });
}

/** Throws a UserError with the first of them; none is no error. Each names its line. */
export function refuse(file: string, problems: readonly string[]): void {
  if (problems.length === 0) return;
  const more = problems.length > PROBLEMS_SHOWN ? `\n  and ${problems.length - PROBLEMS_SHOWN} more` : "";
  throw new UserError(`Cannot use ${file}:\n  ${problems.slice(0, PROBLEMS_SHOWN).join("\n  ")}${more}`);
}
