/** What belongs to a search, what was ordered and taken back, and what revenue holds of it, in words and a table. */
import type { ReportData } from "./analyse.ts";
import * as format from "./format.ts";
import type { Block } from "./sections.ts";

export function orderBlocks({ attribution, money: { currency, rows, mix, orders } }: ReportData): Block[] {
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
  const said: Block[] = [
    {
      kind: "paragraph",
      text: `Clicks, carts and purchases count up to ${days} after their search${end}; refunds and cancellations whenever they come.${converted}`,
    },
  ];
  const items = facts.flatMap(([count, text]) => (count > 0 ? [`${format.wholeNumber(count)} ${text}.`] : []));
  if (items.length > 0) said.push({ kind: "list", intro: "", items });
  if (rows.length > 0) {
    said.push({
      kind: "table",
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
    });
  }
  if (mix.length > 0) {
    said.push({
      kind: "list",
      intro: "Do the arms sell in the same mix as control? Below p 0.01 there is no verdict on revenue:",
      items: mix.map(({ variant, p }) => `${variant}: p ${format.probability(p)}.`),
    });
  }
  return said;
}
