/** The parts of the bench by name, in the order in which they run. Those that are asked for only take long, or need something. */
import { benchBusy } from "./busy.ts";
import { benchCold } from "./cold.ts";
import type { Bench } from "./context.ts";
import { benchCounts } from "./counts.ts";
import { benchFeatures } from "./features.ts";
import type { Measurement } from "./measurement.ts";
import type { PartName } from "./part-names.ts";
import { benchProviders } from "./providers.ts";
import { benchRankers } from "./rankers.ts";
import { benchReplies } from "./replies.ts";
import { benchRuns } from "./runs.ts";
import { benchScaling } from "./scaling.ts";
import { benchSearches } from "./searches.ts";
import { benchServers } from "./servers.ts";
import { benchMachine } from "./steadiness.ts";
import { benchStore } from "./stored.ts";
import { benchIsolate, benchLoad, benchSoak } from "./sustained.ts";

export const PARTS: Readonly<Record<PartName, (bench: Bench) => Promise<Measurement[]>>> = {
  machine: benchMachine,
  searches: benchSearches,
  busy: benchBusy,
  cold: benchCold,
  load: benchLoad,
  isolate: benchIsolate,
  scaling: benchScaling,
  servers: benchServers,
  model: benchRuns,
  rankers: benchRankers,
  features: benchFeatures,
  replies: benchReplies,
  store: benchStore,
  counts: benchCounts,
  soak: benchSoak,
  providers: benchProviders,
};
