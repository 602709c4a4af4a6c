/** `--json` is JSON whatever wrangler prints around it: its own output as we read it, and ours. */
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as v from "valibot";
import { afterAll, describe, expect, it } from "vitest";
import { openWranglerNamespace } from "../../src/cli/publish/namespace.ts";
import { openWranglerDatabase } from "../../src/cli/report/database.ts";
import { findJson, jsonTextIn } from "../../src/cli/wrangler-output.ts";

const folder = mkdtempSync(join(tmpdir(), "armmt-noise-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const BEFORE = [
  "Using secrets defined in .dev.vars",
  "[WARN] proxy environment variables found {HTTPS_PROXY}",
  "\u001B[33m▲ [WARNING]\u001B[0m Processing wrangler.toml configuration:",
  '{"level":"warn","message":"a line of JSON"}',
  "[]",
].join("\n");
const AFTER = "\n🪵  Logs were written to {home}\nUpdate available: [4.1 → 4.2]\n}";
const noisy = (text: string): string => `${BEFORE}\n${text}\n${AFTER}`;

describe("findJson()", () => {
  const schema = v.pipe(v.array(v.object({ name: v.string() })), v.minLength(1));

  it("finds the result among notes, on one line or on many", () => {
    const value = [{ name: "a" }, { name: "with ] and } at its end }" }];
    for (const text of [JSON.stringify(value), JSON.stringify(value, undefined, 2)]) {
      expect(findJson(text, schema)).toEqual(value);
      expect(findJson(noisy(text), schema)).toEqual(value);
      expect(findJson(noisy(text).replaceAll("\n", "\r\n"), schema)).toEqual(value);
    }
  });

  it("finds none where there is none, also in much text, soon", () => {
    expect(findJson("", schema)).toBeUndefined();
    expect(findJson(noisy("Unauthorized"), schema)).toBeUndefined();
    expect(findJson(noisy(`${"[{\n".repeat(20_000)}${"}]\n".repeat(20_000)}`), schema)).toBeUndefined();
  });

  it("leaves a text without JSON as it is", () => {
    expect(jsonTextIn('Note\n{\n  "version": "1"\n}\nBye')).toBe('{\n  "version": "1"\n}');
    expect(jsonTextIn("plain")).toBe("plain");
  });
});

const run = (args: readonly string[]): Promise<string> => {
  if (args[0] === "d1") return Promise.resolve(noisy(JSON.stringify([{ results: [{ n: 1 }], success: true }], undefined, 2)));
  if (args[2] === "list") return Promise.resolve(noisy('[{ "name": "demo/live" }]'));
  // A value may be of any form: lines of JSON around it are not told from it.
  return Promise.resolve(`Using secrets defined in .dev.vars\n{ "version": "v1" }\n${AFTER}`);
};

describe("with a wrangler that talks", () => {
  it("reads rows and keys as if it did not", async () => {
    const options = { config: "wrangler.toml", binding: "X", where: ["--remote"], run };
    expect(await openWranglerDatabase(options).all("SELECT 1")).toEqual([{ n: 1 }]);
    expect(await openWranglerNamespace(options).get("demo/live")).toBe('{ "version": "v1" }');
    expect(await openWranglerNamespace(options).get("demo/other")).toBeUndefined();
  });
});

it("prints JSON and nothing else beside .dev.vars", { timeout: 120_000 }, async () => {
  writeFileSync(
    join(folder, "wrangler.toml"),
    'name = "edge"\ncompatibility_date = "2026-06-15"\n[[d1_databases]]\nbinding = "EVENTS"\ndatabase_name = "e"\ndatabase_id = "e"\n',
  );
  writeFileSync(join(folder, ".dev.vars"), 'EVENT_SECRET="a-secret-for-tests-only-of-32-characters"\n');
  mkdirSync(join(folder, "state"));
  const program = fileURLToPath(new URL("../../src/cli/armmt.ts", import.meta.url));
  const args = [program, "forget", "nobody", "--local", "--persist-to", "state", "--config", "wrangler.toml", "--json"];
  const stdout = await new Promise<string>((done, fail) => {
    execFile(process.execPath, args, { cwd: folder }, (error, out, said) =>
      error === null ? done(out) : fail(new Error(`${error.message}: ${said}`)),
    );
  });
  expect(JSON.parse(stdout)).toMatchObject({ removed: { ubi_queries: 0, ubi_events: 0 }, isUnitKnown: true });
});
