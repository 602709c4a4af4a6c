/** What a test has counted, for the table at the end of the run. */
import { TestRunner } from "vitest";

export interface Figures {
  readonly asked: number;
  /** Of them with re-ranking off: as the engine answers. */
  readonly same: number;
  /** "applied" or a reason; one for each search of a request. */
  readonly outcomes: readonly string[];
}

declare module "vitest" {
  interface TaskMeta {
    figures?: Figures;
    notes?: readonly string[];
  }
}

/** Adds to the figures of the test that runs. */
export function report({ asked, same, outcomes }: Figures): void {
  const meta = TestRunner.getCurrentTest()?.meta;
  if (meta === undefined) return;
  const before = meta.figures ?? { asked: 0, same: 0, outcomes: [] };
  meta.figures = { asked: before.asked + asked, same: before.same + same, outcomes: [...before.outcomes, ...outcomes] };
}

/** A line under the table. */
export function note(text: string): void {
  const meta = TestRunner.getCurrentTest()?.meta;
  if (meta !== undefined) meta.notes = [...(meta.notes ?? []), text];
}
