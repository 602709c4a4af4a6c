/**
 * A request as Solr reads it: parameters of the URL and the form, those that the handler adds, and macros, which may stand in names too. Real engines
 * say the same (test/engines).
 */
export type Params = ReadonlyMap<string, readonly string[]>;

export interface SolrRequest {
  /** As they were sent. */
  readonly sent: Params;
  /** With those of the handler, expanded. */
  readonly all: Params;
  /** The first value. */
  get(name: string): string | undefined;
  /** Of a reply; `undefined` where it has none. */
  header(): object | undefined;
}

/** `defaults`: of the handler. */
export async function readSolrRequest(request: Request, defaults: Readonly<Record<string, string>> = {}): Promise<SolrRequest> {
  const form = request.method === "POST" ? new URLSearchParams(await request.text()) : new URLSearchParams();
  const sent = new Map<string, string[]>();
  for (const [name, value] of [...new URL(request.url).searchParams, ...form]) sent.set(name, [...(sent.get(name) ?? []), value]);
  const before = new Map<string, readonly string[]>(sent);
  for (const [name, value] of Object.entries(defaults)) if (!before.has(name)) before.set(name, [value]);
  const expand = (text: string): string =>
    text.replaceAll(/\$\{([\w.]+)(?::([^}]*))?\}/g, (_, name: string, fallback = "") => before.get(name)?.[0] ?? fallback);
  const all = new Map<string, readonly string[]>();
  const named = [...before].toSorted(([a], [b]) => Number(a.startsWith("${")) - Number(b.startsWith("${")));
  for (const [name, values] of named) all.set(expand(name), values.map(expand));
  const fields: unknown = JSON.parse(all.get("json.fields")?.[0] ?? "[]");
  if (Array.isArray(fields) && fields.length > 0) all.set("fl", [...(all.get("fl") ?? []), ...fields.map(String)]);
  const get = (name: string): string | undefined => all.get(name)?.[0];
  return {
    sent,
    all,
    get,
    header() {
      if (get("omitHeader") === "true") return undefined;
      const echo = get("echoParams") === "all" ? all : get("echoParams") === "explicit" ? sent : undefined;
      const params = echo && Object.fromEntries([...echo].map(([name, values]) => [name, values.length === 1 ? values[0] : values]));
      return { status: 0, QTime: 1, ...(params !== undefined && { params }) };
    },
  };
}

/** The document as `fl` asks for it; `extra` only where its name is asked for. */
export function shown(request: SolrRequest, stored: object, extra: Readonly<Record<string, unknown>>): object {
  const names = (request.all.get("fl") ?? []).flatMap((list) => list.split(/[\s,]+/)).filter((name) => name !== "");
  const isAll = names.length === 0 || names.includes("*");
  const kept = Object.entries(stored).filter(([name]) => isAll || names.includes(name));
  return Object.fromEntries([...kept, ...Object.entries(extra).filter(([name]) => names.includes(name))]);
}
