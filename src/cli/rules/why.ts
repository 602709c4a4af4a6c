/**
 * Why a hit stands where it stands: the explanation of a running edge (`?armmt_explain`), and who published the rules that moved it, since when. The
 * edge's own words: nothing is computed a second time.
 */
import * as v from "valibot";
import { EXPLAIN_PARAM } from "../../protocol.ts";
import { parseRules, type Rule, type RuleAction } from "../../rules/document.ts";
import { UserError } from "../../web.ts";
import type { TriedSearch } from "../doctor/searches.ts";
import { readPublishedRules, readRulesHistory, type RulesChange } from "./store.ts";

const id = v.union([v.string(), v.pipe(v.number(), v.transform(String))]);
const places = v.array(v.object({ part: v.string(), places: v.number() }));

const explanation = v.looseObject({
  variant: v.string(),
  model: v.nullable(v.string()),
  bypass: v.nullable(v.string()),
  window: v.number(),
  rules: v.optional(
    v.looseObject({
      version: v.string(),
      applied: v.array(v.string()),
      idle: v.optional(
        v.array(v.looseObject({ rule: v.string(), reason: v.string(), item: v.optional(v.string()), by: v.optional(v.string()) })),
        [],
      ),
      slot_ids: v.optional(v.array(id), []),
    }),
  ),
  items: v.array(
    v.looseObject({
      id,
      rank: v.number(),
      ranked: v.nullish(v.number()),
      position: v.number(),
      score: v.nullish(v.number()),
      why: v.nullish(places),
      rules: v.optional(v.array(v.string()), []),
    }),
  ),
});

export type Explanation = v.InferOutput<typeof explanation>;

/** A reply of several searches has a list of them. */
const reply = v.looseObject({
  armmt: v.union([
    explanation,
    v.pipe(
      v.tupleWithRest([explanation], explanation),
      v.transform(([first]) => first),
    ),
  ]),
});

export interface AskedEdge {
  readonly url: string;
  readonly token: string;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** Of the shopper: session, history, context, country. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Throws a UserError that says what to do. */
export async function askExplanation({ path, method, body, headers }: TriedSearch, edge: AskedEdge): Promise<Explanation> {
  const url = new URL(path, edge.url);
  url.searchParams.set(EXPLAIN_PARAM, "1");
  const init = {
    method,
    headers: { ...headers, ...edge.headers, authorization: `Bearer ${edge.token}` },
    ...(body !== undefined && { body }),
  };
  const response = await edge.fetch(url.href, init).catch((cause: unknown) => {
    throw new UserError(`${edge.url} cannot be reached: start the edge, or name it with --edge <url>`, { cause });
  });
  const text = await response.text();
  if (!response.ok) throw new UserError(`${url.href} answered ${response.status}: ${text.slice(0, 300)}`);
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), reply), text);
  if (parsed.success) return parsed.output.armmt;
  throw new UserError(
    `${url.href} answered without an explanation: is ADMIN_TOKEN that of this edge, and the search one that it re-ranks? (${v.summarize(parsed.issues).split("\n")[0]})`,
  );
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

type Store = Parameters<typeof readRulesHistory>[0];

interface Published {
  readonly store: Store;
  readonly catalog: string;
}

interface Question {
  readonly query: string;
  readonly index: string;
  readonly id: string;
}

/** `published`: where the rules lie; without it, rules have their ids only. */
export async function whyIsHere(explained: Explanation, { query, index, id: wanted }: Question, published?: Published): Promise<Why> {
  const item = explained.items.find((one) => one.id === wanted);
  const { rules, variant, model, bypass } = explained;
  const idle = (rules?.idle ?? []).filter(
    ({ item: of, rule }) => of === wanted || (of === undefined && item?.rules.includes(rule) === true),
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
    isSponsored: rules?.slot_ids.includes(wanted) === true,
    rulesVersion: rules?.version ?? null,
    rules: rules === undefined ? [] : await describeRules(item?.rules ?? [], rules.version, published),
    idle: idle.map(({ rule, reason, by }) => ({ rule, reason, ...(by !== undefined && { by }) })),
    hits: explained.items.length,
  };
}

async function describeRules(ids: readonly string[], version: string, published: Published | undefined): Promise<readonly MovingRule[]> {
  if (ids.length === 0) return [];
  const documents = published === undefined ? undefined : await documentsBack(published, version, ids);
  return ids.map((own) => {
    const rule = documents?.rules.get(own);
    const since = documents?.since.get(own);
    return {
      id: own,
      does: rule === undefined ? null : describeAction(rule.action),
      name: rule?.name ?? null,
      note: rule?.note ?? null,
      owner: rule?.owner ?? null,
      by: since?.by ?? null,
      since: since?.at ?? null,
      until: rule?.when?.until ?? null,
    };
  });
}

/** The rules of the served version, and for each the change since which it is live as it is now. */
async function documentsBack({ store, catalog }: Published, version: string, ids: readonly string[]) {
  const read = async (of: string): Promise<ReadonlyMap<string, Rule>> => {
    const { text } = await readPublishedRules(store, catalog, of);
    const parsed = parseRules(text);
    return new Map(parsed.ok ? parsed.value.rules.map((rule) => [rule.id, rule]) : []);
  };
  const rules = await read(version);
  const history = await readRulesHistory(store, catalog);
  const last = history.findLastIndex((change) => change.version === version);
  const since = new Map<string, RulesChange>();
  let open = ids.filter((own) => rules.has(own));
  for (let i = last; i >= 0 && open.length > 0; i--) {
    const change = history[i]!;
    for (const own of open) since.set(own, change);
    if (change.before === null) break;
    const before = await read(change.before).catch((): ReadonlyMap<string, Rule> => new Map()); // oxlint-disable-line no-await-in-loop
    open = open.filter((own) => JSON.stringify(before.get(own)) === JSON.stringify(rules.get(own)));
  }
  return { rules, since };
}

function describeAction(action: RuleAction): string {
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
