import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openFolderNamespace } from "../../../src/cli/publish/namespace.ts";
import { listKeys, folderKv, pathOfKey, writeKey } from "../../../src/runtimes/node/folder-kv.ts";
import { armmt } from "./servers.ts";
import { UserError } from "../../../src/web.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "armmt-folder-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("a folder in the place of KV", () => {
  it("gives back what was written, as text and as bytes, and null for what was not", async () => {
    const kv = folderKv(folder);
    const bytes = Uint8Array.from({ length: 300 }, (_, i) => i);
    await writeKey(folder, "shoes/v1/shard/0", bytes);
    await writeKey(folder, "shoes/live", "grün");
    await writeKey(folder, "shoes/live", "blau");
    expect(new Uint8Array((await kv.get("shoes/v1/shard/0", "arrayBuffer")) ?? new ArrayBuffer())).toEqual(bytes);
    expect(await kv.get("shoes/live", "text")).toBe("blau");
    for (const key of ["hats/live", "shoes/v1", "shoes/live/more"]) {
      expect(await kv.get(key, "text")).toBeNull();
      expect(await kv.get(key, "arrayBuffer")).toBeNull();
    }
    expect(await listKeys(folder, "shoes/")).toEqual(new Set(["shoes/live", "shoes/v1/shard/0"]));
    expect(await listKeys(join(folder, "nowhere"), "")).toEqual(new Set());
  });

  it("leads nowhere else", async () => {
    for (const key of ["../x", "a/../../x", "a//b", "/etc/passwd", "", ".", "a/.", "a\\b", "a/b~1", "a\0b", "a".repeat(65)]) {
      expect(() => pathOfKey(folder, key)).toThrow("cannot be a file in");
      await expect(folderKv(folder).get(key, "text")).rejects.toThrow("use letters, digits");
      await expect(writeKey(folder, key, "x")).rejects.toThrow("use letters, digits");
    }
  });

  it("shows a reader the old value or the new one, never a part", async () => {
    const kv = folderKv(folder);
    const values = ["a", "b"].map((letter) => letter.repeat(200_000));
    await writeKey(folder, "big/value", values[0]!);
    const state = { isWriting: true };
    const writing = (async () => {
      for (let n = 0; n < 30; n++) await writeKey(folder, "big/value", values[n % 2]!);
      state.isWriting = false;
    })();
    let reads = 0;
    for (; state.isWriting; reads++) expect(values).toContain(await kv.get("big/value", "text"));
    await writing;
    expect(reads).toBeGreaterThan(10);
    expect(readdirSync(join(folder, "big"))).toEqual(["value"]);
  });

  it("does not show what a writer that was killed has left", async () => {
    mkdirSync(join(folder, "killed"));
    writeFileSync(join(folder, "killed", "live~4711"), "half");
    expect(await listKeys(folder, "killed")).toEqual(new Set());
    await writeKey(folder, "killed/live", "whole");
    expect(await listKeys(folder, "killed")).toEqual(new Set(["killed/live"]));
  });
});

describe("armmt publish --folder", () => {
  it("names the folder that cannot be written", async () => {
    symlinkSync("/dev/null", join(folder, "file"));
    const error = await openFolderNamespace(join(folder, "file"))
      .put([{ key: "a/live", value: "x" }])
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UserError);
    expect(String(error)).toMatch(/Cannot use the folder .+file: .+ Name another with --folder <folder>/);
  });

  it("refuses --local beside it, and a rollback where nothing is published", async () => {
    expect(await armmt("rollback", "--local", "--folder", folder)).toMatchObject({
      code: 1,
      stderr: `Error: --local and --folder ${folder} are two places: give one of them\n`,
    });
    expect(await armmt("rollback", "--folder", folder, "--catalog", "never")).toMatchObject({
      code: 1,
      stderr: `Error: Nothing is published for "never" in ${folder}: run armmt publish, or name another with --catalog\n`,
    });
  });
});
