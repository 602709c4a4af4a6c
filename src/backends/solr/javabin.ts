/**
 * Solr's binary format, in which SolrJ asks for replies (`wt=javabin`). A reply is shown as the JSON that Solr itself would write, so that
 * whatever reads, cuts and re-orders JSON replies does the same here; the edited JSON is written back in the binary format.
 *
 * What nobody looks at (most fields of documents, facets) is a number in that JSON: it stands for bytes of the reply, which are copied. Only
 * the names among them are written anew, because the format writes a name once, where it comes first, and then refers to it by its number.
 * White space in the JSON says of which type a value is. A reply that would not come back as the same bytes is not edited at all.
 */
import { bypass, type Bypass, ok, type Result } from "../../result.ts";
import { errorText } from "../../web.ts";
import type { RequestPlan, RequestReply } from "../dialect.ts";
import { scanReply } from "../json/reply.ts";
import { elements, type JsonText, isTrue, kindOf, members, rawText, readString, type Span } from "../json/spans.ts";

const VERSION = 2;

/** Types that are a byte. */
const [NULL, TRUE, FALSE, DOUBLE, INT, LONG, FLOAT] = [0, 1, 2, 5, 6, 7, 8] as const;
const [MAP, DOCUMENT, DOCUMENTS, BYTES, ITERATOR, END] = [10, 11, 12, 13, 14, 15] as const;
const [ENTRIES, ENUM, ENTRY, NUMBERS] = [17, 18, 19, 21] as const;

/** Types that are three bits; the other five are a size. */
const [STRING, SMALL_INT, SMALL_LONG, LIST, ORDERED_MAP, NAMED_LIST, NAME] = [1, 2, 3, 4, 5, 6, 7] as const;

/** Bytes after the type, by type. */
const WIDTHS: Readonly<Record<number, number>> = { 0: 0, 1: 0, 2: 0, 3: 1, 4: 2, 5: 8, 6: 4, 7: 8, 8: 4, 9: 8 };

/** White space after an opening bracket. */
const [AS_DOCUMENT, AS_DOCUMENTS, AS_COPY, AS_NAMED_LIST] = [" ", "\t", "\r", " "] as const;
/** White space before a number. */
const [AS_LONG, AS_FLOAT, AS_DOUBLE] = [" ", "\t", "\n"] as const;
const markAt = ({ bytes }: JsonText, at: number): string => String.fromCharCode(bytes[at] ?? 0);

const LIST_NUMBERS = ["numFound", "start", "maxScore", "numFoundExact"] as const;

/** Levels of the reply that are shown: `responseHeader.params.rows` has three. */
const SHOWN_LEVELS = 3;
/** More than any reply has; deeper ones are not read. */
const MAX_LEVELS = 200;
/** The JSON is never much longer than the reply, however often the reply refers to a long name. */
const MAX_GROWTH = 16;

/** A byte of the reply, and the first name from there on: an index of `nameAts`. */
interface Place {
  readonly at: number;
  readonly name: number;
}

/** Bytes of the reply that are copied: of one value, or of `count` fields. */
interface Copied {
  readonly start: Place;
  readonly end: Place;
  readonly count: number;
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Reads from `at` on. Throws where the bytes are not in the format. */
class Source {
  readonly #numbers: DataView;
  /** In the order in which they are written out. */
  readonly names: string[] = [];
  /** Where names stand, written out or as a number. */
  readonly nameAts: number[] = [];
  readonly copied: Copied[] = [];
  at = 1;
  #room: number;

  readonly bytes: Uint8Array;
  readonly #fields: ReadonlySet<string>;

  constructor(bytes: Uint8Array, fields: ReadonlySet<string>) {
    this.bytes = bytes;
    this.#fields = fields;
    this.#numbers = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#room = MAX_GROWTH * bytes.length;
    if (bytes[0] !== VERSION) throw new RangeError(`it does not begin with the version ${VERSION}`);
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

  /** Reads a name again. */
  nameAt(at: number): string {
    this.at = at;
    return this.#textOf(this.#reference(this.byte())) ?? "";
  }

  /** Reads past one value, and returns its type. */
  #skip(level = 0): number {
    if (level > MAX_LEVELS) throw new RangeError(`it has more than ${MAX_LEVELS} levels`);
    const tag = this.byte();
    const all = (count: number): void => {
      for (let i = 0; i < count; i++) this.#skip(level + 1);
    };
    switch (tag >> 5) {
      case STRING:
        this.#past(this.#size(tag));
        break;
      case SMALL_INT:
      case SMALL_LONG:
        if ((tag & 0x10) !== 0) while (this.byte() >= 0x80) continue;
        break;
      case LIST:
        all(this.#size(tag));
        break;
      case ORDERED_MAP:
      case NAMED_LIST:
        all(2 * this.#size(tag));
        break;
      case NAME:
        this.#name(tag);
        break;
      default:
        this.#skipPlain(tag, level, all);
    }
    return tag;
  }

  #skipPlain(tag: number, level: number, all: (count: number) => void): void {
    const width = WIDTHS[tag];
    if (width !== undefined) this.#past(width);
    else if (tag === MAP) all(2 * this.#count());
    else if (tag === DOCUMENTS || tag === ENUM || tag === ENTRY) all(2);
    else if (tag === BYTES) this.#past(this.#count());
    else if (tag === ITERATOR || tag === ENTRIES) {
      while (this.#skip(level + 1) !== END) if (tag === ENTRIES) all(1);
    } else if (tag === DOCUMENT) {
      // A document among the fields is one below this one, and has no name.
      for (let left = this.#size(this.byte()); left > 0; left--) if (this.#skip(level + 1) !== DOCUMENT) all(1);
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
    if (shown !== undefined) {
      this.#room -= shown.length;
      if (this.#room < 0) throw new RangeError("it is too long as JSON");
      return shown;
    }
    this.at = start.at;
    this.nameAts.length = start.name;
    this.names.length = nameCount;
    this.#skip();
    return `{${AS_COPY}"":${this.#copy(start, this.#here(), 1)}}`;
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
        return levels > 0 && this.#size(tag) === 1 ? `[${this.value(levels - 1)}]` : undefined;
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

  #entries(count: number, levels: number, between: string, open: string, close: string): string | undefined {
    if (levels === 0) return undefined;
    const entries: string[] = [];
    for (let i = 0; i < count; i++) {
      const tag = this.byte();
      if (tag >> 5 !== NAME) return undefined;
      entries.push(`${JSON.stringify(this.#name(tag))}${between}${this.value(levels - 1)}`);
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
          entries.push(`${JSON.stringify(name)}:${this.value(levels)}`);
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
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(float.toPrecision(digits));
    if (Math.fround(short) === float) return short;
  }
  return Number(float.toPrecision(9));
}

/** Writes a shown reply in the binary format. */
class Target {
  #bytes: Uint8Array<ArrayBuffer>;
  #numbers: DataView;
  #length = 0;
  readonly #names = new Map<string, number>();
  readonly #encoder = new TextEncoder();

  readonly #source: Source;
  readonly #text: JsonText;

  constructor(source: Source, text: JsonText) {
    this.#source = source;
    this.#text = text;
    this.#bytes = new Uint8Array(source.bytes.length + 64);
    this.#numbers = new DataView(this.#bytes.buffer);
    this.#byte(VERSION);
    this.#value(text.root);
  }

  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Where so many bytes are to be written. */
  #take(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#bytes.length) {
      const longer = new Uint8Array(this.#length * 2);
      longer.set(this.#bytes);
      this.#bytes = longer;
      this.#numbers = new DataView(longer.buffer);
    }
    return at;
  }

  #byte(byte: number): void {
    const at = this.#take(1);
    this.#bytes[at] = byte;
  }

  #all(bytes: Uint8Array): void {
    const at = this.#take(bytes.length);
    this.#bytes.set(bytes, at);
  }

  #digits(value: bigint): void {
    let rest = value;
    for (; rest > 0x7fn; rest >>= 7n) this.#byte(Number(rest & 0x7fn) | 0x80);
    this.#byte(Number(rest));
  }

  #sized(type: number, size: number): void {
    this.#byte((type << 5) | Math.min(size, 0x1f));
    if (size >= 0x1f) this.#digits(BigInt(size - 0x1f));
  }

  #string(text: string): void {
    const bytes = this.#encoder.encode(text);
    this.#sized(STRING, bytes.length);
    this.#all(bytes);
  }

  #name(text: string): void {
    const known = this.#names.get(text);
    this.#sized(NAME, known ?? 0);
    if (known !== undefined) return;
    this.#names.set(text, this.#names.size + 1);
    this.#string(text);
  }

  #copy({ start, end }: Copied): void {
    const source = this.#source;
    let from = start.at;
    for (let i = start.name; i < end.name; i++) {
      const at = source.nameAts[i]!;
      this.#all(source.bytes.subarray(from, at));
      this.#name(source.nameAt(at));
      from = source.at;
    }
    this.#all(source.bytes.subarray(from, end.at));
  }

  #copied(number: Span): Copied {
    return this.#source.copied[Number(rawText(this.#text, number))]!;
  }

  #value(span: Span): void {
    const text = this.#text;
    switch (kindOf(text, span)) {
      case "object":
        return this.#object(span);
      case "array":
        return this.#array(elements(text, span), markAt(text, span.start + 1));
      case "string":
        return this.#string(readString(text, span) ?? "");
      case "boolean":
        return this.#byte(isTrue(text, span) ? TRUE : FALSE);
      case "number":
        return this.#number(rawText(text, span), markAt(text, span.start - 1));
      case "null":
        return this.#byte(NULL);
    }
  }

  #object(span: Span): void {
    const all = members(this.#text, span);
    const valueOf = (name: string): Span | undefined => all.find(({ key }) => key === name)?.value;
    switch (markAt(this.#text, span.start + 1)) {
      case AS_COPY:
        return this.#copy(this.#copied(all[0]!.value));
      case AS_DOCUMENTS: {
        const numbers = LIST_NUMBERS.slice(0, valueOf("numFoundExact") === undefined ? 3 : 4).map(valueOf);
        this.#byte(DOCUMENTS);
        this.#sized(LIST, numbers.length);
        for (const number of numbers)
          if (number === undefined) this.#byte(NULL);
          else this.#value(number);
        return this.#value(valueOf("docs")!);
      }
      case AS_DOCUMENT: {
        const fields = all.map(({ key, value }) => (key === "" ? this.#copied(value) : { key, value }));
        this.#byte(DOCUMENT);
        this.#sized(
          ORDERED_MAP,
          fields.reduce((sum, field) => sum + ("key" in field ? 1 : field.count), 0),
        );
        for (const field of fields)
          if ("key" in field) this.#entry(field.key, field.value);
          else this.#copy(field);
        return;
      }
      default:
        this.#sized(ORDERED_MAP, all.length);
        for (const { key, value } of all) this.#entry(key, value);
    }
  }

  #entry(name: string, value: Span): void {
    this.#name(name);
    this.#value(value);
  }

  #array(all: readonly Span[], mark: string): void {
    const isNamed = mark === AS_NAMED_LIST;
    this.#sized(isNamed ? NAMED_LIST : LIST, isNamed ? all.length / 2 : all.length);
    all.forEach((element, i) => {
      if (isNamed && i % 2 === 0) this.#name(readString(this.#text, element) ?? "");
      else this.#value(element);
    });
  }

  #number(written: string, mark: string): void {
    if (mark === AS_FLOAT) this.#wide(FLOAT, 4, (at) => this.#numbers.setFloat32(at, Number(written)));
    else if (mark === AS_DOUBLE) this.#wide(DOUBLE, 8, (at) => this.#numbers.setFloat64(at, Number(written)));
    else if (mark === AS_LONG) {
      const value = BigInt(written);
      if (value >= 0n && value < 1n << 56n) this.#small(SMALL_LONG, value);
      else this.#wide(LONG, 8, (at) => this.#numbers.setBigInt64(at, value));
    } else {
      const value = Number(written);
      if (value > 0) this.#small(SMALL_INT, BigInt(value));
      else this.#wide(INT, 4, (at) => this.#numbers.setInt32(at, value));
    }
  }

  #wide(type: number, width: number, write: (at: number) => void): void {
    this.#byte(type);
    write(this.#take(width));
  }

  #small(type: number, value: bigint): void {
    const low = Number(value & 0xfn);
    const isMore = value >= 0xfn;
    this.#byte((type << 5) | (isMore ? 0x10 : 0) | low);
    if (isMore) this.#digits(value >> 4n);
  }
}

/** The JSON, and the source of what it does not show. Throws where the bytes are not in the format, or are written otherwise than Solr does. */
function show(bytes: Uint8Array, fields: ReadonlySet<string>): { readonly json: Uint8Array; readonly source: Source } {
  const source = new Source(bytes, fields);
  const json = new TextEncoder().encode(source.value(SHOWN_LEVELS));
  if (source.at !== bytes.length) throw new RangeError("something follows it");
  return { json, source };
}

function writeBack(json: Uint8Array, source: Source): Uint8Array<ArrayBuffer> {
  const text = scanReply(json);
  if (!text.ok) throw new Error(text.error.detail);
  return new Target(source, text.value).bytes;
}

const isSame = (left: Uint8Array, right: Uint8Array): boolean => left.length === right.length && left.every((byte, i) => byte === right[i]);

function parse(
  bytes: Uint8Array,
  fields: ReadonlySet<string>,
  parseJson: (json: Uint8Array) => Result<RequestReply, Bypass>,
): Result<RequestReply, Bypass> {
  let shown: ReturnType<typeof show>;
  try {
    shown = show(bytes, fields);
    if (!isSame(writeBack(shown.json, shown.source), bytes)) throw new Error("it would not come back as the same bytes");
  } catch (cause) {
    return bypass("reply_not_search", `The reply cannot be read as javabin: ${errorText(cause)}`);
  }
  const reply = parseJson(shown.json);
  if (!reply.ok) return reply;
  return ok({
    searches: reply.value.searches,
    assemble: (orders) => writeBack(reply.value.assemble(orders), shown.source),
  });
}

/** The plan for a client that reads javabin. `fields`: of documents, besides those in brackets, that the plan's own reader looks at. */
export function inJavabin(plan: RequestPlan, fields: readonly string[]): RequestPlan {
  const lookedAt = new Set(fields.flatMap((path) => path.split(".")));
  return { ...plan, parseReply: (bytes) => parse(bytes, lookedAt, (json) => plan.parseReply(json)) };
}
