/** The body of a request → its events, by the format of its route. `/events` takes UBI's, and GA4's and Segment's, which look like no other. */
import type { EventFormat } from "../protocol.ts";
import type { Result } from "../result.ts";
import { CLIENT_READERS, type ClientBatch } from "./client-batch.ts";
import { isGa4, readGa4 } from "./ga4.ts";
import { isSegment, readSegment } from "./segment.ts";

type Reader = (body: unknown) => Result<ClientBatch, string>;

/** The errors are for the client's developer. */
export const READERS: Readonly<Record<EventFormat, Reader>> = {
  ...CLIENT_READERS,
  ubi: (body) => (isSegment(body) ? readSegment(body) : isGa4(body) ? readGa4(body) : CLIENT_READERS.ubi(body)),
  ga4: readGa4,
  segment: readSegment,
};
