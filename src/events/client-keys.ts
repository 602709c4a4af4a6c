/**
 * The keys by which clients of other tools name the account that they write to. They stand in every page, so they prove nothing (a search's token does);
 * a shop that lists its own keeps out a page or an app that still points to this edge by mistake.
 */
import * as v from "valibot";
import type { EventFormat } from "../protocol.ts";

/** Where the key of each tool stands; its own paths only, for the edge's own format has none. */
const PLACES: Readonly<Partial<Record<EventFormat, readonly string[]>>> = {
  algolia: ["x-algolia-api-key"],
  ga4: ["api_secret"],
  segment: ["writekey"],
  typesense: ["x-typesense-api-key"],
};

const withKey = v.looseObject({ writeKey: v.string() });

/** What Segment's library counts about itself, of which nothing is kept. It sends no key with that. */
const ownMetrics = v.strictObject({ series: v.array(v.unknown()) });

/** Whether one of `keys` came, in a header, the address or the body; true for all where none is listed. */
export function hasKnownKey(keys: readonly string[], format: EventFormat, { headers, url, body }: Named): boolean {
  const names = PLACES[format];
  if (keys.length === 0 || names === undefined || (format === "segment" && v.is(ownMetrics, body))) return true;
  const found = [...new URL(url).searchParams].flatMap(([name, value]) => (names.includes(name.toLowerCase()) ? [value] : []));
  const given = [...found, ...names.map((name) => headers.get(name)), ...(format === "segment" ? writeKeys(headers, body) : [])];
  return given.some((key) => key !== null && keys.includes(key));
}

interface Named {
  readonly headers: Headers;
  readonly url: string;
  /** Parsed JSON. */
  readonly body: unknown;
}

/** As the user of Basic authentication, or in the body. */
function writeKeys(headers: Headers, body: unknown): readonly string[] {
  const [, encoded = ""] = /^basic +([a-z0-9+/]+=*) *$/i.exec(headers.get("authorization") ?? "") ?? [];
  let user = "";
  try {
    user = atob(encoded).split(":", 1)[0] ?? "";
  } catch {
    // No Base64: no key.
  }
  return v.is(withKey, body) ? [user, body.writeKey] : [user];
}
