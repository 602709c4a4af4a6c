/** Solr's binary format, written and read value by value, in another way than the edge's. */

export type Value =
  | null
  | boolean
  | string
  | readonly ["int" | "float" | "double" | "byte" | "short", number]
  | readonly ["long" | "date", bigint]
  | readonly ["bytes", readonly number[]]
  | readonly ["ints", readonly number[]]
  | readonly ["flags", readonly boolean[]]
  | readonly ["list" | "iterator", readonly Value[]]
  | readonly ["map" | "entries" | "ordered" | "named", readonly Entry[]]
  | readonly ["document", readonly Entry[], children: readonly Value[]]
  | readonly ["documents", numbers: readonly Value[], documents: readonly Value[]]
  | readonly ["enum", number, string]
  | readonly ["pair", Value, Value]
  | readonly ["name", string];

export type Entry = readonly [name: string | null, value: Value];

export function encode(value: Value): Uint8Array<ArrayBuffer> {
  const out: number[] = [2];
  const names: string[] = [];
  const number = (bytes: number, write: (view: DataView) => void): void => {
    const view = new DataView(new ArrayBuffer(bytes));
    write(view);
    for (let i = 0; i < bytes; i++) out.push(view.getUint8(i));
  };
  const digits = (rest: bigint): void => {
    if (rest < 128n) out.push(Number(rest));
    else {
      out.push(Number(rest % 128n) + 128);
      digits(rest / 128n);
    }
  };
  const sized = (type: number, size: number): void => {
    if (size < 31) out.push(type * 32 + size);
    else {
      out.push(type * 32 + 31);
      digits(BigInt(size - 31));
    }
  };
  const small = (type: number, whole: bigint): void => {
    out.push(type * 32 + Number(whole % 16n) + (whole >= 15n ? 16 : 0));
    if (whole >= 15n) digits(whole / 16n);
  };
  const text = (string: string): void => {
    const bytes = Buffer.from(string);
    sized(1, bytes.length);
    for (const byte of bytes) out.push(byte);
  };
  const name = (string: string | null): void => {
    if (string === null) return void out.push(0);
    const known = names.indexOf(string);
    sized(7, known + 1);
    if (known >= 0) return;
    names.push(string);
    text(string);
  };
  const entries = (all: readonly Entry[]): void => {
    for (const [key, inner] of all) {
      name(key);
      put(inner);
    }
  };
  function put(given: Value): void {
    if (given === null) return void out.push(0);
    if (typeof given === "boolean") return void out.push(given ? 1 : 2);
    if (typeof given === "string") return text(given);
    switch (given[0]) {
      case "byte":
        return void out.push(3, given[1] & 0xff);
      case "short":
        out.push(4);
        return number(2, (view) => view.setInt16(0, given[1]));
      case "double":
        out.push(5);
        return number(8, (view) => view.setFloat64(0, given[1]));
      case "int":
        if (given[1] > 0) return small(2, BigInt(given[1]));
        out.push(6);
        return number(4, (view) => view.setInt32(0, given[1]));
      case "long":
        if (given[1] >= 0n && given[1] < 2n ** 56n) return small(3, given[1]);
        out.push(7);
        return number(8, (view) => view.setBigInt64(0, given[1]));
      case "float":
        out.push(8);
        return number(4, (view) => view.setFloat32(0, given[1]));
      case "date":
        out.push(9);
        return number(8, (view) => view.setBigInt64(0, given[1]));
      case "map":
        out.push(10);
        digits(BigInt(given[1].length));
        return entries(given[1]);
      case "document":
        out.push(11);
        sized(5, given[1].length + given[2].length);
        entries(given[1]);
        return given[2].forEach(put);
      case "documents":
        out.push(12);
        put(["list", given[1]]);
        return put(["list", given[2]]);
      case "bytes":
        out.push(13);
        digits(BigInt(given[1].length));
        return void out.push(...given[1]);
      case "iterator":
        out.push(14);
        given[1].forEach(put);
        return void out.push(15);
      case "entries":
        out.push(17);
        entries(given[1]);
        return void out.push(15);
      case "enum":
        out.push(18);
        put(["int", given[1]]);
        return text(given[2]);
      case "pair":
        out.push(19);
        put(given[1]);
        return put(given[2]);
      case "ints":
        out.push(21, 6);
        digits(BigInt(given[1].length));
        return given[1].forEach((int) => number(4, (view) => view.setInt32(0, int)));
      case "flags":
        out.push(21, 1);
        digits(BigInt(given[1].length));
        return given[1].forEach((flag) => out.push(flag ? 1 : 2));
      case "list":
        sized(4, given[1].length);
        return given[1].forEach(put);
      case "ordered":
        sized(5, given[1].length);
        return entries(given[1]);
      case "named":
        sized(6, given[1].length);
        return entries(given[1]);
      case "name":
        return name(given[1]);
    }
  }
  put(value);
  return Uint8Array.from(out);
}

const several = <T>(count: number, read: () => T): T[] => Array.from({ length: count }, read);

/** Throws where the bytes are not those of one value. */
export function decode(bytes: Uint8Array): Value {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const names: string[] = [];
  let at = 1;
  const past = (width: number): number => {
    at += width;
    return at - width;
  };
  const digits = (): bigint => {
    const byte = BigInt(view.getUint8(past(1)));
    return byte < 128n ? byte : byte - 128n + 128n * digits();
  };
  const size = (tag: number): number => (tag % 32 < 31 ? tag % 32 : 31 + Number(digits()));
  const small = (tag: number): bigint => BigInt(tag % 16) + ((tag & 16) === 0 ? 0n : 16n * digits());
  const END: Value = ["name", "the end"];
  const nameOf = (value: Value): string | null => {
    if (value === null) return null;
    if (Array.isArray(value) && value[0] === "name" && typeof value[1] === "string") return value[1];
    throw new Error("A key is no name");
  };
  const entry = (): Entry => [nameOf(take()), take()];
  const untilEnd = (): Value[] => {
    const all: Value[] = [];
    for (let value = take(); value !== END; value = take()) all.push(value);
    return all;
  };
  function take(): Value {
    const tag = view.getUint8(past(1));
    switch (tag >> 5) {
      case 1: {
        const length = size(tag);
        if (at + length > bytes.length) throw new Error("A text is cut off");
        return Buffer.from(bytes.subarray(past(length), at)).toString();
      }
      case 2:
        return ["int", Number(small(tag))];
      case 3:
        return ["long", small(tag)];
      case 4:
        return ["list", several(size(tag), take)];
      case 5:
        return ["ordered", several(size(tag), entry)];
      case 6:
        return ["named", several(size(tag), entry)];
      case 7: {
        const index = size(tag);
        if (index === 0) {
          const text = take();
          if (typeof text !== "string") throw new Error("A name is no text");
          names.push(text);
          return ["name", text];
        }
        if (index > names.length) throw new Error(`There is no name ${index}`);
        return ["name", names[index - 1]!];
      }
      default:
    }
    switch (tag) {
      case 0:
        return null;
      case 1:
        return true;
      case 2:
        return false;
      case 3:
        return ["byte", view.getInt8(past(1))];
      case 4:
        return ["short", view.getInt16(past(2))];
      case 5:
        return ["double", view.getFloat64(past(8))];
      case 6:
        return ["int", view.getInt32(past(4))];
      case 7:
        return ["long", view.getBigInt64(past(8))];
      case 8:
        return ["float", view.getFloat32(past(4))];
      case 9:
        return ["date", view.getBigInt64(past(8))];
      case 10:
        return ["map", several(Number(digits()), entry)];
      case 11: {
        const fields: Entry[] = [];
        const children: Value[] = [];
        for (let left = size(view.getUint8(past(1))); left > 0; left--) {
          const first = take();
          if (Array.isArray(first) && first[0] === "document") children.push(first);
          else fields.push([nameOf(first), take()]);
        }
        return ["document", fields, children];
      }
      case 12: {
        const [numbers, documents] = [take(), take()];
        if (!isList(numbers) || !isList(documents)) throw new Error("Documents are two lists");
        return ["documents", numbers[1], documents[1]];
      }
      case 13:
        return ["bytes", several(Number(digits()), () => view.getUint8(past(1)))];
      case 14:
        return ["iterator", untilEnd()];
      case 15:
        return END;
      case 17: {
        const all = untilEnd();
        return ["entries", several(all.length / 2, () => [nameOf(all.shift() ?? null), all.shift() ?? null])];
      }
      case 18: {
        const [number, text] = [take(), take()];
        if (!Array.isArray(number) || typeof number[1] !== "number" || typeof text !== "string")
          throw new Error("Not a value of an enumeration");
        return ["enum", number[1], text];
      }
      case 19:
        return ["pair", take(), take()];
      case 21: {
        const type = view.getUint8(past(1));
        const count = Number(digits());
        return type === 6
          ? ["ints", several(count, () => view.getInt32(past(4)))]
          : ["flags", several(count, () => view.getUint8(past(1)) === 1)];
      }
      default:
        throw new Error(`There is no type ${tag}`);
    }
  }
  const value = take();
  if (at !== bytes.length) throw new Error(`${bytes.length - at} bytes follow`);
  return value;
}

function isList(value: Value): value is readonly ["list", readonly Value[]] {
  return Array.isArray(value) && value[0] === "list";
}
