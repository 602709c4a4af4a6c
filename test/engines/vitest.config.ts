/** Real engines behind the edge, two at a time: each takes a JVM. `npm run test:engines`. */
import { defineConfig } from "vitest/config";
import { reporter } from "./reporter.ts";
import { useOwnTemporaryFolder } from "../harness/temporary-folder.ts";

useOwnTemporaryFolder();

export default defineConfig({
  test: {
    reporters: ["default", reporter],
    include: ["test/engines/**/*.node.test.ts"],
    environment: "node",
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 30_000 } },
  },
});
