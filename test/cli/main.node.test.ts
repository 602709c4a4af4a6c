/** `armmt` as a user meets it: a process with arguments, streams and an exit code. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { progressBar } from "../../src/cli/command.ts";
import { formatTable } from "../../src/report/format.ts";

const MAIN = fileURLToPath(new URL("../../src/lab/main.ts", import.meta.url));
const COMMAND = new URL("../../src/cli/command.ts", import.meta.url).href;

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function armmt(...args: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...args], (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

describe("armmt", () => {
  it("lists every command with its summary", async () => {
    const { code, stdout } = await armmt("--help");
    expect(code).toBe(0);
    for (const name of ["start", "embed", "build", "publish", "rollback", "simulate", "lists", "evaluate", "assess", "model", "bench"]) {
      expect(stdout).toMatch(new RegExp(`^ {2}${name}\\s+\\S+`, "m"));
    }
  });

  it("ends quietly where its reader has enough", async () => {
    const child = spawn(process.execPath, [MAIN, "start", "--help"], { stdio: ["ignore", "pipe", "pipe"] });
    child.stdout.destroy();
    const said = await text(child.stderr);
    const [code] = child.exitCode === null ? await once(child, "exit") : [child.exitCode];
    expect([code, said]).toEqual([0, ""]);
  });

  it("says its version", async () => {
    const json: unknown = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
    expect(json).toMatchObject({ version: expect.any(String) });
    const { code, stdout } = await armmt("--version");
    expect(code).toBe(0);
    expect(json).toMatchObject({ version: stdout.trim() });
  });

  it("shows a command's own help, with `--help` and with `help <command>`", async () => {
    const [flag, word] = await Promise.all([armmt("start", "--help"), armmt("help", "start")]);
    expect(flag.code).toBe(0);
    expect(flag.stdout).toContain("--shop-port");
    expect(word.stdout).toBe(flag.stdout);
  });

  it("answers an unknown command with 2, naming it and the known ones", async () => {
    const { code, stderr } = await armmt("emebd");
    expect(code).toBe(2);
    expect(stderr).toContain('"emebd"');
    expect(stderr).toContain("embed, build, publish");
  });

  it("answers no command at all with its help and 2", async () => {
    const { code, stderr } = await armmt();
    expect(code).toBe(2);
    expect(stderr).toContain("Usage: armmt");
  });

  it("answers an unknown option with 2, naming it", async () => {
    const { code, stderr } = await armmt("start", "--prot", "1");
    expect(code).toBe(2);
    expect(stderr).toContain("--prot");
  });

  it("answers a wrong value with 2, naming value and fix", async () => {
    const { code, stderr } = await armmt("start", "--port", "http");
    expect(code).toBe(2);
    expect(stderr).toContain("http");
    expect(stderr).toContain("1 to 65535");
  });

  it("answers a failure with 1 and its message, without a stack", async () => {
    const { code, stderr } = await armmt("start", "--catalog", "no-such-folder");
    expect(code).toBe(1);
    expect(stderr).toContain("no-such-folder");
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});

describe("progressBar()", () => {
  const folder = mkdtempSync(join(tmpdir(), "armmt-progress-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function runScript(options: string): Promise<Outcome> {
    const script = join(folder, `${Math.random().toString(36).slice(2)}.mjs`);
    const loop = "for (let i = 0; i < 200; i++) bar.increment(); bar.stop();";
    writeFileSync(
      script,
      `import { progressBar } from ${JSON.stringify(COMMAND)}; const bar = progressBar("Embed", 200, ${options}); ${loop}`,
    );
    return new Promise((resolve) => {
      execFile(process.execPath, [script], (error, stdout, stderr) => resolve({ code: error === null ? 0 : 1, stdout, stderr }));
    });
  }

  it("prints a line per tenth on stderr when there is no terminal", async () => {
    const { code, stdout, stderr } = await runScript("{}");
    expect(code).toBe(0);
    expect(stdout).toBe("");
    const lines = stderr.trimEnd().split("\n");
    expect(lines).toHaveLength(10);
    expect(lines[4]).toBe("Embed 50 % (100/200)");
  });

  it("is silent with json", async () => {
    expect(await runScript("{ json: true }")).toEqual({ code: 0, stdout: "", stderr: "" });
  });

  it("does not divide by an empty total", () => {
    const bar = progressBar("Nothing", 0, { json: true });
    expect(() => bar.stop()).not.toThrow();
  });
});

describe("formatTable()", () => {
  it("aligns numbers to the right and shows absent cells", () => {
    const table = formatTable(["name", "ms"], [["a", 1.5], ["long", 12], ["none", undefined]]); // prettier-ignore
    expect(table).toBe("name   ms\n────  ───\na     1.5\nlong   12\nnone    –\n");
  });
});
