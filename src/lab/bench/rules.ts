/**
 * What rules cost a search that none of them fits: the same search, re-ranked, at an edge without rules, at one that reads rules and has none, and at
 * one with a thousand; one right after the other, on a connection each.
 */
import { join } from "node:path";
import { publishRules, type RulesStore } from "../../search/rules-store.ts";
import { sleep } from "../../web.ts";
import { USER_HEADER } from "../../protocol.ts";
import { publishCatalogue } from "../harness/catalogue.ts";
import { startWorkerd, type Vars, writeWorkerdConfig } from "../harness/workerd.ts";
import { products, searchBody } from "./engine.ts";
import { against, differences, type Measurement, measured } from "./measurement.ts";
import { type Bench, inTurns } from "./run.ts";
import { CATALOG, connect, type Edge, openSurroundings, PAGE_SIZE, requireOutcome, searchPath, unitOf, WINDOW } from "./shop.ts";

const RULES = 1000;

/** As in searches.ts: the record is written after the reply. */
const SETTLE_MS = 4;

/** Words that no search of the bench has. */
const TEXT = JSON.stringify({
  format: 1,
  rules: Array.from({ length: RULES }, (_, i) => ({
    id: `rule-${i}`,
    when: { query: [{ [["is", "starts", "contains"][i % 3]!]: `unheard${i} piece${i % 20}` }] },
    action: { do: "bury", match: [{ field: "category", is: [`category ${i}`] }], places: 5 },
  })),
});

type Kind = "without" | "none" | "thousand";

export async function benchRules(bench: Bench): Promise<Measurement[]> {
  const bundle = await bench.bundle("edge");
  const around = await openSurroundings(bench, [WINDOW]);
  const start = async (name: Kind, more: Vars, catalog: string): Promise<Edge> => {
    const index = { backend: "elasticsearch", url: `http://${around.engine.address}`, catalog, window: WINDOW };
    const vars = { ...around.vars, INDEXES: { [`window-${WINDOW}`]: index }, ...more };
    return connect(
      bench,
      await startWorkerd(writeWorkerdConfig(join(bench.folder, name), bundle, { vars, stores: around.stores.address })),
    );
  };
  const ruled = `${CATALOG}-ruled`;
  const { kv } = around.stores;
  await publishCatalogue(kv, ruled, products());
  const store: RulesStore = {
    place: "the stand-in",
    get: (key) => kv.get(key),
    async put(entries) {
      for (const { key, value } of entries) await kv.put(key, value); // oxlint-disable-line no-await-in-loop
    },
  };
  await publishRules(store, { catalog: ruled, text: TEXT, by: "bench", at: new Date() });
  const edges: Readonly<Record<Kind, Edge>> = {
    without: await start("without", {}, CATALOG),
    none: await start("none", { LIVE_RULES: true }, CATALOG),
    thousand: await start("thousand", { LIVE_RULES: true }, ruled),
  };
  const { rounds, warmUpRounds, maxSeconds } = bench.plan;
  let query = "";
  const turns = {
    label: `Rules, K = ${WINDOW}`,
    kinds: [["without"], ["none"], ["thousand"]] as const,
    rounds,
    warmUpRounds,
    maxSeconds,
    beforeRound: async () => void (query = around.nextQuery()),
  };
  const times = await inTurns(bench, turns, async (kind: Kind) => {
    const headers = { [USER_HEADER]: unitOf("armmt") };
    const answer = await edges[kind].client.ask(searchPath(WINDOW), { headers, body: searchBody(query, PAGE_SIZE) });
    requireOutcome(answer, "applied");
    await sleep(SETTLE_MS);
    return answer.ms;
  });
  const peer = against("re-ranked without rules, same round", times("without"));
  const more = (kind: Kind) => differences(times(kind), times("without"));
  return [
    measured("search, re-ranked, without rules", "ms", times("without")),
    measured("search, re-ranked, rules are read and there are none", "ms", times("none"), peer),
    measured(`search, re-ranked, ${RULES} rules that fit none`, "ms", times("thousand"), peer),
    measured("added where rules are read and there are none", "ms", more("none")),
    measured(`added by ${RULES} rules that fit none`, "ms", more("thousand")),
  ];
}
