/** A million units in Node: the same variants as in the isolates of million.test.ts and million-again.test.ts. */
import { expect, it } from "vitest";
import { assignMillion, EXPECTED_DIGEST, UNITS } from "./million.ts";

it("gives a million units the variants that every isolate and Node give them, in fair shares and independently", () => {
  const { digest, shares } = assignMillion();
  expect(digest).toBe(EXPECTED_DIGEST);
  [0.5, 0.5, 0.25].forEach((p, i) => expect(Math.abs(shares[i]! - p)).toBeLessThan(4 * Math.sqrt((p * (1 - p)) / UNITS)));
});
