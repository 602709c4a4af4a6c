/** The demo page in a real browser, against the real demo. Needs Chromium (CHROMIUM_PATH, or /usr/bin/chromium); skips without it. */
import { defineConfig } from "vitest/config";
import { useOwnTemporaryFolder } from "../harness/temporary-folder.ts";

useOwnTemporaryFolder();

export default defineConfig({
  test: {
    include: ["test/browser/**/*.test.ts"],
    testTimeout: 180_000,
    hookTimeout: 180_000,
    // On a busy machine a page takes longer than the usual second.
    expect: { poll: { timeout: 30_000 } },
    fileParallelism: false,
  },
});
