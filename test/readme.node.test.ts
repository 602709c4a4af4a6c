/** The README may not promise what the sources do not have: its tables are printed from the code, its commands and scripts compared. */
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { reasonsTable } from "./harness/reasons.ts";
import { requestMatrix } from "./search/dialects/matrix.ts";

const root = resolve(import.meta.dirname, "..");
const path = resolve(root, "README.md");
const readme = readFileSync(path, "utf8");

describe("README", () => {
  it.each([
    ["reasons", "the table of bypass reasons of result.ts", reasonsTable],
    ["matrix", "the request matrix that the tests of the dialects make", requestMatrix],
  ])("shows %s: %s", (part, _, print) => {
    const [before, after] = [`<!-- ${part}: UPDATE_README=1 npx vitest run test/readme.node.test.ts -->\n`, `\n<!-- /${part} -->`];
    const text = readFileSync(path, "utf8");
    const start = text.indexOf(before) + before.length;
    const end = text.indexOf(after);
    expect(end).toBeGreaterThan(start);
    if (process.env["UPDATE_README"] !== undefined) writeFileSync(path, text.slice(0, start) + print() + text.slice(end));
    else expect(text.slice(start, end)).toBe(print());
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
