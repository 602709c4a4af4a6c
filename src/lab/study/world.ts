/**
 * `armmt world`: what each part of the simulated truth is worth, and whether a model could read it, before anything is trained. A piece of a model that
 * answers to a part can earn its place only where an oracle without the part loses something and the inputs give the part away.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Command, Option } from "commander";
import * as v from "valibot";
import { printTable } from "../../cli/command.ts";
import { writeNpy } from "../../cli/lists/npy.ts";
import { partOfOne, whole } from "../../cli/numbers.ts";
import { preparePython, runPython } from "../../cli/train/python.ts";
import { readJson } from "../../cli/train/stages.ts";
import { PACKAGE_ROOT } from "../../runtimes/node/package-root.ts";
import { readBenchmark } from "./compare/benchmark-file.ts";
import { makeScenario, type Scenario, searchesOf, slugOf } from "./compare/scenarios.ts";
import { USUAL_DOSE } from "./simulate/honest/shop.ts";
import { plainWorld, WORLDS } from "./simulate/world.ts";
import { weigh, type Weighed } from "./world/headroom.ts";
import { pieceOf, placesOf, type Verdict } from "./world/pieces.ts";

/** The rule of docs/design/worlds.md: what an oracle must lose without a part, of its gain over the engine, and how much of it must be readable. */
const LEAST_HEADROOM = 0.03;
const LEAST_READABLE = 0.1;

const interval = v.object({ mean: v.number(), low: v.nullable(v.number()), high: v.nullable(v.number()) });
const probeSchema = v.object({
  lists: v.object({ train: v.number(), test: v.number(), queries: v.number() }),
  engine: v.number(),
  oracle: v.number(),
  parts: v.array(v.object({ name: v.string(), headroom: interval, readable: interval })),
});
type Probed = v.InferOutput<typeof probeSchema>;
type Interval = v.InferOutput<typeof interval>;

/** An interval that lies on both sides of what is asked decides nothing. */
export function earns({ headroom, readable }: { readonly headroom: Interval; readonly readable: Interval }): Verdict {
  const bounds = [
    [headroom, LEAST_HEADROOM],
    [readable, LEAST_READABLE],
  ] as const;
  if (bounds.every(([{ low }, least]) => low !== null && low >= least)) return "yes";
  if (bounds.some(([{ high }, least]) => high !== null && high < least)) return "no";
  return "cannot tell";
}

/** Writes what the probe reads: worth.npy [2 + parts, lists], targets.npy [parts, lists, longest], parts.json. Returns the parts. */
async function writeParts(scenario: Scenario, out: string) {
  const found: { id: string; weighed: Weighed }[] = [];
  let parts = plainWorld.parts;
  await searchesOf(scenario, (search, shop) => {
    parts = (shop.world ?? plainWorld).parts;
    found.push({ id: search.truth.query_id, weighed: weigh(search, shop) });
  });
  const longest = Math.max(...found.map(({ weighed }) => weighed.targets[0]?.length ?? 0));
  const worth = new Float32Array((2 + parts.length) * found.length).fill(Number.NaN);
  const targets = new Float32Array(parts.length * found.length * longest);
  for (const [i, { weighed }] of found.entries()) {
    weighed.worth?.forEach((value, row) => (worth[row * found.length + i] = value));
    weighed.targets.forEach((values, part) => targets.set(values, (part * found.length + i) * longest));
  }
  mkdirSync(out, { recursive: true });
  writeNpy(join(out, "worth.npy"), worth, [2 + parts.length, found.length]);
  writeNpy(join(out, "targets.npy"), targets, [parts.length * found.length, longest]);
  const about = { queries: found.map(({ id }) => id), parts: parts.map(({ name, ofSearch = false }) => ({ name, ofSearch })) };
  writeFileSync(join(out, "parts.json"), `${JSON.stringify(about)}\n`);
  return parts;
}

/** Simulates, makes lists, weighs and probes; the folder keeps what was made, and is used again. */
export async function weighWorld(scenario: Scenario, folder: string, json: boolean) {
  await preparePython();
  const data = await makeScenario(scenario, folder, json);
  const at = join(data, "parts");
  const parts = await writeParts(scenario, at);
  const out = join(data, "world.json");
  await runPython("armmt.study.probe", ["--lists", join(data, "lists"), "--parts", at, "--out", out]);
  const probed = readJson(out, probeSchema);
  const described = probed.parts.map((part) => ({ ...part, ...describe(part, parts) }));
  const { rows } = readBenchmark(join(PACKAGE_ROOT, "model/benchmark.json"));
  return { ...probed, simulated: true, scenario, parts: described, pieces: placesOf(described, rows, scenario.level) };
}

function describe(part: Probed["parts"][number], parts: typeof plainWorld.parts) {
  const meaning = parts.find(({ name }) => name === part.name)?.meaning ?? "";
  return { meaning, piece: pieceOf(part.name), earns: earns(part) };
}

const inPercent = (share: number): string => (100 * share).toFixed(1);

const percent = ({ mean, low, high }: Interval): string =>
  low === null || high === null ? inPercent(mean) : `${inPercent(mean)} (${inPercent(low)} .. ${inPercent(high)})`;

const readable = ({ mean, low, high }: Interval): string =>
  low === null || high === null ? mean.toFixed(2) : `${mean.toFixed(2)} (${low.toFixed(2)} .. ${high.toFixed(2)})`;

interface Flags {
  readonly world: string;
  readonly shop: "drawn" | "fashion";
  readonly dose: number;
  readonly searches: number;
  readonly out: string;
  readonly json?: boolean;
}

export function createWorldCommand(): Command {
  return new Command("world")
    .description("What each part of the simulated truth is worth to an oracle, and how much of it the inputs give away, before training")
    .addOption(new Option("--world <n>", "how shoppers choose").choices(WORLDS.map(String)).default("2"))
    .addOption(new Option("--shop <name>", "fashion: needs the photographs").choices(["drawn", "fashion"]).default("drawn"))
    .option("--dose <share>", "in world 2: the pictures' share of what decides", partOfOne, USUAL_DOSE)
    .option("--searches <n>", "to simulate; an eighth of them is judged", whole(500), 12_000)
    .option("--out <folder>", "where to keep the data", ".armmt/world")
    .option("--json", "print the figures as JSON")
    .action(async ({ world, shop, dose, searches, out, json = false }: Flags) => {
      const honest = world === "2" ? ({ world: 2, dose } as const) : {};
      const level = world === "2" ? (`${shop} world 2` as const) : shop;
      const scenario: Scenario = { level, shop, shoppers: Math.ceil(searches / 5), searches, clickModel: "pbm", ...honest };
      const weighed = await weighWorld(scenario, out, json);
      if (json) {
        process.stdout.write(`${JSON.stringify(weighed)}\n`);
        return;
      }
      const { engine, oracle, lists, parts, pieces } = weighed;
      process.stdout.write(
        `Simulated shoppers, ${slugOf(scenario)}: ${lists.test} searches of ${lists.queries} queries judged, ${lists.train} to learn from. ` +
          `Purchases per search: engine ${engine.toFixed(4)}, oracle ${oracle.toFixed(4)}.\n` +
          `headroom: % of that gain lost by an oracle without the part; readable: R² of a held-out regression on the model's inputs. ` +
          `Can earn a place: at least ${100 * LEAST_HEADROOM} % and ${LEAST_READABLE}, intervals included.\n`,
      );
      printTable(
        ["part", "headroom, %", "readable, R²", "can earn a place", "piece", "what it is"],
        parts.map((part) => [part.name, percent(part.headroom), readable(part.readable), part.earns, part.piece, part.meaning]),
      );
      process.stdout.write(
        "The study's ablations at this level (purchases, p by Holm) say whether a piece that can earn a place has earned it:\n",
      );
      printTable(
        ["piece", "parts", "can earn a place", "gain", "p", "has earned it"],
        pieces.map(({ piece, parts: own, can, gain, p, place }) => [
          piece,
          own.join(", "),
          can,
          gain === undefined ? "not compared" : gain.mean.toFixed(4),
          p?.toFixed(3),
          place,
        ]),
      );
    });
}
