/** The story as a page: docs/closed-loop.md, its charts, and the figures as JSON. Says what was not told. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { intervalChart } from "../../report/charts.ts";
import { type Cell, formatTable } from "../../report/format.ts";
import { describeMachine } from "../bench/processes.ts";
import type { Figures } from "./figures.ts";

const FOLDER = "closed-loop";
const NOT_TOLD = "Not run yet.";

const signed = (value: number, digits: number): string => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(digits)}`;
const range = ({ low, high }: { readonly low: number; readonly high: number }, digits: number): string =>
  `${signed(low, digits)} .. ${signed(high, digits)}`;
const digitsOf = (figure: string): number => (figure === "revenue" ? 2 : 4);
const whole = (value: number): string => value.toLocaleString("en-US");
const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;

function table(headings: readonly string[], rows: readonly (readonly Cell[])[]): string {
  return rows.length === 0 ? "Nothing to compare: too few events." : `\`\`\`\n${formatTable(headings, rows)}\`\`\``;
}

export function writePage(folder: string, figures: Figures): void {
  const out = join(folder, FOLDER);
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, "closed-loop.json"), `${JSON.stringify({ machine: describeMachine(), ...figures }, undefined, 2)}\n`);
  const charts = drawCharts(figures);
  for (const [name, svg] of charts) writeFileSync(join(out, name), svg);
  writeFileSync(join(folder, "closed-loop.md"), `${pageOf(figures, new Set(charts.keys()))}\n`);
}

type Truths = NonNullable<Figures["first"]>["truth"];
type Test = Pick<NonNullable<Figures["first"]>, "comparisons" | "interleaving">;

function truthTable(truths: Truths): string {
  return table(
    ["order", "against", "expected", "searches", "there", "difference", "95 % interval"],
    truths.map(({ arm, against, figure, searches, base, difference }) => [
      arm,
      against,
      figure,
      searches,
      base.toFixed(digitsOf(figure)),
      signed(difference.mean, digitsOf(figure)),
      range(difference, digitsOf(figure)),
    ]),
  );
}

function testTable(comparisons: Test["comparisons"]): string {
  return table(
    ["arm", "metric", "report's 95 % interval", "truth", "holds it", "verdict"],
    comparisons.map(({ variant, metric, difference, truth, holds, verdict }) => [
      variant,
      metric,
      difference === null ? "too few events" : range(difference.fixed, digitsOf(metric)),
      truth === undefined ? "" : signed(truth.mean, digitsOf(metric)),
      holds === null ? "" : holds ? "yes" : "no",
      verdict,
    ]),
  );
}

function votesTable(interleaving: Test["interleaving"]): string {
  return table(
    ["interleaved", "by", "searches", "first", "second", "ties", "share of the second", "95 %, read at any time", "verdict"],
    interleaving.flatMap(({ teams, searches, votes }) =>
      votes.map(({ by, a, b, ties, result, verdict }) => [
        `${teams.a}, ${teams.b}`,
        by,
        searches,
        a,
        b,
        ties,
        result === null ? "" : percent(result.shareOfB),
        result === null ? "" : `${percent(result.always.low)} .. ${percent(result.always.high)}`,
        verdict === "a" ? "the first" : verdict === "b" ? "the second" : "open",
      ]),
    ),
  );
}

function describeModel(model: Figures["firstModel"]): string {
  if (model === undefined) return NOT_TOLD;
  const { round, gate } = model;
  // What the gate says has a table of its own.
  const steps = round.steps.map(({ step, state, seconds, detail }) => [step, state, seconds, step === "gate" ? "" : (detail ?? "")]);
  const lines = [
    `\`armmt loop\` made model \`${model.model}\` of ${whole(model.lists)} lists (${whole(model.clicked)} with a click, ${whole(model.taught)} for training).`,
    table(["step", "state", "seconds", "says"], steps),
  ];
  if (gate !== undefined) {
    const why = [...gate.refused, ...gate.missing].join("; ");
    lines.push(
      `The gate: **${gate.verdict}**${why === "" ? "" : ` (${why})`}.`,
      table(
        ["against", "clicks per search", "95 % interval", "verdict"],
        gate.judgments.map(({ against, outcome }) => {
          const clicks = gate.evidence?.comparisons.find((each) => each.against === against && each.figure === "clicks");
          return [against, clicks === undefined ? "" : signed(clicks.mean, 4), clicks === undefined ? "" : range(clicks, 4), outcome];
        }),
      ),
    );
    if (gate.verdict !== "passes")
      lines.push("A shop would not serve it. Here it was published all the same, so that shoppers could say whether the gate is right.");
  }
  return lines.join("\n\n");
}

function describeClimb(steps: Figures["firstClimb"]): string {
  if (steps === undefined) return NOT_TOLD;
  if (steps.length === 0) return "No ladder: the gate had not let the model pass.";
  return table(
    ["searches", "did", "trust", "votes for it", "against", "tries next"],
    steps.map(({ searches, did, trust, evidence, trying }) => [
      searches,
      did,
      trust,
      evidence?.clicks.b ?? "",
      evidence?.clicks.a ?? "",
      trying ?? "nothing",
    ]),
  );
}

function describeAlike(alike: Figures["alike"]): string {
  if (alike === undefined) return NOT_TOLD;
  return [
    `${whole(alike.searches)} searches, half of them in an arm that looks at another order and shows the engine's. Metrics with a verdict: **${alike.called} of ${alike.metrics.length}**; alarms: ${alike.alarms}. ${alike.sampleRatio}`,
    table(
      ["metric", "report's 95 % interval", "verdict"],
      alike.metrics.flatMap(({ metric, difference, verdict }) =>
        difference === null ? [] : [[metric, range(difference.fixed, 4), verdict]],
      ),
    ),
  ].join("\n\n");
}

function describeSensitivity(sensitivities: NonNullable<Figures["first"]>["sensitivities"]): string {
  return table(
    ["by", "times fewer searches", "95 % interval", "else"],
    sensitivities.map(({ by, value, interval, why }) => [
      by,
      value === null ? "" : value.toFixed(1),
      interval === null ? "" : `${interval.low.toFixed(1)} .. ${interval.high.toFixed(1)}`,
      why ?? "",
    ]),
  );
}

function describeReversed(reversed: Figures["reversed"]): string {
  if (reversed === undefined) return NOT_TOLD;
  const { gate, stoppedAfter, switchedOffAfterwards, looks } = reversed;
  const harm = looks.find(({ switchedOff }) => switchedOff.length > 0)?.harm.join(", ");
  return [
    `The first model with the sign of its scores changed. The gate: **${gate.verdict}** (${[...gate.refused, ...gate.missing].join("; ") || "nothing named"}).`,
    looks.length === 0
      ? "It was not published."
      : stoppedAfter === null
        ? `Published by hand all the same, it was not switched off within ${whole(looks.at(-1)?.searches ?? 0)} searches.`
        : `Published by hand all the same, \`armmt guard\` switched it off after **${whole(stoppedAfter)} searches** (${harm}); of its arm's searches after that ${percent(switchedOffAfterwards ?? 0)} saw the engine's order.`,
    truthTable(reversed.truth),
  ].join("\n\n");
}

/** The answers, a line each. */
function summarise({ first, alike, reversed, second, firstModel, secondModel }: Figures): string {
  const judged = first?.comparisons.filter(({ holds }) => holds !== null) ?? [];
  const times = first?.sensitivities.find(({ by }) => by === "clicks");
  const gain = (against: string): string => {
    const row = second?.truth.findLast(
      ({ figure, against: other }) => figure === "purchases" && (against === "semantic") === (other === "semantic"),
    );
    return row === undefined
      ? NOT_TOLD
      : `${signed(row.difference.mean, 4)} (${range(row.difference, 4)}) expected purchases per search, of ${row.base.toFixed(4)}`;
  };
  const rows: readonly (readonly [string, string])[] = [
    [
      "Do the report's intervals hold the truth?",
      first === undefined ? NOT_TOLD : `${judged.filter(({ holds }) => holds).length} of ${judged.length} do.`,
    ],
    [
      "Is it silent where nothing differs?",
      alike === undefined ? NOT_TOLD : `${alike.called} of ${alike.metrics.length} metrics have a verdict.`,
    ],
    [
      "How many times fewer searches does interleaving need, by clicks?",
      times === undefined ? NOT_TOLD : times.value === null ? `We cannot tell: ${times.why}.` : `${times.value.toFixed(1)}.`,
    ],
    [
      "Is a reversed model caught?",
      reversed === undefined
        ? NOT_TOLD
        : `By the gate: ${reversed.gate.verdict}. By the guard: ${reversed.stoppedAfter === null ? "no" : `after ${whole(reversed.stoppedAfter)} searches`}.`,
    ],
    [
      "What does the gate say of the two models?",
      [firstModel, secondModel].map((model, i) => `The ${i === 0 ? "first" : "second"}: ${model?.gate?.verdict ?? "not run"}.`).join(" "),
    ],
    ["What is the second model worth over the first?", gain("first")],
    ["And over engine and meaning?", gain("semantic")],
  ];
  return ["| question | answer |", "| --- | --- |", ...rows.map(([question, answer]) => `| ${question} | ${answer} |`)].join("\n");
}

function pageOf(figures: Figures, charts: ReadonlySet<string>): string {
  const { size, log, first, second } = figures;
  const chart = (name: string, words: string): string[] => (charts.has(name) ? [`![${words}](${FOLDER}/${name})`] : []);
  return [
    "# The closed loop, told once with simulated shoppers",
    `Written by \`npm run closed-loop -- --size ${size} --page docs\`; do not edit. **Every figure here is of simulated shoppers** in a drawn shop. They search, click, buy and send back over HTTP at the Worker in workerd, with KV and D1 as ` +
      "`wrangler dev` has them; who is in which arm is decided by the edge alone. All sizes and seeds stand in `src/lab/closed-loop/plan.ts` and were fixed before anything was looked at. Figures for programs: " +
      `[closed-loop.json](${FOLDER}/closed-loop.json).`,
    "The *truth* is what each order is worth on the same searches by the shoppers' known taste: expected clicks, purchases and revenue (without what is sent back), not drawn ones. The report knows nothing of it.",
    summarise(figures),
    "## The log of day one",
    log === undefined
      ? NOT_TOLD
      : `${whole(log.searches)} searches, half with the engine's order, half with \`explore(semantic)\`: ${whole(log.clicks)} clicks, ${whole(log.purchases)} purchases, ${whole(log.returns)} sent back. Actions that the edge rejected: ${Object.values(log.rejected).reduce((sum, count) => sum + count, 0)}; without a token: ${log.untold}.`,
    "## The first model",
    describeModel(figures.firstModel),
    "Its ladder of trust, with every shopper in the trial:",
    describeClimb(figures.firstClimb),
    "## Nothing differs, and nothing is said",
    describeAlike(figures.alike),
    "## The first model against the engine",
    ...(first === undefined
      ? [NOT_TOLD]
      : [
          `${whole(first.searches)} searches: two fifths with the engine's order, two fifths with the model's, a fifth interleaved. ${first.sampleRatio}`,
          testTable(first.comparisons),
          ...chart("first.svg", "What the report says, and the truth"),
          "The truth, on the same searches:",
          truthTable(first.truth),
          "Interleaved:",
          votesTable(first.interleaving),
          "For the same certainty interleaving needs so many times fewer searches than the A/B test (`armmt plan --experiment first`):",
          describeSensitivity(first.sensitivities),
        ]),
    "## A model turned round",
    describeReversed(figures.reversed),
    "## The second model",
    "The loop again, on all that was left by then, the searches of the reversed model among it.",
    describeModel(figures.secondModel),
    describeClimb(figures.secondClimb),
    "## The second model against the first, and against engine and meaning",
    ...(second === undefined
      ? [NOT_TOLD]
      : [
          `${whole(second.againstSemantic.searches)} searches in five arms of a fifth each. ${second.againstSemantic.sampleRatio}`,
          "The truth, on the same searches:",
          truthTable(second.truth),
          ...chart("truth.svg", "Expected purchases per search under each order, against engine and meaning"),
          "Interleaved:",
          votesTable(second.againstSemantic.interleaving),
          "As an A/B test against engine and meaning:",
          testTable(second.againstSemantic.comparisons),
          "And against the first model:",
          testTable(second.againstFirst.comparisons),
        ]),
    "## What it took",
    table(["part", "seconds"], Object.entries(figures.seconds)),
    describeMachine(),
  ].join("\n\n");
}

function drawCharts({ first, second }: Figures): Map<string, string> {
  const charts = new Map<string, string>();
  const base = { isJoined: false, subtitle: "simulated shoppers, 95 % intervals" };
  if (first !== undefined) {
    const shown = first.comparisons.filter(({ metric, difference }) => metric !== "revenue" && difference !== null);
    const names = shown.map(({ metric }) => `${metric} per search`);
    charts.set(
      "first.svg",
      intervalChart({
        ...base,
        title: "The first model against the engine",
        xLabel: "metric",
        yLabel: "difference per search",
        names,
        series: [
          { name: "report", points: shown.map(({ difference }, x) => ({ x, y: difference!.value, ...difference!.fixed })) },
          {
            name: "truth",
            points: shown.flatMap(({ truth }, x) => (truth === undefined ? [] : [{ x, y: truth.mean, low: truth.low, high: truth.high }])),
          },
        ],
      }),
    );
  }
  if (second !== undefined) {
    const shown = second.truth.filter(({ figure }) => figure === "purchases");
    charts.set(
      "truth.svg",
      intervalChart({
        ...base,
        title: "What each order is worth: expected purchases per search",
        xLabel: "order, and what it is compared with",
        yLabel: "difference per search",
        names: ["semantic − engine", "first − semantic", "second − semantic", "second − first"],
        series: [
          {
            name: "truth",
            points: shown.map(({ difference }, x) => ({ x, y: difference.mean, low: difference.low, high: difference.high })),
          },
        ],
      }),
    );
  }
  return charts;
}
