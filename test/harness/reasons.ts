/** The table of bypass reasons for the documentation, printed from the code. */
import { REASONS } from "../../src/result.ts";

const mark = (value: boolean): string => (value ? "yes" : "–");

export function reasonsTable(): string {
  const rows = Object.entries(REASONS).map(
    ([code, { about, expected, cacheable, exposed, onDevice }]) =>
      `| \`${code}\` | ${about} | ${mark(expected)} | ${mark(cacheable)} | ${mark(exposed)} | ${onDevice ? "network" : "device"} |`,
  );
  return [
    "| reason | when | expected | engine's cache headers | exposure recorded | on the device, who answers |",
    "| --- | --- | --- | --- | --- | --- |",
    ...rows,
  ].join("\n");
}
