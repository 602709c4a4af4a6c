/** The README may not promise what the sources do not have: its lists of reasons, commands and scripts are compared with the code. */
import { readFileSync, readdirSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";

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
