/**
 * A folder instead of a KV namespace: one file per key, the parts of the key as folders. Written by `armmt publish --folder`.
 *
 * Writes are atomic: a file is written under a name that no key can have, then renamed. A server reads while a publish writes.
 */
import { mkdir, open, readdir, readFile, rename } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import { kvOf, type KvReader } from "../../embeddings/store.ts";

/** The names that catalogues and versions may have; no part of a key leads out of the folder. */
const PART = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,64}$/;

/** Marks the name of an unfinished file; not in PART. */
const UNFINISHED = "~";

/** Throws for a key that is not a path below the folder. */
export function pathOfKey(folder: string, key: string): string {
  const parts = key.split("/");
  if (!parts.every((part) => PART.test(part))) {
    throw new Error(`"${key}" cannot be a file in ${folder}: use letters, digits, dots, dashes and underscores between slashes`);
  }
  return join(folder, ...parts);
}

/** For `kv` of an edge: reads the keys that `armmt publish --folder` has written into `folder`. */
export function folderKv(folder: string): KvReader {
  const root = resolve(folder);
  return kvOf((key) => ofProcess.read(pathOfKey(root, key)));
}

/**
 * Half of Node's four threads for files, DNS and cryptography, for all folders of a process: where a folder hangs (a network file system
 * that stalls), its reads hold those threads, and the other two go on.
 */
const MAX_READS = 2;

/** A file of some hundred kilobytes takes a millisecond. */
const OVERDUE_MS = 1000;

/**
 * Reads each file once at a time, and `maxReads` files at once; others wait for their turn. A read that takes longer than `overdueMs` goes on
 * for those who wait for it; others of its file are rejected at once until it ends, and while all places hang, so is everybody.
 */
export function createSharedReads<T>(read: (path: string) => Promise<T>, { maxReads = MAX_READS, overdueMs = OVERDUE_MS } = {}) {
  interface Read {
    readonly done: PromiseWithResolvers<T>;
    readonly path: string;
    isOverdue: boolean;
  }
  const running = new Map<string, Read>();
  const waiting = new Map<string, Read>();
  const late = (path: string): Error => new Error(`${path} has not been read within ${overdueMs} ms`);

  const isStuck = (): boolean => running.size >= maxReads && [...running.values()].every(({ isOverdue }) => isOverdue);

  function startNext(): void {
    for (const next of waiting.values()) {
      if (running.size >= maxReads) return;
      waiting.delete(next.path);
      start(next);
    }
  }

  function start(current: Read): void {
    const { path, done } = current;
    running.set(path, current);
    const timer = setTimeout(() => {
      current.isOverdue = true;
      if (!isStuck()) return;
      for (const other of waiting.values()) other.done.reject(late(other.path));
      waiting.clear();
    }, overdueMs);
    void read(path)
      .then(done.resolve, done.reject)
      .finally(() => {
        clearTimeout(timer);
        running.delete(path);
        startNext();
      });
  }

  return {
    isReading: (): boolean => running.size > 0,
    read(path: string): Promise<T> {
      const known = running.get(path) ?? waiting.get(path);
      if (known !== undefined && !known.isOverdue) return known.done.promise;
      if (known !== undefined || isStuck()) return Promise.reject(late(path));
      const current = { done: Promise.withResolvers<T>(), path, isOverdue: false };
      waiting.set(path, current);
      startNext();
      return current.done.promise;
    },
  };
}

const ofProcess = createSharedReads(readIfThere);

/** Whether a file is being read. Node cannot end while one hangs: a thread of the process does. */
export function isReading(): boolean {
  return ofProcess.isReading();
}

async function readIfThere(path: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    // ENOTDIR and EISDIR: a longer or a shorter key has the path.
    if (hasCode(error, ["ENOENT", "ENOTDIR", "EISDIR"])) return undefined;
    throw error;
  }
}

/** Resolves when the bytes are on the disk under their name. */
export async function writeKey(folder: string, key: string, value: string | Uint8Array): Promise<void> {
  const path = pathOfKey(resolve(folder), key);
  await mkdir(dirname(path), { recursive: true });
  const unfinished = `${path}${UNFINISHED}${process.pid}`;
  const file = await open(unfinished, "w");
  try {
    await file.writeFile(value);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(unfinished, path);
}

/** All keys that begin with `prefix`; none where the folder does not exist. */
export async function listKeys(folder: string, prefix: string): Promise<ReadonlySet<string>> {
  const root = resolve(folder);
  const keys = new Set<string>();
  for (const entry of await entriesOf(root)) {
    if (!entry.isFile()) continue;
    const parts = relative(root, join(entry.parentPath, entry.name)).split(sep);
    const key = parts.join("/");
    if (key.startsWith(prefix) && parts.every((part) => PART.test(part))) keys.add(key);
  }
  return keys;
}

async function entriesOf(root: string) {
  try {
    return await readdir(root, { recursive: true, withFileTypes: true });
  } catch (error) {
    if (hasCode(error, ["ENOENT"])) return [];
    throw error;
  }
}

function hasCode(error: unknown, codes: readonly string[]): boolean {
  return error instanceof Error && "code" in error && typeof error.code === "string" && codes.includes(error.code);
}
