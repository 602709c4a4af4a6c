/**
 * Why a hit stands where it stands: the explanation of a running edge (`?armmt_explain`), and who published the rules that moved it, since when. The
 * edge's own words: nothing is computed a second time.
 */
import * as v from "valibot";
import { EXPLAIN_PARAM } from "../../protocol.ts";
import { parseRules, type Rule } from "../../rules/document.ts";
import { UserError } from "../../web.ts";
import type { TriedSearch } from "../doctor/searches.ts";
import type { RulesChange } from "../../rules/history.ts";
import { describeAction, type MovingRule, type Question, type Why, whyOf } from "../../rules/why.ts";
import { readPublishedRules, readRulesHistory } from "../../search/rules-store.ts";

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

type Store = Parameters<typeof readRulesHistory>[0];

interface Published {
  readonly store: Store;
  readonly catalog: string;
}

/** `published`: where the rules lie; without it, rules have their ids only. */
export async function whyIsHere(explained: Explanation, question: Question, published?: Published): Promise<Why> {
  const moved = explained.items.find(({ id: own }) => own === question.id)?.rules ?? [];
  const { rules } = explained;
  return whyOf(explained, question, rules === undefined ? [] : await describeRules(moved, rules.version, published));
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
