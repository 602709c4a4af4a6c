/** Why a hit stands where it stands, in words: from an edge's own explanation, and from whom its rules are. Nothing is computed a second time. */
import type { RuleAction } from "./document.ts";

/** The member `armmt` of a reply to `?armmt_explain`. */
export interface Explained {
  readonly variant: string;
  readonly model: string | null;
  readonly bypass: string | null;
  readonly rules?:
    | {
        readonly version: string;
        readonly idle?: readonly {
          readonly rule: string;
          readonly reason: string;
          readonly item?: string | undefined;
          readonly by?: string | undefined;
        }[];
        readonly slot_ids?: readonly string[];
      }
    | undefined;
  readonly items: readonly {
    readonly id: string;
    readonly rank: number;
    readonly ranked?: number | null | undefined;
    readonly position: number;
    readonly why?: Why["parts"] | null | undefined;
    readonly rules?: readonly string[];
  }[];
}

/** A rule that says where the hit stands, as far as the published document is known. */
export interface MovingRule {
  readonly id: string;
  readonly does: string | null;
  readonly name: string | null;
  readonly note: string | null;
  readonly owner: string | null;
  /** Who published it as it is now. */
  readonly by: string | null;
  readonly since: string | null;
  /** The rule's own end. */
  readonly until: string | null;
}

export interface Why {
  readonly query: string;
  readonly index: string;
  readonly id: string;
  readonly variant: string;
  /** Absent from the first hits: nothing of it is known but what rules say. */
  readonly isShown: boolean;
  readonly position: number | null;
  readonly engine: number | null;
  /** Its place by meaning or model, before rules. */
  readonly ranked: number | null;
  readonly model: string | null;
  readonly bypass: string | null;
  readonly parts: readonly { readonly part: string; readonly places: number }[];
  readonly isSponsored: boolean;
  readonly rulesVersion: string | null;
  readonly rules: readonly MovingRule[];
  readonly idle: readonly { readonly rule: string; readonly reason: string; readonly by?: string | undefined }[];
  /** How many hits were looked at. */
  readonly hits: number;
}

export interface Question {
  readonly query: string;
  readonly index: string;
  readonly id: string;
}

/** `moving`: what is known of the rules that moved it. */
export function whyOf(explained: Explained, { query, index, id: wanted }: Question, moving: readonly MovingRule[]): Why {
  const item = explained.items.find((one) => one.id === wanted);
  const { rules, variant, model, bypass } = explained;
  const idle = (rules?.idle ?? []).filter(
    ({ item: of, rule }) => of === wanted || (of === undefined && item?.rules?.includes(rule) === true),
  );
  return {
    query,
    index,
    id: wanted,
    variant,
    isShown: item !== undefined,
    position: item?.position ?? null,
    engine: item?.rank ?? null,
    ranked: item?.ranked ?? null,
    model: item?.ranked === undefined || item.ranked === null ? null : model,
    bypass,
    parts: item?.why ?? [],
    isSponsored: rules?.slot_ids?.includes(wanted) === true,
    rulesVersion: rules?.version ?? null,
    rules: moving,
    idle: idle.map(({ rule, reason, by }) => ({ rule, reason, ...(by !== undefined && { by }) })),
    hits: explained.items.length,
  };
}

/** What it does to one hit. */
export function describeAction(action: RuleAction): string {
  if (action.do === "boost") return `moves it ${action.places} places up`;
  if (action.do === "bury") return `moves it ${action.places} places down`;
  if (action.do === "cap") return `allows ${action.most} of one ${action.field} in the first ${action.first}`;
  if (action.do === "diversify") return `makes the first ${action.first} differ`;
  return DOES[action.do];
}

const DOES: Readonly<Record<Exclude<RuleAction["do"], "boost" | "bury" | "cap" | "diversify">, string>> = {
  pin: "pins it",
  slots: "gives it a slot (sponsored)",
  hide: "hides it: to the end of the window",
  last: "puts it behind all that it does not match",
};

/** For a support desk. */
export function describeWhy(why: Why): string {
  const { query, index, id: own, isShown, position, engine, ranked, model, bypass, parts, rules, idle, hits, rulesVersion, variant } = why;
  const search = query.trim() === "" ? `a page of ${index} without words` : `"${query}" in ${index}`;
  const lines = isShown
    ? [
        `${own} stands at position ${position} for ${search}${why.isSponsored ? ", in a sponsored slot" : ""}.`,
        `- The engine found it at ${engine}.`,
      ]
    : [`${own} is not among the first ${hits} hits for ${search}: the engine does not find it, or finds it further down.`];
  if (ranked !== null && model !== null) {
    const who = model.startsWith("semantic-") ? `Meaning (${model})` : `Model ${model}`;
    const because = parts.map(({ part, places: by }) => `${part} ${by > 0 ? "lifts" : "lowers"} it by ${Math.abs(by)}`).join(", ");
    lines.push(`- ${who} puts it at ${ranked}${because === "" ? "" : `: ${because}`}.`);
  } else if (isShown)
    lines.push(`- Neither meaning nor a model orders this list${bypass === null ? ` (variant ${variant})` : ` (${bypass})`}.`);
  for (const rule of rules) lines.push(`- ${describeRule(rule)}`);
  if (isShown && rules.length === 0) lines.push(rulesVersion === null ? "- No rule fits this search." : "- No rule says where it stands.");
  for (const { rule, reason, by } of idle) lines.push(`- Rule ${rule} did nothing for it: ${reason}${by === undefined ? "" : ` (${by})`}.`);
  if (isShown && ranked !== null && position !== ranked && rules.length === 0)
    lines.push("- Others that rules moved, or a list that is interleaved or explored, make the rest of the difference.");
  return lines.join("\n");
}

function describeRule({ id: own, does, name, note, owner, by, since, until }: MovingRule): string {
  const about = [name, note].filter((text) => text !== null).join("; ");
  const who = [
    ...(owner === null ? [] : [`owner ${owner}`]),
    ...(by === null ? [] : [`published by ${by}`]),
    ...(since === null ? [] : [`as it is since ${since}`]),
    ...(until === null ? [] : [`until ${until}`]),
  ].join(", ");
  return `Rule ${own}${about === "" ? "" : ` (${about})`} ${does ?? "says where it stands"}${who === "" ? "" : `: ${who}`}.`;
}
