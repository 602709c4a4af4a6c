/**
 * The model alone: in workerd, on onnxruntime-web's wasm in Node, and on onnxruntime's native build, one thread each, on the same lists. All
 * three answer over HTTP, and an empty answer is subtracted, so that only the runtime differs.
 */
import { join } from "node:path";
import { startWorkerd, writeWorkerdConfig } from "../harness/workerd.ts";
import { createClient } from "./client.ts";
import { against, inChart, type Measurement, measured, median } from "./measurement.ts";
import { type Bench, inTurns } from "./run.ts";
import { startStandIn } from "./stand-in.ts";
import { UserError } from "../../web.ts";

/** Per sample: enough that the empty answer is short beside them. */
const RUNS = 10;

/** ms of an answer without a run, and of one after RUNS runs. */
export type RunSample = Readonly<Record<"emptyMs" | "ms", number>>;

/** Takes a sample on the given runtime of a server; a server of only one ignores it. Throws a UserError if the model does not run. */
export type SampleModel = ReturnType<typeof sampler>;

function sampler(bench: Bench, origin: string) {
  const client = createClient(origin);
  bench.defer(client.close);
  const ask = async (path: string): Promise<number> => {
    const { status, ms, body } = await client.ask(path);
    if (status !== 200) throw new UserError(`The model cannot run (${origin}${path}): ${body.toString("utf8")}`);
    return ms;
  };
  return async (k: number, runtime = ""): Promise<RunSample> => ({
    emptyMs: await ask(`/${runtime}?k=${k}&runs=0`),
    ms: await ask(`/${runtime}?k=${k}&runs=${RUNS}`),
  });
}

/** ms per run, one mean of RUNS runs per sample. */
export function perRun(samples: readonly RunSample[]): number[] {
  const emptyMs = median(samples.map((sample) => sample.emptyMs));
  return samples.map(({ ms }) => (ms - emptyMs) / RUNS);
}

/** The model in its own workerd, until the part ends. */
export async function startModelWorker(bench: Bench): Promise<SampleModel> {
  const worker = await startWorkerd(writeWorkerdConfig(join(bench.folder, "model"), await bench.bundle("model")));
  bench.defer(worker.stop);
  return sampler(bench, worker.url);
}

export async function benchModel(bench: Bench): Promise<Measurement[]> {
  const { sizes, runSamples: rounds, warmUpRunSamples: warmUpRounds, maxSeconds } = bench.plan;
  const inWorkerd = await startModelWorker(bench);
  const process = await startStandIn("model");
  bench.defer(process.stop);
  const inNode = sampler(bench, `http://${process.address}`);
  const kinds = [["workerd"], ["wasm"], ["native"]] as const;
  const found: Measurement[] = [];
  for (const k of sizes) {
    const turns = { label: `Model alone, K = ${k}`, kinds, rounds, warmUpRounds, maxSeconds: maxSeconds / sizes.length };
    const samples = await inTurns(bench, turns, (kind) => (kind === "workerd" ? inWorkerd(k) : inNode(k, kind)));
    found.push(...describe(k, perRun(samples("workerd")), perRun(samples("wasm")), perRun(samples("native"))));
  }
  return found;
}

function describe(k: number, workerd: readonly number[], wasm: readonly number[], native: readonly number[]): Measurement[] {
  const at = (name: string) => `model run, ${name}, K = ${k}`;
  const inRuns = (figure: Measurement, series: string) => inChart(figure, "run-by-list", series, String(k));
  const [nativeName, wasmName] = ["onnxruntime-node native, 1 thread", "onnxruntime-web wasm in Node"];
  return [
    inRuns(measured(at(nativeName), "ms", native), "native, one thread"),
    inRuns(measured(at(wasmName), "ms", wasm), "wasm in Node"),
    inRuns(measured(at("workerd"), "ms", workerd, against(nativeName, native)), "wasm in workerd"),
    measured(at("workerd against Node"), "ms", workerd, against(wasmName, wasm)),
  ];
}
