/** Events of an engine's own clients, on to where that engine takes them (`eventsUrl`): as they came, after the reply, and counted where that fails. */
import type { EventCounters } from "../events/counters.ts";
import type { ForwardEvents } from "../events/endpoint.ts";
import { searchOf } from "../backends/json/edits.ts";
import { repeatedIn } from "../backends/json/repeated.ts";
import { paramsOf } from "../backends/json/request.ts";
import { scanJson } from "../backends/json/spans.ts";
import { isObject, member } from "../backends/json/values.ts";
import type { EventFormat } from "../protocol.ts";
import type { Log } from "../web.ts";
import type { IndexDeps } from "./contract.ts";

/** Format of the events → the dialect whose clients write it. Meilisearch's come at UBI's path. */
const DIALECTS: Readonly<Partial<Record<EventFormat, string>>> = { algolia: "algolia", typesense: "typesense", meilisearch: "meilisearch" };

/** Who sends: an engine's clients say nothing else in the address of events, and anything else could name an index. */
const ABOUT_CLIENT = /^x-/i;

const TIMEOUT_MS = 10_000;

/** On their way at once: beyond it they are left out. */
const MOST_UNDER_WAY = 100;

/** `undefined` where no index has a place for events. */
export function createForwardEvents(
  indexes: ReadonlyMap<string, IndexDeps>,
  { counters, log }: { readonly counters: EventCounters; readonly log: Log },
): ForwardEvents | undefined {
  const taking = [...indexes.values()].filter(({ eventsEngine }) => eventsEngine !== undefined);
  if (taking.length === 0) return undefined;
  let underWay = 0;

  return (format, request, body) => {
    const ofFormat = taking.filter(({ backend }) => backend.name === DIALECTS[format]);
    if (ofFormat.length === 0) return false;
    const names = indexNamesIn(format, request.body, body);
    const first = names?.size === 0 ? ofFormat[0] : ofFormat.find(({ name }) => names?.has(name));
    const isOfOne = [...(names ?? [])].every((name) =>
      ofFormat.some((index) => index.name === name && index.eventsEngine === first?.eventsEngine),
    );
    const path = first?.backend.eventsPath;
    // With the edge's key, events of its own indexes only.
    if (first?.eventsEngine === undefined || path === undefined || !isOfOne || underWay >= MOST_UNDER_WAY) {
      counters.countForwarded("left_out");
      return false;
    }
    const { eventsEngine } = first;
    const params = paramsOf(new URL(request.url).search).filter(({ key }) => ABOUT_CLIENT.test(key));
    const sent = { method: "POST" as const, path, search: searchOf(params.map(({ raw }) => raw)), body: request.body };
    const send = async (): Promise<void> => {
      underWay++;
      try {
        const reply = await eventsEngine.send(sent, { headers: request.headers, address: request.address }, TIMEOUT_MS);
        if (reply.ok) await reply.value.rest?.cancel();
        const isTaken = reply.ok && reply.value.status < 300;
        counters.countForwarded(isTaken ? "sent" : "failed");
        if (isTaken) return;
        const detail = reply.ok ? `The engine answered ${reply.value.status}` : reply.error.detail;
        log({ level: "warn", event: "events_not_forwarded", index: first.name, detail });
      } finally {
        underWay--;
      }
    };
    request.afterReply(send());
    return true;
  };
}

/** As some engine may spell it. */
const INDEX_NAME = /^index(?:uid|name)?$/i;

/**
 * Indexes that the events of a request name; `undefined` where an event does not name its own for certain. Typesense's name a rule of the engine,
 * which knows its collections.
 */
function indexNamesIn(format: EventFormat, bytes: Uint8Array, body: unknown): ReadonlySet<string> | undefined {
  const text = scanJson(bytes);
  if (!text.ok || repeatedIn({ text: text.value, values: body }) !== undefined) return undefined;
  const list = format === "algolia" ? member(body, "events") : body;
  const names = new Set<string>();
  for (const event of Array.isArray(list) ? list : [list]) {
    const named = isObject(event) ? Object.keys(event).flatMap((key) => (INDEX_NAME.test(key) ? [event[key]] : [])) : [undefined];
    if (named.length === 0 && format !== "typesense") return undefined;
    for (const name of named) {
      if (typeof name !== "string") return undefined;
      names.add(name);
    }
  }
  return names;
}
