/** The tests of an engine whose edge is the Worker in workerd instead of the server for Node. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testClients } from "./clients/clients.ts";
import { type RunningEdge, startWorkerdEdge } from "./edge.ts";
import { type Dialect, judgeAll, type Shape } from "./judge.ts";
import { judgePaging, type Paging } from "./paging.ts";

/** To be called in the describe() of the engine. */
export function testWorkerd(
  name: string,
  backend: string,
  engine: () => string,
  shapes: readonly Shape[],
  dialect: Dialect,
  ways: readonly Paging[],
): void {
  describe("in workerd", () => {
    let edge: RunningEdge;
    beforeAll(async () => {
      edge = await startWorkerdEdge(backend, engine());
    });
    afterAll(() => edge?.stop());

    it(`answers ${shapes.length} shapes of requests`, async () => {
      expect(await judgeAll(shapes, engine(), edge.url, dialect)).toEqual([]);
    }, 120_000);

    testClients(name, () => ({ engine: engine(), edge: edge.url }), ["JavaScript", "Python"]);

    it("loses no hit from page to page", async () => {
      expect(await judgePaging(ways, engine(), edge.url, dialect)).toEqual([]);
    }, 120_000);
  });
}
