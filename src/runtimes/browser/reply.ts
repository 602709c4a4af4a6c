/** What the app says of a search on the device, read to decide who answers: the device, or the network after all. */

/** Reasons that lie with the device. Elsewhere, at an edge behind the network, the same search may well be re-ranked. */
const OWN = /^(store_|shard_|model_|scores_|nothing_published$|no_item_vectors$|over_budget$|internal_error$|engine_unreachable$)/;

/** `header`: of the reply, one entry per search. The reason why this reply is not to be used, or undefined. */
export function ownFailure(header: string | null): string | undefined {
  if (header === null) return "refused";
  const reasons = header.split(",").map((entry) => /^\s*bypass; reason=(\w+)/.exec(entry)?.[1]);
  return reasons.find((reason) => reason !== undefined && OWN.test(reason));
}
