/** Rewrites onnxruntime-web's wasm file with Binaryen: a copy that reports the calls of its functions, then one in which all others trap. */
import binaryen from "binaryen";
import * as v from "valibot";

/** The reporting copy calls `armmt.hit(i)` at each call of function i. */
export const HIT = { module: "armmt", name: "hit" } as const;

/** The features of onnxruntime-web's file. With more, Binaryen might write code that engines do not read yet. */
const FEATURES = [
  binaryen.Features.Atomics,
  binaryen.Features.MutableGlobals,
  binaryen.Features.NontrappingFPToInt,
  binaryen.Features.SIMD128,
  binaryen.Features.BulkMemory,
  binaryen.Features.BulkMemoryOpt,
  binaryen.Features.SignExt,
  binaryen.Features.ReferenceTypes,
  binaryen.Features.Multivalue,
];

/** For a module in which most functions are the same trap. They change no instruction of the others. */
const PASSES = ["duplicate-function-elimination", "remove-unused-module-elements"];

interface ReportingModule {
  /** Wasm that calls `HIT`, with its mutable globals exported. */
  readonly bytes: Uint8Array;
  /** Exported globals. */
  readonly globals: readonly string[];
  readonly functions: number;
  /**
   * The module with these functions only, by number; all others trap. It has neither data nor a start function: a snapshot replaces both.
   * Its memory is not shared. Call it once.
   */
  strip(used: ReadonlySet<number>): Uint8Array;
}

/** Takes seconds. Throws where Binaryen cannot read the file. */
export function reportCalls(wasm: Uint8Array): ReportingModule {
  const module = binaryen.readBinary(wasm);
  module.setFeatures(FEATURES.reduce<number>((all, feature) => all | feature, 0));
  const globals = exportGlobals(module);
  module.addFunctionImport("armmt-hit", HIT.module, HIT.name, binaryen.createType([binaryen.i32]), binaryen.none);
  const bodies = new Map<number, number>();
  const functions = Array.from({ length: module.getNumFunctions() }, (_, i) => module.getFunctionByIndex(i));
  functions.forEach((reference, i) => {
    const { module: importedFrom, results } = binaryen.getFunctionInfo(reference);
    if (importedFrom) return;
    const body = v.parse(v.number(), getBody(reference));
    bodies.set(i, body);
    const hit = module.call("armmt-hit", [module.i32.const(i)], binaryen.none);
    setBody(reference, module.block(null, [hit, body], results));
  });
  const bytes = module.emitBinary();
  return {
    bytes,
    globals,
    functions: bodies.size,
    strip(used) {
      const start = module.getStart();
      for (const [i, body] of bodies) {
        const reference = functions[i]!;
        setBody(reference, reference === start ? module.nop() : used.has(i) ? body : module.unreachable());
      }
      module.runPasses(PASSES);
      const memory = module.getMemoryInfo();
      const stripped = withOwnMemory(module.emitBinary(), memory);
      module.dispose();
      return stripped;
    },
  };
}

/**
 * Imports an unshared memory. An engine that checks every access (workerd) may keep the size of such a memory in a register: runs take 12 %
 * less time. Throws where the import is not found.
 */
function withOwnMemory(wasm: Uint8Array, { module, base, initial, max }: binaryen.MemoryInfo): Uint8Array {
  if (module === null || base === null || max === undefined) throw new Error("onnxruntime's wasm imports no memory with a limit");
  const entry = Buffer.from([...nameBytes(module), ...nameBytes(base), MEMORY, SHARED_WITH_LIMIT, ...leb128(initial), ...leb128(max)]);
  const bytes = Buffer.from(wasm);
  const at = bytes.indexOf(entry);
  if (at < 0 || bytes.indexOf(entry, at + 1) >= 0) throw new Error("The import of onnxruntime's memory is not where it was expected");
  bytes[at + nameBytes(module).length + nameBytes(base).length + 1] = WITH_LIMIT;
  return bytes;
}

/** Kind of an import. */
const MEMORY = 2;
/** Flags of a memory. */
const WITH_LIMIT = 1;
const SHARED_WITH_LIMIT = 3;

function nameBytes(name: string): number[] {
  const bytes = Buffer.from(name, "utf8");
  return [...leb128(bytes.length), ...bytes];
}

/** An unsigned number in wasm's encoding. */
function leb128(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb128(value >>> 7)];
}

function exportGlobals(module: binaryen.Module): string[] {
  const names: string[] = [];
  for (let i = 0; i < module.getNumGlobals(); i++) {
    const { name, mutable, type } = binaryen.getGlobalInfo(module.getGlobalByIndex(i));
    if (!mutable) continue;
    if (type !== binaryen.i32) throw new Error(`Global ${name} is not an i32: a snapshot cannot contain it`);
    const exported = `armmt-global-${i}`;
    module.addGlobalExport(name, exported);
    names.push(exported);
  }
  return names;
}

/** Takes a reference to a function, and to an expression. */
const setBody = staticOf("setBody");
const getBody = staticOf("getBody");

/** The package's types lack `binaryen.Function`. */
function staticOf(name: string): (...given: unknown[]) => unknown {
  return v.parse(v.function(), Reflect.get(Object(Reflect.get(binaryen, "Function")), name));
}
