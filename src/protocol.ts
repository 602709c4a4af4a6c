/** The edge's own HTTP surface: headers, parameters and paths that clients may use, with one writer and one parser of each format. */

/** Response: the outcome of each search. Request: `off` keeps the engine's order. */
export const OUTCOME_HEADER = "x-armmt";
export const OFF = "off";

/** Response to a search, and request with events: tokens, separated by commas. */
export const TOKENS_HEADER = "x-armmt-events";
/** In TOKENS_HEADER for a search without a token. */
export const NO_TOKEN = "-";

/** The randomisation unit: a shopper's id, else a session's. */
export const USER_HEADER = "x-armmt-user";
export const SESSION_HEADER = "x-armmt-session";
/** Item ids that the shopper viewed, most recent first. */
export const HISTORY_HEADER = "x-armmt-history";
/** `1`: the shopper agreed to be recorded under an id. */
export const CONSENT_HEADER = "x-armmt-consent";
/** From servers that search for their shoppers: the shopper's own user agent. */
export const USER_AGENT_HEADER = "x-armmt-user-agent";
/** Response of the service worker: which provider re-ranked on the device. */
export const DEVICE_HEADER = "x-armmt-device";

/** With the admin token: adds an explanation to the reply. */
export const EXPLAIN_PARAM = "armmt_explain";
/** With the admin token: forces a variant. */
export const VARIANT_PARAM = "armmt_variant";

export const STATUS_PATH = "/armmt/status";
export const BEACON_PATH = "/armmt/beacon.js";

export type EventFormat = "ubi" | "algolia" | "metarank";

/** Path → the format of the events that it takes. Clients of Algolia and Metarank send theirs to the last two. */
export const EVENT_ROUTES: ReadonlyMap<string, EventFormat> = new Map([
  ["/events", "ubi"],
  ["/1/events", "algolia"],
  ["/feedback", "metarank"],
]);

/** Whether a path is one of the edge's own pages. */
export function isEdgePath(path: string): boolean {
  return /^\/armmt(\/|$)/.test(path);
}

/** How one search ended. */
export type PublicOutcome =
  | { readonly kind: "applied"; readonly model: string; readonly window: number; readonly list: string }
  /** `reason`: a BypassReason, or a code of a later version. */
  | { readonly kind: "bypass"; readonly reason: string };

/** The value of OUTCOME_HEADER: one entry per search of the request. */
export function formatOutcomes(outcomes: readonly PublicOutcome[]): string {
  return outcomes
    .map((outcome) =>
      outcome.kind === "applied"
        ? `applied; model=${outcome.model}; window=${outcome.window}; list=${outcome.list}`
        : `bypass; reason=${outcome.reason}`,
    )
    .join(", ");
}

/** Parses OUTCOME_HEADER; an entry is `undefined` where it has neither form. */
export function parseOutcomes(header: string): readonly (PublicOutcome | undefined)[] {
  return header.split(",").map((entry) => {
    const [kind, ...rest] = entry.split(";").map((part) => part.trim());
    const values = new Map(rest.map((part): [string, string] => [part.split("=", 1)[0] ?? "", part.slice(part.indexOf("=") + 1)]));
    const [reason, model, window, list] = ["reason", "model", "window", "list"].map((name) => values.get(name));
    if (kind === "bypass" && reason !== undefined) return { kind, reason };
    if (kind !== "applied" || model === undefined || window === undefined || list === undefined) return undefined;
    return { kind, model, window: Number(window), list };
  });
}

export function wantsEngineOrder(headers: Headers): boolean {
  return headers.get(OUTCOME_HEADER)?.trim().toLowerCase() === OFF;
}

export function hasConsent(headers: Headers): boolean {
  return headers.get(CONSENT_HEADER) === "1";
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

/** The tokens of TOKENS_HEADER, each once. */
export function parseTokens(header: string): readonly string[] {
  return [...new Set(header.split(",").map((token) => token.trim()))].filter((token) => token !== "" && token !== NO_TOKEN);
}
