/**
 * Two rings: files ending in `.node.test.ts` need Node (files, native libraries), all others run inside workerd with real KV and D1.
 * Browser tests have their own config (test/browser), because they need Chromium.
 */
import { availableParallelism } from "node:os";
import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";
import { buildEdge } from "./src/cli/build/edge-build.ts";

// What the Worker imports; wrangler would have it made.
await buildEdge({ quick: true });

export default defineConfig({
  test: {
    // Vitest would leave a core free, and on two cores run one file after the other.
    maxWorkers: availableParallelism(),
    projects: [
      {
        plugins: [
          cloudflareTest({
            wrangler: { configPath: "./wrangler.toml" },
            // Optional in a deployment, so not in wrangler.toml: test/search/indexes.test.ts runs into the limit, test/events/ writes to the rest.
            miniflare: {
              ratelimits: { RATE_LIMITER: { namespace_id: "1001", simple: { limit: 2, period: 60 } } },
              kvNamespaces: { DEAD_LETTERS: "test-dead-letters" },
              r2Buckets: { EVENTS_BUCKET: "test-events" },
              queueProducers: { EVENTS_QUEUE: "test-events" },
              analyticsEngineDatasets: { EVENTS_ANALYTICS: { dataset: "test-events" } },
              pipelines: { EVENTS_PIPELINE: "test-events" },
            },
          }),
        ],
        test: {
          name: "workerd",
          include: ["test/**/*.test.ts"],
          exclude: ["test/**/*.node.test.ts", "test/browser/**", "test/engines/**"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: { name: "node", include: ["test/**/*.node.test.ts"], exclude: ["test/engines/**"], testTimeout: 60_000, hookTimeout: 120_000, environment: "node" },
      },
    ],
  },
});
