/** Shirts and tops, laid flat. */
import { hanging } from "./backdrop.ts";
import type { Brush } from "./brush.ts";
import type { Draw, Family } from "./family.ts";
import { band, emblem } from "./motif.ts";
import { box, curve, ellipse, polygon } from "./outline.ts";
import { darken, lighten } from "./palette.ts";

interface Cut {
  /** Half widths of shoulder, chest and hem. */
  readonly shoulder: number;
  readonly chest: number;
  readonly hem: number;
  /** Where the sleeve ends, and how wide it is there. */
  readonly sleeve: readonly [x: number, y: number, width: number] | undefined;
  /** Half width and depth of the neck. */
  readonly neck: readonly [width: number, depth: number];
}

const TOP = 34;
const HEM = 172;

/** The same corners the other way round. */
function reversed(d: string): string {
  const corners = d.match(/-?[\d.]+ -?[\d.]+/g) ?? [];
  return corners
    .toReversed()
    .map((corner) => `L${corner}`)
    .join("");
}

function outlineOf({ shoulder, chest, hem, sleeve, neck }: Cut): string {
  const [n, depth] = neck;
  const half = (s: 1 | -1) => {
    const x = (v: number) => (100 + s * v).toFixed(1);
    if (sleeve === undefined) return { out: `L${x(shoulder)} ${TOP + 3}Q${x(shoulder * 0.94)} 66 ${x(chest)} 78`, in: `L${x(hem)} ${HEM}` };
    const [sx, sy, sw] = sleeve;
    const k = sw / Math.hypot(sx - shoulder, sy - TOP);
    const [ex, ey] = [sx - (sy - TOP) * k, sy + (sx - shoulder) * k];
    return { out: `L${x(shoulder)} ${TOP + 8}L${x(sx)} ${sy}L${x(ex)} ${ey.toFixed(1)}L${x(chest)} 84`, in: `L${x(hem)} ${HEM}` };
  };
  const right = half(1);
  const left = half(-1);
  return (
    `M${100 - n} ${TOP}Q100 ${TOP + depth * 2} ${100 + n} ${TOP}${right.out}${right.in}` +
    `Q100 ${HEM + 5} ${100 - hem} ${HEM}${reversed(left.out)}Z`
  );
}

function shirt(brush: Brush, cut: Cut, details: (outline: string) => string): string {
  const outline = outlineOf(cut);
  const folds = brush.line(
    `M${100 - cut.chest} 86Q${100 - cut.chest * 0.7} 92 ${100 - cut.chest * 0.55} 108M${100 + cut.chest} 86` +
      `Q${100 + cut.chest * 0.7} 92 ${100 + cut.chest * 0.55} 108`,
    { colour: darken(brush.main, 0.55), width: 2, opacity: 0.35 },
  );
  return hanging(outline) + brush.body(outline) + band(brush, outline, { x: 100, y: 116, size: 14 }) + folds + details(outline);
}

/** A band along neck and cuffs, where the style has one. */
function ribbing(brush: Brush, outline: string, [n, depth]: Cut["neck"]): string {
  const colour = brush.look.style === "minimal" ? darken(brush.main, 0.25) : brush.accent;
  const neck = `M${100 - n} ${TOP}Q100 ${TOP + depth * 2} ${100 + n} ${TOP}`;
  return (
    brush.clip(outline, brush.line(neck, { colour, width: 10 })) +
    brush.line(neck, { colour: darken(brush.main, 0.5), width: 1.6, opacity: 0.6 })
  );
}

const sleeves = (brush: Brush, reach: number): Cut["sleeve"] => [reach, brush.random.between(76, 84), 34];

const tee: Draw = (brush) => {
  const { random } = brush;
  const cut: Cut = {
    shoulder: 44,
    chest: random.between(42, 50),
    hem: random.between(42, 54),
    sleeve: sleeves(brush, 80),
    neck: [18, random.between(7, 16)],
  };
  return shirt(
    brush,
    cut,
    (outline) => ribbing(brush, outline, cut.neck) + emblem(brush, { x: 100, y: 92, size: brush.look.pattern === "plain" ? 19 : 12 }),
  );
};

const polo: Draw = (brush) => {
  const { random } = brush;
  const cut: Cut = { shoulder: 44, chest: random.between(42, 48), hem: random.between(42, 50), sleeve: sleeves(brush, 78), neck: [18, 8] };
  const collarColour = brush.look.style === "minimal" ? darken(brush.main, 0.12) : brush.accent;
  const collar = (s: number) =>
    brush.part(
      polygon([
        [100, 50],
        [100 + s * 20, TOP - 4],
        [100 + s * 27, 44],
        [100 + s * 9, 63],
      ]),
      collarColour,
      "cotton",
    );
  const placket =
    brush.part(box(94, 48, 12, 40, 2), lighten(collarColour, 0.1), "cotton") +
    [58, 70, 82].map((y) => `<circle cx="100" cy="${y}" r="2.4" fill="#fbf7ee" stroke="#5a4a44" stroke-width=".8"/>`).join("");
  return shirt(brush, cut, () => placket + collar(-1) + collar(1) + emblem(brush, { x: 124, y: 88, size: 9 }));
};

const buttonUp: Draw = (brush) => {
  const { random } = brush;
  const long: Cut["sleeve"] = [72, 138, 24];
  const cut: Cut = {
    shoulder: 44,
    chest: random.between(40, 46),
    hem: random.between(42, 48),
    sleeve: random.chance(0.65) ? long : sleeves(brush, 78),
    neck: [16, 8],
  };
  const collar = (s: number) =>
    brush.part(
      polygon([
        [100, 46],
        [100 + s * 18, TOP - 7],
        [100 + s * 27, 42],
        [100 + s * 14, 64],
      ]),
      lighten(brush.main, 0.18),
    );
  const buttons = [66, 86, 106, 126, 146]
    .map(
      (y) =>
        `<circle cx="100" cy="${y}" r="2.8" fill="${brush.look.style === "elegant" ? brush.accent : "#fbf7ee"}"` +
        ` stroke="#4a3c38" stroke-width="1"/>`,
    )
    .join("");
  const pocket =
    brush.plain(box(112, 80, 22, 26, 3)) +
    (brush.look.style === "rustic" ? brush.line(box(114, 82, 18, 22, 2), { colour: "#f0dcb8", width: 1.8, dash: "4 3" }) : "");
  return shirt(
    brush,
    cut,
    () =>
      brush.plain(box(94, 44, 12, 129, 1)) +
      buttons +
      pocket +
      collar(-1) +
      collar(1) +
      (brush.look.style === "sporty" || brush.look.style === "playful" ? emblem(brush, { x: 74, y: 90, size: 9 }) : ""),
  );
};

const hoodie: Draw = (brush) => {
  const { random } = brush;
  const cut: Cut = { shoulder: 46, chest: random.between(46, 52), hem: random.between(46, 52), sleeve: [76, 144, 27], neck: [20, 6] };
  const hood = `M${100 - 26} 50Q${100 - 36} 16 100 15Q136 16 126 50Q100 74 74 50Z`;
  const pocket = polygon([
    [76, 128],
    [124, 128],
    [136, 160],
    [64, 160],
  ]);
  const cord = brush.line("M90 56Q88 74 90 88M110 56Q112 74 110 84", { colour: lighten(brush.accent, 0.2), width: 4 });
  return (
    hanging(hood) +
    shirt(
      brush,
      cut,
      (outline) =>
        brush.clip(outline, brush.line(`M0 ${HEM - 4}H200`, { colour: darken(brush.main, 0.3), width: 12, opacity: 0.7 })) +
        brush.plain(pocket) +
        brush.body(hood) +
        `<path d="${ellipse(100, 46, 17, 15)}" fill="${darken(brush.main, 0.6)}"/>` +
        cord +
        emblem(brush, { x: 100, y: 104, size: 14 }),
    )
  );
};

const tank: Draw = (brush) => {
  const { random } = brush;
  const cut: Cut = {
    shoulder: 30,
    chest: random.between(42, 48),
    hem: random.between(40, 54),
    sleeve: undefined,
    neck: [17, random.between(16, 26)],
  };
  const edge = (s: number) =>
    curve([
      [100 + s * 30, TOP + 3],
      [100 + s * 29, 60],
      [100 + s * cut.chest, 78],
    ]);
  const colour = brush.look.style === "minimal" ? darken(brush.main, 0.25) : brush.accent;
  return shirt(
    brush,
    cut,
    (outline) =>
      ribbing(brush, outline, cut.neck) +
      brush.clip(outline, brush.line(edge(1), { colour, width: 8 }) + brush.line(edge(-1), { colour, width: 8 })) +
      emblem(brush, { x: 100, y: 100, size: brush.look.pattern === "plain" ? 17 : 11 }),
  );
};

export const SHIRTS: Family<"t-shirt" | "polo shirt" | "button-up shirt" | "hoodie" | "tank top"> = {
  "t-shirt": tee,
  "polo shirt": polo,
  "button-up shirt": buttonUp,
  hoodie,
  "tank top": tank,
};
