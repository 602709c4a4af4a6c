/** `armmt report --check`: the error check on all processors, and its table. */
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { METRICS } from "../../report/metrics.ts";
import { modulePath } from "../../runtimes/node/package-root.ts";
import * as format from "../../report/format.ts";
import { addFound, type Cell, CELLS, CHECK_DAYS, type CheckOptions, type Found, POWER_CELL, POWER_METRIC } from "./error-check.ts";
import { printTable, progressBar } from "../command.ts";

/** `cell`: index in ALL. `runs`: from and to. */
export interface Job {
  readonly cell: number;
  readonly runs: readonly [number, number];
}

const ALL: readonly Cell[] = [...CELLS, POWER_CELL];
const RUNS_PER_JOB = 50;

export function jobCell({ cell }: Job): Cell {
  return ALL[cell] ?? POWER_CELL;
}

/** Prints the table, or JSON. Returns whether every metric of every cell errs at most as often as it may. */
export async function printCheck(runs: number, options: CheckOptions, json: boolean): Promise<boolean> {
  const report = await check(runs, options, json);
  if (json) process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
  else printReport(report);
  return report.holds;
}

export type CheckReport = Awaited<ReturnType<typeof check>>;

/** Runs of one cell are spread over all threads, so that none waits for the longest cell. */
async function check(runs: number, options: CheckOptions, json: boolean) {
  const jobs = ALL.flatMap((_, cell) =>
    Array.from({ length: Math.ceil(runs / RUNS_PER_JOB) }, (__, part): Job => {
      const from = part * RUNS_PER_JOB;
      return { cell, runs: [from, Math.min(runs, from + RUNS_PER_JOB)] };
    }),
  );
  const bar = progressBar("Simulating experiments", jobs.length * RUNS_PER_JOB, { json });
  const found = await runJobs(jobs, options, () => bar.increment(RUNS_PER_JOB));
  bar.stop();
  const cells = CELLS.map((cell, i) => errorsOf(cell, found[i]!));
  return {
    simulated: true,
    runs,
    days: CHECK_DAYS,
    ...options,
    holds: cells.every(({ worst }) => worst <= options.alpha),
    cells,
    power: powerOf(found.at(-1)!),
  };
}

function errorsOf({ name }: Cell, { runs, called, alarms }: Found) {
  const wrong = Object.fromEntries(METRICS.map(({ id }) => [id, (called[id] ?? 0) / runs]));
  return { cell: name, wrong, worst: Math.max(...Object.values(wrong)), alarms: alarms / runs };
}

function powerOf({ runs, called, plain, fixed, atEnd }: Found) {
  return {
    cell: POWER_CELL.name,
    metric: POWER_METRIC,
    /** Of a plain t-test of the difference without caps, at the end. */
    plain: plain / runs,
    /** Of the report's fixed intervals, at the end. */
    fixed: fixed / runs,
    /** Of the verdict, at the end, and on any day. */
    verdict: { atEnd: atEnd / runs, onAnyDay: (called[POWER_METRIC] ?? 0) / runs },
  };
}

/** Results by cell. */
async function runJobs(jobs: readonly Job[], options: CheckOptions, done: () => void): Promise<Found[]> {
  const found: Found[] = [];
  const waiting = jobs.values();
  const work = async (): Promise<void> => {
    const thread = new Worker(modulePath("cli/report/error-check-thread.ts"), { workerData: options });
    try {
      for (const job of waiting) {
        const result = await ask(thread, job); // oxlint-disable-line no-await-in-loop
        const before = found[job.cell];
        found[job.cell] = before === undefined ? result : addFound(before, result);
        done();
      }
    } finally {
      await thread.terminate();
    }
  };
  await Promise.all(Array.from({ length: Math.min(jobs.length, availableParallelism()) }, work));
  return found;
}

async function ask(thread: Worker, job: Job): Promise<Found> {
  thread.postMessage(job); // oxlint-disable-line unicorn/require-post-message-target-origin -- of windows
  // Rejects with the error of a thread that fails.
  const [found]: Found[] = await once(thread, "message");
  if (found === undefined) throw new Error("A thread of the check answered nothing");
  return found;
}

/** A column per kind of metric: the worse of the one per search and the one per shopper. */
function printReport({ cells, runs, days, alpha, power, holds }: CheckReport): void {
  const titles = [...new Set(METRICS.map(({ title }) => title))];
  process.stdout.write(
    `Simulated: ${runs} experiments without an effect in each row, read on each of ${days} days. Share of them with a verdict on any day, which may be ${format.share(alpha)} at most:\n\n`,
  );
  printTable(
    ["Shoppers", ...titles, "Alarm"],
    cells.map(({ cell, wrong, alarms }) => [
      cell,
      ...titles.map((title) =>
        format.share(Math.max(...METRICS.filter((metric) => metric.title === title).map(({ id }) => wrong[id] ?? 0))),
      ),
      format.share(alarms),
    ]),
  );
  process.stdout.write(
    `\n${holds ? "No metric errs more often." : "AT LEAST ONE METRIC ERRS MORE OFTEN."}\n\n` +
      `Power, ${power.cell}, revenue per shopper: plain t-test at the end ${format.share(power.plain)}, fixed interval at the end ${format.share(power.fixed)}, ` +
      `verdict (confidence sequence) at the end ${format.share(power.verdict.atEnd)}, on any day ${format.share(power.verdict.onAnyDay)}.\n`,
  );
}
