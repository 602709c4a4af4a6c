/** The bindings that tests inside workerd get from wrangler.toml. */
declare module "cloudflare:test" {
  export const env: {
    readonly EMBEDDINGS: import("@cloudflare/workers-types").KVNamespace;
    readonly EVENTS: import("@cloudflare/workers-types").D1Database;
  };
}
