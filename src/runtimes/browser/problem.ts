/** Why a browser does not re-rank on the device: a code for programs, and a sentence with the value and the fix for people. */
import { parseOutcomes } from "../../protocol.ts";
import { isBypassReason, REASONS } from "../../result.ts";
import { errorStack } from "../../web.ts";

export type ProblemReason =
  | "listing_unreachable" // files.json cannot be fetched, and none is stored
  | "listing_invalid"
  | "file_unreachable"
  | "file_unlisted"
  | "file_corrupt" // wrong length or SHA-256, or not a gzip file
  | "storage_full"
  | "worker_outdated" // files.json belongs to another build of the worker
  | "configuration"
  | "model_unavailable"
  | "not_ready" // the model is still being loaded
  | "removed" // the shopper deleted it from this device
  | "internal_error";

export interface Problem {
  readonly reason: ProblemReason;
  readonly detail: string;
}

export class FileError extends Error {
  override readonly name = "FileError";
  readonly reason: ProblemReason;

  constructor(reason: ProblemReason, message: string) {
    super(message);
    this.reason = reason;
  }
}

export function problemOf(cause: unknown): Problem {
  if (cause instanceof FileError) return { reason: cause.reason, detail: cause.message };
  return { reason: "internal_error", detail: errorStack(cause) };
}

/** `header`: of the reply, one entry per search. The reason for which the network answers after all, or undefined. */
export function ownFailure(header: string | null): string | undefined {
  if (header === null) return "refused";
  const reasons = parseOutcomes(header).flatMap((outcome) => (outcome?.kind === "bypass" ? [outcome.reason] : []));
  return reasons.find((reason) => isBypassReason(reason) && REASONS[reason].onDevice);
}
