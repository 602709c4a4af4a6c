/** `/events` and its two other formats as HTTP: allowed origins, request, reply and statuses. */
import * as v from "valibot";
import { isBot } from "../experiment/bots.ts";
import { type EventFormat, hasEventConsent, SIGNATURE_HEADER, TOKENS_HEADER } from "../protocol.ts";
import { ok, type Result } from "../result.ts";
import { errorStack, type Log } from "../web.ts";
import { hasKnownKey } from "./client-keys.ts";
import { formatOf } from "./readers.ts";
import { ingest, type IngestDeps, type IngestReport, type IngestRequest } from "./ingest.ts";
import { checkSignature, type SignatureProblem } from "./signature.ts";

/** Of a request; the limit of a browser's beacon. */
export const MAX_EVENTS_BYTES = 64 * 1024;

interface EventsRequest extends Pick<IngestRequest, "format" | "afterReply"> {
  /** As the client called the edge. */
  readonly url: string;
  readonly headers: Headers;
  readonly body: Uint8Array;
  /** The client's, where it is known. */
  readonly address?: string | undefined;
}

/** Sends events of an engine's own clients on to that engine, after the reply; `body` is parsed. False where they do not go there. Never throws. */
export type ForwardEvents = (format: EventFormat, request: EventsRequest, body: unknown) => boolean;

/** Never rejects. */
export type EventsEndpoint = (request: EventsRequest) => Promise<Response>;

export interface EventsEndpointDeps {
  /** `undefined` without the secret: all events are refused. */
  readonly ingest: IngestDeps | undefined;
  /** What servers of the shop sign with; `undefined`: signed requests are refused. */
  readonly orderSecret?: string | undefined;
  /** Of other tools' clients; empty: whatever they send. */
  readonly eventKeys?: readonly string[] | undefined;
  /** As in the configuration: pages of these origins may send; "*" for all, and those of the edge's own origin always. */
  readonly allowOrigins: readonly string[];
  /** Absent: no engine gets events. */
  readonly forward?: ForwardEvents | undefined;
  readonly log: Log;
}

const json = v.pipe(v.string(), v.parseJson());

export function createEventsEndpoint(options: EventsEndpointDeps): EventsEndpoint {
  const { ingest: deps, orderSecret, eventKeys = [], allowOrigins, forward, log } = options;
  return async (request) => {
    const { format, url, headers, body, afterReply } = request;
    if (deps === undefined)
      return refuseEvents(404, "events_closed", "No events are taken: the edge has no EVENT_SECRET of 32 characters or more");
    const refuseCounted = (status: number, code: string, message: string): Response => {
      deps.counters.countRejected(code);
      return refuseEvents(status, code, message);
    };
    const origin = headers.get("origin");
    if (origin !== null && origin !== new URL(url).origin && !allowOrigins.includes("*") && !allowOrigins.includes(origin)) {
      return refuseCounted(403, "origin_not_allowed", `Pages of ${origin} may not send events: add it to ALLOW_ORIGINS`);
    }
    const parsed = v.safeParse(json, new TextDecoder().decode(body));
    if (!parsed.success) return refuseEvents(400, "malformed", "The body is not valid JSON");
    try {
      const signature = headers.get(SIGNATURE_HEADER);
      const signed = signature === null ? ok(true) : await checkSigned(signature, body, orderSecret, deps.now());
      if (!signed.ok) return refuseCounted(401, signed.error, SIGNATURE_PROBLEMS[signed.error]);
      if (signature === null && !hasKnownKey(eventKeys, format, { headers, url, body: parsed.output })) {
        return refuseCounted(401, "key_unknown", "The key of this client is none of EVENT_KEYS: correct the client, or add its key there");
      }
      const tokens = headers.get(TOKENS_HEADER) ?? undefined;
      const who = { hasConsent: hasEventConsent(headers, url), isBot: isBot(headers), isSigned: signature !== null };
      const isForwarded = !who.isBot && forward?.(formatOf(format, parsed.output), request, parsed.output) === true;
      const report = await ingest({ format, body: parsed.output, tokens, ...who, afterReply }, deps);
      if (report.ok) {
        const status = isForwarded ? 200 : statusOf(format, report.value, parsed.output);
        const said = { ...report.value, ...(isForwarded && { forwarded: true }) };
        return Response.json(replyOf(format, said, status), { status, headers: { "cache-control": "no-store" } });
      }
      const { code, message } = report.error;
      return refuseEvents(code === "malformed" ? 400 : 503, code, message);
    } catch (cause) {
      log({ level: "error", event: "internal_error", detail: errorStack(cause) });
      return refuseEvents(500, "internal_error", "The edge failed; its log says why");
    }
  };
}

const SIGNATURE_PROBLEMS: Readonly<Record<SignatureProblem | "signature_unknown", string>> = {
  signature_unknown: "The edge has no ORDER_SECRET of 32 characters or more to check a signature with: set it, or send no signature",
  signature_invalid: `${SIGNATURE_HEADER} is not t=<seconds>,v1=<HMAC-SHA-256 of "<t>.<body>" with ORDER_SECRET in hexadecimal>`,
  signature_expired: "The signature is more than five minutes from the edge's clock: sign again, and set the clock",
};

async function checkSigned(
  signature: string,
  body: Uint8Array,
  secret: string | undefined,
  nowMs: number,
): Promise<Result<true, keyof typeof SIGNATURE_PROBLEMS>> {
  return secret === undefined ? { ok: false, error: "signature_unknown" } : checkSignature({ signature, body, secret, nowMs });
}

/** Google's and Segment's servers say 200 whatever comes, and their clients send what else they have too: pages, users. */
const NEVER_REFUSED: ReadonlySet<EventFormat> = new Set(["ga4", "segment"]);

/**
 * What InstantSearch sends of itself: that it has started, which hits it shows, after no search, and which filter was chosen. Refused like all
 * events about no served list, but no fault of the page, whose console would fill with it.
 */
const unasked = v.object({
  events: v.array(
    v.union([
      v.object({ eventType: v.picklist(["instantsearch", "view"]), queryID: v.optional(v.undefined()) }),
      v.object({ filters: v.array(v.string()), objectIDs: v.optional(v.undefined()) }),
    ]),
  ),
});

/** 422 where nothing of it was taken. Clients do not send that again. */
function statusOf(format: EventFormat, { accepted, duplicates, rejected }: IngestReport, body: unknown): 200 | 422 {
  if (rejected.length === 0 || accepted + duplicates > 0 || NEVER_REFUSED.has(format)) return 200;
  return format === "algolia" && v.is(unasked, body) ? 200 : 422;
}

/** With the members that clients of each format look for. */
function replyOf(format: EventFormat, report: IngestReport, status: 200 | 422): object {
  const [first] = report.rejected;
  if (format === "algolia") return { status, message: status === 200 ? "OK" : first?.message, ...report };
  if (format === "segment") return { success: true, ...report };
  if (format === "typesense") return { ok: status === 200, ...(status !== 200 && { message: first?.message }), ...report };
  return format === "metarank" ? { status: status === 200 ? "ok" : "error", updated: 0, tookMillis: 0, ...report } : report;
}

/** Clients keep their events and retry on 408, 429 and 5xx. */
export function refuseEvents(status: number, code: string, message: string): Response {
  const headers = { "cache-control": "no-store", ...((status === 429 || status === 503) && { "retry-after": "60" }) };
  return Response.json({ error: { code, message } }, { status, headers });
}
