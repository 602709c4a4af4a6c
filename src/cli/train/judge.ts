/** The gate, asked by its own command: it runs the model in the runtime that serves, and a crash there must not take the training with it. */
import { type RunCommand, runCommand } from "../child.ts";
import { UserError } from "../../web.ts";

/** Exit codes of `armmt gate`. */
export const GATE_CODES = { passed: 0, failed: 1, usage: 2, refused: 3 } as const;

export interface Judged {
  readonly code: number;
  readonly stdout: string;
}

interface JudgeOptions {
  readonly model: string;
  readonly lists: string;
  readonly embeddings: string;
  readonly live?: string | undefined;
}

/** Throws a UserError where there was no judgment; a refusal is one. */
export async function judge({ model, lists, live }: JudgeOptions, run: RunCommand = runCommand): Promise<Judged> {
  const { code, stdout } = await run(["gate", "--model", model, "--lists", lists, ...(live === undefined ? [] : ["--live", live])]);
  if (code === GATE_CODES.failed || code === GATE_CODES.usage) {
    throw new UserError(
      `The model in ${model} is trained, and the gate did not judge it (armmt gate ended with ${code}, see above): nothing is lost, ask it again with armmt gate --model ${model} --lists ${lists}`,
    );
  }
  return { code, stdout };
}
