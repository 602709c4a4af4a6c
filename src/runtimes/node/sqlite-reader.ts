/** Reads a SQLite file in a thread that lives for one question: neither a search nor the thread that writes waits for it. */
import type { Query, ReadEvents } from "../../events/read.ts";
import { modulePath } from "./package-root.ts";

export interface Question {
  readonly path: string;
  readonly queries: readonly Query[];
}

export type Answer = { readonly rows: readonly (readonly unknown[])[] } | { readonly error: string };

/** Then the thread is ended, whatever it does. */
const LONGEST_MS = 30_000;

export function sqliteReader(path: string): ReadEvents {
  return async (queries) => {
    const { Worker: Thread } = await import("node:worker_threads");
    const question: Question = { path, queries };
    const thread = new Thread(modulePath("runtimes/node/sqlite-read-thread.ts"), { workerData: question });
    thread.unref();
    const timer = setTimeout(() => void thread.terminate(), LONGEST_MS);
    try {
      const answer = await new Promise<Answer>((resolve, reject) => {
        thread.once("message", resolve);
        thread.once("error", reject);
        thread.once("exit", () => reject(new Error(`The thread that reads ${path} has ended`)));
      });
      if ("error" in answer) throw new Error(answer.error);
      return answer.rows;
    } finally {
      clearTimeout(timer);
      void thread.terminate();
    }
  };
}
