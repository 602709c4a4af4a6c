/** A request with one search and its reply, as if there were no others: what most tests of a dialect look at. */
import type { Dialect, ClientRequest, EngineRequest, Hit, RequestPlan, SearchPlan } from "../../src/backends/dialect.ts";
import { type Bypass, ok, type Result } from "../../src/result.ts";

export interface PlannedSearch extends SearchPlan {
  readonly own: EngineRequest;
  widen(size: number): EngineRequest;
  /** The same request as another dialect reads it. */
  by(dialect: Dialect): RequestPlan;
}

/** Throws where the request is refused. */
export function planSearch(
  dialect: Dialect,
  index: string | undefined,
  request: Omit<ClientRequest, "path"> & { path?: string },
): PlannedSearch {
  const by = (other: Dialect): RequestPlan => {
    const planned = other.plan({ path: other.routes[0]!.path.replace(":index", index ?? ""), ...request }, index);
    if (!planned.ok) throw new Error(planned.error.message);
    return planned.value;
  };
  const plan = by(dialect);
  const [search, ...more] = plan.searches;
  if (search === undefined || more.length > 0) throw new Error(`The request holds ${plan.searches.length} searches`);
  return { ...search, own: plan.own, widen: (size) => plan.widen([size]), by };
}

export interface ReadReply {
  readonly hits: readonly Hit[];
  readonly bypass: Bypass | undefined;
  assemble(order: readonly number[]): Uint8Array<ArrayBuffer>;
}

/** The reply to this request, as `dialect` reads it. */
export function parseReply(dialect: Dialect, bytes: Uint8Array, plan: PlannedSearch): Result<ReadReply, Bypass> {
  const read = plan.by(dialect).parseReply(bytes);
  if (!read.ok) return read;
  const part = read.value.searches[0]!;
  return part.ok ? ok({ ...part.value, assemble: (order) => read.value.assemble([order]) }) : part;
}
