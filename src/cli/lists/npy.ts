/** NumPy's .npy format (NEP 1), little-endian in C order: how tensors travel between here and Python. */
import { readFileSync, writeFileSync } from "node:fs";
import { UserError } from "../../web.ts";

const MAGIC = "\x93NUMPY";

/** `shape` must multiply to the array's length. */
export function writeNpy(path: string, array: Float32Array | Int32Array | Uint8Array, shape: readonly number[]): void {
  const size = shape.reduce((product, dim) => product * dim, 1);
  if (size !== array.length) throw new RangeError(`Cannot write ${array.length} values as [${shape.join(", ")}]: that shape holds ${size}`);
  const type = array instanceof Float32Array ? "<f4" : array instanceof Int32Array ? "<i4" : "|u1";
  const header = `{'descr': '${type}', 'fortran_order': False, 'shape': (${shape.join(", ")}${shape.length === 1 ? "," : ""}), }`;
  // Magic (6), version (2) and length (2) precede the header; data begins at a multiple of 64, the header ends with a line feed.
  const padded = Math.ceil((10 + header.length + 1) / 64) * 64 - 10;
  const start = Buffer.from(`${MAGIC}\x01\x00\0\0${header.padEnd(padded - 1)}\n`, "latin1");
  start.writeUInt16LE(padded, 8);
  writeFileSync(path, Buffer.concat([start, new Uint8Array(array.buffer, array.byteOffset, array.byteLength)]));
}

/** `values`: row by row. */
export type Matrix = Readonly<{ values: Float32Array; rows: number; columns: number }>;

/** Throws a UserError that names the file unless it holds a two-dimensional float32 array. */
export function readMatrix(path: string): Matrix {
  const bytes = readFileSync(path);
  if (bytes.toString("latin1", 0, 6) !== MAGIC) throw new UserError(`${path} is not an .npy file`);
  const start = bytes[6] === 1 ? 10 : 12; // version 2 has a longer length field
  const end = start + (bytes[6] === 1 ? bytes.readUInt16LE(8) : bytes.readUInt32LE(8));
  const header = bytes.toString("latin1", start, end);
  const shape = /'shape': \((\d+), (\d+)\)/.exec(header);
  if (!header.includes("'descr': '<f4'") || !header.includes("'fortran_order': False") || shape === null) {
    throw new UserError(`${path} holds ${header.trim()}: expected a two-dimensional array of little-endian float32 in C order`);
  }
  const [rows, columns] = [Number(shape[1]), Number(shape[2])];
  const size = rows * columns * Float32Array.BYTES_PER_ELEMENT;
  if (bytes.length - end !== size) throw new UserError(`${path} is cut off: it has ${bytes.length - end} of ${size} bytes`);
  // A copy, because the data need not be aligned to four bytes inside Node's buffer.
  return { values: new Float32Array(Uint8Array.from(bytes.subarray(end)).buffer), rows, columns };
}
