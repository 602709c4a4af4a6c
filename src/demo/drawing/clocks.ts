/** Clocks for wall and shelf. */
import { hanging, standing } from "./backdrop.ts";
import type { Brush } from "./brush.ts";
import { dial } from "./dial.ts";
import type { Draw, Family } from "./family.ts";
import { band } from "./motif.ts";
import { box, ellipse, polygon } from "./outline.ts";
import { darken } from "./palette.ts";

function face(brush: Brush, x: number, y: number, r: number): string {
  const ground = brush.look.style === "elegant" ? darken(brush.main, 0.55) : brush.look.style === "retro" ? "#f6e8c8" : "#fbf8f1";
  return brush.part(ellipse(x, y, r), ground, "cotton") + dial(brush, { x, y, r, ground });
}

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
  return rays.join("") + hanging(ellipse(100, 96, r + 10)) + brush.body(ellipse(100, 96, r + 12)) + face(brush, 100, 96, r);
};

export const CLOCKS: Family<"wall clock" | "alarm clock" | "mantel clock" | "sunburst clock"> = {
  "wall clock": wall,
  "alarm clock": alarm,
  "mantel clock": mantel,
  "sunburst clock": sunburst,
};
