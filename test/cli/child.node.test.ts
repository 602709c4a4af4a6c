/** A command that another one has started: it hands back code and result, and ends with the one that waits for it. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, it, vi } from "vitest";
import { runCommand } from "../../src/cli/child.ts";
import { writeEmbeddings, writeLists } from "./train/shop.ts";
import { stubPython } from "./train/stub-python.ts";

const home = mkdtempSync(join(tmpdir(), "armmt-child-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));

it("hands back what was printed, and the exit code", async () => {
  const [help, unknown] = await Promise.all([runCommand(["--help"]), runCommand(["unknown"])]);
  expect(help).toMatchObject({ code: 0, stdout: expect.stringMatching(/^ {2}loop\b/m) });
  expect(unknown).toMatchObject({ code: 2, stdout: "" });
});

it("leaves nothing behind where the one that waits is killed", async () => {
  const python = stubPython(join(home, "venv"));
  const lists = await writeLists(join(home, "lists"), 5000, 5000);
  const embeddings = writeEmbeddings(join(home, "embeddings"));
  const args = ["train", "--catalog", "lamps", "--lists", lists, "--embeddings", embeddings, "--out", join(home, "out"), "--no-gate"];
  const source = fileURLToPath(new URL("../../src/cli/child.ts", import.meta.url));
  const script = `import { runCommand } from ${JSON.stringify(source)}; await runCommand(${JSON.stringify(args)});`;
  const waiting = spawn(process.execPath, ["--input-type=module", "-e", script], {
    env: { ...process.env, ARMMT_VENV: python.venv, STUB_HANG: "train_trees" },
    stdio: "ignore",
  });
  await vi.waitFor(() => expect(python.hung()).toHaveLength(1), { timeout: 50_000, interval: 50 });
  waiting.kill("SIGKILL");
  await vi.waitFor(() => expect(python.hung().filter(isAlive)).toEqual([]), { timeout: 30_000, interval: 50 });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
