/** Members of a zip archive (a jar, a wheel), because registries hand out encoders as such. Reads stored and deflated members, no more. */
import { inflateRawSync } from "node:zlib";
import { err, ok, type Result } from "../../../result.ts";

const END_OF_DIRECTORY = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;
const LOCAL_HEADER_BYTES = 30;

/** The end record is 22 bytes and may be followed by a comment of up to 65,535. */
const END_BYTES = 22;
const MAX_COMMENT = 65_535;

const STORED = 0;
const DEFLATED = 8;

/** The content of `member`. The caller checks what it hashes to: the archive's own checksums are not read. */
export function zipMember(archive: Buffer, member: string): Result<Buffer, string> {
  try {
    return readMember(archive, member);
  } catch {
    return err("it is a damaged zip archive");
  }
}

function readMember(archive: Buffer, member: string): Result<Buffer, string> {
  let end = archive.length - END_BYTES;
  while (end >= 0 && archive.length - end <= END_BYTES + MAX_COMMENT && archive.readUInt32LE(end) !== END_OF_DIRECTORY) end--;
  if (end < 0 || archive.readUInt32LE(end) !== END_OF_DIRECTORY) return err("it is no zip archive");
  let at = archive.readUInt32LE(end + 16);
  for (let left = archive.readUInt16LE(end + 10); left > 0; left--) {
    if (archive.readUInt32LE(at) !== DIRECTORY_ENTRY) return err("it is a damaged zip archive");
    const [nameBytes, extraBytes, commentBytes] = [
      archive.readUInt16LE(at + 28),
      archive.readUInt16LE(at + 30),
      archive.readUInt16LE(at + 32),
    ];
    if (archive.toString("utf8", at + 46, at + 46 + nameBytes) === member) {
      const [method, packed, size, local] = [at + 10, at + 20, at + 24, at + 42].map((field, i) =>
        i === 0 ? archive.readUInt16LE(field) : archive.readUInt32LE(field),
      );
      const from = local! + LOCAL_HEADER_BYTES + archive.readUInt16LE(local! + 26) + archive.readUInt16LE(local! + 28);
      const bytes = archive.subarray(from, from + packed!);
      if (method === STORED) return ok(bytes);
      if (method === DEFLATED) return ok(inflateRawSync(bytes, { maxOutputLength: size! }));
      return err(`its member ${member} is packed by method ${method}, expected stored or deflated`);
    }
    at += 46 + nameBytes + extraBytes + commentBytes;
  }
  return err(`it has no member ${member}`);
}
