/**
 * Writes arrays in NumPy's .npy format (version 1.0): how tensors go from here to Python without either side parsing the other's code.
 *
 * Writing only, little-endian, C order. Reading is NumPy's.
 */
import { writeFileSync } from "node:fs";

type NpyArray = Float32Array | Int32Array | Uint8Array;

function dtypeOf(array: NpyArray): string {
  if (array instanceof Float32Array) return "<f4";
  return array instanceof Int32Array ? "<i4" : "|u1";
}

/** The bytes of an .npy file; `shape` must multiply to the array's length. */
export function encodeNpy(array: NpyArray, shape: readonly number[]): Uint8Array {
  const size = shape.reduce((product, dim) => product * dim, 1);
  if (size !== array.length) throw new RangeError(`Cannot write ${array.length} values as [${shape.join(", ")}]: that shape holds ${size}`);
  const dims = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const text = `{'descr': '${dtypeOf(array)}', 'fortran_order': False, 'shape': (${dims}), }`;
  // Magic (6), version (2) and length (2) precede the header; data begins at a multiple of 64, the header ends with a line feed.
  const padded = Math.ceil((10 + text.length + 1) / 64) * 64 - 10;
  const header = new TextEncoder().encode(`${text.padEnd(padded - 1)}\n`);
  const bytes = new Uint8Array(10 + padded + array.byteLength);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, padded & 0xff, padded >> 8]);
  bytes.set(header, 10);
  bytes.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), 10 + padded);
  return bytes;
}

export function writeNpy(path: string, array: NpyArray, shape: readonly number[]): void {
  writeFileSync(path, encodeNpy(array, shape));
}
