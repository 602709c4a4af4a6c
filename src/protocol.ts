/** The edge's own HTTP surface: headers, parameters and paths that clients may use, with one writer and one parser of each format. */

/** Response: the outcome of each search. Request: `off` keeps the engine's order. */
export const OUTCOME_HEADER = "x-armmt";
export const OFF = "off";

/** Response to a search, and request with events: tokens, separated by commas. */
export const TOKENS_HEADER = "x-armmt-events";
/** In TOKENS_HEADER for a search without a token. */
export const NO_TOKEN = "-";

/** The randomisation unit: a session's id, else a shopper's. */
export const SESSION_HEADER = "x-armmt-session";
export const USER_HEADER = "x-armmt-user";
/** Item ids that the shopper viewed, most recent first. */
export const HISTORY_HEADER = "x-armmt-history";
/** Words that rules may ask for, separated by commas: the page's kind, the customer's group. */
export const CONTEXT_HEADER = "x-armmt-context";
/** Item ids for the slots of rules, best first: sponsored products. As HISTORY_HEADER. */
export const SLOTS_HEADER = "x-armmt-slots";
/** `1`: the shopper agreed to be recorded under an id. */
export const CONSENT_HEADER = "x-armmt-consent";
/** On the address of an event route: as CONSENT_HEADER, for clients whose requests bring no header (beacons). */
export const CONSENT_PARAM = "armmt_consent";
/** Request with events from a server of the shop: `t=<seconds>,v1=<HMAC>`, see events/signature.ts. */
export const SIGNATURE_HEADER = "x-armmt-signature";
/** From servers that search for their shoppers: the shopper's own user agent. */
export const USER_AGENT_HEADER = "x-armmt-user-agent";
/** Response of the service worker: which provider re-ranked on the device. */
export const DEVICE_HEADER = "x-armmt-device";

/** With the admin token: adds an explanation to the reply. */
export const EXPLAIN_PARAM = "armmt_explain";
/** With the admin token: forces a variant. */
export const VARIANT_PARAM = "armmt_variant";

/** The dashboard, and its figures (with the admin token); there is none without that secret. */
export const DASHBOARD_PATH = "/armmt/";
export const OVERVIEW_PATH = "/armmt/overview";
export const STATUS_PATH = "/armmt/status";
/** And below it: the rules of the admin page. */
export const RULES_PATH = "/armmt/rules";
export const RULES_PAGE_PATH = "/armmt/rules.html";
export const BEACON_PATH = "/armmt/beacon.js";

export type EventFormat = "ubi" | "algolia" | "metarank" | "ga4" | "segment" | "typesense" | "meilisearch";

/** Path → the format of the events that it takes: the paths of the other formats' own clients. The first takes GA4's, Segment's and Meilisearch's too. */
export const EVENT_ROUTES: ReadonlyMap<string, EventFormat> = new Map([
  ["/events", "ubi"],
  ["/1/events", "algolia"],
  ["/analytics/events", "typesense"],
  ["/feedback", "metarank"],
  ["/mp/collect", "ga4"],
  ["/v1/batch", "segment"],
  ["/v1/track", "segment"],
  // Those of Segment's library for browsers: batches, then one path for each kind of call, of which only track calls are events; the last takes its figures about itself.
  ...["b", "t", "p", "i", "g", "a", "m"].map((kind) => [`/v1/${kind}`, "segment"] as const),
]);

/** Whether a path is one of the edge's own pages. */
export function isEdgePath(path: string): boolean {
  return /^\/armmt(\/|$)/.test(path);
}

/** Of OUTCOME_HEADER and TOKENS_HEADER together: common proxies take 4 to 8 kB of headers in all. */
export const MAX_HEADER_BYTES = 4096;

/** Of OUTCOME_HEADER; the rest is for tokens. A request with 16 searches, which the edge may all re-rank, needs 1.5 kB. */
const MAX_OUTCOME_BYTES = 2048;

/** How one search ended, or how several of them did. */
export type PublicOutcome = (
  | { readonly kind: "applied"; readonly model: string; readonly window: number; readonly list: string }
  /** `reason`: a BypassReason, or a code of a later version. */
  | { readonly kind: "bypass"; readonly reason: string }
) &
  PublicRules;

/** Absent where no rule fits the search. */
export interface PublicRules {
  /** `<version>/<rules that changed something>`. */
  readonly rules?: string | undefined;
  /** 1-based positions, in the whole list, of the page's sponsored hits. */
  readonly slots?: readonly number[] | undefined;
}

/** In the place of single outcomes, where a request has so many searches that theirs would not fit. */
export type CountedOutcomes =
  | { readonly kind: "applied"; readonly count: number }
  | { readonly kind: "bypass"; readonly reason: string; readonly count: number };

/** The value of OUTCOME_HEADER: one entry per search of the request, or one per kind of outcome with its `count`. */
export function formatOutcomes(outcomes: readonly PublicOutcome[]): string {
  const entries = outcomes.map((outcome) => {
    const { rules, slots = [] } = outcome;
    const ruled = `${rules === undefined ? "" : `; rules=${rules}`}${slots.length === 0 ? "" : `; slots=${slots.join("+")}`}`;
    if (outcome.kind === "bypass") return `bypass; reason=${outcome.reason}${ruled}`;
    return `applied; model=${outcome.model}; window=${outcome.window}; list=${outcome.list}${ruled}`;
  });
  const all = entries.join(", ");
  if (all.length <= MAX_OUTCOME_BYTES) return all;
  const counts = Map.groupBy(outcomes, (outcome) => (outcome.kind === "applied" ? "applied" : `bypass; reason=${outcome.reason}`));
  return [...counts].map(([kind, { length }]) => `${kind}; count=${length}`).join(", ");
}

/** Parses OUTCOME_HEADER; an entry is `undefined` where it has no known form. */
export function parseOutcomes(header: string): readonly (PublicOutcome | CountedOutcomes | undefined)[] {
  return header.split(",").map((entry) => {
    const [kind, ...rest] = entry.split(";").map((part) => part.trim());
    const values = new Map(rest.map((part): [string, string] => [part.split("=", 1)[0] ?? "", part.slice(part.indexOf("=") + 1)]));
    const [reason, model, window, list, count] = ["reason", "model", "window", "list", "count"].map((name) => values.get(name));
    const counted = count === undefined ? undefined : { count: Number(count) };
    const [rules, slots] = [values.get("rules"), values.get("slots")?.split("+").map(Number)];
    const ruled = { ...(rules !== undefined && { rules }), ...(slots !== undefined && { slots }) };
    if (kind === "bypass" && reason !== undefined) return { kind, reason, ...counted, ...ruled };
    if (kind === "applied" && counted !== undefined) return { kind, ...counted };
    if (kind !== "applied" || model === undefined || window === undefined || list === undefined) return undefined;
    return { kind, model, window: Number(window), list, ...ruled };
  });
}

/**
 * Whether one of the header's values is `off`, whatever stands beside it: a proxy may append a value or send the header twice, and a client may
 * add quotes or parameters. The switch must never fail because of it.
 */
export function wantsEngineOrder(headers: Headers): boolean {
  const given = headers.get(OUTCOME_HEADER);
  return given !== null && given.split(",").some((value) => value.split(";", 1)[0]?.replaceAll(/["']/g, "").trim().toLowerCase() === OFF);
}

export function hasConsent(headers: Headers): boolean {
  return headers.get(CONSENT_HEADER) === "1";
}

/** Before an engine's own user token: its shopper agreed to be recorded under it. Stock front ends send no header of a page's choice. */
export const CONSENTED = "consented-";

export function userTokenOf(userToken: string | undefined): { readonly id: string | undefined; readonly isConsented: boolean } {
  const isConsented = userToken?.startsWith(CONSENTED) === true;
  return { id: isConsented ? userToken?.slice(CONSENTED.length) : userToken, isConsented };
}

/** With events, the address may say it too. */
export function hasEventConsent(headers: Headers, url: string): boolean {
  return hasConsent(headers) || new URL(url).searchParams.get(CONSENT_PARAM) === "1";
}

/** The value of HISTORY_HEADER. */
export function formatHistory(itemIds: readonly string[]): string {
  return itemIds.map(encodeURIComponent).join(",");
}

/** Parses HISTORY_HEADER; leaves out ids that cannot be decoded. */
export function parseHistory(header: string): readonly string[] {
  return header.split(",").flatMap((text) => {
    try {
      const id = decodeURIComponent(text.trim());
      return id === "" ? [] : [id];
    } catch {
      return [];
    }
  });
}

/** The value of TOKENS_HEADER, one entry per search; `undefined` without a token. Entries beyond `maxBytes` are left out at the end. */
export function formatTokens(tokens: readonly (string | undefined)[], maxBytes: number): string | undefined {
  const entries = tokens.map((token = NO_TOKEN) => token);
  let bytes = entries.reduce((sum, entry) => sum + entry.length + 2, -2);
  while (bytes > maxBytes) bytes -= entries.pop()!.length + 2;
  return entries.every((entry) => entry === NO_TOKEN) ? undefined : entries.join(", ");
}

/** The tokens of TOKENS_HEADER, each once. */
export function parseTokens(header: string): readonly string[] {
  return [...new Set(header.split(",").map((token) => token.trim()))].filter((token) => token !== "" && token !== NO_TOKEN);
}
