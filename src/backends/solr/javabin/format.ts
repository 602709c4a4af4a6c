/**
 * The binary format by its bytes, and the JSON that stands for it: white space says of which type a value is.
 */

export const VERSION = 2;

/** Types that are a byte. */
export const [NULL, TRUE, FALSE, DOUBLE, INT, LONG, FLOAT] = [0, 1, 2, 5, 6, 7, 8] as const;
export const [MAP, DOCUMENT, DOCUMENTS, BYTES, ITERATOR, END] = [10, 11, 12, 13, 14, 15] as const;
export const [ENTRIES, ENUM, ENTRY, NUMBERS] = [17, 18, 19, 21] as const;

/** Types that are three bits; the other five are a size. */
export const [STRING, SMALL_INT, SMALL_LONG, LIST, ORDERED_MAP, NAMED_LIST, NAME] = [1, 2, 3, 4, 5, 6, 7] as const;

/** Bytes after the type, by type. */
export const WIDTHS: Readonly<Record<number, number>> = { 0: 0, 1: 0, 2: 0, 3: 1, 4: 2, 5: 8, 6: 4, 7: 8, 8: 4, 9: 8 };

/** White space after an opening bracket. */
export const [AS_DOCUMENT, AS_DOCUMENTS, AS_COPY, AS_NAMED_LIST] = [" ", "\t", "\r", "\r"] as const;
/** White space before a number. */
export const [AS_LONG, AS_FLOAT, AS_DOUBLE] = [" ", "\t", "\n"] as const;

export const LIST_NUMBERS = ["numFound", "start", "maxScore", "numFoundExact"] as const;
