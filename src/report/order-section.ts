/** What belongs to a search, what was ordered and taken back, and what revenue holds of it, in words and a table. */
import type { ReportData } from "./analyse.ts";
import * as format from "./format.ts";

export function describeOrders({ attribution, money: { currency, rows, mix, orders } }: ReportData) {
  const { windowDays, until, rates, leftOut } = attribution;
  const days = `${windowDays} ${windowDays === 1 ? "day" : "days"}`;
  const end = until === null ? "" : ` and before ${until}`;
  const facts: readonly (readonly [count: number, text: string])[] = [
    [leftOut.actions, "clicks, carts or purchases left out for that"],
    [orders.cancelled, "lines cancelled: not bought"],
    [orders.refunded, "lines of which money was given back"],
    [orders.again, "lines came again, and count once"],
    [orders.unmatched, "refunds or cancellations of orders that are not in this report"],
  ];
  const converted = rates === null ? "" : ` Converted with ${Object.entries(rates).map(([name, worth]) => `${name} = ${worth}`).join(", ")}.`; // prettier-ignore
  return {
    sentence: `Clicks, carts and purchases count up to ${days} after their search${end}; refunds and cancellations whenever they come.${converted}`,
    facts: facts.flatMap(([count, text]) => (count > 0 ? [`${format.wholeNumber(count)} ${text}.`] : [])),
    /** Without rows where nothing was bought. */
    table: {
      caption: `Orders by currency; revenue is in ${currency ?? "no named currency"}`,
      headings: ["Arm", "Currency", "In revenue", "Orders", "Lines", "Sold", "Given back"],
      rows: rows.map(({ variant, label, isCounted, orders: count, lines, gross, back }) => [
        variant,
        label,
        isCounted ? "yes" : "no",
        ...[count, lines].map(format.wholeNumber),
        ...[gross, back].map((value) => format.metricValue(value, { kind: "money", currency: null })),
      ]),
      numeric: [3, 4, 5, 6],
    },
    mix: mix.map(({ variant, p }) => `${variant} against control: p ${format.probability(p)}.`),
  };
}
