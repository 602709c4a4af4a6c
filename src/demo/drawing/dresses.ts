/** Dresses on an invisible hanger. */
import { hanging } from "./backdrop.ts";
import type { Brush } from "./brush.ts";
import type { Draw, Family } from "./family.ts";
import { band, emblem } from "./motif.ts";
import { box, polygon } from "./outline.ts";
import { darken } from "./palette.ts";

interface Cut {
  readonly waist: number;
  /** Half width at the waist, the hip and the hem. */
  readonly widths: readonly [waist: number, hip: number, hem: number];
  readonly hem: number;
  readonly pleats: number;
}

function dress(brush: Brush, { waist, widths, hem, pleats }: Cut): string {
  const { random, look, main } = brush;
  const [w, hip, h] = widths;
  const neck = random.pick(["round", "deep", "straps"] as const);
  const sleeve = neck === "straps" ? "none" : random.pick(["none", "cap", "long"] as const);
  const top = neck === "straps" ? 46 : 26;
  const shoulder = neck === "straps" ? 25 : 29;
  const neckline =
    neck === "straps"
      ? `Q${100 - 12} 40 100 50Q112 40 ${100 + shoulder} ${top}`
      : `Q100 ${neck === "deep" ? 70 : 44} ${100 + 14} 24L${100 + shoulder} ${top + 3}`;
  const start = neck === "straps" ? `M${100 - shoulder} ${top}` : `M${100 - shoulder} ${top + 3}L${100 - 14} 24`;
  const mid = (waist + hem) / 2;
  const outline =
    `${start}${neckline}Q${100 + shoulder + 1} 56 ${100 + 30} 62Q${100 + w + 2} ${waist - 12} ${100 + w} ${waist}` +
    `C${100 + hip * 0.9} ${waist + 14} ${100 + hip} ${mid} ${100 + h} ${hem}Q100 ${hem + 10} ${100 - h} ${hem}` +
    `C${100 - hip} ${mid} ${100 - hip * 0.9} ${waist + 14} ${100 - w} ${waist}` +
    `Q${100 - w - 2} ${waist - 12} 70 62Q${100 - shoulder - 1} 56 ${100 - shoulder} ${top + (neck === "straps" ? 0 : 3)}Z`;
  const arm = (s: number) => {
    if (sleeve === "none") return "";
    const x = (v: number) => 100 + s * v;
    return brush.body(
      sleeve === "cap"
        ? polygon([
            [x(26), 27],
            [x(44), 44],
            [x(36), 62],
            [x(28), 60],
          ])
        : polygon([
            [x(26), 27],
            [x(40), 36],
            [x(60), 112],
            [x(46), 118],
            [x(30), 66],
          ]),
    );
  };
  const straps = neck === "straps" ? brush.line("M78 48L84 16M122 48L116 16", { colour: darken(main, 0.15), width: 5 }) : "";
  const folds = Array.from({ length: pleats }, (_, i) => {
    const k = pleats === 1 ? 0 : (i / (pleats - 1)) * 2 - 1;
    return brush.line(
      `M${(100 + k * w * 0.75).toFixed(1)} ${waist + 6}` +
        `Q${(100 + k * (w + h) * 0.42).toFixed(1)} ${mid} ${(100 + k * h * 0.82).toFixed(1)} ${hem}`,
      { colour: darken(main, 0.6), width: 2.2, opacity: 0.3 },
    );
  });
  const belt = box(100 - w - 1, waist - 4, 2 * w + 2, 9, 2);
  const sash =
    look.style === "minimal"
      ? brush.line(`M${100 - w} ${waist}H${100 + w}`, { colour: darken(main, 0.5), width: 1.6, opacity: 0.5 })
      : brush.trim(belt);
  return (
    hanging(outline) +
    straps +
    arm(-1) +
    arm(1) +
    brush.body(outline) +
    folds.join("") +
    band(brush, outline, { x: 100, y: hem - 18, size: 13 }) +
    sash +
    (look.style === "elegant"
      ? brush.trim(
          polygon([
            [100, waist - 8],
            [108, waist],
            [100, waist + 9],
            [92, waist],
          ]),
        )
      : "") +
    (look.style === "sporty" || look.style === "playful" ? emblem(brush, { x: 100, y: 74, size: 10 }) : "") +
    (look.style === "rustic" ? [0, 1, 2].map((i) => `<circle cx="100" cy="${58 + i * 12}" r="3" fill="#8a5d3a"/>`).join("") : "")
  );
}

const aLine: Draw = (brush) =>
  dress(brush, {
    waist: brush.random.between(82, 92),
    widths: [24, 34, brush.random.between(50, 60)],
    hem: brush.random.between(150, 166),
    pleats: 3,
  });
const sheath: Draw = (brush) =>
  dress(brush, { waist: 92, widths: [25, 32, brush.random.between(26, 31)], hem: brush.random.between(152, 168), pleats: 0 });
const maxi: Draw = (brush) =>
  dress(brush, { waist: brush.random.between(74, 84), widths: [23, 31, brush.random.between(44, 52)], hem: 188, pleats: 4 });
const skater: Draw = (brush) =>
  dress(brush, {
    waist: brush.random.between(84, 92),
    widths: [23, 58, brush.random.between(68, 78)],
    hem: brush.random.between(134, 146),
    pleats: 6,
  });

export const DRESSES: Family<"a-line dress" | "sheath dress" | "maxi dress" | "skater dress"> = {
  "a-line dress": aLine,
  "sheath dress": sheath,
  "maxi dress": maxi,
  "skater dress": skater,
};
