/**
 * Real engines for tests, without Docker: their jars come from Maven Central, a launcher of a few lines starts one on a free port with a home
 * folder of its own. A running one can be named by its address instead.
 */
import { type ChildProcess, type ChildProcessWithoutNullStreams, execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { homedir, tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { makeEnvironment } from "../../src/cli/train/python.ts";

export type EngineName = keyof typeof ENGINES;

interface Launcher {
  /** The oldest version that runs it, and the class that starts it; an engine without one must be running. */
  readonly java?: number;
  readonly main?: string;
  /** The environment variable that names a running one. */
  readonly url: string;
  /** Folder of its sources below java/; by default its name. */
  readonly sources?: string;
  /** A program below python/ that starts it, and has its requirements in a file of the same name. Linux on x86-64. */
  readonly python?: string;
}

export const ENGINES = {
  opensearch: { java: 21, main: "Launcher", url: "ARMMT_TEST_OPENSEARCH_URL" },
  "elasticsearch-7": { java: 17, main: "Launcher", url: "ARMMT_TEST_ELASTICSEARCH_7_URL" },
  "elasticsearch-9": { java: 21, main: "org.elasticsearch.node.Launcher", url: "ARMMT_TEST_ELASTICSEARCH_9_URL" },
  solr: { java: 17, main: "Launcher", url: "ARMMT_TEST_SOLR_URL" },
  vespa: { java: 17, main: "Launcher", url: "ARMMT_TEST_VESPA_URL" },
  solrcloud: { java: 17, main: "Cloud", url: "ARMMT_TEST_SOLRCLOUD_URL", sources: "solr" },
  meilisearch: { url: "ARMMT_TEST_MEILISEARCH_URL" },
  typesense: { python: "typesense", url: "ARMMT_TEST_TYPESENSE_URL" },
} as const satisfies Readonly<Record<string, Launcher>>;

/** Version 17 is the newest on which Elasticsearch 7 starts: it asks for a security manager. */
const NEWEST_JAVA: Readonly<Partial<Record<EngineName, number>>> = { "elasticsearch-7": 17 };

const SOURCES = fileURLToPath(new URL("java/", import.meta.url));
export const PYTHON = fileURLToPath(new URL("python/", import.meta.url));
const CACHE = fileURLToPath(new URL("../../node_modules/.cache/armmt-engines/", import.meta.url));

const FLAGS = ["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"];
const START_TIMEOUT_MS = 120_000;

export interface RunningEngine {
  readonly url: string;
  stop(): Promise<void>;
}

/** Why an engine cannot be asked on this machine; `undefined` where it can. */
export function missing(name: EngineName): string | undefined {
  const { java, url, python }: Launcher = ENGINES[name];
  if (process.env[url] !== undefined) return undefined;
  if (python !== undefined) {
    const isThere = process.platform === "linux" && process.arch === "x64" && findOnPath(["python3", "python"]) !== undefined;
    return isThere ? undefined : `${name} was not asked: it starts with Python on Linux (x86-64) only, and ${url} names no running one`;
  }
  if (java === undefined) return `${name} was not asked: ${url} names no running one (test/engines/compose.yaml has it)`;
  const newest = NEWEST_JAVA[name];
  const versions = newest === undefined ? `${java} or newer` : newest === java ? String(java) : `${java} to ${newest}`;
  if (findJdk(java, newest) === undefined) {
    return `${name} was not asked: there is no JDK of version ${versions} (set ARMMT_TEST_JAVA to its folder), and ${url} names no running one`;
  }
  return findMaven() === undefined
    ? `${name} was not asked: there is no Maven (mvn) on the path, and ${url} names no running one`
    : undefined;
}

/** `prepare` may write into the home folder before the start. Rejects with the end of the engine's output where it does not start. */
export async function startEngine(
  name: EngineName,
  prepare: (home: string, port: number) => void = () => undefined,
): Promise<RunningEngine> {
  const { url }: Launcher = ENGINES[name];
  const running = process.env[url];
  if (running !== undefined) return { url: running.replace(/\/+$/, ""), stop: async () => undefined };
  const start = await commandOf(name);
  const home = mkdtempSync(join(tmpdir(), `armmt-${name}-`));
  for (const folder of ["config", "data", "lib"]) mkdirSync(join(home, folder));
  const port = await freePort();
  prepare(home, port);
  const [command, options] = start(home, port, await freePort());
  const engine = spawn(command, options, { cwd: home, detached: true });
  await ready(engine, name);
  const stop = async (): Promise<void> => {
    const ended = new Promise((resolve) => {
      engine.once("exit", resolve);
    });
    kill(engine);
    await ended;
    rmSync(home, { recursive: true, force: true });
  };
  return { url: `http://127.0.0.1:${port}`, stop };
}

type Start = (home: string, port: number, secondPort: number) => readonly [command: string, options: readonly string[]];

/** With everything that it needs in place. */
async function commandOf(name: EngineName): Promise<Start> {
  const { java, main, sources = name, python }: Launcher = ENGINES[name];
  if (python !== undefined) {
    const program = await makeEnvironment(join(CACHE, `python-${python}`), join(PYTHON, `${python}.txt`));
    return (home, port, secondPort) => [program, [join(PYTHON, `${python}.py`), home, String(port), String(secondPort)]];
  }
  const jdk = java === undefined ? undefined : findJdk(java, NEWEST_JAVA[name]);
  if (jdk === undefined || main === undefined) throw new Error(missing(name));
  const classPath = await classPathOf(sources, jdk);
  const flags = [...FLAGS, ...(jdk.version >= 21 ? ["--enable-native-access=ALL-UNNAMED"] : [])];
  return (home, port) => [join(jdk.home, "bin/java"), [...flags, "-cp", classPath, main, home, String(port)]];
}

/** Runs a class that lies beside the launcher of an engine, with its jars: a client of it. Ends when its standard input does. */
export async function startClient(name: EngineName, main: string): Promise<ChildProcessWithoutNullStreams> {
  const jdk = findJdk(CLIENTS_JAVA);
  if (jdk === undefined) throw new Error(missingForClients());
  return spawn(join(jdk.home, "bin/java"), [...FLAGS, "-cp", await classPathOf(name, jdk), main]);
}

const CLIENTS_JAVA = 17;

/** Why Java clients cannot be asked on this machine; `undefined` where they can. */
export function missingForClients(): string | undefined {
  if (findJdk(CLIENTS_JAVA) === undefined) return `there is no JDK of version ${CLIENTS_JAVA} or newer (set ARMMT_TEST_JAVA to its folder)`;
  return findMaven() === undefined ? "there is no Maven (mvn) on the path" : undefined;
}

/** What a class of a folder below java/ prints. */
export async function runJava(sources: string, main: string, options: readonly string[]): Promise<string> {
  const jdk = findJdk(CLIENTS_JAVA);
  if (jdk === undefined) throw new Error(missingForClients());
  const command = [...FLAGS, "-cp", await classPathOf(sources, jdk), main, ...options];
  return (await promisify(execFile)(join(jdk.home, "bin/java"), command, { maxBuffer: 2 ** 26 })).stdout;
}

/** With what it has started: it leads a group of processes. */
function kill(engine: ChildProcess): void {
  if (process.platform === "win32" || engine.pid === undefined) engine.kill("SIGKILL");
  else process.kill(-engine.pid, "SIGKILL");
}

/** The launchers print "ready", and end when their standard input does, so that none outlives its test. */
function ready(engine: ChildProcess, name: EngineName): Promise<void> {
  return new Promise((resolve, reject) => {
    const lines: string[] = [];
    const fail = (what: string): void => reject(new Error(`${name} ${what}:\n${lines.slice(-30).join("\n")}`));
    const timer = setTimeout(() => {
      kill(engine);
      fail(`did not start within ${START_TIMEOUT_MS / 1000} s`);
    }, START_TIMEOUT_MS);
    const watch = (line: string): void => {
      lines.push(line);
      if (lines.length > 200) lines.shift();
      if (line !== "ready") return;
      clearTimeout(timer);
      resolve();
    };
    for (const stream of [engine.stdout, engine.stderr]) if (stream !== null) createInterface(stream).on("line", watch);
    engine.once("error", (cause) => fail(String(cause)));
    engine.once("exit", (code) => {
      clearTimeout(timer);
      fail(`ended with ${code}`);
    });
  });
}

interface Jdk {
  readonly home: string;
  readonly version: number;
}

let jdks: readonly Jdk[] | undefined;

/** The oldest that fits: engines are tested with it. */
function findJdk(oldest: number, newest: number = Number.POSITIVE_INFINITY): Jdk | undefined {
  jdks ??= allJdks();
  return jdks.find(({ version }) => version >= oldest && version <= newest);
}

/** Oldest first. */
function allJdks(): readonly Jdk[] {
  const { ARMMT_TEST_JAVA = "", JAVA_HOME = "", PATH = "" } = process.env;
  const onPath = PATH.split(delimiter).map((folder) => join(folder, "javac"));
  const folders = [
    "/usr/lib/jvm",
    "/opt/java",
    "/opt",
    join(homedir(), ".sdkman/candidates/java"),
    join(homedir(), ".jdks"),
    "/Library/Java/JavaVirtualMachines",
  ];
  const candidates = [
    ...ARMMT_TEST_JAVA.split(delimiter),
    JAVA_HOME,
    ...onPath.filter((file) => existsSync(file)).map((file) => dirname(dirname(realpathSync(file)))),
    ...folders.filter((folder) => existsSync(folder)).flatMap((folder) => readdirSync(folder).map((entry) => join(folder, entry))),
  ];
  const homes = candidates
    .flatMap((home) => [home, join(home, "Contents/Home")])
    .filter((home) => home !== "" && existsSync(join(home, "bin/javac")));
  const found = [...new Set(homes.map((home) => realpathSync(home)))].flatMap((home) => {
    const version = versionOf(home);
    return version === undefined ? [] : [{ home, version }];
  });
  return found.toSorted((a, b) => a.version - b.version);
}

function versionOf(home: string): number | undefined {
  const file = join(home, "release");
  const text = existsSync(file) ? readFileSync(file, "utf8") : "";
  const major = /^JAVA_VERSION="(?:1\.)?(\d+)/m.exec(text)?.[1];
  return major === undefined ? undefined : Number(major);
}

const findMaven = (): string | undefined => findOnPath(process.platform === "win32" ? ["mvn.cmd"] : ["mvn"]);

function findOnPath(names: readonly string[]): string | undefined {
  const files = (process.env["PATH"] ?? "").split(delimiter).flatMap((folder) => names.map((file) => join(folder, file)));
  return files.find((file) => existsSync(file));
}

/**
 * The compiled sources of a folder below java/, and its jars. They are kept until the pom, the sources or the JDK changes. One at a time: two
 * test files may need the same folder, and Maven's repository is not made for two who write to it.
 */
async function classPathOf(source: string, jdk: Jdk): Promise<string> {
  mkdirSync(CACHE, { recursive: true });
  const release = await lock(join(CACHE, "lock.sqlite"));
  try {
    return await buildClassPath(source, jdk);
  } finally {
    release();
  }
}

const LOCK_LOOK_MS = 100;

/** Among processes, and gone with the one that held it. */
async function lock(path: string): Promise<() => void> {
  const database = new DatabaseSync(path, { timeout: 0 });
  for (;;) {
    try {
      database.exec("BEGIN EXCLUSIVE");
      return () => {
        database.close();
      };
    } catch (cause) {
      if (!String(cause).includes("database is locked")) throw cause;
      await wait(LOCK_LOOK_MS); // oxlint-disable-line no-await-in-loop
    }
  }
}

async function buildClassPath(source: string, jdk: Jdk): Promise<string> {
  const sources = join(SOURCES, source);
  const files = readdirSync(sources).toSorted();
  const hash = createHash("sha256").update(`${jdk.home} ${jdk.version}`);
  for (const file of files) hash.update(file).update(readFileSync(join(sources, file)));
  const folder = join(CACHE, `${source}-${hash.digest("hex").slice(0, 16)}`);
  const list = join(folder, "class-path.txt");
  const kept = existsSync(list) ? readFileSync(list, "utf8") : undefined;
  if (kept?.split(delimiter).every((jar) => existsSync(jar)) === true) return kept;
  rmSync(folder, { recursive: true, force: true });
  const work = mkdtempSync(join(CACHE, `${source}-`));
  cpSync(join(sources, "pom.xml"), join(work, "pom.xml"));
  const jarList = join(work, "jars.txt");
  const resolve = (...options: readonly string[]): Promise<void> =>
    run(findMaven() ?? "mvn", [...options, "-q", "-B", `${RESOLVER}:build-classpath`, `-Dmdep.outputFile=${jarList}`], work, {
      JAVA_HOME: jdk.home,
    });
  try {
    // Without the network first: jars that are there need not be asked for again.
    await resolve("-o");
  } catch {
    await resolve();
  }
  const jars = readFileSync(jarList, "utf8").trim();
  const java = files.filter((file) => file.endsWith(".java")).map((file) => join(sources, file));
  await run(join(jdk.home, "bin/javac"), ["-nowarn", "-d", join(work, "classes"), "-cp", jars, ...java], work, {});
  writeFileSync(join(work, "class-path.txt"), [join(folder, "classes"), jars].join(delimiter));
  renameSync(work, folder);
  return readFileSync(list, "utf8");
}

const RESOLVER = "org.apache.maven.plugins:maven-dependency-plugin:3.9.0";

async function run(command: string, options: readonly string[], cwd: string, env: Readonly<Record<string, string>>): Promise<void> {
  await promisify(execFile)(command, options, { cwd, env: { ...process.env, ...env } });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => (typeof address === "object" && address !== null ? resolve(address.port) : reject(new Error("No free port"))));
    });
  });
}
