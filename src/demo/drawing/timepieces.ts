/** Watches and clocks: a dial, and what it sits in. */
import { hanging, standing } from "./backdrop.ts";
import type { Brush } from "./brush.ts";
import type { Draw, Family } from "./family.ts";
import { band } from "./motif.ts";
import { box, ellipse, mirrored, polygon } from "./outline.ts";
import { colourOf, darken, inkOn, lighten } from "./palette.ts";

interface Dial {
  readonly x: number;
  readonly y: number;
  readonly r: number;
  readonly ground: string;
}

/** Marks and hands; the style decides which marks. */
function dial(brush: Brush, { x, y, r, ground }: Dial): string {
  const { style } = brush.look;
  const ink = inkOn(ground);
  const at = (angle: number, radius: number) => {
    const a = (angle * Math.PI) / 180;
    return `${(x + Math.sin(a) * radius).toFixed(1)} ${(y - Math.cos(a) * radius).toFixed(1)}`;
  };
  const every = style === "minimal" || style === "elegant" ? 90 : 30;
  const hours = Array.from({ length: 360 / every }, (_, i) => i * every);
  const marks = hours.map((angle) => {
    const [cx = "0", cy = "0"] = at(angle, r * 0.8).split(" ");
    if (style === "playful")
      return `<circle cx="${cx}" cy="${cy}" r="${r * 0.09}" fill="${["#e8622f", "#2a9a97", "#efb52f", "#c0458f"][(angle / 30) % 4]}"/>`;
    const heavy = style === "sporty" || angle % 90 === 0;
    return brush.line(`M${at(angle, r * (heavy ? 0.7 : 0.78))}L${at(angle, r * 0.88)}`, { colour: ink, width: r * (heavy ? 0.09 : 0.05) });
  });
  const hour = brush.random.between(0, 360);
  const minute = hour * 12;
  const hand = (angle: number, length: number, width: number, colour: string) =>
    brush.line(`M${at(angle + 180, r * 0.12)}L${at(angle, length)}`, { colour, width });
  const strong = style === "minimal" ? 0.06 : 0.1;
  return (
    marks.join("") +
    hand(hour, r * 0.48, r * strong, ink) +
    hand(minute, r * 0.72, r * strong * 0.75, ink) +
    (style === "sporty" || style === "retro" ? hand(minute * 3, r * 0.76, r * 0.03, "#e0482f") : "") +
    `<circle cx="${x}" cy="${y}" r="${r * 0.08}" fill="${ink}"/>`
  );
}

/** Watch cases are of steel, or of gold on elegant and some retro watches. */
function caseColour(brush: Brush): string {
  const { style, accent } = brush.look;
  if (style === "elegant") return colourOf(accent === "silver" ? "silver" : "gold");
  if (style === "playful") return brush.accent;
  if (style === "rustic") return "#a8794a";
  if (style === "retro") return brush.random.chance(0.5) ? colourOf("gold") : colourOf("silver");
  return style === "sporty" ? "#3b3d43" : colourOf("silver");
}

function dialColour(brush: Brush): string {
  const { style } = brush.look;
  if (style === "minimal") return brush.random.pick(["#f6f5f2", "#26282d"]);
  if (style === "sporty") return brush.random.pick(["#1f2126", brush.accent]);
  if (style === "retro") return "#f3e4c3";
  return style === "playful" ? "#fffaf0" : brush.random.pick(["#f7f3ea", darken(brush.main, 0.3), "#f7f3ea"]);
}

function straps(brush: Brush, w: number): string {
  const upper = mirrored([
    [w * 0.78, 8],
    [w, 70],
  ]);
  const lower = mirrored([
    [w, 130],
    [w * 0.74, 186],
    [w * 0.5, 194],
  ]);
  const links =
    brush.look.material === "metal"
      ? [18, 31, 44, 57, 143, 156, 169, 182]
          .map((y) => brush.line(`M${100 - w} ${y}H${100 + w}`, { colour: darken(brush.main, 0.6), width: 2.4, opacity: 0.6 }))
          .join("")
      : "";
  const holes =
    brush.look.material === "metal"
      ? ""
      : [156, 166, 176].map((y) => `<circle cx="100" cy="${y}" r="2.2" fill="${darken(brush.main, 0.6)}"/>`).join("");
  const rows =
    brush.look.style === "rustic"
      ? brush.line(
          `M${100 - w * 0.76} 12L${100 - w * 0.86} 70M${100 + w * 0.76} 12L${100 + w * 0.86} 70M${100 - w * 0.86} 130L${100 - w * 0.66} 184M${100 + w * 0.86} 130L${100 + w * 0.66} 184`,
          { colour: "#f0dcb8", width: 2, dash: "5 4" },
        )
      : "";
  const outline = `${upper}${lower}`;
  return (
    hanging(outline) +
    brush.body(upper) +
    brush.body(lower) +
    links +
    holes +
    rows +
    (brush.look.style === "rustic" ? "" : band(brush, upper, { x: 100, y: 24, size: 11 }) + band(brush, lower, { x: 100, y: 140, size: 9 }))
  );
}

const roundWatch: Draw = (brush) => {
  const r = brush.random.between(38, 46);
  const ground = dialColour(brush);
  return (
    straps(brush, 22) +
    brush.part(box(98 + r, 94, 9, 12, 2), caseColour(brush), "metal") +
    hanging(ellipse(100, 100, r)) +
    brush.part(ellipse(100, 100, r), caseColour(brush), "metal") +
    brush.part(ellipse(100, 100, r * 0.82), ground, "cotton") +
    dial(brush, { x: 100, y: 100, r: r * 0.82, ground })
  );
};

const squareWatch: Draw = (brush) => {
  const w = brush.random.between(32, 38);
  const h = w * brush.random.between(1, 1.25);
  const ground = dialColour(brush);
  const outer = box(100 - w, 100 - h, 2 * w, 2 * h, 8);
  return (
    straps(brush, 23) +
    brush.part(box(98 + w, 94, 8, 12, 2), caseColour(brush), "metal") +
    hanging(outer) +
    brush.part(outer, caseColour(brush), "metal") +
    brush.part(box(106 - w, 106 - h, 2 * w - 12, 2 * h - 12, 4), ground, "cotton") +
    dial(brush, { x: 100, y: 100, r: w - 5, ground })
  );
};

const diver: Draw = (brush) => {
  const r = brush.random.between(45, 50);
  const ground = brush.random.pick(["#1f2126", darken(brush.main, 0.2)]);
  const ticks = Array.from({ length: 12 }, (_, i) => {
    const a = (i * Math.PI) / 6;
    const at = (k: number) => `${(100 + Math.sin(a) * r * k).toFixed(1)} ${(100 - Math.cos(a) * r * k).toFixed(1)}`;
    return brush.line(`M${at(0.82)}L${at(0.93)}`, { colour: "#f6f3ee", width: i % 3 === 0 ? 5 : 2.4 });
  });
  return (
    straps(brush, 25) +
    [78, 100, 122].map((y) => brush.part(box(96 + r, y - 5, 10, 10, 2), "#9aa0a8", "metal")).join("") +
    hanging(ellipse(100, 100, r)) +
    brush.part(ellipse(100, 100, r), caseColour(brush), "metal") +
    brush.part(ellipse(100, 100, r * 0.95), brush.look.style === "sporty" ? darken(brush.accent, 0.1) : "#2a2c33", "ceramic") +
    ticks.join("") +
    brush.part(ellipse(100, 100, r * 0.74), ground, "cotton") +
    dial(brush, { x: 100, y: 100, r: r * 0.74, ground })
  );
};

const smart: Draw = (brush) => {
  const w = brush.random.between(34, 40);
  const outer = box(100 - w, 100 - w * 1.16, 2 * w, 2.32 * w, w * 0.5);
  const ring = (r: number, share: number, colour: string) =>
    `<circle cx="100" cy="102" r="${r}" fill="none" stroke="${colour}" stroke-width="5" stroke-linecap="round" stroke-dasharray="${(2 * Math.PI * r * share).toFixed(0)} 400" transform="rotate(-90 100 102)"/>`;
  const [a, b, c] = [brush.random.between(0.5, 0.95), brush.random.between(0.4, 0.9), brush.random.between(0.3, 0.8)];
  return (
    straps(brush, 24) +
    brush.part(box(99 + w, 84, 6, 18, 3), caseColour(brush), "metal") +
    hanging(outer) +
    brush.part(outer, caseColour(brush), "metal") +
    brush.part(box(105 - w, 105 - w * 1.16, 2 * w - 10, 2.32 * w - 10, w * 0.4), "#17181c", "plastic") +
    ring(w * 0.6, a, brush.accent) +
    ring(w * 0.42, b, lighten(brush.accent, 0.4)) +
    ring(w * 0.24, c, "#f6f3ee")
  );
};

export const WATCHES: Family<"round watch" | "square watch" | "diver watch" | "smart watch"> = {
  "round watch": roundWatch,
  "square watch": squareWatch,
  "diver watch": diver,
  "smart watch": smart,
};

const face = (brush: Brush, x: number, y: number, r: number): string => {
  const ground = brush.look.style === "elegant" ? darken(brush.main, 0.55) : brush.look.style === "retro" ? "#f6e8c8" : "#fbf8f1";
  return brush.part(ellipse(x, y, r), ground, "cotton") + dial(brush, { x, y, r, ground });
};

const wall: Draw = (brush) => {
  const r = brush.random.between(60, 70);
  const d = brush.random.chance(0.3) ? box(100 - r, 96 - r, 2 * r, 2 * r, 18) : ellipse(100, 96, r);
  return (
    hanging(d) +
    brush.body(d) +
    (brush.look.style === "minimal" ? "" : brush.trim(ellipse(100, 96, r * 0.8))) +
    face(brush, 100, 96, r * (brush.look.pattern === "plain" ? 0.76 : 0.62))
  );
};

const alarm: Draw = (brush) => {
  const r = brush.random.between(48, 54);
  const bell = (x: number, turn: number) => `<g transform="rotate(${turn} ${x} 46)">${brush.trim(`M${x - 20} 52a20 18 0 0 1 40 0Z`)}</g>`;
  const foot = (x: number) => brush.line(`M${x < 100 ? 66 : 134} 150L${x} 172`, { colour: darken(brush.main, 0.4), width: 8 });
  return (
    standing(brush, 174, 100) +
    foot(56) +
    foot(144) +
    brush.line("M84 38Q100 16 116 38", { colour: darken(brush.accent, 0.2), width: 5 }) +
    bell(66, -26) +
    bell(134, 26) +
    brush.body(ellipse(100, 112, r + 6)) +
    face(brush, 100, 112, r * 0.78)
  );
};

const mantel: Draw = (brush) => {
  const w = brush.random.between(46, 58);
  const arch = brush.random.chance(0.5);
  const d = arch
    ? `M${100 - w} 164V96a${w} ${w * 0.95} 0 0 1 ${2 * w} 0V164Z`
    : polygon([
        [100 - w * 0.7, 52],
        [100 + w * 0.7, 52],
        [100 + w, 164],
        [100 - w, 164],
      ]);
  return (
    standing(brush, 174, 2 * w + 20) +
    brush.body(d) +
    band(brush, d, { x: 100, y: 142, size: 11 }) +
    brush.part(box(100 - w - 8, 162, 2 * w + 16, 11, 3), darken(brush.main, 0.25)) +
    brush.trim(ellipse(100, 100, w * 0.74)) +
    face(brush, 100, 100, w * 0.66)
  );
};

const sunburst: Draw = (brush) => {
  const r = brush.random.between(28, 36);
  const count = brush.random.pick([12, 16, 20]);
  const long = brush.random.between(74, 82);
  const rays = Array.from({ length: count }, (_, i) => {
    const reach = i % 2 === 0 ? long : long * 0.78;
    const d = polygon([
      [100 - 5, 96 - r * 0.9],
      [100 + 5, 96 - r * 0.9],
      [100 + 1.4, 96 - reach],
      [100 - 1.4, 96 - reach],
    ]);
    return `<g transform="rotate(${(i * 360) / count} 100 96)">${i % 2 === 0 ? brush.part(d, brush.main) : brush.trim(d)}</g>`;
  });
  return (
    hanging(ellipse(100, 96, long * 0.8)).replaceAll('fill-opacity=".', 'fill-opacity=".0') +
    rays.join("") +
    hanging(ellipse(100, 96, r + 10)) +
    brush.body(ellipse(100, 96, r + 12)) +
    face(brush, 100, 96, r)
  );
};

export const CLOCKS: Family<"wall clock" | "alarm clock" | "mantel clock" | "sunburst clock"> = {
  "wall clock": wall,
  "alarm clock": alarm,
  "mantel clock": mantel,
  "sunburst clock": sunburst,
};
