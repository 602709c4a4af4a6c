/**
 * The script of the dashboard at /armmt/: asks for the admin token, then for /armmt/overview (the event database) and /armmt/status (this process),
 * and draws both. The token stands in this tab's sessionStorage and goes nowhere but into the `authorization` header of these two.
 *
 * Browser code, written to be small: test/report/dashboard bundles it into src/dashboard/bundled.ts, which the edge serves as text.
 */
import * as format from "../format.ts";
import { bandChart, barChart, type Child, h, table } from "./draw.ts";
import type { Share } from "./effect.ts";
import { type ExperimentView, viewExperiment } from "./experiment.ts";
import type { RuleRow } from "../../dashboard/rules-today.ts";
import type { ask } from "./ask.ts";
import type { Counts, EventRow, OverviewRows, Status } from "./rows.ts";
import { openShell } from "./shell.ts";

openShell(async (ask) => {
  const [status, overview] = await Promise.all([ask<Status>("status"), ask<OverviewRows | { readonly problem: string }>("overview")]);
  const rules = hasRules(status) ? await askRules(ask).catch((cause: unknown) => [{ name: "", problem: String(cause) }]) : [];
  const note =
    "at" in overview
      ? `Event database as of ${new Date(overview.at).toISOString()}; it is asked at most once in five minutes.`
      : overview.problem;
  return { nodes: draw(status, overview, rules), note };
});

/** Of a catalogue, or why it is not known. */
interface RulesOf {
  readonly name: string;
  readonly rows?: readonly RuleRow[];
  readonly problem?: string;
}

const hasRules = ({ indexes }: Status): boolean => Object.values(indexes).some((about) => "rules" in about);

async function askRules(from: typeof ask): Promise<readonly RulesOf[]> {
  const { catalogs } = await from<{ readonly catalogs: readonly { readonly name: string }[] }>("rules");
  return Promise.all(catalogs.map(async ({ name }) => ({ ...(await from<Omit<RulesOf, "name">>(`rules/${name}/today`)), name })));
}

/** The page of rules has all of them. */
const MOST_RULES = 20;

function drawRules({ name, rows = [], problem = "" }: RulesOf): HTMLElement {
  if (problem !== "") return dim(problem);
  const acted = rows.filter(({ rule, reason }) => rule !== "" && reason === "").toSorted((a, b) => b.n - a.n);
  const matched = new Map(rows.flatMap(({ rule, reason, n }) => (reason === "matched" ? [[rule, n]] : [])));
  return table(
    `${name}: last 24 hours, at most the last 20,000`,
    ["Rule", "Acted", "Matched"],
    acted.slice(0, MOST_RULES).map(({ rule, n }) => [rule, n, matched.get(rule) ?? n]),
  );
}

function section(heading: string, ...children: readonly Child[]): HTMLElement {
  return h("section", {}, h("h2", {}, heading), ...children);
}

const dim = (text: string): HTMLElement => h("p", { class: "dim" }, text);
const pairs = (counts: Counts): [string, number][] => Object.entries(counts).toSorted(([, a], [, b]) => b - a);
const HERE = "Counted by the process that answered, since it started; each isolate of a Worker counts for itself.";

function draw(status: Status, overview: OverviewRows | { readonly problem: string }, rules: readonly RulesOf[]): HTMLElement[] {
  const read = "at" in overview ? overview : undefined;
  const { outcomes = [], times = [], events = [], expected = [] } = read ?? {};
  const { indexes, ranking, searches, bots, events: counted, ...others } = status;
  const views = read?.experiments.map((row, i) => viewExperiment(row, read.days[i] ?? [], read)) ?? [];
  return [
    section("Experiments", ...(views.length === 0 ? [dim("No search has taken part in one.")] : views.map(drawExperiment))),
    section(
      "Searches",
      table(
        "Last 24 hours, at most the last 20,000",
        ["Arm", "Model", "Outcome", "Searches"],
        outcomes.map(({ variant, model, bypass, n }) => [
          variant,
          model ?? format.NONE,
          bypass === null ? "re-ranked" : expected.includes(bypass) ? bypass : `⚠ ${bypass}`,
          format.wholeNumber(n),
        ]),
      ),
      table(
        "This process",
        ["Arm", "Outcome", "Searches"],
        Object.entries(searches).flatMap(([variant, counts]) => pairs(counts).map(([outcome, n]) => [variant, outcome, n])),
      ),
      dim(`⚠ should have been re-ranked. ${HERE} Crawlers, in neither table: ${bots}.`),
    ),
    ...(rules.length === 0 ? [] : [section("Rules", ...rules.map(drawRules))]),
    section(
      "Latency",
      table(
        "Milliseconds of the last searches, median · 95 %",
        ["", "Searches", "Engine", "Edge"],
        ([1, 0] as const).flatMap((applied) => {
          const rows = times.filter((row) => row.applied === applied);
          if (rows.length === 0) return [];
          return [
            [
              applied === 1 ? "re-ranked" : "engine's order",
              rows.length,
              spread(rows.map(({ engine }) => engine)),
              spread(rows.map(({ edge }) => edge ?? 0)),
            ],
          ];
        }),
      ),
      ...(counted.waits === undefined
        ? []
        : [
            table(
              "Milliseconds that browsers waited, network included",
              ["Searches", "Median", "95 %"],
              [[counted.waits.searches, counted.waits.median_ms, counted.waits.p95_ms]],
            ),
            dim(`Of the last searches that an event of the page's snippet followed. ${HERE}`),
          ]),
    ),
    section(
      "Queue and shedding",
      table("Of the model", ["", "Now"], Object.entries(ranking)),
      table("Stores, breakers", ["", "Now"], flat(others)),
      dim(HERE),
    ),
    section("Model and trust", ...Object.entries(indexes).map(([index, about]) => table(`Index ${index}`, ["", ""], flat(about)))),
    section(
      "Events",
      barChart("Events in each of the last 60 minutes", minutesOf(events, read?.at)),
      table("Of the last 60 minutes", ["Action", "Events", "per minute"], perAction(events)),
      table("Rejected, by reason", ["Reason", "Events"], pairs(counted.rejected)),
      table("Sinks", ["", "Outcome"], flat(counted.sinks)),
      dim(`Accepted ${counted.accepted}, known already ${counted.duplicates}. ${HERE}`),
    ),
  ];
}

/** Median and 95 %. */
function spread(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  return [0.5, 0.95].map((share) => Math.round(sorted[Math.floor(share * sorted.length)] ?? 0)).join(" · ");
}

const share = ({ n, of }: Share): string => (of === 0 ? format.NONE : format.share(n / of));

function drawExperiment({ key, arms, days, hasMismatch, sentence, tone }: ExperimentView): HTMLElement {
  const [light, colour] = hasMismatch === undefined ? ["unknown", "dim"] : hasMismatch ? ["broken", "bad"] : ["as it should be", "good"];
  return h(
    "article",
    { class: `card ${tone}` },
    h("h3", {}, key),
    h("p", { class: "strong" }, sentence ?? "Too many searches to add up here: the last are shown, without a verdict", "."),
    h("p", {}, "Sample ratio: ", h("span", { class: colour ?? "" }, `● ${light}`), "."),
    ...arms.flatMap(({ variant, isControl, bands }) =>
      isControl ? [] : [bandChart(`${variant}: buyers per shopper against control`, days, bands)],
    ),
    table(
      "Arms",
      ["Arm", "Weight", "Searches", "Shoppers", "Click", "Buy", "Buyers, lift"],
      arms.map(({ variant, weight, searches, bought, clicked, effect }) => [
        variant,
        weight === undefined ? format.NONE : format.share(weight),
        format.wholeNumber(searches),
        format.wholeNumber(bought.of),
        share(clicked),
        share(bought),
        format.range(effect?.always),
      ]),
    ),
    h("p", { class: "dim" }, "What to do next, money, segments: ", h("code", {}, `npm run armmt -- report ${key}`)),
  );
}

/** Nested members as rows of text. */
function flat(value: object, prefix = ""): (readonly [string, string])[] {
  return Object.entries(value).flatMap(([name, member]: [string, unknown]) =>
    typeof member === "object" && member !== null ? flat(member, `${prefix}${name} `) : [[prefix + name, String(member)] as const],
  );
}

function minutesOf(events: readonly EventRow[], at: number | undefined): readonly number[] {
  return Array.from({ length: at === undefined ? 0 : 60 }, (_, i) => {
    const minute = new Date((at ?? 0) - (59 - i) * 60_000).toISOString().slice(0, 16);
    return events.reduce((sum, row) => sum + (row.minute === minute ? row.n : 0), 0);
  });
}

function perAction(events: readonly EventRow[]): (readonly (string | number)[])[] {
  const counts: Record<string, number> = {};
  for (const { action, n } of events) counts[action] = (counts[action] ?? 0) + n;
  return pairs(counts).map(([action, n]) => [action, n, (n / 60).toFixed(1)]);
}
