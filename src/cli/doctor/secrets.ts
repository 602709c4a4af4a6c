/** wrangler's file of secrets, in the folder of its configuration. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseEnv } from "node:util";

export function secretsBeside(config: string): NodeJS.Dict<string> {
  const file = join(dirname(config), ".dev.vars");
  return existsSync(file) ? parseEnv(readFileSync(file, "utf8")) : {};
}
