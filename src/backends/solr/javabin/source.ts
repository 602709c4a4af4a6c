/** Reads the binary format, and shows as JSON what the edge looks at. */
import {
  AS_COPY,
  AS_DOCUMENT,
  AS_DOCUMENTS,
  AS_DOUBLE,
  AS_FLOAT,
  AS_LONG,
  AS_NAMED_LIST,
  BYTES,
  DOCUMENT,
  DOCUMENTS,
  DOUBLE,
  END,
  ENTRIES,
  ENTRY,
  ENUM,
  FALSE,
  FLOAT,
  INT,
  ITERATOR,
  LIST,
  LIST_NUMBERS,
  LONG,
  MAP,
  NAME,
  NAMED_LIST,
  NULL,
  NUMBERS,
  ORDERED_MAP,
  SMALL_INT,
  SMALL_LONG,
  STRING,
  TRUE,
  WIDTHS,
} from "./format.ts";

/** Levels of the reply that are shown: `debug.explain.p1` has three. */
export const SHOWN_LEVELS = 3;
/** Where one more is: `responseHeader.params.fq` may be a list. */
const HEADER = "responseHeader";
/** More than any reply has; deeper ones are not read. */
const MAX_LEVELS = 200;
/** However often the reply refers to a long name, the JSON has no more of them than as many bytes for each of the reply. */
const MAX_GROWTH = 16;

/** A byte of the reply, and the first name from there on: an index of `nameAts`. */
interface Place {
  readonly at: number;
  readonly name: number;
}

/** Bytes of the reply that are copied: of one value, or of `count` fields. */
export interface Copied {
  readonly start: Place;
  readonly end: Place;
  readonly count: number;
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Reads from `at` on. Throws where the bytes are not in the format. */
export class Source {
  readonly #numbers: DataView;
  /** In the order in which they are written out. */
  readonly names: string[] = [];
  /** Where names stand, written out or as a number. */
  readonly nameAts: number[] = [];
  readonly copied: Copied[] = [];
  /** Behind the version. */
  at = 1;
  #room: number;

  readonly bytes: Uint8Array;
  readonly #fields: ReadonlySet<string>;

  constructor(bytes: Uint8Array, fields: ReadonlySet<string>) {
    this.bytes = bytes;
    this.#fields = fields;
    this.#numbers = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#room = MAX_GROWTH * bytes.length;
  }

  byte(): number {
    return this.#numbers.getUint8(this.at++);
  }

  #past(length: number): number {
    const start = this.at;
    this.at += length;
    if (this.at > this.bytes.length) throw new RangeError("it is cut off");
    return start;
  }

  /** Low bits first, seven in a byte. */
  #digits(bits: number): bigint {
    let value = 0n;
    for (let shift = 0; shift < bits; shift += 7) {
      const byte = this.byte();
      value |= BigInt(byte & 0x7f) << BigInt(shift);
      if (byte < 0x80) return value;
    }
    throw new RangeError("a number is too long");
  }

  #count(): number {
    const byte = this.byte();
    if (byte < 0x80) return byte;
    this.at--;
    return Number(this.#digits(32));
  }

  #size(tag: number): number {
    const size = tag & 0x1f;
    return size < 0x1f ? size : size + this.#count();
  }

  #text(length: number): string {
    const start = this.#past(length);
    return utf8.decode(this.bytes.subarray(start, this.at));
  }

  /** Its number, from 1, or its text where it is written out. */
  #reference(tag: number): number | string {
    const size = this.#size(tag);
    if (size > 0) return size;
    const string = this.byte();
    if (string >> 5 !== STRING) throw new RangeError("a name is no text");
    return this.#text(this.#size(string));
  }

  #name(tag: number): string {
    this.nameAts.push(this.at - 1);
    const found = this.#reference(tag);
    if (typeof found === "string") this.names.push(found);
    const name = this.#textOf(found);
    if (name === undefined) throw new RangeError("a name was not there before");
    return name;
  }

  #textOf(found: number | string): string | undefined {
    return typeof found === "string" ? found : this.names[found - 1];
  }

  /** Reads a name again: its number and its text, or 0 and the text where it is written out. */
  nameAt(at: number): readonly [number: number, text: string] {
    this.at = at;
    const found = this.#reference(this.byte());
    return [typeof found === "string" ? 0 : found, this.#textOf(found) ?? ""];
  }

  /** Reads past one value, and returns its type. */
  #skip(level = 0): number {
    if (level > MAX_LEVELS) throw new RangeError(`it has more than ${MAX_LEVELS} levels`);
    const tag = this.byte();
    switch (tag >> 5) {
      case STRING:
        this.#past(this.#size(tag));
        break;
      case SMALL_INT:
      case SMALL_LONG:
        if ((tag & 0x10) !== 0) while (this.byte() >= 0x80) continue;
        break;
      case LIST:
        this.#skipAll(this.#size(tag), level);
        break;
      case ORDERED_MAP:
      case NAMED_LIST:
        this.#skipAll(2 * this.#size(tag), level);
        break;
      case NAME:
        this.#name(tag);
        break;
      default:
        this.#skipPlain(tag, level);
    }
    return tag;
  }

  #skipAll(count: number, level: number): void {
    for (let i = 0; i < count; i++) this.#skip(level + 1);
  }

  #skipPlain(tag: number, level: number): void {
    const width = WIDTHS[tag];
    if (width !== undefined) this.#past(width);
    else if (tag === MAP) this.#skipAll(2 * this.#count(), level);
    else if (tag === DOCUMENTS || tag === ENUM || tag === ENTRY) this.#skipAll(2, level);
    else if (tag === BYTES) this.#past(this.#count());
    else if (tag === ITERATOR || tag === ENTRIES) {
      while (this.#skip(level + 1) !== END) if (tag === ENTRIES) this.#skip(level + 1);
    } else if (tag === DOCUMENT) {
      // A document among the fields is one below this one, and has no name.
      for (let left = this.#size(this.byte()); left > 0; left--) if (this.#skip(level + 1) !== DOCUMENT) this.#skip(level + 1);
    } else if (tag === NUMBERS) {
      const type = this.byte();
      // Of true and false too, each is a byte.
      this.#past(this.#count() * Math.max(1, WIDTHS[type] ?? 1));
    } else if (tag !== END) throw new RangeError(`the type ${tag} is not known`);
  }

  /** One value as JSON. */
  value(levels: number): string {
    const start = this.#here();
    const nameCount = this.names.length;
    const shown = this.#shown(levels);
    if (shown !== undefined) return shown;
    this.at = start.at;
    this.nameAts.length = start.name;
    this.names.length = nameCount;
    this.#skip();
    return `{${AS_COPY}"":${this.#copy(start, this.#here(), 1)}}`;
  }

  #nameAsJson(name: string): string {
    this.#room -= name.length;
    if (this.#room < 0) throw new RangeError("it is too long as JSON");
    return JSON.stringify(name);
  }

  #here(): Place {
    return { at: this.at, name: this.nameAts.length };
  }

  #copy(start: Place, end: Place, count: number): number {
    return this.copied.push({ start, end, count }) - 1;
  }

  /** `undefined` for what is copied. */
  #shown(levels: number): string | undefined {
    const tag = this.byte();
    const numbers = this.#numbers;
    switch (tag >> 5) {
      case STRING:
        return JSON.stringify(this.#text(this.#size(tag)));
      case SMALL_INT:
        return String((tag & 0x0f) + ((tag & 0x10) === 0 ? 0 : this.#count() * 0x10));
      case SMALL_LONG:
        return AS_LONG + String(BigInt(tag & 0x0f) + ((tag & 0x10) === 0 ? 0n : this.#digits(64) << 4n));
      case LIST:
        return levels === 0 ? undefined : this.#list(this.#size(tag), levels - 1);
      case ORDERED_MAP:
        return this.#entries(this.#size(tag), levels, ":", "{", "}");
      case NAMED_LIST:
        return this.#entries(this.#size(tag), levels, ",", `[${AS_NAMED_LIST}`, "]");
      default:
    }
    switch (tag) {
      case NULL:
        return "null";
      case TRUE:
        return "true";
      case FALSE:
        return "false";
      case INT:
        return String(numbers.getInt32(this.#past(4)));
      case LONG:
        return AS_LONG + String(numbers.getBigInt64(this.#past(8)));
      case FLOAT:
        return numberText(AS_FLOAT, shortest(numbers.getFloat32(this.#past(4))));
      case DOUBLE:
        return numberText(AS_DOUBLE, numbers.getFloat64(this.#past(8)));
      case DOCUMENTS:
        return levels < SHOWN_LEVELS - 1 ? undefined : this.#documents();
      case DOCUMENT:
        return levels === 0 ? undefined : this.#document(levels - 1);
      default:
        return undefined;
    }
  }

  #list(count: number, levels: number): string {
    const values: string[] = [];
    for (let i = 0; i < count; i++) values.push(this.value(levels));
    return `[${values.join()}]`;
  }

  #entries(count: number, levels: number, between: string, open: string, close: string): string | undefined {
    if (levels === 0) return undefined;
    const entries: string[] = [];
    for (let i = 0; i < count; i++) {
      const tag = this.byte();
      if (tag >> 5 !== NAME) return undefined;
      const name = this.#name(tag);
      entries.push(`${this.#nameAsJson(name)}${between}${this.value(name === HEADER ? levels : levels - 1)}`);
    }
    return `${open}${entries.join()}${close}`;
  }

  #documents(): string | undefined {
    const numbers = this.byte();
    const count = this.#size(numbers);
    if (numbers >> 5 !== LIST || count < 3 || count > LIST_NUMBERS.length) return undefined;
    const entries = LIST_NUMBERS.slice(0, count).map((name) => `"${name}":${this.value(0)}`);
    const list = this.byte();
    if (list >> 5 !== LIST) return undefined;
    const documents: string[] = [];
    for (let left = this.#size(list); left > 0; left--) {
      const document = this.byte() === DOCUMENT ? this.#document(1) : undefined;
      if (document === undefined) return undefined;
      documents.push(document);
    }
    return `{${AS_DOCUMENTS}${entries.join()},"docs":[${documents.join()}]}`;
  }

  /** Fields that nobody looks at are copied, as many at once as lie side by side. */
  #document(levels: number): string | undefined {
    const tag = this.byte();
    if (tag >> 5 !== ORDERED_MAP) return undefined;
    const entries: string[] = [];
    let start = this.#here();
    let count = 0;
    const copyRun = (end: Place): void => {
      if (count > 0) entries.push(`"":${this.#copy(start, end, count)}`);
    };
    for (let left = this.#size(tag); left > 0; left--) {
      const before = this.#here();
      const type = this.byte();
      if (type === DOCUMENT) this.at = before.at;
      else if (type >> 5 !== NAME) return undefined;
      else {
        const name = this.#name(type);
        if (this.#isLookedAt(name)) {
          copyRun(before);
          entries.push(`${this.#nameAsJson(name)}:${this.value(levels)}`);
          start = this.#here();
          count = 0;
          continue;
        }
      }
      this.#skip();
      count++;
    }
    copyRun(this.#here());
    return `{${AS_DOCUMENT}${entries.join()}}`;
  }

  /** What transformers of Solr add is in brackets. */
  #isLookedAt(name: string): boolean {
    return this.#fields.has(name) || name.startsWith("[");
  }
}

/** A number that JSON can hold, as few digits as say which one it is. */
function numberText(mark: string, value: number): string | undefined {
  return Number.isFinite(value) ? mark + (Object.is(value, -0) ? "-0" : String(value)) : undefined;
}

/** As Solr's JSON has it: of a float, not of the double that is as large. */
function shortest(float: number): number {
  if (float === 0) return float;
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(float.toPrecision(digits));
    if (Math.fround(short) === float) return short;
  }
  return Number(float.toPrecision(9));
}
