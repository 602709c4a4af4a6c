/** What page and worker say to each other. */
import * as v from "valibot";

export const REMOVE = "armmt-private:remove";

const progressSchema = v.object({
  type: v.literal("armmt-private:progress"),
  /** Of the file that travels now. */
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
