/** Messages between page and worker. */
import * as v from "valibot";

export const REMOVE = "armmt-private:remove";

const progressSchema = v.object({
  type: v.literal("armmt-private:progress"),
  /** The file that is being fetched. */
  name: v.string(),
  doneBytes: v.number(),
  totalBytes: v.number(),
});

export type ProgressMessage = v.InferOutput<typeof progressSchema>;

export function parseProgress(data: unknown): ProgressMessage | undefined {
  const parsed = v.safeParse(progressSchema, data);
  return parsed.success ? parsed.output : undefined;
}

export function isRemoval(data: unknown): boolean {
  return v.is(v.object({ type: v.literal(REMOVE) }), data);
}
