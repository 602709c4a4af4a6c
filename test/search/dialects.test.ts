/**
 * The contract that every dialect passes (src/testing.ts), with real KV and the committed model. The matrix in the README is made of the same
 * cases (test/readme.node.test.ts).
 */
import { beforeAll, describe, it } from "vitest";
import { ALL_DIALECTS } from "../../src/backends/all-dialects.ts";
import { dialectChecks } from "../../src/testing.ts";
import { drawnItems, publish } from "./catalog.ts";
import { STAND_INS } from "./dialects/all.ts";
import { openEdge } from "./edge.ts";

const CATALOG = "dialects";

beforeAll(() => publish(CATALOG));

const items = drawnItems()
  .slice(0, 45)
  .map(({ itemId }, i) => ({ id: itemId, title: `item ${i}`, price: 10 + i }));

describe.each(STAND_INS)("$title", ({ backend, config, ...standIn }) => {
  const inCatalog = { ...standIn, config: { ...config, catalog: CATALOG } };
  const checks = dialectChecks(ALL_DIALECTS.get(backend)!, inCatalog, {
    backend,
    items,
    open: (vars, engine) => openEdge({ catalog: CATALOG, engine, vars }),
  });
  it.each(checks)("$name", ({ run }) => run());
});
