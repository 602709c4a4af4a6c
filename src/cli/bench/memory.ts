/** Resident memory of workerd once it has served. */
import type { Bundle } from "./bundle.ts";
import type { Client } from "./client.ts";
import { createClient } from "./client.ts";
import { indexFor, requireOutcome, unitOf } from "./edge.ts";
import { searchBody } from "./engine.ts";
import type { Measurement } from "./measurement.ts";
import { measured } from "./measurement.ts";
import { residentMb } from "./resident.ts";
import type { RunningBundle } from "./running.ts";
import { runBundle } from "./running.ts";

const PAGE_SIZE = 20;

export interface MemoryOptions {
  readonly client: Client;
  readonly window: number;
  readonly searches: number;
  readonly nextQuery: () => string;
}

/**
 * The edge after re-ranked searches, against an empty Worker in the same surroundings: local KV and D1 live in the same process, and what
 * D1 takes up with every record counts here too, so the searches are few.
 */
export async function memoryAfterSearches(
  edge: RunningBundle,
  empty: Bundle,
  { client, window, searches, nextQuery }: MemoryOptions,
): Promise<Measurement[]> {
  for (let n = 0; n < searches; n++) {
    const answer = await client.post(`/${indexFor(window)}/_search`, searchBody(nextQuery(), PAGE_SIZE), {
      "x-armmt-user": unitOf("armmt"),
    });
    requireOutcome(answer, "applied");
  }
  const edgeMb = residentMb(edge.pid);
  const idle = await runBundle(empty);
  try {
    const idleClient = createClient(idle.url);
    await idleClient.get("/");
    idleClient.close();
    const emptyMb = residentMb(idle.pid);
    const inside = "resident memory of workerd with local KV and D1";
    return [
      measured(`${inside}, empty Worker`, "MB", [emptyMb]),
      measured(`${inside}, edge Worker after ${searches} searches, K = ${window}`, "MB", [edgeMb], {
        peer: "empty Worker",
        p50: emptyMb,
      }),
    ];
  } finally {
    await idle.stop();
  }
}
