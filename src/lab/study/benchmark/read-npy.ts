/** Reads the .npy files that the study leaves: little-endian float32, C order, version 1 or 2 of the format (NEP 1). */
import { readFileSync } from "node:fs";
import { UserError } from "../../../web.ts";

export interface Matrix {
  readonly values: Float32Array;
  readonly rows: number;
  readonly columns: number;
}

const MAGIC = "\x93NUMPY";

/** Throws a UserError that names the file when it holds anything but a two-dimensional float32 array. */
export function readMatrix(path: string): Matrix {
  const bytes = readFileSync(path);
  if (bytes.toString("latin1", 0, 6) !== MAGIC) throw new UserError(`${path} is no .npy file`);
  const isFirstVersion = bytes[6] === 1;
  const at = isFirstVersion ? 10 : 12;
  const end = at + (isFirstVersion ? bytes.readUInt16LE(8) : bytes.readUInt32LE(8));
  const header = bytes.toString("latin1", at, end);
  const shape = /'shape': \((\d+), (\d+)\)/.exec(header);
  if (!header.includes("'descr': '<f4'") || !header.includes("'fortran_order': False") || shape === null) {
    throw new UserError(`${path} holds ${header.trim()}: expected a two-dimensional array of little-endian float32 in C order`);
  }
  const [rows, columns] = [Number(shape[1]), Number(shape[2])];
  const size = rows * columns * Float32Array.BYTES_PER_ELEMENT;
  if (bytes.length - end !== size) throw new UserError(`${path} is cut off: ${bytes.length - end} bytes of ${size} are there`);
  // A copy: the data need not begin at a multiple of four inside Node's buffer.
  return { values: new Float32Array(Uint8Array.from(bytes.subarray(end)).buffer), rows, columns };
}
