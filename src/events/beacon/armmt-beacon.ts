/**
 * The browser snippet: remembers the token of a search, records what shoppers click, put into the cart and buy, and sends it to `/events`.
 *
 *   <script src="https://edge.example.com/armmt/beacon.js" data-consent="1" data-client="<id>" async></script>
 *   fetch(searchUrl, …).then(armmt.search)
 *   <li data-armmt-item="<id>"> … <button data-armmt-action="add_to_cart" data-armmt-price="12.50" data-armmt-currency="EUR">
 *   <li data-armmt-item="<id>" data-armmt-action="purchase" data-armmt-on="load" data-armmt-id="<order>" data-armmt-quantity="2">
 *   armmt.track("purchase", "<id>", { id: "<order>", price: 12.5, quantity: 2, currency: "EUR" })
 *
 * Without consent everything lives in this page's memory and dies with it. With consent it is kept in localStorage, so that a purchase on a
 * later page finds the search it came from, and what could not be sent is sent later. No cookie in either case, no identifier of its own.
 *
 * Browser code, written to be small: test/events/beacon.node.test.ts bundles it into beacon/bundled.ts, which the Worker serves as text.
 */

/** What stands in storage. */
interface State {
  /** Tokens of the last search in any tab, as its header has them. */
  t: string;
  /** Item → tokens of the search from which it was last clicked, and when (milliseconds); the most recent last. */
  i: [item: string, tokens: string, at: number][];
  /** Not known to be delivered. */
  q: Entry[];
}

interface Entry {
  /** Tells entries apart. */
  n: number;
  /** Tokens. */
  t: string;
  /** A UBI event. */
  e: object;
  /** What money hangs on: kept until it is known to be delivered. The edge drops what comes twice. */
  k: boolean;
}

interface Details {
  /** The order's number. */
  id?: string | undefined;
  /** Where an order has the same item on two lines. */
  line?: string | undefined;
  price?: number | string | undefined;
  quantity?: number | string | undefined;
  currency?: string | undefined;
}

/** What pages call, as `armmt`. */
export interface Armmt {
  /** Takes the reply of a search, or the text of its header `x-armmt-events`, and gives it back. */
  search<T extends string | { readonly headers: { get(name: string): string | null }; readonly url?: string }>(reply: T): T;
  /** `action`: impression, click, add_to_cart, purchase, conversion, refund or cancel. `id`: an order counts once, however often its page is shown. */
  track(action: string, item: string, details?: Details): void;
  /** `client`: an id of the shop's for this shopper or browser. Taken back, consent takes with it what was kept. */
  consent(isGiven: boolean, client?: string): void;
  /** Sends now what waits. */
  flush(): void;
}

const KEY = "armmt";
const WEEK_MS = 6048e5;
/** Of a request: what a beacon may hold, and how many events the edge takes. */
const MAX_BYTES = 6e4;
const MAX_EVENTS = 50;

const script = document.currentScript;
const { src = location.href, dataset: options = {} } = script instanceof HTMLScriptElement ? script : {};
const url = options["events"] ?? new URL("/events", src).href;

let hasConsent = options["consent"] === "1";
let hasStorage = true;
let client = hasConsent ? options["client"] : undefined;
/** Tokens of the last two searches of this page: results and what was suggested before them. */
let here: string[] = [];
let state: State = { t: "", i: [], q: [] };
/** Address of the last search, until it is known how long this page waited for it: the browser knows once all of the reply is there. */
let asked = "";
let timer: ReturnType<typeof setTimeout> | undefined;
let isSending = false;
let failures = 0;

/** Storage may be off, or full, or hold something else: then memory has to do. Other pages of the shop write there too. */
const load = (): void => {
  try {
    if (hasConsent && hasStorage) state = { ...state, ...JSON.parse(localStorage[KEY] ?? "{}") };
  } catch {
    hasStorage = false;
  }
};
const save = (): void => {
  try {
    if (hasConsent && hasStorage) localStorage[KEY] = JSON.stringify(state);
  } catch {
    hasStorage = false;
  }
};

/** The first that wait from `from` on, and the body that holds them. text/plain needs no preflight, for which a closing page has no time. */
const pack = (from: number, count = MAX_EVENTS): [Entry[], Blob] => {
  const entries = state.q.slice(from, from + count);
  const tokens = [...new Set(entries.map(({ t }) => t))];
  const events = entries.map(({ t, e }) => ({ token: tokens.indexOf(t), ...e }));
  const waited = performance.getEntriesByName(asked).pop()?.duration;
  const batch = { sent_at: Date.now(), consent: hasConsent, client_id: client, waited_ms: waited, tokens, events };
  const body = new Blob([JSON.stringify(batch)], { type: "text/plain" });
  return body.size > MAX_BYTES && count > 1 ? pack(from, count >> 1) : [entries, body];
};
const drop = (entries: readonly Entry[]): void => {
  load();
  state.q = state.q.filter(({ n }) => entries.every((entry) => entry.n !== n));
  save();
};
const plan = (ms: number): void => {
  timer ??= setTimeout(flush, ms);
};

const flush = (): void => {
  clearTimeout(timer);
  timer = undefined;
  load();
  const [entries, body] = pack(0);
  if (isSending || entries.length === 0) return;
  isSending = true;
  const done = (isOver: boolean): void => {
    isSending = false;
    failures = isOver ? 0 : failures + 1;
    if (isOver) drop(entries);
    asked = "";
    if (state.q.length > 0) plan(isOver ? 0 : Math.min(3e5, 2500 * 2 ** failures));
  };
  fetch(url, { method: "POST", body, keepalive: true, credentials: "omit" }).then(
    // What is refused for good is over too; the edge's own trouble (5xx), 408 and 429 are not.
    ({ status }) => done(status < 500 && status !== 429 && status !== 408),
    () => done(false),
  );
};

/** The page may never come back, and nobody will hear whether a beacon arrived. */
const leave = (): void => {
  load();
  const sent: Entry[] = [];
  while (navigator.onLine && sent.length < state.q.length) {
    const [entries, body] = pack(sent.length);
    if (!navigator.sendBeacon(url, body)) break;
    sent.push(...entries);
  }
  drop(sent.filter(({ k }) => !k || !hasConsent));
};

const armmt: Armmt = {
  search(reply) {
    const tokens = (typeof reply === "string" ? reply : reply.headers.get("x-armmt-events")) ?? "";
    if (typeof reply !== "string") asked = reply.url ?? "";
    load();
    here = [tokens, ...here].slice(0, 2);
    state.t = tokens;
    save();
    return reply;
  },
  track(action, item, { id, line, price, quantity, currency } = {}) {
    load();
    const isSeen = action === "click" || action === "impression";
    const clicked = state.i.find(([other]) => other === item)?.[1];
    const last = here.join() || state.t;
    // What is seen comes from the search of now; what is bought comes from where it was clicked.
    const tokens = (isSeen ? last || clicked : clicked || last) ?? "";
    if (tokens === "") return;
    const at = Date.now();
    const n = Math.random();
    if (action === "click") {
      const others = state.i.filter(([other, , then]) => other !== item && at - then < WEEK_MS);
      state.i = [...others.slice(-49), [item, tokens, at]];
    }
    const object = { object_id: item, price, quantity: quantity && +quantity, currency, order_id: id, line };
    // Without an id of the shop's: seen twice is seen once, bought twice is bought twice.
    const event = { action_name: action, event_id: id ?? (isSeen ? id : `${n}`), timestamp: at, event_attributes: { object } };
    state.q.push({ n, t: tokens, e: event, k: !isSeen });
    save();
    plan(2000);
  },
  consent(isGiven, id) {
    client = isGiven ? (id ?? client) : undefined;
    if (isGiven && !hasConsent) {
      const { t, i, q } = state;
      hasConsent = true;
      load();
      state = { t: t || state.t, i: [...state.i, ...i], q: [...state.q, ...q] };
      save();
      plan(0);
    }
    hasConsent = isGiven;
    try {
      if (!isGiven) localStorage.removeItem(KEY);
    } catch {
      hasStorage = false;
    }
  },
  flush,
};

const follow = (element: HTMLElement, usual: string): void => {
  const item = element.closest<HTMLElement>("[data-armmt-item]");
  const read = (name: string): string | undefined => element.dataset[`armmt${name}`] ?? item?.dataset[`armmt${name}`];
  const details = { id: read("Id"), line: read("Line"), price: read("Price"), quantity: read("Quantity"), currency: read("Currency") };
  if (item !== null) armmt.track(element.dataset["armmtAction"] ?? usual, read("Item") ?? "", details);
};
const onClick = ({ target }: Event): void => {
  const element = target instanceof Element && target.closest<HTMLElement>("[data-armmt-action],[data-armmt-item]");
  if (element && element.dataset["armmtOn"] !== "load") follow(element, "click");
};

addEventListener("click", onClick, true);
addEventListener("auxclick", onClick, true);
addEventListener("online", flush);
addEventListener("pagehide", leave);
document.addEventListener("visibilitychange", () => (document.hidden ? leave() : flush()));
const onLoad = (): void => {
  for (const element of document.querySelectorAll<HTMLElement>("[data-armmt-on=load]")) follow(element, "impression");
};
if (document.readyState === "loading") addEventListener("DOMContentLoaded", onLoad);
else onLoad();
Object.assign(globalThis, { armmt });
flush();
