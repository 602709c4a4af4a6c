/** The body of a request → its events, by the format of its route. `/events` takes UBI's, and GA4's and Segment's, which look like no other. */
import type { EventFormat } from "../protocol.ts";
import type { Result } from "../result.ts";
import { CLIENT_READERS, type ClientBatch } from "./client-batch.ts";
import { ENGINE_READERS, isMeilisearch } from "./engine-batch.ts";
import { isGa4, readGa4 } from "./ga4.ts";
import { isSegment, readSegment } from "./segment.ts";

type Reader = (body: unknown) => Result<ClientBatch, string>;

const BY_FORMAT: Readonly<Record<EventFormat, Reader>> = { ...CLIENT_READERS, ...ENGINE_READERS, ga4: readGa4, segment: readSegment };

/** The errors are for the client's developer. */
export function readEvents(format: EventFormat, body: unknown): Result<ClientBatch, string> {
  return BY_FORMAT[formatOf(format, body)](body);
}

/** At UBI's path come those of other tools too. */
export function formatOf(format: EventFormat, body: unknown): EventFormat {
  if (format !== "ubi") return format;
  return isSegment(body) ? "segment" : isGa4(body) ? "ga4" : isMeilisearch(body) ? "meilisearch" : "ubi";
}
