/** A call beside the searches: to the engine and back, as it is. */
import type { CallRequest, Dialect, PlannedCall } from "../backends/dialect.ts";
import type { EngineClient } from "../backends/engine.ts";
import { type Client, headersFromEngine } from "../backends/headers.ts";
import type { EdgeDeps } from "./contract.ts";
import { replyWith } from "./respond.ts";

interface PassedOn {
  readonly call: PlannedCall;
  readonly method: CallRequest["method"];
  readonly client: Client;
  readonly backend: Dialect;
  readonly engine: EngineClient;
}

/** Never rejects. */
export async function passOn({ call, method, client, backend, engine }: PassedOn, deps: EdgeDeps): Promise<Response> {
  const { engineTimeoutMs, counters, log } = deps;
  const reply = await engine.send(call.request, client, engineTimeoutMs);
  counters.countCall(reply.ok ? (reply.value.status < 400 ? "answered" : "refused_by_engine") : reply.error.reason);
  if (!reply.ok) {
    const { reason, detail } = reply.error;
    if (reason === "aborted") return new Response(null, { status: 499 });
    log({ level: "warn", event: "call_failed", index: call.indexes[0], reason, detail });
    const isLate = reason === "engine_timeout";
    const message = `The search engine ${isLate ? "did not answer in time" : "cannot be reached"}; try again`;
    const { headers, body } = backend.describeError(isLate ? 504 : 502, reason, message);
    return new Response(body, { status: isLate ? 504 : 502, headers: { ...headers, "cache-control": "no-store" } });
  }
  const headers = headersFromEngine(reply.value.headers, { isEdited: false, isPrivate: true });
  if (method === "HEAD") return new Response(null, { status: reply.value.status, headers });
  return replyWith(reply.value, headers, reply.value.body, log);
}
