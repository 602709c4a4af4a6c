/** Rules, and what they did, in words. */
import type { Rule, RuleAction, When } from "../../../rules/document.ts";
import { FIELDS, isLines, shown } from "./fields.ts";
import type { RuleState } from "./draft.ts";

/** In the zone that the rule names, else in UTC, else as it is written. */
export function moment(instant: string, zone = "UTC"): string {
  try {
    return `${new Date(instant).toLocaleString("en-GB", { timeZone: zone, dateStyle: "medium", timeStyle: "short" })} ${zone}`;
  } catch {
    return instant;
  }
}

/** "in 3 h", "2 d ago". */
export function distance(instant: string, now: number): string {
  const hours = (Date.parse(instant) - now) / 3_600_000;
  const [n, unit] = Math.abs(hours) >= 48 ? [hours / 24, "d"] : Math.abs(hours) >= 1 ? [hours, "h"] : [hours * 60, "min"];
  return n > 0 ? `in ${Math.round(n)} ${unit}` : `${Math.round(-n)} ${unit} ago`;
}

/** Every member that the form knows, and the others as they are written: nothing is left out. */
export function inWords(part: "when" | "action", of: When | RuleAction): string {
  return Object.entries(of)
    .flatMap(([name, value]: [string, unknown]) => {
      if (name === "do" || name === "from" || name === "until" || name === "zone") return [];
      const field = FIELDS.find(({ path }) => path[0] === part && path[1] === name);
      const text = field !== undefined && isLines(field.control) ? shown(field.control, value).replaceAll("\n", ", ") : JSON.stringify(value); // prettier-ignore
      return [value === true ? (field?.label ?? name) : `${field?.label ?? name} ${text}`];
    })
    .join("; ");
}

export function whenInWords({ when = {} }: Rule, now: number): string {
  const { from, until, zone } = when;
  const times = [
    ...(from === undefined ? [] : [`from ${moment(from, zone)} (${distance(from, now)})`]),
    ...(until === undefined ? [] : [`until ${moment(until, zone)} (${distance(until, now)})`]),
  ];
  return [inWords("when", when), ...times].filter((text) => text !== "").join("; ") || "everywhere";
}

export const STATES: Readonly<Record<RuleState, string>> = { live: "live", planned: "planned", over: "over", off: "off" };

/** Of one rule: reason → searches. */
export type Did = ReadonlyMap<string, number>;

/** What it did in the last 24 hours. */
export function didInWords(did: Did | undefined): string {
  if (did === undefined) return "matched no search";
  const reasons = [...did].filter(([reason]) => reason !== "" && reason !== "matched").toSorted(([, a], [, b]) => b - a);
  const idle = reasons.map(([reason, n]) => `${reason} ${n}`).join(", ");
  return `matched ${did.get("matched") ?? 0}, acted in ${did.get("") ?? 0}${idle === "" ? "" : `; did nothing: ${idle}`}`;
}
