/** `/events` and its two other formats as HTTP: allowed origins, request, reply and statuses. */
import * as v from "valibot";
import { isBot } from "../experiment/bots.ts";
import { type EventFormat, hasConsent, TOKENS_HEADER } from "../protocol.ts";
import { errorStack, type Log } from "../web.ts";
import { ingest, type IngestDeps, type IngestReport, type IngestRequest } from "./ingest.ts";

/** Of a request; the limit of a browser's beacon. */
export const MAX_EVENTS_BYTES = 64 * 1024;

interface EventsRequest extends Pick<IngestRequest, "format" | "afterReply"> {
  /** As the client called the edge. */
  readonly url: string;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

/** Never rejects. */
export type EventsEndpoint = (request: EventsRequest) => Promise<Response>;

export interface EventsEndpointDeps {
  /** `undefined` without the secret: all events are refused. */
  readonly ingest: IngestDeps | undefined;
  /** As in the configuration: pages of these origins may send; "*" for all, and those of the edge's own origin always. */
  readonly allowOrigins: readonly string[];
  readonly log: Log;
}

const json = v.pipe(v.string(), v.parseJson());

export function createEventsEndpoint({ ingest: deps, allowOrigins, log }: EventsEndpointDeps): EventsEndpoint {
  return async ({ format, url, headers, body, afterReply }) => {
    if (deps === undefined)
      return refuseEvents(404, "events_closed", "No events are taken: the edge has no EVENT_SECRET of 32 characters or more");
    const origin = headers.get("origin");
    if (origin !== null && origin !== new URL(url).origin && !allowOrigins.includes("*") && !allowOrigins.includes(origin)) {
      return refuseEvents(403, "origin_not_allowed", `Pages of ${origin} may not send events: add it to ALLOW_ORIGINS`);
    }
    const parsed = v.safeParse(json, new TextDecoder().decode(body));
    if (!parsed.success) return refuseEvents(400, "malformed", "The body is not valid JSON");
    try {
      const tokens = headers.get(TOKENS_HEADER) ?? undefined;
      const request = { format, body: parsed.output, tokens, hasConsent: hasConsent(headers), isBot: isBot(headers), afterReply };
      const report = await ingest(request, deps);
      if (report.ok) return Response.json(replyOf(format, report.value), { headers: { "cache-control": "no-store" } });
      const { code, message } = report.error;
      return refuseEvents(code === "malformed" ? 400 : 503, code, message);
    } catch (cause) {
      log({ level: "error", event: "internal_error", detail: errorStack(cause) });
      return refuseEvents(500, "internal_error", "The edge failed; its log says why");
    }
  };
}

/** With the members that clients of each format look for. */
function replyOf(format: EventFormat, report: IngestReport): object {
  if (format === "algolia") return { status: 200, message: "OK", ...report };
  return format === "metarank" ? { status: "ok", updated: 0, tookMillis: 0, ...report } : report;
}

/** Clients keep their events and retry on 408, 429 and 5xx. */
export function refuseEvents(status: number, code: string, message: string): Response {
  const headers = { "cache-control": "no-store", ...((status === 429 || status === 503) && { "retry-after": "60" }) };
  return Response.json({ error: { code, message } }, { status, headers });
}
