/** Rates of currencies for `armmt report`, from its command line or a file. */
import { existsSync, readFileSync } from "node:fs";
import * as v from "valibot";
import type { Rates } from "../../report/orders.ts";
import { UserError } from "../../web.ts";

const EXAMPLE = "give what one of each is worth in the currency of the report, such as EUR=1,USD=0.92";

const ratesSchema = v.array(
  v.tuple([
    v.pipe(
      v.string(),
      v.trim(),
      v.regex(/^[A-Za-z]{3}$/, "a currency has three letters"),
      v.transform((code) => code.toUpperCase()),
    ),
    v.pipe(v.number("a rate is a number"), v.finite("a rate is a number"), v.gtValue(0, "a rate is above 0")),
  ]),
);

/** `EUR=1,USD=0.92`, or the path of a JSON file such as `{"EUR":1,"USD":0.92}`. One currency, that of the report, is 1. Throws a UserError. */
export function parseRates(text: string): Rates {
  const entries = existsSync(text) ? entriesOf(readFileSync(text, "utf8"), text) : text.split(",").map((part) => pairOf(part));
  const parsed = v.safeParse(ratesSchema, entries);
  if (!parsed.success) throw new UserError(`"${text}" gives no rates: ${parsed.issues[0].message}; ${EXAMPLE}`);
  const rates = new Map(parsed.output);
  if (rates.size < parsed.output.length) throw new UserError(`"${text}" gives no rates: a currency is there twice; ${EXAMPLE}`);
  if (![...rates.values()].includes(1)) throw new UserError(`"${text}" gives no rates: no currency is 1; ${EXAMPLE}`);
  return rates;
}

function pairOf(part: string): readonly [string, unknown] {
  const [currency = "", rate = ""] = part.split("=");
  return [currency, rate.trim() === "" ? undefined : Number(rate)];
}

const fileSchema = v.pipe(v.string(), v.parseJson(), v.record(v.string(), v.unknown()));

function entriesOf(json: string, path: string): readonly (readonly [string, unknown])[] {
  const parsed = v.safeParse(fileSchema, json);
  if (!parsed.success) throw new UserError(`${path} gives no rates: it is no JSON object; ${EXAMPLE}`);
  return Object.entries(parsed.output);
}
