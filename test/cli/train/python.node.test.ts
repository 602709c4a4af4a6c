import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { requireDisk } from "../../../src/cli/train/python.ts";

const read = (name: string) => readFileSync(new URL(`../../../model/${name}`, import.meta.url), "utf8");

describe("requireDisk()", () => {
  it("says before any download how much is needed and how much is free", () => {
    expect(() => requireDisk(6e9, false)).toThrow(/needs 7\.0 GB .* 6\.0 GB are free .* ARMMT_VENV/);
    expect(() => requireDisk(7e9, false)).not.toThrow();
  });

  it("asks for little where uv links what it has", () => {
    expect(() => requireDisk(3e8, true)).not.toThrow();
    expect(() => requireDisk(1e8, true)).toThrow("0.1 GB are free");
  });
});

describe("requirements", () => {
  it.each(["requirements.txt", "requirements-uv.txt"])("%s pins every package with hashes, and names no address", (name) => {
    const text = read(name);
    const packages = text.split("\n").filter((line) => /^[a-z]/.test(line));
    expect(packages.length).toBeGreaterThan(0);
    for (const line of packages) expect(line).toMatch(/^[\w.-]+==\S+ .*\\$/);
    expect(text.match(/--hash=sha256:[0-9a-f]{64}/g)?.length).toBeGreaterThanOrEqual(packages.length);
    expect(text).not.toMatch(/https?:|--(?:index-url|extra-index-url|find-links)/);
  });

  it("holds what pyproject.toml pins", () => {
    const pinned = [...read("pyproject.toml").matchAll(/"([\w-]+==[\d.]+)"/g)].map((match) => match[1]);
    expect(pinned.length).toBeGreaterThan(5);
    for (const requirement of pinned) expect(read("requirements.txt")).toContain(`${requirement} \\`);
  });
});
