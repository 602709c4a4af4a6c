/**
 * Calls beside searches with the edge's key: those of stock clients arrive at the engine as they are, and nothing else does. No write, no index that
 * is not configured, no path but those of foreign/calls.ts, whatever a client makes of method, path, parameters and body.
 */
import { describe, expect, it } from "vitest";
import { CALL_SURFACES, type CallSurface } from "./foreign/calls.ts";
import { createRandom, mutate, type Random } from "./foreign/mutate.ts";
import { arrival, type ForeignRequest } from "./foreign/surface.ts";
import { openPlain, type Sent } from "./plain-app.ts";

const SEED = 26_001;
const MUTANTS = 100_000;
/** A busy machine makes fewer; FUZZ_MS gives it longer. */
const TIME_MS = Number(process.env["FUZZ_MS"] ?? 8000);
const MARKER = "zq9elsewhere";
const ORIGIN = "https://edge.example.com";

const edgeOf = ({ surface }: CallSurface, own: object = {}) => {
  const [backend = ""] = surface.definition.names;
  const indexes = Object.fromEntries(
    [...surface.indexes].map(([name, options]) => [name, { backend, url: "http://127.0.0.1:9200", window: 20, ...options, ...own }]),
  );
  return openPlain({ INDEXES: indexes, ENGINE_AUTHORIZATION: "EDGEKEY" });
};

const initOf = ({ method, body, contentType }: ForeignRequest, as: string = method): RequestInit => ({
  method: as,
  ...(contentType !== undefined && { headers: { "content-type": contentType } }),
  ...(as !== "GET" && as !== "HEAD" && { body: typeof body === "string" ? body : body.slice() }),
});

const ask = (edge: ReturnType<typeof edgeOf>, request: ForeignRequest): Promise<Response> =>
  edge.send(`${request.path}${request.search}`, initOf(request));

const pathOf = ({ url }: Sent): string => new URL(url).pathname;

describe.each(CALL_SURFACES)("%s", (_, calls) => {
  const edge = edgeOf(calls);

  it.each(calls.ordinary.map((request) => [`${request.method} ${request.path}`, request] as const))("passes %s on", async (__, request) => {
    edge.sent.length = 0;
    const response = await ask(edge, request);
    expect([response.status, await response.text()]).toEqual([200, edge.reply]);
    const [arrived, ...more] = edge.sent;
    expect(more).toEqual([]);
    expect(arrived?.method).toBe(request.method);
    expect(arrived?.url).toBe(`http://127.0.0.1:9200${request.path}${request.search}`);
    expect(arrived?.body).toBe(request.method === "GET" ? "" : request.body);
    expect(arrived?.headers.get(arrived.headers.has("authorization") ? "authorization" : "x-key") ?? "EDGEKEY").toBe("EDGEKEY");
  });

  it.each(calls.attacks(MARKER).map((request) => [`${request.method} ${request.path}${request.search}`, request] as const))(
    "keeps %s",
    async (__, request) => {
      edge.sent.length = 0;
      const response = await ask(edge, request);
      expect(edge.sent.map(({ method, url, body }) => [method, url, body])).toEqual([]);
      expect(response.status).toBeGreaterThanOrEqual(400);
      expect((await response.text()).length).toBeGreaterThan(20);
    },
  );
});

/** What must not have arrived, in words. */
function fault({ surface, open, texts }: CallSurface, sent: Sent): string | undefined {
  const path = pathOf(sent);
  if (!open.test(`${sent.method} ${path}`)) return "a path that is closed";
  const { search } = new URL(sent.url);
  const request = {
    method: "POST" as const,
    path: /^\/(?:1\/indexes|indexes|collections|solr)?\/?[^/]*/.exec(path)?.[0] ?? "",
    search,
    body: new TextEncoder().encode(sent.body),
  };
  const arrived = arrival(request, MARKER, (keys, value, marker) => {
    const own = keys.filter((key) => !/^(?:queryParameters|fallbackParameters|requests|docs|\d+)$/.test(key));
    return texts.has(own[0] ?? "") || texts.has((own[0] ?? "").toLowerCase()) || surface.isText?.(own, value, marker) === true;
  });
  return arrived === undefined ? undefined : "a foreign name";
}

const METHODS = ["GET", "POST", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"];
const PARTS = [
  "",
  ".",
  "..",
  "%2e%2e",
  "%2E.",
  "*",
  "_all",
  MARKER,
  "settings",
  "export",
  "_doc",
  "update",
  "batch",
  "p1",
  "_search",
  "%2f",
  "%5c..",
  ";x",
  "products",
  "%00",
];

function changedPath(path: string, random: Random): string {
  const parts = path.split("/");
  const at = 1 + random.below(parts.length - 1);
  switch (random.below(7)) {
    case 0:
      parts[at] = random.pick(PARTS);
      break;
    case 1:
      parts.splice(at, 0, random.pick(PARTS));
      break;
    case 2:
      parts.splice(at, 1);
      break;
    case 3:
      parts.push(random.pick(PARTS));
      break;
    case 4:
      parts[at] = (parts[at] ?? "").replaceAll(/[a-z]/g, (letter) =>
        random.chance(0.3) ? `%${letter.charCodeAt(0).toString(16)}` : random.chance(0.1) ? letter.toUpperCase() : letter,
      );
      break;
    case 5:
      parts[at] = `${parts[at]}${random.pick(["/", "%2f", ",", "%2c", ".", "%20", ";"])}${random.pick(PARTS)}`;
      break;
    default:
      parts[at] = `${random.pick(PARTS)}${random.pick(["%2f", "%252f", "/", ","])}${parts[at]}`;
  }
  return `/${parts.slice(1).join("/")}`;
}

it(`lets nothing else arrive of ${MUTANTS} mutated requests`, { timeout: 4 * TIME_MS + 60_000 }, async () => {
  const lanes = CALL_SURFACES.map(([name, calls]) => {
    const all = [...calls.ordinary, ...calls.surface.ordinary];
    const hostile = [...calls.attacks(MARKER), ...calls.surface.attacks(MARKER)];
    return { name, calls, edge: edgeOf(calls), all, hostile };
  });
  const end = Date.now() + TIME_MS;
  let [tried, arrivals] = [0, 0];
  for (; tried < MUTANTS && Date.now() < end; tried++) {
    const random = createRandom(SEED + tried);
    const { name, calls, edge, all, hostile } = lanes[tried % lanes.length]!;
    const mutant = mutate({ attack: random.pick(random.chance(0.5) ? all : hostile), ordinary: random.pick(all), marker: MARKER }, random);
    const path = random.chance(0.5) ? changedPath(mutant.path, random) : mutant.path;
    const method = random.chance(0.3) ? random.pick(METHODS) : mutant.method;
    const url = `${path}${mutant.search}`;
    if (!URL.canParse(ORIGIN + url) || !url.startsWith("/")) continue;
    edge.sent.length = 0;
    await edge.send(url, initOf(mutant, method)); // oxlint-disable-line no-await-in-loop
    arrivals += edge.sent.length;
    for (const sent of edge.sent) {
      const why = fault(calls, sent);
      if (why !== undefined)
        expect.fail(`${name}, seed ${SEED + tried}: ${why}\n${method} ${url}\nsent as ${sent.method} ${sent.url}\n${sent.body}`);
    }
  }
  console.info(`${tried} mutated requests, ${arrivals} arrivals`);
  // Otherwise nothing was tried.
  expect(arrivals).toBeGreaterThan(tried / 100);
});
