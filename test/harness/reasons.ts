/** The table of bypass reasons for the documentation, printed from the code. */
import { REASONS } from "../../src/result.ts";

export function reasonsTable(): string {
  const rows = Object.entries(REASONS).map(([code, { about }]) => `| \`${code}\` | ${about} |`);
  return ["| reason | when |", "| --- | --- |", ...rows].join("\n");
}
