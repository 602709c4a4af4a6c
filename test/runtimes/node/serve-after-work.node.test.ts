import { describe, expect, it } from "vitest";
import { createAfterWork } from "../../../src/runtimes/node/serve.ts";

describe("createAfterWork()", () => {
  it("settles when all has ended, also what was added meanwhile, and logs what failed", async () => {
    const logged: unknown[] = [];
    const after = createAfterWork((entry) => logged.push(entry));
    const ended: string[] = [];
    const work = async (name: string, ms: number): Promise<void> => {
      await new Promise((resolve) => setTimeout(resolve, ms));
      ended.push(name);
    };
    after.add(work("first", 10).then(() => after.add(work("second", 10))));
    after.add(Promise.reject(new Error("no disk")));
    expect(after.size).toBe(2);
    await after.settled();
    expect(ended).toEqual(["first", "second"]);
    expect(after.size).toBe(0);
    expect(logged).toEqual([{ level: "error", event: "after_reply_failed", detail: "Error: no disk" }]);
    await after.settled();
  });
});
