/**
 * The binary format by its bytes, and the JSON that stands for it: white space says of which type a value is.
 */

export const VERSION = 2;

/** Types that are a byte. */
export const NULL = 0;
export const TRUE = 1;
export const FALSE = 2;
export const DOUBLE = 5;
export const INT = 6;
export const LONG = 7;
export const FLOAT = 8;
export const MAP = 10;
export const DOCUMENT = 11;
export const DOCUMENTS = 12;
export const BYTES = 13;
export const ITERATOR = 14;
export const END = 15;
export const ENTRIES = 17;
export const ENUM = 18;
export const ENTRY = 19;
export const NUMBERS = 21;

/** Types that are three bits; the other five are a size. */
export const STRING = 1;
export const SMALL_INT = 2;
export const SMALL_LONG = 3;
export const LIST = 4;
export const ORDERED_MAP = 5;
export const NAMED_LIST = 6;
export const NAME = 7;

/** Bytes after the type, by type. */
export const WIDTHS: Readonly<Record<number, number>> = { 0: 0, 1: 0, 2: 0, 3: 1, 4: 2, 5: 8, 6: 4, 7: 8, 8: 4, 9: 8 };

/** White space after an opening bracket. */
export const AS_DOCUMENT = " ";
export const AS_DOCUMENTS = "\t";
export const AS_COPY = "\r";
export const AS_NAMED_LIST = "\r";
/** White space before a number. */
export const AS_LONG = " ";
export const AS_FLOAT = "\t";
export const AS_DOUBLE = "\n";

export const LIST_NUMBERS = ["numFound", "start", "maxScore", "numFoundExact"] as const;
