/** The request matrix of the documentation, made of the cases that the contract tests. */
import { STAND_INS } from "./all.ts";
import { type EngineStandIn, type Feature, FEATURES } from "./stand-in.ts";

const describeOutcome = (outcome: string): string => (outcome === "applied" ? "re-ranked" : `passed through (\`${outcome}\`)`);

function cell(dialect: EngineStandIn, feature: Feature): string {
  if (feature === "paging") {
    const ways = [...dialect.pages.map(({ name }) => name), ...(dialect.walk === undefined ? [] : ["cursors: the first page"])];
    return `${ways.join("; ")}: re-ranked`;
  }
  const cases = dialect.cases.filter((one) => one.feature === feature);
  if (cases.length === 0) return "–";
  return cases
    .map(({ title, outcomes, pinned }) => {
      const kept = pinned === undefined ? "" : ", pinned hits stay";
      const [outcome = "", ...others] = new Set(outcomes);
      return others.length > 0 ? `${title}: each search on its own` : `${title}: ${describeOutcome(outcome)}${kept}`;
    })
    .join("<br>");
}

const row = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;

/** Markdown: one row per engine. */
export function requestMatrix(): string {
  return [
    row(["", ...FEATURES]),
    row(["---", ...FEATURES.map(() => "---")]),
    ...STAND_INS.map((dialect) => row([`**${dialect.title}**`, ...FEATURES.map((feature) => cell(dialect, feature))])),
  ].join("\n");
}
