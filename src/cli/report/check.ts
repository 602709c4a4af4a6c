/** `armmt report --check`: the error check on all processors, and its table. With `--save` it goes on where it was stopped. */
import { once } from "node:events";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import * as v from "valibot";
import { METRICS } from "../../report/metrics.ts";
import { modulePath } from "../../runtimes/node/package-root.ts";
import * as format from "../../report/format.ts";
import { addFound, type Cell, CELLS, CHECK_DAYS, type CheckOptions, type Found, POWER_CELL, POWER_METRIC } from "./error-check.ts";
import { printTable, progressBar } from "../command.ts";
import { UserError } from "../../web.ts";

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

interface Checking {
  readonly runs: number;
  readonly json: boolean;
  /** File of what is found; what it holds is not simulated again. */
  readonly save: string | undefined;
}

/** Prints the table, or JSON. Returns whether every metric of every cell errs at most as often as it may. */
export async function printCheck(options: CheckOptions, checking: Checking): Promise<boolean> {
  const report = await check(options, checking);
  if (checking.json) process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
  else printReport(report);
  return report.holds;
}

export type CheckReport = Awaited<ReturnType<typeof check>>;

/** Runs of one cell are spread over all threads, so that none waits for the longest cell. */
async function check(options: CheckOptions, { runs, json, save }: Checking) {
  // Part by part, not cell by cell: where it is stopped, fewer runs of every cell are there.
  const jobs = Array.from({ length: Math.ceil(runs / RUNS_PER_JOB) }, (_, part) => part * RUNS_PER_JOB).flatMap((from) =>
    ALL.map((_, cell): Job => ({ cell, runs: [from, Math.min(runs, from + RUNS_PER_JOB)] })),
  );
  const saved = openSaved(save, options);
  const bar = progressBar("Simulating experiments", jobs.length * RUNS_PER_JOB, { json });
  const todo = jobs.filter((job) => !saved.has(job));
  bar.update((jobs.length - todo.length) * RUNS_PER_JOB);
  await runJobs(todo, options, (job, found) => {
    saved.add(job, found);
    bar.increment(RUNS_PER_JOB);
  });
  bar.stop();
  const found = ALL.map((_, cell) => jobs.flatMap((job) => (job.cell === cell ? saved.of(job) : [])).reduce(addFound));
  const cells = CELLS.map((cell, i) => errorsOf(cell, found[i]!));
  return {
    simulated: true,
    runs,
    days: CHECK_DAYS,
    ...options,
    holds: cells.every(({ worst, planned }) => Math.max(worst, planned.worst) <= options.alpha),
    cells,
    power: powerOf(found.at(-1)!),
  };
}

const foundSchema = v.object({
  runs: v.number(),
  called: v.record(v.string(), v.number()),
  planned: v.record(v.string(), v.number()),
  alarms: v.number(),
  plain: v.number(),
  fixed: v.number(),
  atEnd: v.number(),
});

const savedSchema = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({
    options: v.object({ alpha: v.number(), tuning: v.number(), cap: v.number(), seed: v.string() }),
    /** "<cell>, <from> to <to>" → what those runs found. */
    found: v.record(v.string(), foundSchema),
  }),
);

const keyOf = ({ cell, runs: [from, to] }: Job): string => `${ALL[cell]?.name}, ${from} to ${to}`;

/** Throws a UserError for a file that holds anything else. Each part is written when it is done. */
function openSaved(path: string | undefined, { alpha, tuning, cap, seed }: CheckOptions) {
  const options = { alpha, tuning, cap, seed };
  const found = new Map<string, Found>();
  if (path !== undefined && existsSync(path)) {
    const parsed = v.safeParse(savedSchema, readFileSync(path, "utf8"));
    if (!parsed.success) throw new UserError(`${path} is not what report --check has saved: name another file with --save`);
    const known = JSON.stringify(parsed.output.options);
    if (known !== JSON.stringify(options))
      throw new UserError(`${path} holds experiments with ${known}, not ${JSON.stringify(options)}: name another file with --save`);
    for (const [key, part] of Object.entries(parsed.output.found)) found.set(key, part);
  }
  return {
    has: (job: Job): boolean => found.has(keyOf(job)),
    of: (job: Job): Found | readonly [] => found.get(keyOf(job)) ?? [],
    add(job: Job, part: Found): void {
      found.set(keyOf(job), part);
      if (path === undefined) return;
      writeFileSync(`${path}.new`, `${JSON.stringify({ options, found: Object.fromEntries(found) })}\n`);
      renameSync(`${path}.new`, path);
    },
  };
}

function errorsOf({ name }: Cell, { runs, called, planned, alarms }: Found) {
  const shares = (of: Found["called"]) => {
    const wrong = Object.fromEntries(METRICS.map(({ id }) => [id, (of[id] ?? 0) / runs]));
    return { wrong, worst: Math.max(...Object.values(wrong)) };
  };
  return {
    cell: name,
    ...shares(called),
    /** Of the verdict that goes by a planned end. */ planned: shares(planned),
    alarms: alarms / runs,
  };
}

function powerOf({ runs, called, planned, plain, fixed, atEnd }: Found) {
  return {
    cell: POWER_CELL.name,
    metric: POWER_METRIC,
    /** Of a plain t-test of the difference without caps, at the end. */
    plain: plain / runs,
    /** Of the report's fixed intervals, at the end. */
    fixed: fixed / runs,
    /** Of the verdict that goes by a planned end, on any day. */
    planned: (planned[POWER_METRIC] ?? 0) / runs,
    /** Of the verdict that goes by the confidence sequence, at the end, and on any day. */
    verdict: { atEnd: atEnd / runs, onAnyDay: (called[POWER_METRIC] ?? 0) / runs },
  };
}

async function runJobs(jobs: readonly Job[], options: CheckOptions, done: (job: Job, found: Found) => void): Promise<void> {
  const waiting = jobs.values();
  const work = async (): Promise<void> => {
    const thread = new Worker(modulePath("cli/report/error-check-thread.ts"), { workerData: options });
    try {
      for (const job of waiting) done(job, await ask(thread, job)); // oxlint-disable-line no-await-in-loop
    } finally {
      await thread.terminate();
    }
  };
  await Promise.all(Array.from({ length: Math.min(jobs.length, availableParallelism()) }, work));
}

async function ask(thread: Worker, job: Job): Promise<Found> {
  thread.postMessage(job); // oxlint-disable-line unicorn/require-post-message-target-origin -- of windows
  // Rejects with the error of a thread that fails.
  const [found]: Found[] = await once(thread, "message");
  if (found === undefined) throw new Error("A thread of the check answered nothing");
  return found;
}

/** A column per kind of metric: the worse of the one per search and the one per shopper. */
function printReport({ cells, runs, days, alpha, seed, power, holds }: CheckReport): void {
  const titles = [...new Set(METRICS.map(({ title }) => title))];
  const worstOf = (wrong: CheckReport["cells"][number]["wrong"]): string[] =>
    titles.map((title) => format.share(Math.max(...METRICS.filter((metric) => metric.title === title).map(({ id }) => wrong[id] ?? 0))));
  process.stdout.write(
    `Simulated: ${runs} experiments without an effect in each row, read on each of ${days} days (seed ${seed}). Share of them with a verdict on any day, which may be ${format.share(alpha)} at most.\n\n` +
      "With a planned end, daily looks until then:\n\n",
  );
  printTable(
    ["Shoppers", ...titles],
    cells.map(({ cell, planned }) => [cell, ...worstOf(planned.wrong)]),
  );
  process.stdout.write("\nWithout one, by the confidence sequence; alarms are the same with and without:\n\n");
  printTable(
    ["Shoppers", ...titles, "Alarm"],
    cells.map(({ cell, wrong, alarms }) => [cell, ...worstOf(wrong), format.share(alarms)]),
  );
  process.stdout.write(
    `\n${holds ? "No metric errs more often." : "AT LEAST ONE METRIC ERRS MORE OFTEN."}\n\n` +
      `Power, ${power.cell}, revenue per shopper: plain t-test at the end ${format.share(power.plain)}, fixed interval at the end ${format.share(power.fixed)}, ` +
      `verdict with a planned end and daily looks ${format.share(power.planned)}, without one (confidence sequence) at the end ${format.share(power.verdict.atEnd)}, on any day ${format.share(power.verdict.onAnyDay)}.\n`,
  );
}
