/** The bindings that tests inside workerd get from wrangler.toml, and what the test runner offers there. */
declare module "cloudflare:test" {
  export const env: {
    readonly EMBEDDINGS: import("@cloudflare/workers-types").KVNamespace;
    readonly EVENTS: import("@cloudflare/workers-types").D1Database;
    readonly DEAD_LETTERS: import("@cloudflare/workers-types").KVNamespace;
    readonly EVENTS_BUCKET: import("@cloudflare/workers-types").R2Bucket;
    readonly EVENTS_QUEUE: import("@cloudflare/workers-types").Queue;
    readonly EVENTS_ANALYTICS: import("@cloudflare/workers-types").AnalyticsEngineDataset;
    readonly EVENTS_PIPELINE: { send(records: object[]): Promise<void> };
  };
  export function createExecutionContext(): import("@cloudflare/workers-types").ExecutionContext;
  /** Resolves when all that was given to `waitUntil` has settled. */
  export function waitOnExecutionContext(context: import("@cloudflare/workers-types").ExecutionContext): Promise<void>;
}

interface ImportMeta {
  /** Vite's: modules by their path, none where nothing matches. */
  glob(pattern: string, options: { readonly eager: true; readonly import: "default" }): Readonly<Record<string, unknown>>;
}
