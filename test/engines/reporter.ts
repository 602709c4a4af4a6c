/**
 * The end of a run of `npm run test:engines`: what was asked of each engine, what the edge did, and which engines were not asked, with the reason.
 * In CI an engine that could be asked and was not is a failure.
 */
import type { Reporter, TestCase, TestModule } from "vitest/node";
import type { Figures } from "./figures.ts";
import { type EngineName, ENGINES, missing } from "./launch.ts";

export const reporter: Reporter = {
  onTestRunEnd(modules) {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    console.log(["", ...table(tests), ...seconds(modules), ""].join("\n"));
    const skipped = ENGINE_NAMES.filter((name) => !tests.some((test) => engineOf(test) === name && wasRun(test)));
    for (const name of skipped) console.log(missing(name) ?? `${name} was not asked, though it could have been`);
    const forgotten = skipped.filter((name) => missing(name) === undefined);
    if (process.env["CI"] === undefined || forgotten.length === 0) return;
    console.error(`Engines that could be asked and were not: ${forgotten.join(", ")}. Each needs tests in a describe() of its name`);
    process.exitCode = 1;
  },
};

// oxlint-disable-next-line no-unsafe-type-assertion -- the keys of a constant
const ENGINE_NAMES = Object.keys(ENGINES) as readonly EngineName[];

const wasRun = (test: TestCase): boolean => ["passed", "failed"].includes(test.result().state);

/** Name of the outermost describe(). */
function engineOf(test: TestCase): string {
  return test.fullName.split(" > ")[0] ?? "";
}

function table(tests: readonly TestCase[]): readonly string[] {
  const rows = tests.flatMap((test) => {
    const { figures, notes = [] }: { readonly figures?: Figures; readonly notes?: readonly string[] } = test.meta();
    const lines = notes.map((text) => `${test.fullName}: ${text}`);
    if (figures === undefined) return lines;
    const counts = Object.entries(Object.groupBy(figures.outcomes, (outcome) => outcome)).map(
      ([outcome, all]) => [outcome, all?.length ?? 0] as const,
    );
    const applied = counts.find(([outcome]) => outcome === "applied")?.[1] ?? 0;
    const left = counts
      .filter(([outcome]) => outcome !== "applied")
      .toSorted(([, a], [, b]) => b - a)
      .map(([outcome, count]) => `${outcome} ${count}`)
      .join(", ");
    const sum = `${figures.asked} asked, off identical in ${figures.same}, ${applied} searches re-ranked, left alone: ${left === "" ? "none" : left}`;
    return [`${test.fullName}: ${sum}`, ...lines];
  });
  return rows.length === 0 ? [] : ["What was asked", ...rows.map((row) => `  ${row}`)];
}

function seconds(modules: readonly TestModule[]): readonly string[] {
  return modules.map((module) => {
    const { duration, collectDuration, setupDuration } = module.diagnostic();
    return `${module.relativeModuleId}: ${((duration + collectDuration + setupDuration) / 1000).toFixed(1)} s`;
  });
}
