/**
 * What was bought, in the temporary file of a report (stage.ts): lines of orders, each once whatever way it came; what was taken back of them;
 * and what they are worth in the currency of the report.
 */
import type { DatabaseSync } from "node:sqlite";
import * as v from "valibot";
import { MAX_MONEY, MAX_QUANTITY } from "../events/client-batch.ts";
import type { ActionRow } from "./log.ts";
import { preferSigned } from "./signed-orders.ts";

/** What one piece of a currency is worth in the currency of the report, whose own worth is 1. */
export type Rates = ReadonlyMap<string, number>;

export interface OrderOptions {
  /** Without rates, revenue is that of the most frequent currency. */
  readonly rates?: Rates | undefined;
  /** Prices that are far from the published ones: left out of revenue, or counted as they are. */
  readonly suspectPrices?: "leave-out" | "count" | undefined;
}

/** Where the search of an action comes from, for orders that come by several searches. */
interface Origin {
  readonly application: string;
  readonly unit: string | null;
}

/** Why a signed purchase follows no search of the report. */
export type Lost = "stray" | "outside";

/**
 * `back`: money that was given back, at most the amount. `order_no`: the id of the order's first line. `lost`: of signed lines, why they follow no
 * search.
 */
const TABLES = `
  CREATE TABLE purchase (
    id INTEGER PRIMARY KEY, event_id TEXT UNIQUE, query_id TEXT NOT NULL, order_no INTEGER NOT NULL, order_id TEXT, application TEXT NOT NULL,
    unit TEXT, item TEXT NOT NULL, line TEXT NOT NULL, team TEXT, quantity REAL NOT NULL, amount REAL, currency TEXT, trouble TEXT,
    at REAL, is_signed INTEGER NOT NULL, lost TEXT, back REAL NOT NULL DEFAULT 0, is_cancelled INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX purchase_order ON purchase (order_id) WHERE order_id IS NOT NULL;
  CREATE INDEX purchase_order_no ON purchase (order_no);
  CREATE INDEX purchase_query ON purchase (query_id);
  CREATE TABLE reversal (
    id INTEGER PRIMARY KEY, event_id TEXT UNIQUE, is_cancellation INTEGER NOT NULL, is_signed INTEGER NOT NULL, query_id TEXT NOT NULL, order_id TEXT,
    application TEXT NOT NULL, unit TEXT, item TEXT NOT NULL, line TEXT NOT NULL, quantity REAL, price REAL, currency TEXT
  ) STRICT;
  CREATE TABLE rate (currency TEXT UNIQUE, worth REAL NOT NULL) STRICT`;

/** Events of one order come within it, whatever indexes its searches were of; two applications that count alike seldom use a number at the same time. */
const SAME_ORDER_MS = 3_600_000;

/** Orders are few where a currency is rare: below it, a mark on most of them says nothing about the currency. */
const FEWEST_TO_DOUBT_THE_CATALOGUE = 20;

/** A currency in which most prices are far from the published ones is not the one that these are published in. */
const FORGIVE_OTHER_CURRENCIES = `
  UPDATE purchase SET trouble = NULL WHERE trouble = 'suspect' AND COALESCE(currency, '') IN (
    SELECT COALESCE(currency, '') FROM purchase WHERE amount IS NOT NULL GROUP BY currency
    HAVING SUM(trouble IS 'suspect') * 2 > COUNT(*) AND COUNT(*) >= ${FEWEST_TO_DOUBT_THE_CATALOGUE})`;

const MAIN_CURRENCY = `INSERT INTO rate
  SELECT currency, 1 FROM purchase WHERE amount IS NOT NULL AND trouble IS NULL GROUP BY currency ORDER BY COUNT(*) DESC, currency LIMIT 1`;

/** Lines of the same order are of the search of its first line that was not cancelled, as far as the order is counted. */
const BOUGHT = `
  CREATE TABLE bought (
    query_id TEXT PRIMARY KEY, purchases INTEGER, orders INTEGER, items REAL, gross REAL, revenue REAL, purchase_a INTEGER, purchase_b INTEGER
  ) WITHOUT ROWID;
  INSERT INTO bought SELECT query_id, COUNT(*),
    SUM(id = (SELECT MIN(other.id) FROM purchase other WHERE other.order_no = line.order_no AND NOT other.is_cancelled)), SUM(quantity),
    SUM(CASE WHEN trouble IS NULL THEN COALESCE(amount * worth, 0) ELSE 0 END),
    SUM(CASE WHEN trouble IS NULL THEN COALESCE((amount - back) * worth, 0) ELSE 0 END), SUM(team IS 'a'), SUM(team IS 'b')
    FROM purchase line LEFT JOIN rate ON rate.currency IS line.currency WHERE NOT is_cancelled GROUP BY query_id`;

/** Per arm, what became of the prices: a line without trouble and with a rate is counted. */
const PRICES = `
  SELECT variant, CASE WHEN amount IS NULL THEN COALESCE(trouble, 'no price') ELSE trouble END AS trouble, line.currency,
    worth IS NOT NULL AS hasRate, COUNT(DISTINCT order_no) AS orders, COUNT(*) AS lines, SUM(COALESCE(amount, 0)) AS gross, SUM(back) AS back
  FROM purchase line JOIN search USING (query_id) LEFT JOIN rate ON rate.currency IS line.currency
  WHERE NOT is_cancelled AND NOT is_ambiguous GROUP BY 1, 2, 3 ORDER BY variant <> 'control', variant, COUNT(*) DESC, 2, 3`;

const REPLACED = `DELETE FROM reversal WHERE NOT is_signed
  AND (order_id, application) IN (SELECT order_id, application FROM reversal WHERE is_signed)`;

const nullableText = v.nullable(v.string());
const priceSchema = v.object({
  variant: v.string(),
  /** "no price", "suspect" or "out of bounds"; null where the price can be used. */
  trouble: nullableText,
  currency: nullableText,
  /** Its currency is the report's, or can be converted. */
  hasRate: v.pipe(
    v.number(),
    v.transform((flag) => flag === 1),
  ),
  orders: v.number(),
  lines: v.number(),
  /** In its own currency, and what of it was given back. */
  gross: v.number(),
  back: v.number(),
});

/** Lines of an arm with the same currency and the same trouble. */
export type PricedLines = Readonly<v.InferOutput<typeof priceSchema>>;

const orderSchema = v.object({ order_no: v.number(), unit: nullableText });
const orderNoSchema = v.object({ order_no: v.number() });
const lineSchema = v.object({ quantity: v.number(), amount: v.nullable(v.number()) });
const reversibleSchema = v.object({
  id: v.number(),
  quantity: v.number(),
  amount: v.nullable(v.number()),
  currency: nullableText,
  back: v.number(),
});
const reversalSchema = v.object({
  is_cancellation: v.number(),
  is_signed: v.number(),
  query_id: v.string(),
  order_id: nullableText,
  application: v.string(),
  unit: nullableText,
  item: v.string(),
  line: v.string(),
  quantity: v.nullable(v.number()),
  price: v.nullable(v.number()),
  currency: nullableText,
});
const rateSchema = v.object({ currency: nullableText });
const countSchema = v.object({ n: v.number() });

type Line = v.InferOutput<typeof reversibleSchema>;
type Reversal = v.InferOutput<typeof reversalSchema>;

export type Orders = ReturnType<typeof createOrders>;

export function createOrders(database: DatabaseSync, { rates, suspectPrices = "leave-out" }: OrderOptions) {
  database.exec(TABLES);
  // One shopper's, or of unknown ones at the same time: without consent, a page that reports an order through two indexes says no more.
  const findOrder = database.prepare(
    `SELECT order_no, unit FROM purchase WHERE order_id = ?1 AND (application = ?2 OR unit = ?3
      OR ((unit IS NULL OR ?3 IS NULL) AND ABS(at - ?4) <= ${SAME_ORDER_MS})) ORDER BY application <> ?2, id LIMIT 1`,
  );
  const findLoose = database.prepare("SELECT order_no, unit FROM purchase WHERE query_id = ? AND order_id IS NULL ORDER BY id LIMIT 1");
  const findLine = database.prepare(
    "SELECT quantity, amount FROM purchase WHERE order_id = ? AND order_no = ? AND item = ? AND line = ? AND is_signed = ? LIMIT 1",
  );
  const addLine = database.prepare(
    `INSERT INTO purchase (event_id, query_id, order_no, order_id, application, unit, at, is_signed, lost, item, line, team, quantity, amount, currency, trouble)
      VALUES (?, ?, COALESCE(?, (SELECT COALESCE(MAX(id), 0) + 1 FROM purchase)), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (event_id) DO NOTHING`,
  );
  const addReversal = database.prepare(
    `INSERT INTO reversal (event_id, is_cancellation, is_signed, query_id, order_id, application, unit, item, line, quantity, price, currency)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (event_id) DO NOTHING`,
  );
  const count = (from: string): number => v.parse(countSchema, database.prepare(`SELECT COUNT(*) AS n FROM ${from}`).get()).n;
  /** Lines that came again; of them, those with another price or quantity. */
  let [again, changed] = [0, 0];
  let [suspects, forgiven, unmatched] = [0, 0, 0];
  /** Order numbers that two known shoppers have used. */
  const disputed = new Set<number>();
  let signed: ReturnType<typeof preferSigned> | undefined;
  const isUnsigned = database.prepare("SELECT 1 FROM purchase WHERE order_no = ? AND NOT is_signed LIMIT 1");

  return {
    /** `lost`: a signed purchase follows no search, and says only what its order holds. */
    add(row: ActionRow, { application, unit }: Origin, { team, lost }: { readonly team: string | null; readonly lost?: Lost }): void {
      const { eventId, queryId, itemId, orderId, line = "", currency, atMs = null } = row;
      const isSigned = row.isSigned === true && orderId !== undefined ? 1 : 0;
      const { quantity, amount, trouble } = priceOf(row);
      const found = orderId === undefined ? findLoose.get(queryId) : findOrder.get(orderId, application, unit, atMs);
      const order = found === undefined ? undefined : v.parse(orderSchema, found);
      if (orderId !== undefined && order !== undefined) {
        if (unit !== null && order.unit !== null && order.unit !== unit) disputed.add(order.order_no);
        const known = findLine.get(orderId, order.order_no, itemId, line, isSigned);
        if (known !== undefined) {
          again++;
          const first = v.parse(lineSchema, known);
          if (first.quantity !== quantity || first.amount !== amount) changed++;
          return;
        }
      }
      if (trouble === "suspect") suspects++;
      const kept = trouble === "suspect" && suspectPrices === "count" ? null : trouble;
      const whose = [order?.order_no ?? null, orderId ?? null, application, unit, atMs, isSigned, lost ?? null];
      addLine.run(eventId ?? null, queryId, ...whose, itemId, line, team, quantity, amount, currency ?? null, kept);
    },
    /** `origin`: of its search; `undefined` where it follows none. */
    reverse(row: ActionRow, origin: Origin | undefined): void {
      const { eventId, action, queryId, orderId, itemId, line = "", quantity, price, currency } = row;
      const { application, unit } = origin ?? { application: row.application ?? "", unit: row.unit ?? null };
      const isSigned = row.isSigned === true && orderId !== undefined ? 1 : 0;
      const said = [itemId, line, quantity ?? null, price ?? null, currency ?? null];
      addReversal.run(eventId ?? null, action === "cancel" ? 1 : 0, isSigned, queryId, orderId ?? null, application, unit, ...said);
    },
    /** After the last row. */
    seal(): void {
      signed = preferSigned(database);
      if (suspects > 0) forgiven = Number(database.prepare(FORGIVE_OTHER_CURRENCIES).run().changes);
      if (rates === undefined) database.exec(MAIN_CURRENCY);
      const addRate = database.prepare("INSERT INTO rate VALUES (?, ?)");
      for (const [currency, worth] of rates ?? []) addRate.run(currency, worth);
      unmatched = reverseAll(database, rates);
      database.exec(BOUGHT);
    },
    /**
     * Lines that came again; of them, those with another price or quantity; refunds and cancellations of nothing that is known here; prices far
     * from the published ones that are counted, because most of their currency are.
     */
    repeats: () => ({ again: again + (signed?.confirmed ?? 0), changed, unmatched, forgiven }),
    /** Unsigned lines that contradict a signed order; orders of two shoppers, none of which is signed. */
    doubts: () => ({
      contradicted: signed?.contradicted ?? { lines: 0, examples: [] },
      disputed: [...disputed].filter((order) => isUnsigned.get(order) !== undefined).length,
    }),
    /** Signed lines that follow no search of the report. */
    lost: (why: Lost): number => signed?.lost.get(why) ?? 0,
    reversals: () => ({
      /** Lines that were cancelled: not bought. */
      cancelled: count("purchase WHERE is_cancelled"),
      /** Lines of which money was given back. */
      refunded: count("purchase WHERE back > 0 AND NOT is_cancelled"),
    }),
    withoutNumber: () => count("purchase WHERE order_id IS NULL AND NOT is_cancelled"),
    /** That revenue is in; `undefined` where no price has one. */
    currency(): string | undefined {
      const row = database.prepare("SELECT currency FROM rate WHERE worth = 1 ORDER BY rowid LIMIT 1").get();
      return row === undefined ? undefined : (v.parse(rateSchema, row).currency ?? undefined);
    },
    prices: (): readonly PricedLines[] =>
      database
        .prepare(PRICES)
        .all()
        .map((row) => v.parse(priceSchema, row)),
  };
}

/** A log of others may hold anything: a negative price is no refund that could be found again. */
function priceOf({ quantity = 1, price, isPriceSuspect }: ActionRow) {
  const isCount = quantity > 0 && quantity <= MAX_QUANTITY;
  if (price === undefined) return { quantity: isCount ? quantity : 1, amount: null, trouble: isCount ? null : "out of bounds" };
  const amount = quantity * price;
  if (!isCount || !(price >= 0) || !(amount <= MAX_MONEY))
    return { quantity: isCount ? quantity : 1, amount: null, trouble: "out of bounds" };
  return { quantity, amount, trouble: isPriceSuspect === true ? "suspect" : null };
}

/**
 * Takes back what was refunded or cancelled; returns how many concern nothing that is known here. Who only has a search's token may take back
 * what that search, or its shopper, has bought; the shop's server, which signs or names no search, any order of its application. What it signs goes
 * before what came unsigned about the same order.
 */
function reverseAll(database: DatabaseSync, rates: Rates | undefined): number {
  const findOrders = database.prepare(
    `SELECT DISTINCT order_no FROM purchase WHERE order_id = ?1 AND (unit = ?4 OR (?2 <> '' AND query_id = ?2)
      OR ((?2 = '' OR ?5) AND (?3 IN ('', application) OR ?3 = (SELECT index_name FROM search WHERE search.query_id = purchase.query_id)))) LIMIT 2`,
  );
  const columns = "id, quantity, amount, currency, back FROM purchase WHERE NOT is_cancelled";
  const findOfOrder = database.prepare(`SELECT ${columns} AND order_no = ?1 AND ?2 IN ('', item) AND ?3 IN ('', line) ORDER BY id`);
  const findOfSearch = database.prepare(`SELECT ${columns} AND query_id = ?1 AND item = ?2 AND ?3 IN ('', line) ORDER BY id`);
  const cancel = database.prepare("UPDATE purchase SET is_cancelled = 1 WHERE id = ?");
  /** SQLite sets all columns by the row as it was. */
  const cancelPieces = database.prepare(
    `UPDATE purchase SET quantity = quantity - ?1, amount = amount * (quantity - ?1) / quantity,
      back = MIN(back, COALESCE(amount * (quantity - ?1) / quantity, 0)) WHERE id = ?2`,
  );
  const giveBack = database.prepare("UPDATE purchase SET back = ? WHERE id = ?");
  const linesOf = ({ order_id: order, query_id: query, application, unit, item, line, is_signed: isSigned }: Reversal): readonly Line[] => {
    if (order === null) return findOfSearch.all(query, item, line).map((row) => v.parse(reversibleSchema, row));
    // A number that two applications use is nobody's, unless the refund says whose.
    const [one, other] = findOrders.all(order, query, application, unit, isSigned);
    if (one === undefined || other !== undefined) return [];
    return findOfOrder.all(v.parse(orderNoSchema, one).order_no, item, line).map((row) => v.parse(reversibleSchema, row));
  };
  database.exec(REPLACED);
  let unmatched = 0;
  for (const row of database.prepare("SELECT * FROM reversal ORDER BY id").iterate()) {
    const reversal = v.parse(reversalSchema, row);
    const lines = linesOf(reversal);
    if (lines.length === 0) unmatched++;
    // Of a line of which only some pieces are cancelled, the others stay bought.
    const isPart = reversal.quantity !== null && reversal.item !== "" && reversal.quantity < sum(lines.map(({ quantity }) => quantity));
    if (reversal.is_cancellation === 1) {
      let left = isPart && reversal.quantity !== null && reversal.quantity > 0 ? reversal.quantity : Infinity;
      for (const { id, quantity } of lines) {
        if (left >= quantity) cancel.run(id);
        else if (left > 0) cancelPieces.run(left, id);
        left -= quantity;
      }
    } else for (const [id, back] of givenBack(lines, reversal, rates)) giveBack.run(back, id);
  }
  return unmatched;
}

/** Line → what was given back of it in all, in its own currency: never more than was paid. */
function givenBack(lines: readonly Line[], { item, quantity, price, currency }: Reversal, rates: Rates | undefined): Map<number, number> {
  const back = new Map<number, number>();
  const paid = lines.flatMap((line) => (line.amount === null ? [] : [{ ...line, amount: line.amount }]));
  /** Into the line's currency; a price in one that cannot be converted says nothing. */
  const priceIn = (own: string | null): number | undefined => {
    if (price === null || !(price >= 0)) return undefined;
    if (currency === null || currency === own) return price;
    const [from, to] = [rates?.get(currency), own === null ? undefined : rates?.get(own)];
    return from === undefined || to === undefined ? undefined : (price * from) / to;
  };
  const whole = sum(paid.map(({ amount }) => amount));
  let left = quantity !== null && quantity > 0 ? quantity : Infinity;
  for (const line of paid) {
    const pieces = Math.min(left, line.quantity);
    const each = priceIn(line.currency);
    // An order as a whole: its lines share what was given back.
    const money =
      item === ""
        ? line.amount * (each === undefined || whole === 0 ? 1 : Math.min(1, (each * (quantity ?? 1)) / whole))
        : pieces * (each ?? line.amount / line.quantity);
    if (item !== "") left -= pieces;
    back.set(line.id, Math.min(line.amount, line.back + money));
  }
  return back;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
