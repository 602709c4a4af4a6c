/** What a part of the study is. */
import { join } from "node:path";
import type { Benchmark, PartName, Row } from "./benchmark-file.ts";

export interface Work {
  /** Everything that the study makes and keeps. */
  readonly folder: string;
  readonly json: boolean;
}

export interface Part {
  readonly name: PartName;
  /** What decides the part's rows besides the sources; goes into its key. */
  settings(benchmark: Benchmark): unknown;
  /** Why it cannot be run on this machine. */
  obstacle(): string | undefined;
  work(work: Work): Promise<Row[]>;
}

/** Runs of all parts on the same world lie together, so that no run is trained twice. */
export function runsOf({ folder }: Work, slug: string): string {
  return join(folder, "runs", slug);
}
