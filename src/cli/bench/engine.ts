/** Starts the stand-in engine and knows how to ask it. */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { DrawnProduct } from "../../demo/catalogue.ts";

export interface RunningEngine {
  readonly url: string;
  stop(): void;
}

export async function startEngine(): Promise<RunningEngine> {
  const child = fork(fileURLToPath(new URL("./stand-in-engine.ts", import.meta.url)), { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const port = await new Promise<number>((resolve, reject) => {
    child.once("message", (message) => resolve(Number(message)));
    child.once("exit", (code) => reject(new Error(`The stand-in engine ended with code ${code}`)));
  });
  return { url: `http://127.0.0.1:${port}`, stop: () => child.kill() };
}

/** Search texts as shoppers type them, no two the same: the first words of a title, and a number. */
export function createQueries(products: readonly DrawnProduct[]): () => string {
  let count = 0;
  return () => {
    const { title } = products[(count * 131) % products.length]!;
    return `${title.split(" ").slice(0, 3).join(" ")} ${++count}`;
  };
}

export function searchBody(text: string, size: number): string {
  return JSON.stringify({ query: { match: { title: text } }, size });
}
