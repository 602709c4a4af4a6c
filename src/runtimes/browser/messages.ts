/** Messages between page and worker. */
import * as v from "valibot";

export const REMOVE = "armmt-private:remove";

const PROGRESS = "armmt-private:progress";

const progressSchema = v.object({
  type: v.literal(PROGRESS),
  /** The file that is being fetched. */
  name: v.string(),
  doneBytes: v.number(),
  totalBytes: v.number(),
});

/** In bytes on the network, of all missing files. */
export type FetchProgress = Omit<v.InferOutput<typeof progressSchema>, "type">;

export function progressMessage(progress: FetchProgress): object {
  return { type: PROGRESS, ...progress };
}

export function parseProgress(data: unknown): FetchProgress | undefined {
  const parsed = v.safeParse(progressSchema, data);
  return parsed.success ? parsed.output : undefined;
}

export function isRemoval(data: unknown): boolean {
  return v.is(v.object({ type: v.literal(REMOVE) }), data);
}
