/** Another `armmt` command in a process of its own: what goes wrong there, a crash of native code included, is an exit code here. */
import { spawn } from "node:child_process";
import { modulePath } from "../runtimes/node/package-root.ts";

export interface Ended {
  /** Exit code; 1 for a process that a signal ended. */
  readonly code: number;
  /** What it printed as its result. Progress and errors go to this process's stderr as they come. */
  readonly stdout: string;
}

/** Runs one command line of `armmt`, without node and script. */
export type RunCommand = (args: readonly string[]) => Promise<Ended>;

export const runCommand: RunCommand = (args) =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [modulePath("cli/armmt.ts"), ...args], { stdio: ["ignore", "pipe", "inherit", "ipc"] });
    let stdout = "";
    child.stdout?.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: code ?? 1, stdout }));
  });
