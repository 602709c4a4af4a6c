/**
 * What this isolate is and does: model, published vectors, counters. For /armmt/status, which only the admin token opens.
 */
import type { PublishedSet } from "../embeddings/store.ts";
import type { Searches } from "./assemble.ts";

export async function describeStatus({ edge, indexes }: Searches): Promise<object> {
  const described = await Promise.all(
    [...indexes].map(async ([name, { store, backend, window }]) => {
      const looked = await store.lookup([]);
      const scorer = edge.scorer();
      return [
        name,
        {
          backend: backend.name,
          window,
          model: scorer.ok ? { version: scorer.value.manifest.version, trainedOn: scorer.value.manifest.trainedOn } : scorer.error,
          published: looked.ok ? describeSet(looked.value.set) : looked.error,
        },
      ] as const;
    }),
  );
  return { indexes: Object.fromEntries(described), ...edge.counters.snapshot() };
}

function describeSet({ version, itemCount, shardCount, imageEncoder }: PublishedSet): object {
  return { version, itemCount, shardCount, imageEncoder };
}
