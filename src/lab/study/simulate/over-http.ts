/**
 * Simulated shoppers at a running edge: they search over HTTP, click, buy and send back, and their events go to its events endpoint with the tokens
 * of its replies. The edge alone decides who is in which arm. The truth is what each arm's order is worth to each search: expected, not drawn.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { progressBar } from "../../../cli/command.ts";
import { mean } from "../../../cli/evaluate/metrics.ts";
import { createRandom, type Random } from "../../../demo/catalogue/random.ts";
import {
  CONSENT_HEADER,
  formatHistory,
  HISTORY_HEADER,
  NO_TOKEN,
  OUTCOME_HEADER,
  SESSION_HEADER,
  TOKENS_HEADER,
  USER_AGENT_HEADER,
  VARIANT_PARAM,
} from "../../../protocol.ts";
import { MAX_HISTORY } from "../../../ranking/features.ts";
import { isBypassReason, REASONS } from "../../../result.ts";
import { UserError } from "../../../web.ts";
import { attraction, carting, conversion, type Parts, utilities, utilitiesInOrder } from "./attraction.ts";
import { clickProbabilities, drawClicks, type LogModel } from "./clicks.ts";
import { candidatesOf } from "./scenario.ts";
import type { Shop, Wish } from "./shop.ts";
import { drawShopper, type Shopper } from "./shopper.ts";

export interface HttpOptions {
  /** Address of the edge. */
  readonly edge: string;
  /** One that speaks Elasticsearch's language, over the catalogue of `shop`. */
  readonly index: string;
  readonly shop: Shop;
  readonly shoppers: number;
  readonly searches: number;
  readonly clickModel: LogModel;
  readonly parts: Parts;
  /** Another one, other shoppers: units and query ids follow from it, so that a log holds each seed once. */
  readonly seed: number;
  /** Variants whose orders are judged, the control first; the edge's ADMIN_TOKEN lets one ask for them. */
  readonly arms: readonly string[];
  readonly adminToken: string | undefined;
  /** The truth of every so many searches; default 1. Each costs a further search per arm. */
  readonly judgeEvery?: number | undefined;
  /** Hits of a page. */
  readonly page: number;
  /** Shoppers at the same time. */
  readonly atOnce: number;
  readonly out: string;
  readonly json?: boolean | undefined;
}

const APPLICATION = "armmt-simulator";
const CURRENCY = "EUR";
/** Of purchases: sent back, the money returned. */
const RETURNED_SHARE = 0.1;

const SHOPPER_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36";
/** A crawler leaves no trace in the log: what is asked for the truth must not. */
const CRAWLER_AGENT = "Googlebot/2.1 (armmt simulate)";

/** Expected per search; revenue is without what is sent back. */
type Worth = Readonly<Record<"clicks" | "purchases" | "revenue", number>>;

/** A line of truth.ndjson: what was shown, and each arm's order; no arms without ADMIN_TOKEN, nor where an arm's order could not be had. */
interface Truth {
  readonly query_id: string;
  readonly shopper: string;
  readonly shown: Worth;
  readonly arms: Readonly<Record<string, Worth>>;
}

const replySchema = v.object({ hits: v.object({ hits: v.array(v.object({ _id: v.string() })) }) });
const takenSchema = v.object({ accepted: v.number(), duplicates: v.number(), rejected: v.array(v.object({ reason: v.string() })) });

type Candidates = ReturnType<typeof candidatesOf>;

/** What a shopper sees of a page: attraction and conversion at each position. */
function look(ids: readonly string[], { shopper, wish }: Wanted, known: Candidates, parts: Parts) {
  const shown = ids.map((id) => {
    const candidate = known.get(id);
    if (candidate === undefined)
      throw new UserError(
        `The edge found "${id}", which the simulated shop does not sell: name the catalogue that it serves with --items and --catalog-seed`,
      );
    return candidate;
  });
  const products = shown.map(({ product }) => product);
  const u = utilitiesInOrder(
    utilities(shopper, wish, products, parts),
    shown.map(({ kind }) => kind),
    parts,
  );
  return products.map((product, i) => ({
    product,
    u: u[i]!,
    attraction: attraction(u[i]!),
    conversion: conversion(u[i]!, product.inStock),
  }));
}

interface Wanted {
  readonly shopper: Shopper;
  readonly wish: Wish;
}

function worthOf(seen: ReturnType<typeof look>, model: LogModel): Worth {
  const clicks = clickProbabilities(
    model,
    seen.map((item) => item.attraction),
  );
  const sum = (of: (i: number) => number): number => clicks.reduce((total, p, i) => total + p * of(i), 0);
  return {
    clicks: sum(() => 1),
    purchases: sum((i) => seen[i]!.conversion),
    revenue: (1 - RETURNED_SHARE) * sum((i) => seen[i]!.conversion * seen[i]!.product.price),
  };
}

/** Throws a UserError where the edge does not answer as it should. */
export async function simulateOverHttp(options: HttpOptions) {
  const { shop, shoppers, searches, clickModel, parts, seed, arms, adminToken, judgeEvery = 1, out } = options;
  const known = candidatesOf(shop);
  const ask = createClient(options);
  const counts = {
    searches: 0,
    empty: 0,
    clicks: 0,
    carts: 0,
    purchases: 0,
    returns: 0,
    accepted: 0,
    duplicates: 0,
    untold: 0,
    unjudged: 0,
  };
  const rejected = new Map<string, number>();
  const truths: Truth[] = [];
  const bar = progressBar("Simulating searches", searches, options);

  async function visit(s: number): Promise<void> {
    const shopper = drawShopper(`shopper-${s + 1}`, seed, shop);
    const unit = `sim-${seed}-${shopper.id}`;
    const random = createRandom(`${seed}:${shopper.id}:http`);
    const count = Math.round(((s + 1) * searches) / shoppers) - Math.round((s * searches) / shoppers);
    let history: readonly string[] = [];
    for (let i = 0; i < count; i++) {
      const likes = (word: string): number => 1 + 3 * Math.max(0, shopper.taste.get(word) ?? 0);
      const wanted = { shopper, wish: shop.makeWish(shopper.interests, likes, random) };
      // The edge replaces a query id in which the shopper's id stands.
      const queryId = `sim-${seed}-query-${s + 1}-${i + 1}`;
      // A shopper's searches follow each other.
      const found = await ask.search(wanted.wish.text, { unit, queryId, history }); // oxlint-disable-line no-await-in-loop
      const isJudged = adminToken !== undefined && (s + i) % judgeEvery === 0;
      const worth = isJudged ? await judge(wanted, history) : {}; // oxlint-disable-line no-await-in-loop
      const seen = look(found.ids, wanted, known, parts);
      const did = act(seen, clickModel, random, queryId);
      counts.searches++;
      if (found.ids.length === 0) counts.empty++;
      for (const { action_name: action } of did) counts[COUNTED[action]]++;
      if (found.token === undefined) counts.untold += did.length;
      else if (did.length > 0) {
        const taken = await ask.tell(found.token, unit, did); // oxlint-disable-line no-await-in-loop
        counts.accepted += taken.accepted;
        counts.duplicates += taken.duplicates;
        for (const { reason } of taken.rejected) rejected.set(reason, (rejected.get(reason) ?? 0) + 1);
      }
      truths.push({ query_id: queryId, shopper: unit, shown: worthOf(seen, clickModel), arms: worth });
      const clicked = did.flatMap(({ action_name: action, event_attributes: { object } }) =>
        action === "click" ? [object.object_id] : [],
      );
      history = [...new Set([...clicked.toReversed(), ...history])].slice(0, MAX_HISTORY);
      bar.increment();
    }
  }

  /** Of each arm's order; of none where one of them was not ranked in time. */
  async function judge(wanted: Wanted, history: readonly string[]): Promise<Record<string, Worth>> {
    const worth: Record<string, Worth> = {};
    for (const arm of arms) {
      const ids = await ask.orderOf(arm, wanted.wish.text, history); // oxlint-disable-line no-await-in-loop
      if (ids === undefined) {
        counts.unjudged++;
        return {};
      }
      worth[arm] = worthOf(look(ids, wanted, known, parts), clickModel);
    }
    return worth;
  }

  let next = 0;
  const work = async (): Promise<void> => {
    while (next < shoppers) await visit(next++); // oxlint-disable-line no-await-in-loop
  };
  await Promise.all(Array.from({ length: options.atOnce }, work));
  bar.stop();

  // In the order of shoppers, however many came at once.
  truths.sort((a, b) => a.query_id.localeCompare(b.query_id, "en", { numeric: true }));
  const report = {
    simulated: true,
    ...counts,
    rejected: Object.fromEntries(rejected),
    /** Expected per search, were all searches of that arm; null without ADMIN_TOKEN. */
    truth: adminToken === undefined ? null : summarise(truths, arms),
  };
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, "truth.ndjson"), truths.map((truth) => `${JSON.stringify(truth)}\n`).join(""));
  const { edge, index, page } = options;
  const settings = { edge, index, page, shoppers, searches, clickModel, seed, parts, arms, judgeEvery, returned: RETURNED_SHARE };
  writeFileSync(join(out, "simulation.json"), `${JSON.stringify({ ...settings, ...report }, undefined, 2)}\n`);
  return report;
}

/** Means of each arm, and of the others their lift over the first. */
function summarise(truths: readonly Truth[], arms: readonly string[]) {
  const meanOf = (arm: string, figure: keyof Worth): number => mean(truths.flatMap((truth) => truth.arms[arm]?.[figure] ?? []));
  const means = arms.map((arm) => [arm, figuresOf((figure) => meanOf(arm, figure))] as const);
  const [control, ...others] = means;
  const lifts = others.map(([arm, own]) => [arm, figuresOf((figure) => own[figure] / (control?.[1][figure] ?? 0) - 1)] as const);
  return { arms: Object.fromEntries(means), lifts: Object.fromEntries(lifts) };
}

const figuresOf = (of: (figure: keyof Worth) => number): Worth => ({
  clicks: of("clicks"),
  purchases: of("purchases"),
  revenue: of("revenue"),
});

const COUNTED = { click: "clicks", add_to_cart: "carts", purchase: "purchases", refund: "returns" } as const;

interface Done {
  readonly action_name: keyof typeof COUNTED;
  readonly event_attributes: { readonly object: { readonly object_id: string } & Readonly<Record<string, string | number>> };
}

/** The first replies of an edge that has just started may come without a token; all of them, only where it has no secret. */
const MOST_MISSING = 20;

/** As many numbers per position, whatever is clicked: one click does not shift the chance of the next. */
function act(seen: ReturnType<typeof look>, model: LogModel, random: Random, queryId: string): readonly Done[] {
  const clicked = drawClicks(
    model,
    seen.map((item) => item.attraction),
    random,
  );
  return seen.flatMap(({ product, u, conversion: chance }, i): readonly Done[] => {
    const [outcome, returning] = [random.next(), random.next()];
    if (clicked[i] !== true) return [];
    const object = { object_id: product.id };
    const done: Done[] = [{ action_name: "click", event_attributes: { object } }];
    if (outcome < carting(u, product.inStock)) done.push({ action_name: "add_to_cart", event_attributes: { object } });
    if (outcome >= chance) return done;
    const order = { ...object, order_id: `${queryId}-o${i + 1}`, price: product.price, quantity: 1, currency: CURRENCY };
    done.push({ action_name: "purchase", event_attributes: { object: order } });
    if (returning < RETURNED_SHARE) done.push({ action_name: "refund", event_attributes: { object: order } });
    return done;
  });
}

interface Visitor {
  readonly unit: string;
  readonly queryId: string;
  readonly history: readonly string[];
}

const historyHeader = (history: readonly string[]): Record<string, string> =>
  history.length === 0 ? {} : { [HISTORY_HEADER]: formatHistory(history) };

function createClient({ edge, index, page, adminToken }: HttpOptions) {
  const url = new URL(edge);
  let [hasToken, missing] = [false, 0];
  const send = (address: URL, init: RequestInit): Promise<Response> =>
    fetch(address, init).catch((cause: unknown) => {
      throw new UserError(`${url.origin} does not answer: start the edge, or name its address with --edge`, { cause });
    });
  async function post(path: string, headers: Readonly<Record<string, string>>, body: unknown): Promise<Response> {
    const address = new URL(path, url);
    const reply = await send(address, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
    });
    // 422: every event was rejected, and the reply says why.
    if (!reply.ok && reply.status !== 422)
      throw new UserError(`${address.pathname} of ${url.origin} answers ${reply.status}: ${(await reply.text()).slice(0, 300)}`);
    return reply;
  }
  const bodyOf = (text: string, ubi: object) => ({
    query: { multi_match: { query: text, fields: ["title^2", "category"] } },
    size: page,
    ext: { ubi: { application: APPLICATION, ...ubi } },
  });
  async function idsOf(reply: Response): Promise<readonly string[]> {
    const parsed = v.safeParse(replySchema, await reply.json());
    if (!parsed.success) throw new UserError(`Index "${index}" does not answer as Elasticsearch does: ${v.summarize(parsed.issues)}`);
    return parsed.output.hits.hits.map(({ _id: id }) => id);
  }
  const path = `/${encodeURIComponent(index)}/_search`;
  return {
    async search(
      text: string,
      { unit, queryId, history }: Visitor,
    ): Promise<{ readonly ids: readonly string[]; readonly token: string | undefined }> {
      const headers = { [USER_AGENT_HEADER]: SHOPPER_AGENT, [SESSION_HEADER]: unit, [CONSENT_HEADER]: "1", ...historyHeader(history) };
      const reply = await post(path, headers, bodyOf(text, { query_id: queryId }));
      const ids = await idsOf(reply);
      const token = reply.headers.get(TOKENS_HEADER) ?? "";
      if (ids.length > 0 && (token === "" || token === NO_TOKEN)) {
        // The edge gives its reply without one rather than late.
        if (!hasToken && ++missing >= MOST_MISSING)
          throw new UserError(`${url.origin} sends no ${TOKENS_HEADER}: set EVENT_SECRET, so that events can be told`);
        return { ids, token: undefined };
      }
      hasToken = true;
      return { ids, token };
    },
    /** What this variant would show to a shopper with this history; `undefined` where the edge could not rank it. Leaves no trace in the log. */
    async orderOf(variant: string, text: string, history: readonly string[]): Promise<readonly string[] | undefined> {
      const headers = { [USER_AGENT_HEADER]: CRAWLER_AGENT, authorization: `Bearer ${adminToken ?? ""}`, ...historyHeader(history) };
      const reply = await post(`${path}?${VARIANT_PARAM}=${encodeURIComponent(variant)}`, headers, bodyOf(text, {}));
      const reason = /\breason=(\w+)/.exec(reply.headers.get(OUTCOME_HEADER) ?? "")?.[1] ?? "";
      return isBypassReason(reason) && !REASONS[reason].expected ? undefined : idsOf(reply);
    },
    async tell(token: string, unit: string, events: readonly Done[]) {
      const now = Date.now();
      const dated = events.map((event) => ({ token: 0, timestamp: now, ...event }));
      const headers = { [USER_AGENT_HEADER]: SHOPPER_AGENT };
      const reply = await post("/events", headers, { sent_at: now, consent: true, client_id: unit, tokens: [token], events: dated });
      return v.parse(takenSchema, await reply.json());
    },
  };
}
