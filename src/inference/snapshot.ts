/**
 * onnxruntime after the creation of its sessions: memory, globals and sessions of one instance, for another instance of the same module.
 * `armmt build` takes snapshots; a Worker that starts from one creates no sessions.
 *
 * A snapshot belongs to the module that it was taken from. A restored instance traps when it should create other sessions.
 */
import * as v from "valibot";

const address = v.pipe(v.number(), v.integer(), v.minValue(0));
const exportName = v.pipe(v.string(), v.minLength(1));

export const snapshotSchema = v.object({
  memoryBytes: address,
  /** Value of each mutable global, by the name under which the module exports it. */
  globals: v.record(exportName, v.number()),
  /** Handles of the sessions. */
  sessions: v.array(address),
  /** Export names of those C functions of onnxruntime that have nothing to do in a restored instance. */
  exports: v.object({
    init: exportName,
    createSessionOptions: exportName,
    addSessionConfigEntry: exportName,
    releaseSessionOptions: exportName,
    createSession: exportName,
    releaseSession: exportName,
    /** Emscripten's constructors. */
    construct: exportName,
  }),
});

export type SnapshotHead = v.InferOutput<typeof snapshotSchema>;

export interface Snapshot {
  readonly head: SnapshotHead;
  /** Address and length of each run of bytes, alternating, by address. All other memory is zero. */
  readonly runs: Uint32Array;
  /** The bytes of all runs, concatenated. */
  readonly bytes: Uint8Array;
}

/** A snapshot, and the graphs of its sessions. */
export interface Image {
  readonly snapshot: Snapshot;
  /** Of each session's graph, in their order. */
  readonly sha256: readonly string[];
}

/** One byte instead of a session's graph: its index among the sessions. At most 255 sessions. */
export function graphOfSession(index: number): Uint8Array {
  return Uint8Array.of(index);
}

/** An instance, the memory that it imports, and the functions of it that onnxruntime-web calls. */
export interface Restored {
  readonly instance: WebAssembly.Instance;
  /** Puts another snapshot of the same module into the instance: nothing of what it was remains. Throws as restore(); then it is neither. */
  readonly put: (snapshot: Snapshot) => void;
}

/**
 * Puts a snapshot into a fresh instance, whose memory is in `imports`. In the returned instance the steps before the snapshot succeed at once,
 * and creating a session returns the one that the graph names (`graphOfSession`).
 *
 * Throws an Error that names the missing part when snapshot and module do not belong together.
 */
export function restore(instance: WebAssembly.Instance, imports: WebAssembly.Imports, snapshot: Snapshot): Restored {
  const memory = memoryOf(imports);
  let { head } = snapshot;
  write(instance, memory, snapshot);
  return {
    instance: { exports: { ...instance.exports, ...completedSteps(memory, head, (index) => head.sessions[index] ?? 0) } },
    put(other) {
      new Uint8Array(memory.buffer).fill(0);
      write(instance, memory, other);
      head = other.head;
    },
  };
}

/** Into memory that is zero. */
function write({ exports }: WebAssembly.Instance, { buffer }: WebAssembly.Memory, { head, runs, bytes }: Snapshot): void {
  if (head.memoryBytes > buffer.byteLength)
    throw new Error(`The snapshot needs ${head.memoryBytes} bytes of memory, there are ${buffer.byteLength}`);
  const target = new Uint8Array(buffer);
  let from = 0;
  for (let run = 0; run < runs.length; run += 2) {
    const length = runs[run + 1]!;
    target.set(bytes.subarray(from, from + length), runs[run]);
    from += length;
  }
  if (from !== bytes.length) throw new Error(`The snapshot has ${bytes.length} bytes, its runs take ${from}`);
  for (const [name, value] of Object.entries(head.globals)) {
    const global = exports[name];
    if (!(global instanceof WebAssembly.Global)) throw new Error(`The module exports no global ${name}`);
    global.value = value;
  }
}

export const PAGE_BYTES = 65_536;

/** Any number but 0, which means failure. */
const OPTIONS_HANDLE = 1;

/** onnxruntime's status code of success. */
const done = (): number => 0;

/** Replaces the functions that were called before the snapshot. */
function completedSteps(
  memory: WebAssembly.Memory,
  { exports: names }: SnapshotHead,
  handleOf: (session: number) => number,
): WebAssembly.Exports {
  return {
    [names.construct]: done,
    [names.init]: done,
    [names.createSessionOptions]: () => OPTIONS_HANDLE,
    [names.addSessionConfigEntry]: done,
    [names.releaseSessionOptions]: done,
    // Sessions stay, because they may be opened again.
    [names.releaseSession]: done,
    [names.createSession]: (at: number) => handleOf(new Uint8Array(memory.buffer)[at] ?? -1),
  };
}

/** The one memory that a module of onnxruntime-web imports; throws where there is none. */
export function memoryOf(imports: WebAssembly.Imports): WebAssembly.Memory {
  const found = Object.values(imports)
    .flatMap((group) => Object.values(group))
    .find((value) => value instanceof WebAssembly.Memory);
  if (found === undefined) throw new Error("onnxruntime's module imports no memory");
  return found;
}
