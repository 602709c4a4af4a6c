/**
 * What this isolate is and does: model, published vectors, counters. For /armmt/status, which only the admin token opens.
 */
import type { PublishedSet } from "../embeddings/store.ts";
import type { Counters } from "../events/counters.ts";
import type { SearchDeps } from "./contract.ts";

export async function describeStatus(searches: ReadonlyMap<string, SearchDeps>, counters: Counters): Promise<object> {
  const indexes = await Promise.all(
    [...searches].map(async ([name, deps]) => {
      const looked = await deps.store.lookup([]);
      const scorer = deps.scorer();
      return [
        name,
        {
          backend: deps.backend.name,
          window: deps.window,
          model: scorer.ok ? { version: scorer.value.manifest.version, trainedOn: scorer.value.manifest.trainedOn } : scorer.error,
          published: looked.ok ? describeSet(looked.value.set) : looked.error,
        },
      ] as const;
    }),
  );
  return { indexes: Object.fromEntries(indexes), ...counters.snapshot() };
}

function describeSet({ version, itemCount, shardCount, imageEncoder }: PublishedSet): object {
  return { version, itemCount, shardCount, imageEncoder };
}
