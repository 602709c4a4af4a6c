/** Figures as text: means, differences and tables of the model card. */
import { table } from "../pipeline/card.ts";
import type { Level, PartName, Row } from "./benchmark-file.ts";
import { ALL, COLUMNS, DATA, inTableOrder, NDCG, PURCHASES, TRUE_CURVE } from "./names.ts";

/** A level in words; every heading says whether its shoppers are simulated. */
export function levelName(level: Level): string {
  const [kind = "", part] = level.split(" without ");
  const names: Readonly<Record<string, string>> = {
    fashion: "Simulated shoppers over real photographs",
    drawn: "Simulated shoppers over the drawn catalogue",
    "open bandit": "Logged propensities of Open Bandit",
    chorus: "Real human judgments (Chorus)",
  };
  return `${names[kind] ?? kind}${part === undefined ? "" : `, ${part} part switched off`}`;
}

/** Decimals that leave about five digits. */
function decimalsOf(value: number): number {
  const size = Math.abs(value);
  if (size >= 1000) return 0;
  if (size >= 100) return 1;
  return size >= 10 ? 2 : 4;
}

type Print = (value: number, decimals: number) => string;
const plain: Print = (value, decimals) => value.toFixed(decimals);
const signed: Print = (value, decimals) => `${value >= 0 ? "+" : ""}${plain(value, decimals)}`;

/** A t-interval is symmetric about the mean, so one number states it. */
function withSpread({ mean, high }: Row): string {
  const decimals = decimalsOf(mean);
  return high === null ? plain(mean, decimals) : `${plain(mean, decimals)} ± ${plain(high - mean, decimals)}`;
}

/** A difference is printed with its sign. */
export function withInterval({ mean, low, high, against }: Row): string {
  const print = against === undefined ? plain : signed;
  const decimals = decimalsOf(Math.max(Math.abs(mean), Math.abs(low ?? 0), Math.abs(high ?? 0)));
  const [m, l, h] = [mean, low, high].map((value) => (value === null ? "" : print(value, decimals)));
  return low === null || high === null ? `${m}` : `${m} (${l} .. ${h})`;
}

export function missing(part: PartName): string {
  return `Not run yet: \`npm run model -- --benchmark --only "${part}"\`.`;
}

function keyOf({ level, model, metric, split, against }: Partial<Row>): string {
  return JSON.stringify([level, model, metric, split, against ?? ""]);
}

/** Finds a row by level, model, metric, split and `against`. */
export function finder(rows: readonly Row[]): (wanted: Partial<Row>) => Row | undefined {
  const byKey = new Map(rows.map((row) => [keyOf(row), row]));
  return (wanted) => byKey.get(keyOf(wanted));
}

export function modelsOf(rows: readonly Row[]): string[] {
  return inTableOrder(rows.filter(({ model }) => model !== DATA && model !== TRUE_CURVE).map(({ model }) => model));
}

export function meansTable(rows: readonly Row[], level: Level, metrics: readonly string[], split = ALL): string {
  const find = finder(rows);
  const models = modelsOf(rows.filter((row) => row.against === undefined && metrics.includes(row.metric)));
  return table(
    ["model", "seeds", ...metrics],
    models.map((model) => {
      const found = metrics.map((metric) => find({ level, model, metric, split }));
      const seeds = found.find((row) => row !== undefined)?.seeds;
      return [model, seeds, ...found.map((row) => row && withSpread(row))];
    }),
  );
}

export function differencesTable(rows: readonly Row[], level: Level, pairs: readonly (readonly [string, string])[]): string {
  const find = finder(rows);
  const metrics = COLUMNS.filter((name) => name === NDCG || name === PURCHASES || name === PURCHASES.replace("purchases", "revenue"));
  const lines = pairs.flatMap(([model, against]) => {
    const found = metrics.map((metric) => find({ level, model, against, metric, split: ALL }));
    return found.every((row) => row === undefined) ? [] : [[`${model} - ${against}`, ...found.map((row) => row && withInterval(row))]];
  });
  return table(["difference", ...metrics], lines);
}
