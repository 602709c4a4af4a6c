/** Events of pages, and the script that sends them. */
import type { Context } from "hono";
import { BODY_REFUSALS, readSent } from "../backends/body.ts";
import { BEACON } from "../events/beacon/bundled.ts";
import { type EventsEndpoint, MAX_EVENTS_BYTES, refuseEvents } from "../events/endpoint.ts";
import type { EventFormat } from "../protocol.ts";
import type { AppDeps } from "./deps.ts";
import { addressOf, afterReplyOf, isWithinRate } from "./requests.ts";

export async function eventsRoute(c: Context, deps: AppDeps, events: EventsEndpoint, format: EventFormat): Promise<Response> {
  const { raw } = c.req;
  if (!(await isWithinRate(deps, addressOf(c, deps), "events ")))
    return refuseEvents(429, "too_many_requests", "Too many events from this address: try again in a minute");
  const body = await readSent(raw, MAX_EVENTS_BYTES);
  if (body.ok) {
    const address = addressOf(c, deps);
    return events({ format, url: raw.url, headers: raw.headers, body: body.value, address, afterReply: afterReplyOf(c, deps) });
  }
  if (body.error === "too long")
    return refuseEvents(413, "too_large", `The body is longer than ${MAX_EVENTS_BYTES} bytes: send less at once`);
  if (body.error === "broken off") deps.edge.log({ level: "warn", event: "upload_broken_off", to: "events" });
  const [status, , message] = BODY_REFUSALS[body.error];
  return refuseEvents(status, "malformed", message(MAX_EVENTS_BYTES, raw.headers));
}

const BEACON_HEADERS = { "content-type": "text/javascript; charset=utf-8", "cache-control": "public, max-age=3600" };

export const beaconRoute = (c: Context): Response => c.body(BEACON, 200, BEACON_HEADERS);
