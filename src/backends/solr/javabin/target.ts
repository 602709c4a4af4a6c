/** Writes what a source shows, after edits, in the binary format. */
import { elements, isTrue, type JsonText, kindOf, members, rawText, readString, type Span } from "../../json/spans.ts";
import {
  AS_COPY,
  AS_DOCUMENT,
  AS_DOCUMENTS,
  AS_DOUBLE,
  AS_FLOAT,
  AS_LONG,
  AS_NAMED_LIST,
  DOCUMENT,
  DOCUMENTS,
  DOUBLE,
  FALSE,
  FLOAT,
  INT,
  LIST,
  LIST_NUMBERS,
  LONG,
  NAME,
  NAMED_LIST,
  NULL,
  ORDERED_MAP,
  SMALL_INT,
  SMALL_LONG,
  STRING,
  TRUE,
  VERSION,
} from "./format.ts";
import type { Copied, Source } from "./source.ts";

const markAt = ({ bytes }: JsonText, at: number): string => String.fromCharCode(bytes[at] ?? 0);

/** Writes a shown reply in the binary format. */
export class Target {
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
      const [number, text] = source.nameAt(at);
      if (number > 0 && this.#names.get(text) === number) continue;
      this.#all(source.bytes.subarray(from, at));
      this.#name(text);
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
