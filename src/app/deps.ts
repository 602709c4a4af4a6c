/** What an app is made of. */
import type { Context, Hono } from "hono";
import type { RequestLimits } from "../backends/dialect.ts";
import type { Fetch } from "../backends/engine.ts";
import type { Overview } from "../dashboard/overview.ts";
import type { RulesAdmin } from "../dashboard/rules.ts";
import type { EventsEndpoint } from "../events/endpoint.ts";
import type { AfterReply } from "../events/sink.ts";
import type { EdgeDeps, IndexDeps } from "../search/contract.ts";

export interface AppDeps {
  readonly edge: EdgeDeps;
  /** Index name → its search; clients can name no other. */
  readonly indexes: ReadonlyMap<string, IndexDeps>;
  readonly requestLimits: RequestLimits;
  readonly adminToken: string | undefined;
  /** Without a slash at its end. */
  readonly storefrontUrl: string | undefined;
  /** Empty: pages of other origins may not search. */
  readonly allowOrigins: readonly string[];
  readonly fetch: Fetch;
  /** Absent: there are no routes for events. */
  readonly events?: EventsEndpoint | undefined;
  /** For /armmt/status. */
  readonly status: () => Promise<object>;
  /** For the dashboard; absent where the events are in no database that can be asked. */
  readonly overview?: (() => Promise<Overview>) | undefined;
  /** For the rules of the dashboard. */
  readonly rules?: RulesAdmin | undefined;
  /** Their page, packed; a Worker carries it where it was given one. */
  readonly rulesPage?: (() => Promise<BlobPart>) | undefined;
  /** Counts one more search (or batch of events) of a client; false beyond its limit. */
  readonly isWithinRate?: ((client: string) => Promise<boolean>) | undefined;
  readonly clientAddress: ClientAddress;
  /** The header in which a proxy of the shop names the client: then nothing else does. */
  readonly clientAddressHeader: string | undefined;
  /** The header in which a proxy of the shop, or Cloudflare, names the client's country. */
  readonly clientCountryHeader: string | undefined;
  /** Default: the request's execution context where there is one, else the work just runs. */
  readonly afterReply?: AfterReply | undefined;
}

/** The address of the client that sent the request, as the runtime saw it, not as the client says; `undefined` where it is unknown. */
export type ClientAddress = (c: Context) => string | undefined;

/** To be served or mounted, also below a prefix. */
export type EdgeApp = Hono & {
  /** Whether searches arrive at this path, not below a prefix, whatever the method. */
  readonly isSearchPath: (path: string) => boolean;
};
