/** A million units in one isolate; its twin (million, million-again) runs in another, and Node has its own. */
import { expect, it } from "vitest";
import { assignMillion, EXPECTED_DIGEST, UNITS } from "./million.ts";

it("gives a million units the variants that every isolate and Node give them, in fair shares and independently", () => {
  const { digest, shares } = assignMillion();
  expect(digest).toBe(EXPECTED_DIGEST);
  [0.5, 0.5, 0.25].forEach((p, i) => expect(Math.abs(shares[i]! - p)).toBeLessThan(4 * Math.sqrt((p * (1 - p)) / UNITS)));
});
