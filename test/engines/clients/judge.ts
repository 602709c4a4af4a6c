/** Official clients in front of a real engine: each asks the engine itself, the edge with re-ranking off, and the edge. */

/** What a client gave to its program. */
export type Answer =
  | { readonly error: string }
  /** `rest`: whatever else of the reply the program can compare. */
  | { readonly ids: readonly string[]; readonly rest?: unknown };

/** One call by one client. */
export interface Call {
  readonly client: string;
  readonly call: string;
  readonly direct: Answer;
  readonly off: Answer;
  readonly served: Answer;
  /** Ids of the engine's window, for a call that is re-ranked. */
  readonly window?: readonly string[];
}

/** What is wrong; empty where all is well. */
export function judgeCall({ direct, off, served, window }: Call): readonly string[] {
  const faults: string[] = [];
  if ("error" in direct) {
    // What the engine refuses, the edge does.
    if (!("error" in off) || !("error" in served)) faults.push(`the engine says ${direct.error}, the edge answers`);
    return faults;
  }
  if ("error" in off) faults.push(`off: ${off.error}`);
  else if (JSON.stringify(off) !== JSON.stringify(direct)) faults.push(`off gives ${short(off)} instead of ${short(direct)}`);
  if ("error" in served) return [...faults, `through the edge: ${served.error}`];
  if (window === undefined) {
    if (JSON.stringify(served) !== JSON.stringify(direct)) faults.push(`through the edge ${short(served)} instead of ${short(direct)}`);
    return faults;
  }
  if (JSON.stringify(served.rest) !== JSON.stringify(direct.rest))
    faults.push(`around the hits ${short(served.rest)} instead of ${short(direct.rest)}`);
  if (served.ids.length !== direct.ids.length) faults.push(`${served.ids.length} hits instead of ${direct.ids.length}`);
  if (new Set(served.ids).size !== served.ids.length) faults.push("a hit is there twice");
  const foreign = served.ids.filter((id) => !window.includes(id));
  if (foreign.length > 0) faults.push(`not in the engine's window: ${foreign.join(", ")}`);
  if (served.ids.join() === direct.ids.join()) faults.push("the order is the engine's: nothing was re-ranked");
  return faults;
}

const short = (value: unknown): string => JSON.stringify(value)?.slice(0, 300) ?? "nothing";
