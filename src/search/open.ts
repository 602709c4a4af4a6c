/** A planned request → its searches, each with variant, history and query id: all that is known before the engine is asked. */
import type { RequestPlan, SearchPlan } from "../backends/dialect.ts";
import { type Attributes, chooseVariant, type Experiment, type VariantChoice } from "../experiment/assign.ts";
import { isBot } from "../experiment/bots.ts";
import { parseTreatment, type Treatment } from "../experiment/treatment.ts";
import { hasConsent, HISTORY_HEADER, parseHistory, SESSION_HEADER, USER_HEADER, userTokenOf } from "../protocol.ts";
import { MAX_HISTORY } from "../ranking/features.ts";
import { pageOf } from "./browse.ts";
import type { Browsed, LiveBrowse } from "./live-browse.ts";
import { rulesFor } from "./rules.ts";
import type { Assignment, Batch, EdgeDeps, Search, SearchDeps, SearchRequest } from "./contract.ts";

/** UBI's limit for ids; a longer one is replaced, because a cut one could not be joined. */
const MAX_ID_LENGTH = 100;

export async function openBatch(request: SearchRequest, plan: RequestPlan, deps: SearchDeps): Promise<Batch> {
  const [startedAt, begunAt] = [deps.now(), deps.clock()];
  deps.models?.refresh(request.afterReply);
  // Reading begins now: whoever waits for experiments waits for rules meanwhile.
  for (const { rules } of deps.indexes) void rules?.read(request.afterReply);
  const experiments = await deps.experiments(request.afterReply);
  const searches = await Promise.all(
    plan.searches.map(async (planned, i): Promise<Search> => {
      const index = deps.indexes[i];
      if (index === undefined) throw new Error(`No dependencies for index ${planned.index}`);
      const { clientId, isConsented } = shopperOf(request, planned, deps);
      const search = withoutIds(clientId === planned.ubi.clientId ? planned : { ...planned, ubi: { ...planned.ubi, clientId } }, request);
      const assignment = await assign(request, search, deps, experiments);
      const queryId = queryIdOf(search) ?? deps.createId();
      const history = historyOf(request, search);
      const browsed = index.browse !== undefined && search.bypass !== undefined ? await browse(index.browse, search, request) : undefined;
      const opened = { request, deps, index, plan: search, assignment, history, queryId, startedAt, hasConsent: isConsented, browsed };
      if (index.rules === undefined) return opened;
      const reading = index.rules.read(request.afterReply);
      const live = reading instanceof Promise ? await reading : reading;
      return { ...opened, hasRules: (live?.count ?? 0) > 0, rules: rulesFor(live, opened, startedAt) };
    }),
  );
  return { request, deps, plan, searches, begunAt, waited: { engineMs: 0, listsMs: 0 } };
}

async function browse(live: LiveBrowse, plan: SearchPlan, request: SearchRequest): Promise<Browsed | undefined> {
  const filters = pageOf(plan);
  return filters && { filters, table: await live.read(request.afterReply) };
}

/** What cannot fail of it, after a fault in the above: searches in the engine's order, in no experiment. */
export function openPlainly(request: SearchRequest, plan: RequestPlan, deps: SearchDeps): Batch {
  const treatment: Treatment = { kind: "serve", ranker: { kind: "engine" } };
  const assignment: Assignment = {
    variant: deps.defaultVariant,
    treatment,
    experiment: undefined,
    unit: undefined,
    isSwitchedOff: false,
    isBot: isBot(request.headers),
  };
  const searches = plan.searches.map((search, i): Search => {
    return { request, deps, index: deps.indexes[i]!, plan: search, assignment, history: [], queryId: "", startedAt: 0, hasConsent: false };
  });
  return { request, deps, plan, searches, begunAt: deps.clock(), waited: { engineMs: 0, listsMs: 0 } };
}

/** Who searches, as the search itself or a header of the engine's own clients says, and whether they agreed to be recorded under that id. */
function shopperOf(
  { headers, search }: SearchRequest,
  { ubi }: SearchPlan,
  { backend }: SearchDeps,
): { readonly clientId: string | undefined; readonly isConsented: boolean } {
  const given = ubi.clientId ?? backend.shopperHeaders?.map((name) => headers.get(name) ?? paramIn(search, name)).find(Boolean);
  const { id, isConsented } = userTokenOf(given);
  return { clientId: id, isConsented: isConsented || hasConsent(headers) };
}

/** Clients of browsers put their headers into the URL, to save a preflight request. */
function paramIn(search: string, name: string): string | undefined {
  if (!search.toLowerCase().includes(name)) return undefined;
  return [...new URLSearchParams(search)].find(([key]) => key.toLowerCase() === name)?.[1];
}

/** The same unit gets the same variant on every isolate; a search without a unit is in no experiment. */
async function assign(request: SearchRequest, plan: SearchPlan, deps: EdgeDeps, experiments: readonly Experiment[]): Promise<Assignment> {
  const { headers, forcedVariant } = request;
  const user = headers.get(USER_HEADER) || undefined;
  const session = headers.get(SESSION_HEADER) || undefined;
  // The session first: a shopper who logs in on the way keeps the arm in which the visit began, without a cookie.
  const unit = session ?? user ?? plan.ubi.clientId;
  const bot = isBot(headers);
  const kind = plan.queryText === undefined ? "browse" : "search";
  const attributes: Attributes = { id: unit, user, session, index: plan.index, kind, country: request.country };
  const isOutside = bot || forcedVariant !== undefined;
  const choice = isOutside ? undefined : await (deps.flags?.(attributes) ?? chooseSafely(experiments, attributes, deps));
  const variant = forcedVariant ?? choice?.variant ?? deps.defaultVariant;
  const treatment = parseTreatment(variant);
  if (!treatment.ok) throw new Error(treatment.error);
  return {
    variant,
    treatment: treatment.value,
    experiment: choice?.experiment,
    running: choice === undefined || deps.flags !== undefined ? undefined : experiments.find(({ key }) => key === choice.experiment),
    unit: choice?.unit ?? unit,
    isSwitchedOff: choice?.isSwitchedOff === true,
    isBot: bot,
  };
}

/** A condition can be wrong in a way that only some shoppers meet: those get the default variant. */
function chooseSafely(experiments: readonly Experiment[], attributes: Attributes, { log }: EdgeDeps): VariantChoice | undefined {
  try {
    return chooseVariant(experiments, attributes);
  } catch (cause) {
    log({ level: "error", event: "experiments", detail: `An experiment cannot be evaluated: ${String(cause)}` });
    return undefined;
  }
}

/** Shorter ones stand in any text by chance: they count between its punctuation only. */
const LEAST_ID = 8;

/** Whether a text that a client names holds the shopper's id, or is it. */
export function namesShopper(
  { ubi }: SearchPlan,
  { headers }: Pick<SearchRequest, "headers">,
  fold = (text: string): string => text,
): (text: string) => boolean {
  const ids = [headers.get(USER_HEADER), headers.get(SESSION_HEADER), ubi.clientId].flatMap((id) => (id ? fold(id) : []));
  return (text) =>
    ids.some((id) => text === id || (id.length >= LEAST_ID ? text.includes(id) : text.split(/[^\p{L}\p{N}]+/u).includes(id)));
}

/** A query id and an application are stored as the client names them: neither may hold the shopper's id. */
function withoutIds(plan: SearchPlan, request: SearchRequest): SearchPlan {
  const { ubi } = plan;
  if (ubi.queryId === undefined && ubi.application === undefined) return plan;
  const isPersonal = namesShopper(plan, request);
  const [queryId, application] = [ubi.queryId, ubi.application].map((text) => (text !== undefined && isPersonal(text) ? undefined : text));
  const isLong = application !== undefined && application.length > MAX_ID_LENGTH;
  if (queryId === ubi.queryId && application === ubi.application && !isLong) return plan;
  return { ...plan, ubi: { ...ubi, queryId, application: isLong ? undefined : application } };
}

function queryIdOf({ ubi: { queryId } }: SearchPlan): string | undefined {
  return queryId === undefined || queryId === "" || queryId.length > MAX_ID_LENGTH ? undefined : queryId;
}

/** From the header, else from the body; stored nowhere. */
function historyOf({ headers }: SearchRequest, plan: SearchPlan): readonly string[] {
  const header = headers.get(HISTORY_HEADER);
  return [...new Set(header === null ? plan.history : parseHistory(header))].slice(0, MAX_HISTORY);
}
