/** By what the searches of an experiment are told apart, as far as a log without cookies and devices knows. */
import type { StagedSearch } from "./stage.ts";
import { DAY_MS } from "../web.ts";

const HOUR_MS = 3_600_000;

/** `undefined` where it is not known of a search. `first`: the shopper's first search. */
export type SegmentOf = (search: StagedSearch, first: StagedSearch) => string | undefined;

/** Orders of the segments in a table. */
export const SEGMENT_ORDER: readonly string[] = [
  "no words",
  "1 word",
  "2 words",
  "3 words",
  "4 words or more",
  "0 to 5 h",
  "6 to 11 h",
  "12 to 17 h",
  "18 to 23 h",
  "first day",
  "came back",
];

export const OTHERS = "others";

/** Names a dimension whose segments an arm itself may change, so that its shoppers there are no longer alike. */
export const RETURNING = "shopper";

/** `applications`: those that get a segment of their own. */
export function createSegments(applications: readonly string[]): ReadonlyMap<string, SegmentOf> {
  const named = new Set(applications);
  return new Map<string, SegmentOf>([
    ["query length", ({ words }) => (words === 0 ? "no words" : words === 1 ? "1 word" : words < 4 ? `${words} words` : "4 words or more")],
    [
      "hour (UTC)",
      ({ atMs }) => {
        const from = Math.floor((atMs % DAY_MS) / (6 * HOUR_MS)) * 6;
        return `${from} to ${from + 5} h`;
      },
    ],
    [
      RETURNING,
      ({ unit, atMs }, first) => {
        if (unit === undefined) return undefined;
        return Math.floor(atMs / DAY_MS) === Math.floor(first.atMs / DAY_MS) ? "first day" : "came back";
      },
    ],
    ["application", ({ application }) => (named.has(application) ? application : OTHERS)],
  ]);
}
