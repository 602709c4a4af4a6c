/** For holders of the admin token: status, dashboard, and the rules with their page. */
import type { Context, Hono } from "hono";
import { readSent } from "../backends/body.ts";
import type { Dialect } from "../backends/dialect.ts";
import { isEmptyDatabase, type Overview } from "../dashboard/overview.ts";
import { dashboardPage, rulesPage } from "../dashboard/page.ts";
import { MAX_RULES_BYTES, type RulesAdmin, type TryRules } from "../dashboard/rules.ts";
import { createCounters } from "../events/counters.ts";
import { DASHBOARD_PATH, EXPLAIN_PARAM, OVERVIEW_PATH, RULES_PAGE_PATH, RULES_PATH, STATUS_PATH } from "../protocol.ts";
import { ok } from "../result.ts";
import type { EdgeDeps } from "../search/contract.ts";
import { errorStack, errorText } from "../web.ts";
import { isAdmin } from "./auth.ts";
import type { AppDeps, EdgeApp } from "./deps.ts";
import { pathBelowMount, refuse } from "./requests.ts";

/** Where rules are tried, by an app of their own. */
type CreateApp = (deps: AppDeps) => EdgeApp;

/** `usual`: the dialect in which everybody else is refused. */
export function addAdminRoutes(app: Hono, deps: AppDeps, usual: Dialect | undefined, create: CreateApp): void {
  const forAdmin = (path: string, answer: (c: Context) => Promise<object>, methods = ["GET"]) =>
    app.on(methods, path, async (c) => {
      c.header("cache-control", "no-store");
      if (await isAdmin(c.req.raw.headers, deps.adminToken)) {
        const answered = await answer(c);
        return answered instanceof Response ? answered : c.json(answered);
      }
      c.header("www-authenticate", "Bearer");
      return refuse(
        c,
        usual,
        401,
        "unauthorized",
        "Send the secret ADMIN_TOKEN as `authorization: Bearer <token>`; without that secret this page is closed",
      );
    });
  forAdmin(STATUS_PATH, deps.status);
  if (deps.adminToken !== undefined) {
    app.get(DASHBOARD_PATH, dashboardPage);
    app.get(DASHBOARD_PATH.slice(0, -1), (c) => c.redirect(`${new URL(c.req.url).pathname}/`));
    forAdmin(OVERVIEW_PATH, () => overviewOf(deps));
    app.get(RULES_PAGE_PATH, async (c) =>
      deps.rulesPage === undefined
        ? c.text("This Worker carries no page of rules: give createWorker() `rulesPage`, which armmt-edge/rules-page.bin is", 404)
        : rulesPage(await deps.rulesPage()),
    );
    const { rules } = deps;
    if (rules !== undefined)
      for (const path of [RULES_PATH, `${RULES_PATH}/*`]) forAdmin(path, (c) => rulesRoute(c, deps, rules, create), ["GET", "POST"]);
  }
}

/** What cannot be read is said, not thrown: the rest of the dashboard does not depend on it. */
async function overviewOf({ overview, edge }: AppDeps): Promise<{ readonly problem: string } | Overview> {
  if (overview === undefined)
    return { problem: "This edge writes its events to no database that it can read (D1, or a server's SQLite file)" };
  try {
    return await overview();
  } catch (cause) {
    if (isEmptyDatabase(cause)) return { problem: "Nothing is recorded yet" };
    edge.log({ level: "warn", event: "overview_failed", detail: errorStack(cause) });
    return { problem: `The event database cannot be read: ${errorText(cause)}` };
  }
}

async function rulesRoute(c: Context, deps: AppDeps, rules: RulesAdmin, create: CreateApp): Promise<Response> {
  const sent = await readSent(c.req.raw, MAX_RULES_BYTES);
  if (!sent.ok)
    return Response.json({ error: `The body cannot be read: ${sent.error}` }, { status: sent.error === "too long" ? 413 : 400 });
  const path = pathBelowMount(c, new URL(c.req.url).pathname).slice(RULES_PATH.length);
  const asked = {
    method: c.req.method,
    path: path.split("/").filter((part) => part !== ""),
    body: new TextDecoder().decode(sent.value),
  };
  const answered = await rules(asked, (...tried) => tryRules(c.req.raw.headers, deps, create, ...tried));
  answered.headers.set("cache-control", "no-store");
  return answered;
}

/** The search by the live code, with other rules; it is neither recorded nor counted. */
async function tryRules(
  admin: Headers,
  deps: AppDeps,
  create: CreateApp,
  ...[names, rules, at, tried]: Parameters<TryRules>
): Promise<Response> {
  const draft = { read: () => rules, describe: () => ({}) };
  const app = create({
    ...deps,
    indexes: new Map([...deps.indexes].map(([name, index]) => [name, names.includes(name) ? { ...index, rules: draft } : index])),
    edge: { ...deps.edge, sink: NOWHERE, events: undefined, counters: createCounters(), ...(at !== undefined && { now: () => at }) },
    storefrontUrl: undefined,
    allowOrigins: [],
    events: undefined,
    rules: undefined,
    isWithinRate: undefined,
  });
  const { path, body, headers } = tried;
  if (!app.isSearchPath(path.split("?", 1)[0] ?? "")) return Response.json({ error: `${path} is no search of this edge` }, { status: 404 });
  const url = `${path}${path.includes("?") ? "&" : "?"}${EXPLAIN_PARAM}=1`;
  const own = { ...headers, authorization: admin.get("authorization") ?? "" };
  return app.request(url, { headers: own, ...(body !== undefined && { method: "POST", body }) });
}

const NOWHERE: EdgeDeps["sink"] = { write: async () => ok(true) };
