/** What the doctor has found. */

/** `problem`: searches are wrong, or never re-ranked. `advice`: something to set or to know. */
export interface Finding {
  readonly level: "problem" | "advice" | "ok";
  /** Undefined for the engine as a whole. */
  readonly index: string;
  /** What is, and what to do. */
  readonly text: string;
}

export type Say = (level: Finding["level"], text: string) => void;
