/** The Python side of training: its own environment in model/.venv, made on first use, and its modules run as child processes. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PACKAGE_ROOT } from "../../../runtimes/node/package-root.ts";
import { UserError } from "../../../web.ts";

const MODEL_FOLDER = join(PACKAGE_ROOT, "model");
const VENV = join(MODEL_FOLDER, ".venv");
const PYTHON = join(VENV, process.platform === "win32" ? "Scripts/python.exe" : "bin/python");
/** Hash of the pyproject.toml that the environment was made from. */
const STAMP = join(VENV, "armmt-stamp");

/** Newest first; ARMMT_PYTHON overrides. */
const INTERPRETERS = ["python3.11", "python3.12", "python3.13", "python3", "python"];
const OLDEST = [3, 11] as const;

interface RunOptions {
  readonly cwd?: string;
  /** Everything the child prints goes to stderr, so that stdout stays for results; `quiet` keeps it back unless it fails. */
  readonly quiet?: boolean;
}

async function run(command: string, args: readonly string[], { cwd = PACKAGE_ROOT, quiet = false }: RunOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      stdio: ["ignore", quiet ? "pipe" : process.stderr, quiet ? "pipe" : process.stderr],
      env: {
        ...process.env,
        PYTHONUNBUFFERED: "1",
        PYTHONHASHSEED: "0",
        // Idle threads that spin instead of sleeping make training several times slower on a machine that has other work.
        OMP_WAIT_POLICY: "PASSIVE",
        PIP_DISABLE_PIP_VERSION_CHECK: "1",
      },
    });
    let output = "";
    child.stdout?.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.stderr?.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (code === 0) resolve(output);
      else reject(new UserError(`${command} ${args.join(" ")} ended with ${signal ?? `code ${code}`}\n${output.slice(-2000)}`.trimEnd()));
    });
  });
}

async function findInterpreter(): Promise<string> {
  const asked = process.env["ARMMT_PYTHON"];
  for (const name of asked === undefined ? INTERPRETERS : [asked]) {
    try {
      const found = (await run(name, ["-c", "import sys; print(*sys.version_info[:2])"], { quiet: true })).trim();
      const [major = 0, minor = 0] = found.split(" ").map(Number);
      if (major === OLDEST[0] && minor >= OLDEST[1]) return name;
    } catch {
      // Not on this machine, or not a Python: the next one may be.
    }
  }
  const tried = asked ?? INTERPRETERS.join(", ");
  throw new UserError(
    `No Python ${OLDEST.join(".")} or newer found (tried ${tried}): install one with its venv module, or name it in ARMMT_PYTHON`,
  );
}

/** Makes model/.venv with everything pyproject.toml pins, unless it is there already. */
export async function preparePython(): Promise<void> {
  const stamp = createHash("sha256")
    .update(readFileSync(join(MODEL_FOLDER, "pyproject.toml")))
    .digest("hex");
  if (existsSync(STAMP) && existsSync(PYTHON) && readFileSync(STAMP, "utf8") === stamp) return;
  const interpreter = await findInterpreter();
  process.stderr.write(`Making the Python environment in model/.venv (PyTorch is a large download on first use)\n`);
  rmSync(VENV, { recursive: true, force: true });
  await run(interpreter, ["-m", "venv", VENV]);
  await run(PYTHON, ["-m", "pip", "install", "--quiet", "--editable", `${MODEL_FOLDER}[dev]`]);
  writeFileSync(STAMP, stamp);
}

/** `python -m <module> <args>` in model/; its progress bars show on stderr. */
export async function runPython(module: string, args: readonly string[]): Promise<void> {
  await run(PYTHON, ["-m", module, ...args], { cwd: MODEL_FOLDER });
}

/** Tests, types and style of the Python package. */
export async function checkPython(): Promise<void> {
  await runPython("ruff", ["check", "."]);
  await runPython("ruff", ["format", "--check", "."]);
  await runPython("mypy", []);
  await runPython("pytest", ["-q"]);
}
