/** The sentence on top of the report: a table of facts and what is made of them, and the same from rows of a log. */
import { describe, expect, it } from "vitest";
import type { ArmFacts, Effect, SummaryFacts } from "../../src/report/summary.ts";
import { kindOf, summaryFacts } from "../../src/report/summary-facts.ts";
import { summarise } from "../../src/report/summary-steps.ts";
import type { ReportData } from "../../src/report/analyse.ts";
import { drawPage } from "../../src/report/page.ts";
import { formatReport } from "../../src/report/sections.ts";
import { action, DAY_MS, logOf, report, search, START_MS } from "./rows.ts";

const plain = (text: string): string => text.replaceAll("\u00a0", " ");

function effect(name: string, low: number, high: number): Effect {
  return { name: `${name} per shopper`, verdict: low > 0 ? "higher" : high < 0 ? "lower" : "open", always: { low, high } };
}
const orders = (low: number, high: number): Effect => effect("orders", low, high);
const revenue = (low: number, high: number): Effect => effect("revenue", low, high);
const clicks = (low: number, high: number): Effect => effect("clicks", low, high);

function arm(more: Partial<ArmFacts> = {}): ArmFacts {
  return {
    variant: "armmt",
    kind: "ranked",
    sales: orders(-0.02, 0.05),
    money: revenue(-0.1, 0.1),
    clicks: clicks(-0.01, 0.02),
    daysLeft: 12,
    ...more,
  };
}

function facts(more: Partial<SummaryFacts> = {}, ...arms: readonly ArmFacts[]): SummaryFacts {
  return {
    experiment: "rerank",
    control: "control",
    simulated: false,
    days: 9,
    searches: 20_000,
    shoppers: 8000,
    clicks: 6000,
    purchases: 400,
    hasMismatch: false,
    lift: 0.03,
    arms: arms.length > 0 ? arms : [arm()],
    ...more,
  };
}

const nothing = (of: string, what: string) => ({ of, what, isHalved: false });
const INTERLEAVED = { variant: "interleave(control, armmt)", kind: "interleaved" } as const;
const votes = (low: number, high: number, by = "purchases") => [{ by, name: "armmt", other: "control", always: { low, high } }];

describe("the sentence", () => {
  it.each<[string, SummaryFacts, sentence: string]>([
    ["gain", facts({}, arm({ sales: orders(0.031, 0.098) })), "armmt sells more: +3.1 % to +9.8 % orders per shopper; safe to stop"],
    [
      "gain in both",
      facts({}, arm({ sales: orders(0.031, 0.098), money: revenue(0.02, 0.12) })),
      "armmt sells more: +3.1 % to +9.8 % orders per shopper; safe to stop",
    ],
    ["harm", facts({}, arm({ sales: orders(-0.098, -0.031) })), "armmt sells less: −9.8 % to −3.1 % orders per shopper; switch it off"],
    [
      "harm in money alone",
      facts({}, arm({ money: revenue(-0.3, -0.1) })),
      "armmt earns less: −30 % to −10 % revenue per shopper; switch it off",
    ],
    ["more money alone does not decide", facts({}, arm({ money: revenue(0.1, 0.3) })), "We cannot tell yet: 12 more days at this traffic"],
    [
      "a contradiction",
      facts({}, arm({ sales: orders(0.02, 0.05), money: revenue(-0.3, -0.1) })),
      "armmt sells more and earns less: +2.0 % to +5.0 % orders per shopper, −30 % to −10 % revenue per shopper; decide which counts",
    ],
    [
      "a contradiction the other way",
      facts({}, arm({ sales: orders(-0.05, -0.02), money: revenue(0.1, 0.3) })),
      "armmt sells less and earns more: −5.0 % to −2.0 % orders per shopper, +10 % to +30 % revenue per shopper; decide which counts",
    ],
    ["too early", facts(), "We cannot tell yet: 12 more days at this traffic"],
    ["one more day", facts({}, arm({ daysLeft: 0.3 + 0.7 })), "We cannot tell yet: 1 more day at this traffic"],
    ["parts of a day", facts({}, arm({ daysLeft: 3.2 })), "We cannot tell yet: 4 more days at this traffic"],
    [
      "too little traffic",
      facts({}, arm({ daysLeft: 900 })),
      "We cannot tell yet: −2.0 % to +5.0 % orders per shopper so far, and a lift of +3.0 % takes more than a year to show at this traffic",
    ],
    [
      "never",
      facts({}, arm({ daysLeft: Infinity })),
      "We cannot tell yet: −2.0 % to +5.0 % orders per shopper so far, and a lift of +3.0 % takes more than a year to show at this traffic",
    ],
    [
      "long enough",
      facts({ days: 40 }, arm({ daysLeft: 0 })),
      "We cannot tell: −2.0 % to +5.0 % orders per shopper after 40 days, when a lift of +3.0 % would most likely have shown",
    ],
    [
      "no difference worth having",
      facts({}, arm({ sales: orders(-0.011, 0.014) })),
      "armmt sells as much as control: −1.1 % to +1.4 % orders per shopper, less than the +3.0 % that were looked for",
    ],
    [
      "clicks are not sales",
      facts({}, arm({ clicks: clicks(0.02, 0.05) })),
      "We cannot tell yet: 12 more days at this traffic; armmt is clicked more, which is not yet selling",
    ],
    [
      "too few purchases",
      facts({ purchases: 12 }, arm({ sales: { ...orders(0, 0), always: undefined }, money: undefined })),
      "We cannot tell yet: too few purchases (12 in all)",
    ],
    ["no purchases", facts({ purchases: 0 }, arm({ sales: undefined, money: undefined })), "We cannot tell: no purchase is recorded"],
    [
      "no purchases, clicked less",
      facts({ purchases: 0 }, arm({ sales: undefined, money: undefined, clicks: clicks(-0.3, -0.2) })),
      "We cannot tell: no purchase is recorded; armmt is clicked less, which is not yet selling",
    ],
    [
      "no events at all",
      facts({ purchases: 0, clicks: 0 }, arm({ sales: undefined, money: undefined, clicks: undefined })),
      "We cannot tell: no click and no purchase is recorded",
    ],
    [
      "nobody's consent",
      facts({ shoppers: 0 }, arm({ sales: orders(0.1, 0.2), clicks: clicks(0.1, 0.2) })),
      "We cannot tell: no search names its shopper",
    ],
    ["a broken split", facts({ hasMismatch: true }, arm({ sales: orders(0.1, 0.2) })), "Do not act: the sample ratio is broken"],
    [
      "a broken split before an empty arm",
      facts({ hasMismatch: true }, arm({ alarm: nothing("armmt", "purchases") })),
      "Do not act: the sample ratio is broken",
    ],
    ["an arm that sells nothing", facts({}, arm({ alarm: nothing("armmt", "purchases") })), "armmt has no purchases: something is broken"],
    [
      "an arm without clicks",
      facts({ shoppers: 0 }, arm({ alarm: nothing("armmt", "clicks") })),
      "armmt has no clicks: something is broken",
    ],
    ["control that sells nothing", facts({}, arm({ alarm: nothing("control", "orders") })), "control has no orders: something is broken"],
    [
      "an arm that lost most",
      facts({}, arm({ alarm: { of: "armmt", what: "clicks", isHalved: true } })),
      "armmt has lost more than half of its clicks: something is broken",
    ],
    [
      "exact counts without a band",
      facts({}, arm({ sales: { name: "shoppers with orders", verdict: "higher", always: undefined }, money: undefined })),
      "armmt sells more: shoppers with orders, by exact counts; safe to stop",
    ],
    [
      "an arm that was not served",
      facts({}, arm({ faults: { share: 0.93, reason: "nothing_published" }, sales: orders(-0.2, -0.1) })),
      "armmt was hardly tried: 93.0 % of its searches kept the engine's order (nothing_published)",
    ],
    [
      "an A/A arm that differs",
      facts({}, arm({ variant: "shadow(armmt)", kind: "unchanged", clicks: clicks(0.1, 0.2) })),
      "Do not act: shadow(armmt) shows the engine's order and yet differs from control in clicks per shopper",
    ],
    [
      "an A/A arm that does not",
      facts({}, arm({ variant: "shadow(armmt)", kind: "unchanged" })),
      "shadow(armmt) shows the engine's order and does not differ from control, as it should",
    ],
    [
      "votes",
      facts({}, arm({ ...INTERLEAVED, votes: votes(0.55, 0.61) })),
      "Shoppers prefer armmt: 55.0 % to 61.0 % of the votes by purchases",
    ],
    [
      "votes for control",
      facts({}, arm({ ...INTERLEAVED, votes: votes(0.3, 0.4, "clicks") })),
      "Shoppers prefer control: 60.0 % to 70.0 % of the votes by clicks",
    ],
    [
      "votes that say nothing",
      facts({}, arm({ ...INTERLEAVED, votes: votes(0.4, 0.6) })),
      "We cannot tell yet which order shoppers prefer in interleave(control, armmt)",
    ],
    ["no search", facts({ searches: 0, shoppers: 0 }, arm({ sales: undefined })), "No search has taken part in rerank yet"],
    ["one arm only", { ...facts(), arms: [] }, "We cannot tell: control is the only arm"],
    [
      "simulated rows",
      facts({ simulated: true }, arm({ sales: orders(0.031, 0.098) })),
      "Simulated: armmt sells more: +3.1 % to +9.8 % orders per shopper; safe to stop",
    ],
  ])("%s", (_, given, sentence) => {
    const summary = summarise(given);
    expect(plain(summary.sentence)).toBe(sentence);
    expect(summary.next.length).toBeGreaterThan(0);
    expect(summary.next.length).toBeLessThanOrEqual(3);
    expect([...summary.evidence, ...summary.next].join()).not.toMatch(/NaN|undefined|Infinity|null/);
  });

  it("is about the arm that needs something done first, and names the others below", () => {
    const good = arm({ variant: "armmt@2", sales: orders(0.031, 0.098) });
    const bad = arm({ variant: "armmt@3", sales: orders(-0.2, -0.1) });
    const { variant, kind, evidence } = summarise(facts({}, arm(), good, bad));
    expect([variant, kind]).toEqual(["armmt@3", "less"]);
    expect(plain(evidence.join("\n"))).toContain(
      "armmt@2 sells more: +3.1 % to +9.8 % orders per shopper; safe to stop.\nWe cannot tell yet",
    );
  });

  it("gives no figure of an arm where the split is broken", () => {
    const { evidence } = summarise(facts({ hasMismatch: true }));
    expect(evidence).toHaveLength(1);
    expect(evidence[0]).toContain("do not have the sizes");
  });

  it("quotes a key in the command", () => {
    expect(summarise(facts({ experiment: "it's new" })).next[0]).toContain("report 'it'\\''s new'");
  });
});

describe("arms", () => {
  it.each([
    ["armmt", "ranked"],
    ["armmt@v2", "ranked"],
    ["explore(armmt)", "ranked"],
    ["anything else", "ranked"],
    ["control", "unchanged"],
    ["shadow(armmt)", "unchanged"],
    ["interleave(control, armmt)", "interleaved"],
  ])("%s is %s", (variant, kind) => expect(kindOf(variant)).toBe(kind));
});

/** Shoppers with one search each; every `every[arm]`-th of an arm buys. */
function shop(every: Readonly<Record<"control" | "armmt", number>>, more: { readonly bypass?: string } = {}) {
  const rows = Array.from({ length: 6000 }, (_, i) =>
    search(`q${i}`, i % 2 === 0 ? "control" : "armmt", {
      unit: `u${i}`,
      atMs: START_MS + (i % 7) * DAY_MS,
      ...(i % 2 === 1 && more.bypass !== undefined && { bypass: more.bypass }),
    }),
  );
  const bought = rows.filter(({ variant }, i) => {
    const each = variant === "armmt" ? every.armmt : every.control;
    return Math.floor(i / 2) % each === each - 1;
  });
  return report(logOf(rows, bought.map(({ queryId }) => action(queryId, "purchase", { price: 10, currency: "EUR" })))); // prettier-ignore
}

const summaryOf = (data: ReportData) => summarise(summaryFacts(data));

describe("a report", () => {
  it("begins with its sentence", async () => {
    const data = await shop({ control: 12, armmt: 6 });
    expect(summaryOf(data)).toMatchObject({ kind: "more", variant: "armmt" });
    expect(plain(summaryOf(data).sentence)).toMatch(/^armmt sells more: \+\d+ % to \+\d+ % \w+ per shopper; safe to stop$/);
    const text = formatReport(data);
    expect(text.startsWith(`${summaryOf(data).sentence}.\n\nrerank: 2026-11-02 to`)).toBe(true);
    expect(text).toMatch(/\n\nEvidence:\n- [^]*\n\nWhat to do next:\n- [^]*\n\nExposures and sample ratio\n/);
  });

  it("tells harm, and an arm that was never served", async () => {
    expect(summaryOf(await shop({ control: 6, armmt: 12 })).kind).toBe("less");
    const unserved = summaryOf(await shop({ control: 6, armmt: 12 }, { bypass: "nothing_published" }));
    expect(plain(unserved.sentence)).toBe("armmt was hardly tried: 100 % of its searches kept the engine's order (nothing_published)");
    // Shoppers who browse or sort are no fault of the edge.
    expect(summaryOf(await shop({ control: 6, armmt: 12 }, { bypass: "no_query_text" })).kind).toBe("less");
  });

  it("says first that an arm sells nothing, as 152 buyers of 3,000 against none", async () => {
    const data = await shop({ control: 20, armmt: Infinity });
    expect(summaryOf(data)).toMatchObject({ kind: "broken", variant: "armmt", sentence: expect.stringMatching(/^armmt has no (?:orders|purchases): something is broken$/) }); // prettier-ignore
    expect(formatReport(data).startsWith("armmt has no ")).toBe(true);
    expect(summaryOf(data).next[0]).toContain("Switch it off: name armmt");
    expect(drawPage(data)).toMatch(/<div class="verdict answer alarm" role="alert"><p>armmt has no /);
  });

  it("decides by exact counts where few buy", async () => {
    const summary = summaryOf(await shop({ control: 200, armmt: 50 }));
    expect(plain(summary.sentence)).toMatch(/^armmt sells more: \+\d+ % to \+\d+,?\d* % shoppers with \w+; safe to stop$/);
  });

  it("has a sentence for a log without a search", async () => {
    const summary = summaryOf(await report(logOf([])));
    expect(summary.sentence).toBe("No search has taken part in rerank yet");
  });
});
