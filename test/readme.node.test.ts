/** The README may not promise what the sources do not have: its lists of reasons, commands and scripts are compared with the code. */
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { requestMatrix } from "./search/dialects/matrix.ts";

const root = resolve(import.meta.dirname, "..");
const readme = readFileSync(resolve(root, "README.md"), "utf8");

describe("README", () => {
  it("lists every bypass reason, in the order of result.ts", () => {
    const union =
      /export type BypassReason =([\s\S]*?);\s*(?:\/\/[^\n]*)?\n\n/.exec(readFileSync(resolve(root, "src/result.ts"), "utf8"))?.[1] ?? "";
    const codes = [...union.matchAll(/^\s*\| "(\w+)"/gm)].map((match) => match[1]);
    const table = /\| reason \| when \|\n([\s\S]*?)\n\n/.exec(readme)?.[1] ?? "";
    const rows = [...table.matchAll(/^\| `(\w+)` \| /gm)].map((match) => match[1]);
    expect(codes.length).toBeGreaterThan(20);
    expect(rows).toEqual(codes);
  });

  it("shows the request matrix that the tests of the dialects make", () => {
    const [before, after] = ["<!-- matrix: UPDATE_README=1 npx vitest run test/readme.node.test.ts -->\n", "\n<!-- /matrix -->"];
    const start = readme.indexOf(before) + before.length;
    const end = readme.indexOf(after);
    if (process.env["UPDATE_README"] !== undefined) {
      writeFileSync(resolve(root, "README.md"), readme.slice(0, start) + requestMatrix() + readme.slice(end));
      return;
    }
    expect(readme.slice(start, end)).toBe(requestMatrix());
  });

  it("names npm scripts that exist", () => {
    const scripts: unknown = JSON.parse(readFileSync(resolve(root, "package.json"), "utf8")).scripts;
    const named = [...readme.matchAll(/`?npm (?:run ([\w:]+)|(start|test))/g)].map((match) => match[1] ?? match[2]);
    expect(named).toContain("bench");
    for (const name of named) expect(scripts).toHaveProperty([name ?? ""]);
  });

  it("names every command of armmt", () => {
    const commands = readdirSync(resolve(root, "src/cli")).filter((file) => {
      return file.endsWith(".ts") && /export function create\w+Command\(/.test(readFileSync(resolve(root, "src/cli", file), "utf8"));
    });
    for (const file of commands) expect(readme).toContain(`\`${file.replace(".ts", "")}\``);
  });
});
