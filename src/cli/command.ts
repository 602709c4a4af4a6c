/**
 * Shared by all `armmt` commands: a progress bar and a table.
 *
 * Results go to stdout, everything else (progress, notes, errors) to stderr, so that `--json` can be piped.
 */
import { Presets, SingleBar } from "cli-progress";
import { type Cell, formatTable } from "../report/format.ts";

interface ProgressOptions {
  /** Shows nothing: for `--json`. */
  readonly json?: boolean | undefined;
  readonly stream?: NodeJS.WriteStream;
}

export interface Progress {
  /** Sets how much is done, 0..total. */
  update(done: number): void;
  increment(by?: number): void;
  stop(): void;
}

const LINES_WITHOUT_TERMINAL = 10;

/** A bar on a terminal, a line for every tenth of the work elsewhere (a pipe, CI), nothing with `json`. */
export function progressBar(label: string, total: number, { json, stream = process.stderr }: ProgressOptions = {}): Progress {
  if (json === true) return { update: () => undefined, increment: () => undefined, stop: () => undefined };
  if (!stream.isTTY) return progressLines(label, total, stream);
  const format = `${label} {bar} {percentage} % · {value}/{total} · {eta_formatted} left`;
  const bar = new SingleBar({ format, stream, hideCursor: true, barsize: 28, etaBuffer: 50 }, Presets.shades_classic);
  bar.start(total, 0);
  return { update: (done) => bar.update(done), increment: (by = 1) => bar.increment(by), stop: () => bar.stop() };
}

function progressLines(label: string, total: number, stream: NodeJS.WriteStream): Progress {
  let done = 0;
  let printed = 0;
  const update = (value: number): void => {
    done = value;
    const tenth = total > 0 ? Math.floor((done / total) * LINES_WITHOUT_TERMINAL) : LINES_WITHOUT_TERMINAL;
    if (tenth <= printed) return;
    printed = tenth;
    stream.write(`${label} ${tenth * 10} % (${done}/${total})\n`);
  };
  return { update, increment: (by = 1) => update(done + by), stop: () => undefined };
}

export function printTable(headings: readonly string[], rows: readonly (readonly Cell[])[]): void {
  process.stdout.write(formatTable(headings, rows));
}
