/** Requests as applications send them, and what a dialect plans for them. */
import type { ClientRequest, Dialect } from "../../src/backends/dialect.ts";

/** One request of an application. A request with several searches has one list of each. */
export interface ApplicationRequest {
  readonly application: string;
  /** Repository and file, or an address, where the shape of the request can be read. */
  readonly source: string;
  readonly what: string;
  readonly request: {
    readonly method: "GET" | "POST";
    readonly path: string;
    readonly search?: string;
    readonly body?: unknown;
    readonly contentType?: string;
  };
  readonly words: string | undefined;
  /** Of the first search: "applied", or why the edge leaves it alone, or "refused". */
  readonly outcome: string;
  /** Of the searches after the first. */
  readonly others?: readonly string[];
}

/** Words of the first search, and outcomes of all. `index`: the name in the path, where the route has one. */
export function planOf(dialect: Dialect, index: string | undefined, { request }: ApplicationRequest) {
  const { method, path, search = "", body, contentType = "application/json" } = request;
  const text = body === undefined ? "" : typeof body === "string" ? body : JSON.stringify(body);
  const asked: ClientRequest = { method, path, search, body: new TextEncoder().encode(text), contentType };
  const plan = dialect.plan(asked, index);
  // What the edge does not pass on with its own key.
  if (!plan.ok) return { words: undefined, outcomes: [plan.error.status === 400 ? "refused" : plan.error.message] };
  const { searches } = plan.value;
  return { words: searches[0]?.queryText, outcomes: searches.map(({ bypass }) => bypass?.reason ?? "applied") };
}
