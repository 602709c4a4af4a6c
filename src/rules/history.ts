/** Who changed the rules of a catalogue, and when: one JSON list in KV, newest last. */
import * as v from "valibot";

/** Changes that are kept. */
export const MOST_CHANGES = 100;

const change = v.object({
  at: v.string(),
  by: v.string(),
  from: v.picklist(["publish", "rollback"]),
  version: v.string(),
  before: v.nullable(v.string()),
  note: v.optional(v.string()),
});

export type RulesChange = v.InferOutput<typeof change>;

const changes = v.pipe(v.string(), v.parseJson(), v.array(change));

/** `undefined` where the text is no list of changes. */
export function parseChanges(text: string): readonly RulesChange[] | undefined {
  const parsed = v.safeParse(changes, text);
  return parsed.success ? parsed.output : undefined;
}
