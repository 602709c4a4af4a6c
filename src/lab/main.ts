/** `armmt` in a checkout of this project: the commands of a shop, the demo, and those that train and measure. */
import { type Commands, run as runCommand, SHOP_COMMANDS } from "../cli/main.ts";

export const PROJECT_COMMANDS: Commands = {
  start: {
    summary: "Run the demo: the edge Worker in front of a shop, on this machine",
    load: async () => (await import("../cli/start.ts")).createStartCommand,
  },
  ...SHOP_COMMANDS,
  simulate: {
    summary: "Simulated shoppers → UBI events",
    load: async () => (await import("./study/simulate.ts")).createSimulateCommand,
  },
  browsing: {
    summary: "Simulated shoppers on pages without words: what a table learned from their log sells to others",
    load: async () => (await import("./study/browse.ts")).createBrowsingCommand,
  },
  assess: {
    summary: "The exported model against engine order, on held-out simulated lists",
    load: async () => (await import("./study/assess.ts")).createAssessCommand,
  },
  attributes: {
    summary: "Queries for what photographs show → a judged catalogue for evaluate",
    load: async () => (await import("./study/attributes.ts")).createAttributesCommand,
  },
  world: {
    summary: "What each part of the simulated truth is worth, and whether it can be read",
    load: async () => (await import("./study/world.ts")).createWorldCommand,
  },
  blind: {
    summary: "Two orders of the demo on a page, to be judged without knowing which is which",
    load: async () => (await import("./blind.ts")).createBlindCommand,
  },
  model: {
    summary: "Train, distil and export the model: the whole pipeline",
    load: async () => (await import("./study/model.ts")).createModelCommand,
  },
  "closed-loop": {
    summary: "Simulated shoppers, an edge and the loop, from the first search to the second model",
    load: async () => (await import("./closed-loop.ts")).createClosedLoopCommand,
  },
  bench: {
    summary: "Measure the time added per search, size and memory",
    load: async () => (await import("./bench.ts")).createBenchCommand,
  },
};

/** Runs one command line (without node and script) and returns the exit code; writes to stdout and stderr. */
export const run = (argv: readonly string[]): Promise<number> => runCommand(argv, PROJECT_COMMANDS);

if (import.meta.main) process.exitCode = await run(process.argv.slice(2));
