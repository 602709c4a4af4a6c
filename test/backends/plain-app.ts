/** An edge in Node in front of an engine that notes what it is asked: no model and nothing published, so that every search is left alone. */
import { ALL_DIALECTS } from "../../src/backends/all-dialects.ts";
import { openEdge, type Platform } from "../../src/edge.ts";
import { kvOf } from "../../src/embeddings/store.ts";
import { scorersOf } from "../../src/inference/scorer.ts";
import { bypass, ok } from "../../src/result.ts";

export interface Sent {
  readonly method: string;
  /** As it was given to fetch. */
  readonly url: string;
  readonly headers: Headers;
  readonly body: string;
}

const REPLY = '{"reply":"of the engine",  "n":1.0}';

/** `vars`: of the environment. */
export function openPlain(vars: object, platform: Partial<Platform> = {}) {
  const sent: Sent[] = [];
  const app = openEdge({
    env: { ...vars },
    kv: kvOf(async () => undefined),
    sinks: { write: async () => ok(true), writeEvents: async () => ok({ written: 0, duplicates: 0, deferred: 0 }) },
    scorer: scorersOf([bypass("model_unavailable", "none")]),
    fetch: async (url, init) => {
      const request = new Request(url, init);
      sent.push({ method: request.method, url, headers: request.headers, body: await request.text() });
      return new Response(request.method === "HEAD" ? null : REPLY, { headers: { "content-type": "application/json", server: "secret" } });
    },
    dialects: ALL_DIALECTS,
    log: () => undefined,
    ...platform,
  });
  const context = { waitUntil: () => undefined, passThroughOnException: () => undefined, props: {} };
  return {
    sent,
    reply: REPLY,
    app,
    send: async (path: string, init?: RequestInit): Promise<Response> =>
      app.fetch(new Request(`https://edge.example.com${path}`, init), {}, context),
  };
}
