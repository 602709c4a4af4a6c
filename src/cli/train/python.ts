/** The Python side of training: its own environment, made on first use, and its modules run as child processes that end with this one. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { IS_CHECKOUT, PACKAGE_ROOT } from "../../runtimes/node/package-root.ts";
import { UserError } from "../../web.ts";

const MODEL_FOLDER = join(PACKAGE_ROOT, "model");
/**
 * ARMMT_VENV: an environment of your own that has the packages of model/pyproject.toml; it is used as it is. An installed package keeps its own in
 * the project: what is in node_modules goes with the next `npm ci`.
 */
const VENV = process.env["ARMMT_VENV"] ?? (IS_CHECKOUT ? join(MODEL_FOLDER, ".venv") : resolve(".armmt/python"));
const PYTHON = pythonOf(VENV);
/** The sources that may change what is learned. */
export const PYTHON_SOURCES = { root: PACKAGE_ROOT, folders: [join(MODEL_FOLDER, "armmt")] } as const;
/** Made from pyproject.toml; its first lines say how. */
const REQUIREMENTS = join(MODEL_FOLDER, "requirements.txt");
const UV_REQUIREMENTS = join(MODEL_FOLDER, "requirements-uv.txt");
const UV_FOLDER = IS_CHECKOUT ? join(PACKAGE_ROOT, ".armmt/uv") : resolve(".armmt/uv");

/** Measured on Linux x64: 5.0 GB installed, and room to unpack. */
const ENVIRONMENT_BYTES = 7e9;
/** Hard links, and what is not linked. */
const LINKED_BYTES = 0.2e9;

/** ARMMT_PYTHON overrides. */
const INTERPRETERS = ["python3", "python", "python3.13", "python3.12", "python3.11", "python3.14"];
const OLDEST = [3, 11] as const;

interface RunOptions {
  readonly cwd?: string;
  /** Everything the child prints goes to stderr, so that stdout stays for results; `quiet` keeps it back unless it fails. */
  readonly quiet?: boolean;
  /** On top of the process's own. */
  readonly env?: Readonly<Record<string, string>>;
  /** Ends the child. */
  readonly signal?: AbortSignal | undefined;
  /** Its input is a pipe that ends with this process, however that ends: armmt/training/attached.py waits for it. */
  readonly attached?: boolean;
}

async function run(
  command: string,
  args: readonly string[],
  { cwd = PACKAGE_ROOT, quiet = false, env = {}, signal, attached = false }: RunOptions = {},
): Promise<string> {
  return new Promise((done, reject) => {
    const child = spawn(command, args, {
      cwd,
      signal,
      stdio: [attached ? "pipe" : "ignore", quiet ? "pipe" : process.stderr, quiet ? "pipe" : process.stderr],
      env: {
        ...process.env,
        PYTHONUNBUFFERED: "1",
        PYTHONHASHSEED: "0",
        // Idle threads that spin instead of sleeping make training several times slower on a machine that has other work.
        OMP_WAIT_POLICY: "PASSIVE",
        PIP_DISABLE_PIP_VERSION_CHECK: "1",
        ...env,
      },
    });
    let output = "";
    child.stdout?.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.stderr?.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.on("error", reject);
    child.on("close", (code, killed) => {
      if (code === 0) done(output);
      else reject(new UserError(`${command} ${args.join(" ")} ended with ${killed ?? `code ${code}`}\n${output.slice(-2000)}`.trimEnd()));
    });
  });
}

function pythonOf(folder: string): string {
  return join(folder, process.platform === "win32" ? "Scripts/python.exe" : "bin/python");
}

/** Throws a UserError where there is none. */
export async function findInterpreter(): Promise<string> {
  const asked = process.env["ARMMT_PYTHON"];
  for (const name of asked === undefined ? INTERPRETERS : [asked]) {
    try {
      const found = (await run(name, ["-c", "import sys; print(*sys.version_info[:2])"], { quiet: true })).trim();
      const [major = 0, minor = 0] = found.split(" ").map(Number);
      if (major === OLDEST[0] && minor >= OLDEST[1]) return name;
    } catch {
      // Not on this machine, or not a Python: try the next one.
    }
  }
  const tried = asked ?? INTERPRETERS.join(", ");
  throw new UserError(
    `No Python ${OLDEST.join(".")} or newer found (tried ${tried}): install one with its venv module, or name it in ARMMT_PYTHON`,
  );
}

/**
 * The pinned uv, from the path if it is that version, else from its wheel in a small environment below .armmt. uv installs PyTorch in half a
 * minute where pip takes five, and a second environment by hard links from its cache.
 */
async function findUv(interpreter: string): Promise<string> {
  const pinned = /^uv==(\S+)/m.exec(readFileSync(UV_REQUIREMENTS, "utf8"))?.[1] ?? "";
  const own = join(UV_FOLDER, process.platform === "win32" ? "Scripts/uv.exe" : "bin/uv");
  for (const candidate of ["uv", own]) {
    const version = await run(candidate, ["--version"], { quiet: true }).catch(() => "");
    if (version.split(" ")[1]?.trim() === pinned) return candidate;
  }
  rmSync(UV_FOLDER, { recursive: true, force: true });
  await run(interpreter, ["-m", "venv", UV_FOLDER]);
  const python = join(UV_FOLDER, process.platform === "win32" ? "Scripts/python.exe" : "bin/python");
  await run(python, ["-m", "pip", "install", "--quiet", "--require-hashes", "--requirement", UV_REQUIREMENTS]);
  return own;
}

/** pip's own settings, which uv does not read: an index of a company stays the index. */
async function uvSettings(interpreter: string): Promise<Readonly<Record<string, string>>> {
  const text = await run(interpreter, ["-m", "pip", "config", "list"], { quiet: true }).catch(() => "");
  const configured = new Map([...text.matchAll(/^[\w:]+\.:?\.?([\w-]+)='(.*)'$/gm)].map((match) => [match[1] ?? "", match[2] ?? ""]));
  const names = { "index-url": "UV_DEFAULT_INDEX", "extra-index-url": "UV_INDEX", cert: "SSL_CERT_FILE" };
  const settings = Object.entries(names).flatMap(([option, variable]) => {
    const value = configured.get(option);
    return value === undefined || process.env[variable] !== undefined ? [] : [[variable, value] as const];
  });
  // A Python that uv would download is not the one that was found.
  return { UV_PYTHON_DOWNLOADS: "never", ...Object.fromEntries(settings) };
}

/** Throws a UserError if the environment would not fit. `isCached`: uv has every package already, and links it. */
export function requireDisk(free: number, isCached: boolean): void {
  const needed = isCached ? LINKED_BYTES : ENVIRONMENT_BYTES;
  if (free >= needed) return;
  throw new UserError(
    `The Python environment needs ${gigabytes(needed)} GB (PyTorch with its GPU libraries), and ${gigabytes(free)} GB are free where ` +
      `${VENV} and uv's cache are: free some, move the cache (UV_CACHE_DIR), or name an environment of your own in ARMMT_VENV`,
  );
}

function gigabytes(bytes: number): string {
  return (bytes / 1e9).toFixed(1);
}

async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/** The nearest folder on the way up that exists: a cache that was never used has none. */
function existing(folder: string): string {
  return existsSync(folder) ? folder : existing(dirname(folder));
}

/** Makes the environment with everything requirements.txt pins, unless it is there already. Nothing to do with ARMMT_VENV. */
export async function preparePython(): Promise<void> {
  if (process.env["ARMMT_VENV"] !== undefined) return;
  await makeEnvironment(VENV, REQUIREMENTS, (isCached, free) => {
    requireDisk(free, isCached);
    process.stderr.write(
      isCached
        ? `Linking the Python environment into ${VENV}\n`
        : `Making the Python environment in ${VENV} (PyTorch is a download of some GB)\n`,
    );
  });
}

/**
 * An environment with what a file of pinned, hashed requirements names, made unless it is there already; returns its Python. `before` is told
 * whether uv has every package already, and how many bytes are free.
 */
export async function makeEnvironment(
  folder: string,
  requirements: string,
  before: (isCached: boolean, free: number) => void = () => undefined,
): Promise<string> {
  const python = pythonOf(folder);
  /** Names the requirements that the environment was made for. */
  const stampFile = join(folder, "armmt-stamp");
  const stamp = createHash("sha256").update(readFileSync(requirements)).digest("hex");
  if (existsSync(stampFile) && existsSync(python) && readFileSync(stampFile, "utf8") === stamp) return python;
  const interpreter = await findInterpreter();
  const uv = await findUv(interpreter);
  const env = await uvSettings(interpreter);
  rmSync(folder, { recursive: true, force: true });
  await run(uv, ["venv", "--quiet", "--python", interpreter, folder], { env });
  const sync = ["pip", "sync", "--quiet", "--require-hashes", "--python", folder, requirements];
  const isCached = await run(uv, [...sync, "--offline", "--dry-run"], { quiet: true, env }).then(
    () => true,
    () => false,
  );
  const cache = (await run(uv, ["cache", "dir"], { quiet: true, env })).trim();
  before(isCached, Math.min(await freeBytes(dirname(folder)), await freeBytes(existing(cache))));
  await run(uv, sync, { env });
  writeFileSync(stampFile, stamp);
  return python;
}

export interface PythonOptions {
  readonly signal?: AbortSignal;
  readonly env?: Readonly<Record<string, string>>;
  /** More than one: torchrun starts so many, which train together. */
  readonly processes?: number;
}

/** `python -m <module> <args>` in model/, for as long as this process lives; its progress bars show on stderr. */
export async function runPython(module: string, args: readonly string[], options: PythonOptions = {}): Promise<void> {
  const { processes = 1, signal, env = {} } = options;
  const isOurs = module.startsWith("armmt.");
  const torchrun = processes > 1 ? ["-m", "torch.distributed.run", "--standalone", `--nproc-per-node=${processes}`] : [];
  const attached = isOurs ? ["-m", "armmt.training.attached"] : ["-m"];
  await run(PYTHON, [...torchrun, ...attached, module, ...args], { cwd: MODEL_FOLDER, attached: isOurs, signal, env });
}

/** How many GPUs PyTorch sees; 0 with ARMMT_DEVICE=cpu. */
export async function countGpus(): Promise<number> {
  if (process.env["ARMMT_DEVICE"] === "cpu") return 0;
  const script = "import torch; print(torch.cuda.device_count())";
  return Number((await run(PYTHON, ["-c", script], { quiet: true, cwd: MODEL_FOLDER })).trim().split("\n").at(-1));
}

/** Tests, types and style of the Python package. */
export async function checkPython(): Promise<void> {
  await runPython("ruff", ["check", "."]);
  await runPython("ruff", ["format", "--check", "."]);
  await runPython("mypy", []);
  await runPython("pytest", ["-q"]);
}
