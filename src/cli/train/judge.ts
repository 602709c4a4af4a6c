/** The gate, asked by its own command: it runs the model in the runtime that serves, and a crash there must not take the training with it. */
import { existsSync } from "node:fs";
import { type RunCommand, runCommand } from "../child.ts";
import { UserError } from "../../web.ts";
import { findConfig } from "../wrangler.ts";

/** Exit codes of `armmt gate`. */
export const GATE_CODES = { passed: 0, failed: 1, usage: 2, refused: 3 } as const;

export interface Judged {
  readonly code: number;
  readonly stdout: string;
}

interface JudgeOptions {
  readonly model: string;
  readonly lists: string;
  readonly live?: string | undefined;
  /** File of `armmt report --json`, for the sample ratio. */
  readonly report?: string | undefined;
  /** Options of `armmt lists`: a configuration that they name is that of the gate too. */
  readonly more?: readonly string[] | undefined;
}

/** For the gate's sample ratio: the configuration that the lists were made by, else that of this project, where it has one. */
export function gateConfig(listsOptions: readonly string[] = []): readonly string[] {
  const at = listsOptions.lastIndexOf("--config");
  const file = at < 0 ? findConfig() : (listsOptions[at + 1] ?? "");
  return at >= 0 || existsSync(file) ? ["--config", file] : [];
}

/** Throws a UserError where there was no judgment; a refusal is one. */
export async function judge({ model, lists, live, report, more }: JudgeOptions, run: RunCommand = runCommand): Promise<Judged> {
  const { code, stdout } = await run([
    "gate",
    "--model",
    model,
    "--lists",
    lists,
    ...(live === undefined ? [] : ["--live", live]),
    ...(report === undefined ? gateConfig(more) : ["--report", report]),
  ]);
  if (code === GATE_CODES.failed || code === GATE_CODES.usage) {
    throw new UserError(
      `The model in ${model} is trained, and the gate did not judge it (armmt gate ended with ${code}, see above): nothing is lost, ask it again with armmt gate --model ${model} --lists ${lists}`,
    );
  }
  return { code, stdout };
}
