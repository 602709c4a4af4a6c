/** What every part of the bench is given: its plan, a folder, the Workers, and a way to say how far it is. */
import type { Progress } from "../../cli/command.ts";
import type { Bundle } from "./bundle.ts";
import type { Plan } from "./plan.ts";

export type WorkerName = "edge" | "run" | "reference" | "store" | "empty" | "proxy";

export interface Bench {
  readonly plan: Plan;
  /** For files; removed in the end. */
  readonly folder: string;
  /** Built when it is first asked for. */
  bundle(name: WorkerName): Promise<Bundle>;
  progress(label: string, total: number): Progress;
  /** One line for people. */
  note(text: string): void;
}
