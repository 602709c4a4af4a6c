/** Tries and violations per fault, as a table for people and for the documentation. */
import { PROMISES, type Promised } from "./judge.ts";
import type { RuntimeName } from "./edges.ts";
import type { Try } from "./run.ts";

interface Row {
  readonly group: string;
  readonly fault: string;
  readonly tries: Map<RuntimeName, number>;
  readonly violations: Map<Promised, number>;
  /** Tries in which the runtime itself answers so. */
  limits: number;
  /** Of the first violation. */
  detail: string;
}

export interface Tally {
  add(tried: Try): void;
  readonly rows: () => readonly Row[];
  readonly tries: () => number;
  readonly violations: () => number;
  readonly limits: () => number;
}

export function createTally(): Tally {
  const rows = new Map<string, Row>();
  const all = { tries: 0, violations: 0, limits: 0 };
  return {
    add({ group, fault, dialect, runtime, violations, isLimit }) {
      const key = `${group}: ${fault}`;
      const row = rows.get(key) ?? { group, fault, tries: new Map(), violations: new Map(), limits: 0, detail: "" };
      rows.set(key, row);
      row.tries.set(runtime, (row.tries.get(runtime) ?? 0) + 1);
      for (const promise of new Set(violations.map((violation) => violation.promise))) {
        row.violations.set(promise, (row.violations.get(promise) ?? 0) + 1);
      }
      const [first] = violations;
      if (first !== undefined && row.detail === "") row.detail = `${dialect}, ${runtime}: ${first.promise}: ${first.detail}`;
      all.tries++;
      if (isLimit) row.limits++;
      if (isLimit) all.limits++;
      if (violations.length > 0) all.violations++;
    },
    rows: () => [...rows.values()],
    tries: () => all.tries,
    violations: () => all.violations,
    limits: () => all.limits,
  };
}

export const promises = Object.keys(PROMISES).filter((name): name is Promised => name in PROMISES);

export function tableOf(
  tally: Tally,
  runtimes: readonly RuntimeName[],
): { readonly head: readonly string[]; readonly rows: readonly (readonly (string | number)[])[] } {
  const groups = new Map<string, Row[]>();
  for (const row of tally.rows()) groups.set(row.group, [...(groups.get(row.group) ?? []), row]);
  const rows = [...groups.values()]
    .flat()
    .map((row) => [
      `${row.group}: ${row.fault}`,
      ...runtimes.map((runtime) => row.tries.get(runtime) ?? 0),
      ...promises.map((promise) => row.violations.get(promise) ?? 0),
      row.limits,
    ]);
  return {
    head: [
      "fault",
      ...runtimes.map((runtime) => `tries, ${runtime}`),
      ...promises.map((promise) => `violations: ${promise}`),
      "limits of the runtime",
    ],
    rows,
  };
}

const line = (cells: readonly (string | number)[]): string => `| ${cells.map((cell) => String(cell).replaceAll("|", "\\|")).join(" | ")} |`;

export function markdownOf(tally: Tally, runtimes: readonly RuntimeName[]): string {
  const { head, rows } = tableOf(tally, runtimes);
  return [line(head), line(head.map((_, i) => (i === 0 ? "---" : "--:"))), ...rows.map(line)].join("\n");
}
