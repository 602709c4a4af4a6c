/** The sentence with what it rests on, and with one to three steps to take next. */
import * as format from "./format.ts";
import { dayCount, MOSTLY, sentenceOf, type SummaryFacts, type SummaryKind, verdictsOf } from "./summary.ts";

export interface Summary {
  readonly kind: SummaryKind;
  /** The arm that the sentence is about; null where it is about all of them. */
  readonly variant: string | null;
  /** Without a full stop. */
  readonly sentence: string;
  readonly evidence: readonly string[];
  /** One to three. */
  readonly next: readonly string[];
}

/** A share of unserved searches that the reader should know of. */
const NOTABLE = 0.05;

/** And one of an arm's revenue that a single shopper has. */
const HEAVY = 0.1;

export function summarise(facts: SummaryFacts): Summary {
  const [first, ...others] = verdictsOf(facts);
  const { kind, variant } = first;
  return {
    kind,
    variant,
    sentence: sentenceOf(first, facts),
    evidence: [...others.map(({ text }) => `${text}.`), ...(kind === "no_searches" ? [] : evidenceOf(facts))],
    next: NEXT[kind](variant ?? "armmt", facts),
  };
}

function evidenceOf({ days, searches, shoppers, hasMismatch, purchases, arms }: SummaryFacts): string[] {
  const count = format.wholeNumber;
  const ratio = hasMismatch
    ? "the arms do not have the sizes that their weights promise"
    : "the arms have the sizes that their weights promise";
  return [
    `${count(searches)} searches of ${count(shoppers)} known shoppers in ${dayCount(days)}, ${count(purchases)} purchases; ${ratio}.`,
    // Nothing that a broken split has counted is evidence.
    ...(hasMismatch ? [] : arms).flatMap(({ variant, sales, money, clicks, faults, votes = [], heaviest = 0 }) => [
      ...(votes.length > 0 ? [] : [sales, money, clicks]).flatMap((effect) =>
        effect?.always === undefined ? [] : [`${variant}: ${format.range(effect.always)} ${effect.name}, ${effect.verdict}.`],
      ),
      ...votes.map(
        ({ by, name, always }) =>
          `${variant}: ${format.share(always.low)} to ${format.share(always.high)} of the votes by ${by} for ${name}.`,
      ),
      ...(heaviest >= HEAVY
        ? [`One shopper has ${format.share(heaviest)} of the revenue of ${variant}: the verdict goes by what is left of it under the cap.`]
        : []),
      ...(faults !== undefined && faults.share >= NOTABLE && faults.share < MOSTLY
        ? [
            `${variant}: ${format.share(faults.share)} of its searches kept the engine's order (mostly ${faults.reason}), which makes its effect smaller.`,
          ]
        : []),
    ]),
  ];
}

const LOOK = "npm run armmt --";

/** A word of a command line. */
function word(text: string): string {
  return /^[\w@.,:/-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

const again = ({ experiment }: SummaryFacts): string => `${LOOK} report ${word(experiment)}`;
const switchOff = (variant: string, { experiment }: SummaryFacts): string =>
  `Switch it off: name ${variant} in "off" of ${experiment} (EXPERIMENTS and \`npx wrangler deploy\`, or within a minute the KV key "experiments"). \`${LOOK} guard ${word(experiment)}\` does so by itself where a guardrail is broken.`;

const NEXT: Readonly<Record<SummaryKind, (variant: string, facts: SummaryFacts) => readonly string[]>> = {
  no_searches: (_, facts) => [
    `See that EXPERIMENTS names ${facts.experiment}, and that searches name a session (x-armmt-session) or a user (x-armmt-user).`,
    `Let the doctor send one: \`${LOOK} doctor\`.`,
  ],
  mismatch: (_, facts) => [
    "Find the cause among the usual ones, below.",
    `If weights or variants were changed, report from that day on: \`${again(facts)} --since <day>\`. Else begin again under a new key.`,
  ],
  broken: (variant, facts) => [
    switchOff(variant, facts),
    "Search and buy something in that arm yourself (`?armmt_variant` with the admin token), and see in docs/events.md what a page must send.",
  ],
  not_served: (variant) => [
    `Look that reason up in docs/reference/bypass-reasons.md, and ask the edge: \`${LOOK} doctor\`.`,
    `Repair it before you wait any longer: what is measured is the engine's order, not ${variant}.`,
  ],
  less: (variant, facts) => [switchOff(variant, facts), "See in the segments below where it loses most."],
  earns_less: (variant, facts) => [
    switchOff(variant, facts),
    "See whether it sells cheaper items, or fewer of them: orders and items, below.",
  ],
  mixed: (variant) => [`Decide by the metric that you named before the start. If that was money, ${variant} has its answer.`],
  more: (variant, facts) => [
    `Serve it to everybody: DEFAULT_VARIANT = "${variant}", without ${facts.experiment} in EXPERIMENTS, then \`npx wrangler deploy\`.`,
    "Keep a small control arm if you want to see whether the effect lasts.",
  ],
  same: (variant, facts) => [
    `Stop, and keep what costs less. To look for a smaller effect: \`${again(facts)} --lift ${format.plain(facts.lift / 2)}\`.`,
    `An interleaved arm tells smaller differences apart: interleave(${facts.control}, ${variant}).`,
  ],
  ended: (variant, facts) => [
    `Keep what costs less: an effect as large as the plan was made for would most likely have shown.`,
    `For a smaller one, plan a longer experiment under a new key: \`${LOOK} plan\`. What comes after the planned end decides nothing about ${variant}.`,
    `An interleaved arm tells smaller differences apart: interleave(${facts.control}, ${variant}).`,
  ],
  preferred: (_, facts) => [
    "Votes say which list is better, not by how much: start an A/B test of the winner against control.",
    `How long that takes: \`${LOOK} plan --base <orders per shopper> --lift ${format.plain(facts.lift)}\`.`,
  ],
  open: (variant, facts) => {
    const { control } = facts;
    const isPair = facts.arms.some((arm) => arm.variant === variant && arm.kind === "interleaved");
    const shorter = isPair
      ? []
      : [`To shorten it: \`${LOOK} plan\` compares effects and an interleaved arm, interleave(${control}, ${variant}).`];
    if (facts.shoppers === 0) return ["Send x-armmt-consent: 1 for shoppers who agree: without it nothing can be said per shopper."];
    if (facts.purchases === 0) return ["Send purchases: docs/events.md shows the snippet and the call for your page."];
    return [`Let it run, and look again whenever you like: \`${again(facts)}\`. Looking does not spoil it.`, ...shorter];
  },
};
