/** What an importer makes of another system's rules: a document, and four lists that say what became of each part. */
import type { Rule, When } from "../../../rules/document.ts";

/** One line about one rule of the source. */
export interface Remark {
  readonly rule: string;
  readonly what: string;
}

export interface Imported {
  readonly rules: readonly Rule[];
  /** Ids of source rules of which all or a part was taken over. */
  readonly taken: readonly string[];
  /** Taken over, and means something else here. */
  readonly changed: readonly Remark[];
  readonly refused: readonly Remark[];
  /** Somebody has to decide. */
  readonly ask: readonly Remark[];
}

export type Importer = (text: string) => Imported;

/** Collects rules under ids that this document allows, each once. */
export function createCollector() {
  const rules: Rule[] = [];
  const ids = new Set<string>();
  const taken = new Set<string>();
  const changed: Remark[] = [];
  const refused: Remark[] = [];
  const ask: Remark[] = [];
  const add = (list: Remark[]) => (rule: string, what: string) => {
    if (!list.some((one) => one.rule === rule && one.what === what)) list.push({ rule, what });
  };
  const newId = (source: string, suffix: string): string => {
    const plain =
      source
        .normalize("NFKD")
        .replaceAll(/[^A-Za-z0-9._-]+/g, "-")
        .replace(/^[^A-Za-z0-9]+/, "") || "rule";
    const base = `${plain.slice(0, 50)}${suffix}`;
    let id = base;
    for (let n = 2; ids.has(id); n++) id = `${base}.${n}`;
    ids.add(id);
    return id;
  };
  return {
    changed: add(changed),
    refused: add(refused),
    ask: add(ask),
    rule(source: string, rule: Omit<Rule, "id">, suffix = "") {
      rules.push({ id: newId(source, suffix), ...rule });
      taken.add(source);
    },
    done: (): Imported => ({ rules, taken: [...taken], changed, refused, ask }),
  };
}

export type Collector = ReturnType<typeof createCollector>;

/** Pins and hidden items of one source rule: one rule each here, under the same conditions. */
export function addActions(
  to: Collector,
  source: string,
  common: Omit<Rule, "id" | "action">,
  {
    pins,
    hidden,
    gap = "keep",
  }: {
    readonly pins: readonly { readonly id: string; readonly position: number }[];
    readonly hidden: readonly string[];
    readonly gap?: "keep" | "close";
  },
): void {
  const items = pins.filter(({ id, position }, i) => {
    const first = pins.findIndex((other) => other.id === id || other.position === position);
    if (first !== i) to.refused(source, `item ${id} at position ${position}: the item or the position is given twice`);
    return first === i;
  });
  for (let start = 0; start < items.length; start += MOST)
    to.rule(source, { ...common, action: { do: "pin", items: items.slice(start, start + MOST), gap } });
  for (let start = 0; start < hidden.length; start += MOST) {
    to.rule(source, { ...common, action: { do: "hide", match: [{ ids: [...new Set(hidden.slice(start, start + MOST))] }] } }, ".hide");
  }
  if (pins.length === 0 && hidden.length === 0) return;
  // Theirs stay on top; here a shop seldom wants to see what it cannot sell.
  if (pins.length > 0) to.ask(source, 'a pin yields when its item is known to be sold out: set soldOut to "stay" where it must not');
}

const MOST = 300;

/** Only what is given: a member that is undefined is none. */
export function whenOf(given: { readonly [Name in keyof When]: When[Name] | undefined }): When | undefined {
  const kept: When = {};
  for (const [name, value] of Object.entries(given))
    if (value !== undefined && !(Array.isArray(value) && value.length === 0)) Reflect.set(kept, name, value);
  return Object.keys(kept).length === 0 ? undefined : kept;
}

/** Of Unix seconds. */
export function instantOf(seconds: number | undefined): string | undefined {
  return seconds === undefined ? undefined : new Date(seconds * 1000).toISOString();
}

/** Lower wins there, higher here. */
export function turnedPriority(given: number | null | undefined): number {
  return given === undefined || given === null ? -1000 : -Math.min(1000, Math.max(-1000, Math.round(given)));
}
