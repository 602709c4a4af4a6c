/**
 * The student against a plain network of 78,785 parameters (model/armmt/reference.py), in one workerd: both graphs on the same copy of
 * onnxruntime, taking turns, so that the ratio holds where the times move. Timed from outside, an empty answer subtracted.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Client } from "./client.ts";
import { createClient } from "./client.ts";
import type { Bench } from "./context.ts";
import type { Measurement } from "./measurement.ts";
import { measured, median } from "./measurement.ts";
import { RUNS_PER_SAMPLE } from "./runs.ts";
import { startWorkerd, writeWorkerdConfig } from "./workerd.ts";
import { UserError } from "../../web.ts";

const NAMES = ["reference", "student"] as const;
type Name = (typeof NAMES)[number];

/** Candidates per list. */
const SIZES = [20, 50, 100] as const;

type Graphs = Readonly<Record<Name, Uint8Array<ArrayBuffer>>>;

interface Rounds {
  readonly samples: number;
  /** Taken first and not measured: the engine compiles what runs often a second time, and better. */
  readonly warmUpSamples: number;
}

/** ms per run, one mean of RUNS_PER_SAMPLE runs per sample. */
export interface ReferenceTimes extends Readonly<Record<Name, readonly number[]>> {
  readonly k: number;
}

/** `path`: of the reference graph. Throws a UserError with onnxruntime's own words where a graph cannot be opened or run. */
export async function benchReference(bench: Bench, path: string): Promise<Measurement[]> {
  if (!existsSync(path)) throw new UserError(`No graph at ${path}: make it with model/armmt/reference.py (see the README)`);
  const graphs: Graphs = {
    reference: Uint8Array.from(readFileSync(path)),
    student: Uint8Array.from(readFileSync(new URL("../../../model/student.onnx", import.meta.url))),
  };
  const { runSamples: samples, warmUpRunSamples: warmUpSamples } = bench.plan;
  const worker = await startWorkerd(writeWorkerdConfig(join(bench.folder, "reference"), await bench.bundle("reference")));
  const client = createClient(worker.url);
  try {
    for (const name of NAMES) await post(worker.url, name, graphs[name]);
    const found: Measurement[] = [];
    for (const k of SIZES) found.push(...describeReference(await timeOneSize(client, k, { samples, warmUpSamples })));
    return found;
  } finally {
    client.close();
    worker.stop();
  }
}

export function describeReference({ k, reference, student }: ReferenceTimes): Measurement[] {
  const peer = { peer: "reference of 78,785 parameters", p50: median(reference) };
  return [
    measured(`model run, reference of 78,785 parameters, workerd, K = ${k}`, "ms", reference),
    measured(`model run, student beside it, workerd, K = ${k}`, "ms", student, peer),
  ];
}

async function post(origin: string, name: Name, graph: Graphs[Name]): Promise<void> {
  const answer = await fetch(`${origin}/${name}`, { method: "POST", body: graph });
  if (!answer.ok) throw new UserError(`workerd cannot open the graph of the ${name}: ${await answer.text()}`);
}

async function timeOneSize(client: Client, k: number, { samples, warmUpSamples }: Rounds): Promise<ReferenceTimes> {
  const ask = async (name: Name, runs: number): Promise<number> => {
    const answer = await client.get(`/${name}?k=${k}&runs=${runs}`);
    if (answer.status !== 200) throw new UserError(`workerd cannot run the ${name}: ${answer.body.toString("utf8")}`);
    return answer.ms;
  };
  const empty: number[] = [];
  const times: Record<Name, number[]> = { reference: [], student: [] };
  for (let sample = -warmUpSamples; sample < samples; sample++) {
    // Another one begins each time, so that neither always follows the other's leavings in the caches.
    for (const name of sample % 2 === 0 ? NAMES : NAMES.toReversed()) {
      const answerMs = await ask(name, 0);
      const ms = await ask(name, RUNS_PER_SAMPLE);
      if (sample < 0) continue;
      empty.push(answerMs);
      times[name].push(ms);
    }
  }
  const answerMs = median(empty);
  const perRun = (name: Name): number[] => times[name].map((ms) => (ms - answerMs) / RUNS_PER_SAMPLE);
  return { k, reference: perRun("reference"), student: perRun("student") };
}
