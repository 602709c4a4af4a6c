/**
 * Names that are not configured, with the edge's key: no request carries one to the engine, whatever form it takes.
 *
 * Each dialect says in foreign/ what its stock clients send and where its engine reads names. Those requests, and many that mutate.ts makes of
 * them, are planned; what would be sent is read without code of the edge. A sample goes through the whole edge.
 */
import { beforeAll, describe, expect, it } from "vitest";
import type { Dialect, EngineRequest } from "../../src/backends/dialect.ts";
import { publish } from "../search/catalog.ts";
import { type Engine, openEdge } from "../search/edge.ts";
import { createRandom, mutate } from "./foreign/mutate.ts";
import { arrival, type ForeignRequest, type Surface } from "./foreign/surface.ts";
import { SURFACES } from "./foreign/surfaces.ts";

/** Another seed makes other requests. */
const SEED = 20_261;
const MUTANTS = 100_000;
/** A busy machine makes fewer. */
const TIME_MS = 30_000;
const MARKER = "zq9elsewhere";
const CATALOG = "foreign";

beforeAll(() => publish(CATALOG));

const bytesOf = ({ body }: ForeignRequest): Uint8Array => (typeof body === "string" ? new TextEncoder().encode(body) : body);

function planOf(dialect: Dialect, request: ForeignRequest) {
  const { index, path, method, search, contentType } = request;
  const asked = { path, method, search, contentType, body: method === "GET" ? new Uint8Array() : bytesOf(request) };
  return dialect.plan(asked, index);
}

/** Everything that could be sent to the engine; nothing for a refused request. */
function sentBy(dialect: Dialect, request: ForeignRequest): readonly EngineRequest[] {
  const plan = planOf(dialect, request);
  if (!plan.ok) return [];
  const sizes = plan.value.searches.map(({ bypass }) => (bypass === undefined ? 20 : undefined));
  return [plan.value.own, plan.value.widen(sizes)].map((sent) => ({ ...sent, search: withoutKeys(sent.search, dialect) }));
}

const namesIn = (raw: string): readonly string[] => [...new URLSearchParams(raw).keys()].map((name) => name.toLowerCase());

/** What engine.ts withholds besides. */
function withoutKeys(search: string, { credentials: { clientParams } }: Dialect): string {
  if (clientParams.length === 0) return search;
  const kept = search
    .slice(1)
    .split("&")
    .filter((raw) => !namesIn(raw).some((name) => clientParams.includes(name)));
  return kept.length === 0 ? "" : `?${kept.join("&")}`;
}

/** Requests to the engine that hold the marker. */
function arrivals(dialect: Dialect, { isText }: Surface, request: ForeignRequest): readonly string[] {
  const [arrived] = sentBy(dialect, request).flatMap((sent) => arrival(sent, MARKER, isText) ?? []);
  return arrived === undefined ? [] : [`sent as\n${arrived}\nasked as\n${print(request)}`];
}

const print = (request: ForeignRequest): string =>
  `${request.method} ${request.path}${request.search}\n${new TextDecoder().decode(bytesOf(request))}`;

describe.each(SURFACES)("%s", (_name, surface) => {
  const dialect = surface.definition.create(surface.indexes);

  it("passes on what stock clients send", () => {
    const refusals = surface.ordinary.flatMap((request) => {
      const plan = planOf(dialect, request);
      return plan.ok ? [] : [`${plan.error.message}: ${print(request)}`];
    });
    expect(refusals).toEqual([]);
  });

  it("passes no foreign name", () => {
    expect(surface.attacks(MARKER).flatMap((request) => arrivals(dialect, surface, request))).toEqual([]);
  });
});

/** Turn by turn over all dialects. */
const lanes = SURFACES.map(([name, surface]) => ({
  name,
  surface,
  attacks: surface.attacks(MARKER),
  dialect: surface.definition.create(surface.indexes),
}));

it(`passes no foreign name of ${MUTANTS} mutated requests`, { timeout: 4 * TIME_MS }, async () => {
  const end = Date.now() + TIME_MS;
  let refused = 0;
  let tried = 0;
  for (; tried < MUTANTS; tried++) {
    if (tried % 1000 === 0) {
      // In workerd the clock stands still between two tasks.
      await new Promise((resolve) => setTimeout(resolve, 0));
      if (Date.now() > end) break;
    }
    const random = createRandom(SEED + tried);
    const { name, surface, attacks, dialect } = lanes[tried % lanes.length]!;
    const request = mutate({ attack: random.pick(attacks), ordinary: random.pick(surface.ordinary), marker: MARKER }, random);
    const sent = sentBy(dialect, request);
    if (sent.length === 0) refused++;
    const arrived = sent.flatMap((one) => arrival(one, MARKER, surface.isText) ?? []);
    if (arrived.length > 0) expect.fail(`${name}, seed ${SEED + tried}: sent as\n${arrived[0]}\nasked as\n${print(request)}`);
  }
  console.info(`${tried} mutated requests, ${refused} refused`);
  // Otherwise nothing was tried.
  expect(tried - refused).toBeGreaterThan(tried / 100);
});

/** Answers nothing that can be re-ranked. */
const engine: Engine = () => Response.json({});

const ENGINE_URL = "http://127.0.0.1:9200";

/** `own`: options of each index, and variables. */
function openWith({ definition, indexes }: Surface, own: { readonly index?: object; readonly vars?: object }) {
  const [backend = ""] = definition.names;
  const configured = [...indexes].map(([name, options]) => [
    name,
    { backend, url: ENGINE_URL, window: 20, catalog: CATALOG, ...options, ...own.index },
  ]);
  return openEdge({ catalog: CATALOG, engine, vars: { INDEXES: Object.fromEntries(configured), ...own.vars } });
}

/** By headers as they can be configured: Elasticsearch's is the edge's alone. */
const keyHeaderOf = ({ definition, indexes }: Surface): string => {
  const { header } = definition.create(indexes).credentials;
  return header === "authorization" ? "x-key" : header;
};

const KEY_HEADERS = ["authorization", "x-algolia-api-key", "x-typesense-api-key", "x-shopify-storefront-access-token"];

const ENGINE_AUTHORIZATION = "EDGEKEY";

describe.each(SURFACES)("%s at the whole edge", (name, surface) => {
  it.each<readonly [string, object, object]>([
    ["a window", {}, { ENGINE_AUTHORIZATION }],
    ["window = 0", { window: 0 }, { ENGINE_AUTHORIZATION }],
    ["forwardCredentials beside the edge's key", { forwardCredentials: true }, { ENGINE_AUTHORIZATION }],
    ...(keyHeaderOf(surface) === "x-key"
      ? []
      : [["the edge's key in a header", { forwardCredentials: true, headers: { [keyHeaderOf(surface)]: "EDGEKEY" } }, {}] as const]),
  ])("with %s", async (_, index, vars) => {
    const edge = openWith(surface, { index, vars });
    const ask = (request: ForeignRequest): Promise<Response> =>
      edge.send(`${request.path}${request.search}`, {
        method: request.method,
        headers: {
          ...Object.fromEntries(KEY_HEADERS.map((header) => [header, MARKER])),
          ...(request.contentType !== undefined && { "content-type": request.contentType }),
        },
        ...(request.method === "POST" && { body: bytesOf(request).slice() }),
      });
    for (const request of surface.ordinary) {
      const before = edge.exchanges.length;
      const response = await ask(request);
      expect([response.status, print(request)]).toEqual([200, print(request)]);
      expect(edge.exchanges.length).toBeGreaterThan(before);
    }
    const attacks = surface.attacks(MARKER);
    const mutants = Array.from({ length: 100 }, (__, i) => {
      const random = createRandom(SEED - 1 - i);
      return mutate({ attack: random.pick(attacks), ordinary: random.pick(surface.ordinary), marker: MARKER }, random);
    });
    for (const request of [...attacks, ...mutants]) await ask(request);
    for (const { url, method, body, headers } of edge.exchanges) {
      const { pathname: path, search } = new URL(url);
      const sent = { method: method === "GET" ? ("GET" as const) : ("POST" as const), path, search, body: new TextEncoder().encode(body) };
      const arrived = arrival(sent, MARKER, surface.isText) ?? [...headers].find(([, value]) => value.toLowerCase().includes(MARKER));
      expect([name, arrived]).toEqual([name, undefined]);
    }
  });
});
