/** Starts what stands beside the edge, each in a process of its own: search engine, stores, the model in Node. All end with this process. */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import * as v from "valibot";
import type { KvWriter } from "./catalogue.ts";
import { UserError } from "../../web.ts";

export interface StandIn {
  /** host:port */
  readonly address: string;
  stop(): void;
}

export interface Stores extends StandIn {
  readonly kv: KvWriter;
  counts(): Promise<StoreCounts>;
}

const countsSchema = v.object({ reads: v.number(), statements: v.number() });

/** Since the start: KV keys read, and D1 statements run. */
export type StoreCounts = v.InferOutput<typeof countsSchema>;

async function start(file: string): Promise<StandIn> {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const port = await new Promise<number>((resolve, reject) => {
    child.once("message", (message) => resolve(Number(message)));
    child.once("exit", (code) => reject(new Error(`${file} ended with code ${code}`)));
  });
  return { address: `127.0.0.1:${port}`, stop: () => child.kill() };
}

export function startEngine(): Promise<StandIn> {
  return start("./stand-in-engine.ts");
}

/** The model in Node, see run-process.ts. */
export function startRunProcess(): Promise<StandIn> {
  return start("./run-process.ts");
}

export async function startStores(): Promise<Stores> {
  const stores = await start("./stand-in-stores.ts");
  const origin = `http://${stores.address}`;
  return {
    ...stores,
    kv: {
      async put(key, value) {
        const reply = await fetch(`${origin}/${encodeURIComponent(key)}`, { method: "PUT", body: value });
        if (!reply.ok) throw new UserError(`The stand-in stores answered ${reply.status} to key ${key}`);
      },
    },
    async counts() {
      const reply = await fetch(`${origin}/counts`);
      return v.parse(countsSchema, await reply.json());
    },
  };
}
