/**
 * What revenue holds and what it does not, per arm: currencies without a rate, purchases without a price, prices that cannot be believed. What is
 * left out falls on one arm only where the arms sell otherwise, and then revenue compares two different parts of what was sold: no verdict.
 */
import type { PricedLines } from "./orders.ts";
import type { Stage } from "./stage.ts";
import { chiSquareTail } from "./statistics/distributions.ts";

type Money = ReturnType<Stage["money"]>;

/**
 * The p-value below which the arms do not sell in the same mix. Orders vary less than their money, so a difference of the mix that could carry a
 * verdict on revenue (3 standard errors and more) lies far below it.
 */
const MIX_P = 0.01;

export type MoneyReport = ReturnType<typeof describeMoney>;

export function describeMoney(money: Money, control: string) {
  const { currency = null, prices, ...orders } = money;
  const rows = prices.map((line) => ({ ...line, label: labelOf(line), isCounted: isCounted(line) }));
  const arms = [...new Set(rows.map(({ variant }) => variant))];
  const mix = arms.flatMap((variant) => {
    const p = variant === control ? undefined : testMix(rows, control, variant);
    return p === undefined ? [] : [{ variant, p, differs: p < MIX_P }];
  });
  return {
    /** Of revenue; null where no price names one. */
    currency,
    /** Arm and currency, or why a price is not part of revenue. */
    rows,
    /** Whether an arm sells in the same mix as control; only where something is left out of revenue. */
    mix,
    orders,
  };
}

/** Why nothing is said about an arm's revenue; null where something may be. */
export function whyWithheld({ mix }: Pick<MoneyReport, "mix">, variant: string): string | null {
  return mix.some((arm) => arm.variant === variant && arm.differs) ? "what revenue leaves out differs between the arms" : null;
}

function isCounted({ trouble, hasRate }: PricedLines): boolean {
  return trouble === null && hasRate;
}

function labelOf({ trouble, currency }: PricedLines): string {
  return trouble ?? currency ?? "no currency";
}

type Row = Pick<PricedLines, "variant" | "orders"> & { readonly label: string; readonly isCounted: boolean };

/** Chi-square test of independence, orders by what revenue does with them; `undefined` where there is nothing to test. */
function testMix(rows: readonly Row[], control: string, variant: string): number | undefined {
  const kinds = [...new Set(rows.filter((row) => row.variant === control || row.variant === variant).map(kindOf))];
  if (kinds.length < 2) return undefined;
  const count = (arm: string, kind: string): number =>
    rows.reduce((sum, row) => sum + (row.variant === arm && kindOf(row) === kind ? row.orders : 0), 0);
  const table = [control, variant].map((arm) => kinds.map((kind) => count(arm, kind)));
  const totals = table.map((counts) => counts.reduce((sum, n) => sum + n, 0));
  const all = totals.reduce((sum, n) => sum + n, 0);
  if (totals.includes(0)) return undefined;
  let chiSquare = 0;
  table.forEach((counts, arm) =>
    counts.forEach((n, kind) => {
      const expected = (totals[arm]! * table.reduce((sum, row) => sum + row[kind]!, 0)) / all;
      chiSquare += (n - expected) ** 2 / expected;
    }),
  );
  return chiSquareTail(chiSquare, kinds.length - 1);
}

/** All that is counted is one kind: it is in one currency by then. */
function kindOf({ isCounted: counted, label }: Row): string {
  return counted ? "" : label;
}

function isForeign({ trouble, hasRate }: PricedLines): boolean {
  return trouble === null && !hasRate;
}

function namesOf(examples: MoneyReport["orders"]["contradicted"]["examples"]): string {
  return examples.map(({ order, item }) => `${item} of order ${order}`).join(", ");
}

/** For the reader of the figures. `hasRates`: the currencies were converted. */
export function moneyNotes({ currency, rows, mix, orders }: MoneyReport, hasRates: boolean): readonly string[] {
  const lines = (of: (row: MoneyReport["rows"][number]) => boolean): number =>
    rows.reduce((sum, row) => sum + (of(row) ? row.lines : 0), 0);
  const foreign = [...new Set(rows.filter(isForeign).map(({ label }) => label))].join(", ");
  const notes: readonly (readonly [count: number, text: string])[] = [
    [lines(({ trouble }) => trouble === "no price"), `of ${orders.purchases} purchases have no price: revenue counts them as 0.`],
    [
      lines(isForeign),
      hasRates
        ? `purchases have no rate in --rates (${foreign}) and are not part of the revenue.`
        : `purchases are in another currency than ${currency ?? "the others"} (${foreign}) and not part of the revenue: give --rates.`,
    ],
    [
      lines(({ trouble }) => trouble === "suspect"),
      "purchases have a price far from the published one (more than 10 times, or less than a tenth) and are not part of the revenue: --suspect-prices count takes them as they are.",
    ],
    [
      lines(({ trouble }) => trouble === "out of bounds"),
      "purchases have a quantity or a price out of bounds (below 0, or above 10,000 pieces or 1e9 in all) and are not part of the revenue; a refund is an action of its own.",
    ],
    [orders.changed, "purchases came again with another price or quantity: the first delivery counts."],
    [orders.forgiven, "prices far from the published ones are counted: most of their currency are, so the catalogue has another currency."],
    [
      orders.contradicted.lines,
      `unsigned purchases contradict an order that the shop's server signed (another price, quantity or item) and are left out: ${namesOf(orders.contradicted.examples)}.`,
    ],
    [
      orders.disputed,
      "order numbers came from more than one shopper, and nothing signed says whose they are: the first delivery counts. Numbers can be guessed; orders that your server signs (ORDER_SECRET) go before all others.",
    ],
    [orders.withoutNumber, `of ${orders.purchases} purchases have no order number: those of one search count as one order.`],
  ];
  return [
    ...notes.flatMap(([count, text]) => (count > 0 ? [`${count} ${text}`] : [])),
    ...mix.flatMap(({ variant, p, differs }) =>
      differs
        ? [`What revenue leaves out differs between ${variant} and control (p ${p.toPrecision(2)}): there is no verdict on its revenue.`]
        : [],
    ),
  ];
}
