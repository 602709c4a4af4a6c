/** What a reply of any engine says of its hits: found by their ids, because each engine, and each shop, has other names for everything. */

export interface ShownHit {
  readonly title: string | undefined;
  readonly picture: string | undefined;
}

const TITLE = /^(title|(product_?|display_?)?name|label)/i;
const PICTURE = /image|img|picture|photo|thumb/i;
const DEEP = 6;

/** Parallel to `ids`; empty where the hits are not found. */
export function hitsOf(reply: unknown, ids: readonly string[]): readonly (ShownHit | undefined)[] {
  const list = ids.length === 0 ? undefined : listOf(reply, ids, DEEP);
  return ids.map((_, i) => list && { title: find(list[i], TITLE, isText, 4), picture: find(list[i], PICTURE, isAddress, 4) });
}

const members = (value: unknown): [string, unknown][] => (typeof value === "object" && value !== null ? Object.entries(value) : []);

/** The list whose elements hold these ids, in this order. */
function listOf(value: unknown, ids: readonly string[], deep: number): readonly unknown[] | undefined {
  if (Array.isArray(value) && value.length === ids.length && ids.every((id, i) => holds(value[i], id, 3))) return value;
  if (deep === 0) return undefined;
  for (const [name, member] of members(value)) {
    // The explanation's own.
    const found = name === "armmt" ? undefined : listOf(member, ids, deep - 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

function holds(value: unknown, id: string, deep: number): boolean {
  return members(value).some(([, member]) => String(member) === id || (deep > 0 && holds(member, id, deep - 1)));
}

/** The first text of such a name, the nearest to the hit itself. */
function find(value: unknown, name: RegExp, isWanted: (text: string) => boolean, deep: number): string | undefined {
  const own = members(value);
  for (const [key, member] of own) if (name.test(key)) for (const text of textsIn(member, 2)) if (isWanted(text)) return text;
  for (const [, member] of deep === 0 ? [] : own) {
    const found = find(member, name, isWanted, deep - 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

function textsIn(value: unknown, deep: number): readonly string[] {
  if (typeof value === "string") return [value];
  return deep === 0 ? [] : members(value).flatMap(([, member]) => textsIn(member, deep - 1));
}

const isText = (text: string): boolean => text.trim() !== "";
const isAddress = (text: string): boolean => /^(https?:\/\/|\/)\S+$/.test(text);
