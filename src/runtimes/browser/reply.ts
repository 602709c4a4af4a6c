/** Reads the outcome of a search on the device, to decide who answers: the device, or the network after all. */
import { parseOutcomes } from "../../protocol.ts";
import { isBypassReason, REASONS } from "../../result.ts";

/** `header`: of the reply, one entry per search. The reason why this reply is not to be used, or undefined. */
export function ownFailure(header: string | null): string | undefined {
  if (header === null) return "refused";
  const reasons = parseOutcomes(header).flatMap((outcome) => (outcome?.kind === "bypass" ? [outcome.reason] : []));
  return reasons.find((reason) => isBypassReason(reason) && REASONS[reason].onDevice);
}
