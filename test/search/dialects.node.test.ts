/** The contract as a third party runs it: in Node, without a model. */
import { describe, expect, it } from "vitest";
import { ALL_DIALECTS } from "../../src/backends/all-dialects.ts";
import { defineDialect, type DialectDefinition } from "../../src/backends/dialects.ts";
import { dialectChecks } from "../../src/testing.ts";
import { STAND_INS } from "./dialects/all.ts";
import { solr } from "./dialects/solr.ts";

describe.each(STAND_INS)("$title", ({ backend, ...standIn }) => {
  it.each(dialectChecks(ALL_DIALECTS.get(backend)!, standIn, { backend }))("$name", ({ run }) => run());
});

/** Names of the checks that fail for Solr with another plan(). */
async function failures(plan: (own: ReturnType<DialectDefinition["create"]>) => Partial<ReturnType<DialectDefinition["create"]>>) {
  const { create } = ALL_DIALECTS.get("solr")!;
  const broken = defineDialect({
    names: ["broken"],
    create(indexes) {
      const own = create(indexes);
      return { ...own, ...plan(own) };
    },
  });
  const failed: string[] = [];
  for (const { name, run } of dialectChecks(broken, solr)) await run().catch(() => failed.push(name));
  return failed;
}

describe("dialectChecks()", () => {
  it("finds a dialect that loses a hit", async () => {
    const failed = await failures((own) => ({
      plan(request, index) {
        const plan = own.plan(request, index);
        if (!plan.ok) return plan;
        const parseReply = (bytes: Uint8Array) => {
          const reply = plan.value.parseReply(bytes);
          if (!reply.ok) return reply;
          return {
            ok: true as const,
            value: {
              ...reply.value,
              assemble: (orders: readonly (readonly number[] | undefined)[]) =>
                reply.value.assemble(orders.map((order) => order?.slice(1))),
            },
          };
        };
        return { ok: true, value: { ...plan.value, parseReply } };
      },
    }));
    expect(failed).toContain("`select`: applied");
    expect(failed).toContain("pages by start, rows add up to the engine's hits, in one order for all page sizes");
  });

  it("finds a dialect that passes the shopper's key on", async () => {
    expect(await failures(() => ({ clientHeaders: ["cookie"] }))).toEqual(["keys: the edge's goes to the engine, the shopper's does not"]);
  });

  it("finds a dialect that never re-ranks", async () => {
    const failed = await failures((own) => ({
      plan: (request, index) => own.plan({ ...request, search: `${request.search}&sort=price+asc` }, index),
    }));
    expect(failed).toContain("`select`: applied");
    expect(failed).toContain("off: the engine's bytes");
  });

  it("wants a first case that is re-ranked", () => {
    expect(() => dialectChecks(ALL_DIALECTS.get("solr")!, { ...solr, cases: [] })).toThrow(/The first case/);
  });
});
