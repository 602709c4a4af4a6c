/**
 * Two rings: files ending in `.node.test.ts` need Node (files, native libraries), all others run inside workerd with real KV and D1.
 * Browser tests have their own config (test/browser), because they need Chromium.
 *
 * Files in Node share their worker and what it has loaded: a process and the sources anew take longer than most of them. A file that depends
 * on what it finds loaded, or measures its own process, is in OWN_PROCESS.
 */
import { availableParallelism } from "node:os";
import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";
import { buildEdge } from "./src/cli/build/edge-build.ts";
import { useOwnTemporaryFolder } from "./test/harness/temporary-folder.ts";

/** `--project "node*"` finds them too. */
const OWN_PROCESS = [
  // Times of code in which nothing else has left its types and its garbage.
  "test/backends/linear.node.test.ts",
  "test/rules/cost.node.test.ts",
  // The environment is read when the sources are loaded.
  "test/cli/train.node.test.ts",
  // Listens to the whole process.
  "test/hosts.node.test.ts",
];

/** Only what hangs takes so long, on a machine with much other work too. */
const PATIENCE_MS = 240_000;

const patience = { testTimeout: PATIENCE_MS, hookTimeout: PATIENCE_MS, expect: { poll: { timeout: 30_000 } } } as const;
const node = { environment: "node", ...patience } as const;

// What the Worker imports; wrangler would have it made.
await buildEdge({ quick: true });

useOwnTemporaryFolder();

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
          ...patience,
        },
      },
      { test: { ...node, name: "node", include: ["test/**/*.node.test.ts"], exclude: ["test/engines/**", ...OWN_PROCESS], isolate: false } },
      { test: { ...node, name: "node alone", include: OWN_PROCESS } },
    ],
  },
});
