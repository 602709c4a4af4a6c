/** A request with one search and its reply, as if there were no others: what most tests of a dialect look at. */
import type { Dialect, ClientRequest, EngineRequest, Hit, RequestPlan, SearchPlan } from "../../src/backends/dialect.ts";
import type { Bypass, Result } from "../../src/result.ts";
import { ok } from "../../src/result.ts";

export interface PlannedSearch extends SearchPlan {
  readonly own: EngineRequest;
  widen(size: number): EngineRequest;
  readonly request: RequestPlan;
}

/** Throws where the request is refused. */
export function planSearch(
  backend: Dialect,
  index: string | undefined,
  request: Omit<ClientRequest, "path"> & { path?: string },
): PlannedSearch {
  const planned = backend.plan({ path: backend.routes[0]!.path.replace(":index", index ?? ""), ...request }, index);
  if (!planned.ok) throw new Error(planned.error.message);
  const plan = planned.value;
  const [search, ...more] = plan.searches;
  if (search === undefined || more.length > 0) throw new Error(`The request holds ${plan.searches.length} searches`);
  return { ...search, own: plan.own, widen: (size) => plan.widen([size]), request: plan };
}

export interface ReadReply {
  readonly hits: readonly Hit[];
  readonly bypass: Bypass | undefined;
  assemble(places: readonly number[]): Uint8Array<ArrayBuffer>;
}

export function parseReply(backend: Dialect, bytes: Uint8Array, { request }: PlannedSearch): Result<ReadReply, Bypass> {
  const read = backend.parseReply(bytes, request);
  if (!read.ok) return read;
  const part = read.value.searches[0]!;
  return part.ok ? ok({ ...part.value, assemble: (places) => read.value.assemble([places]) }) : part;
}
