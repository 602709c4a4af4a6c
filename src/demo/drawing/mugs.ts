/** Mugs and cups, seen from a little above. */
import { standing } from "./backdrop.ts";
import type { Brush } from "./brush.ts";
import type { Draw, Family } from "./family.ts";
import { band, emblem } from "./motif.ts";
import { ellipse, type Point, turned } from "./outline.ts";
import { darken, lighten } from "./palette.ts";

interface Shape {
  /** Half widths from rim to foot. */
  readonly profile: readonly Point[];
  /** The handle's top and bottom, and how far it stands out. */
  readonly handle: readonly [top: number, bottom: number, reach: number];
  readonly saucer?: boolean;
}

function handle(brush: Brush, x: number, [top, bottom, reach]: Shape["handle"]): string {
  const t = brush.random.between(10, 13);
  const h = bottom - top;
  // A square grip or a round one.
  const k = brush.random.pick([0.15, 0.5]);
  const arm = (r: number, from: number, to: number) =>
    `C${x + r * (1 + k * 0.3)} ${from - h * (0.3 - k * 0.4)} ${x + r * (1 + k * 0.3)} ${to + h * (0.3 - k * 0.4)} `;
  const d =
    `M${x - 6} ${top}${arm(reach * 1.3, top, bottom)}${x - 6} ${bottom}L${x - 6} ${bottom - t}` +
    `C${x + reach * 0.92} ${bottom - t * 0.6} ${x + reach * 0.92} ${top + t * 0.6} ${x - 6} ${top + t}Z`;
  return brush.plain(d);
}

function mug(brush: Brush, shape: Shape): string {
  const { look, main, accent } = brush;
  const axis = shape.saucer ? 100 : 88;
  const [rim, top] = shape.profile[0]!;
  const [foot, bottom] = shape.profile.at(-1)!;
  const outline = turned(shape.profile, { x: axis, bow: 0.1 });
  const inside = look.material === "glass" ? lighten(main, 0.5) : lighten(main, 0.35);
  const edge = look.material === "enamel" ? brush.line(ellipse(axis, top, rim, rim * 0.16), { colour: accent, width: 3.4 }) : "";
  const middle = (top + bottom) / 2;
  return (
    standing(brush, bottom + 3, foot * 2 + 34, axis + 4) +
    (shape.saucer
      ? brush.part(ellipse(axis, bottom + 1, rim * 1.55, rim * 0.3), lighten(main, 0.1)) +
        brush.part(ellipse(axis, bottom - 1, rim * 1.05, rim * 0.16), darken(main, 0.12))
      : "") +
    handle(brush, axis + rim * 0.97, shape.handle) +
    brush.body(outline) +
    band(brush, outline, { x: axis, y: bottom - (bottom - top) * 0.24, size: 11 }) +
    (look.pattern === "plain" ? emblem(brush, { x: axis - 4, y: middle - 2, size: 15 }) : "") +
    brush.part(ellipse(axis, top, rim, rim * 0.16), inside, "cotton") +
    `<path d="${ellipse(axis, top + 2, rim * 0.9, rim * 0.12)}" fill="${darken(main, 0.5)}" fill-opacity=".55"/>` +
    edge
  );
}

const straight: Draw = (brush) => {
  const w = brush.random.between(40, 48);
  const top = brush.random.between(58, 70);
  return mug(brush, {
    profile: [
      [w, top],
      [w, 120],
      [w * 0.97, 150],
      [w * 0.86, 164],
    ],
    handle: [top + 16, 148, 30],
  });
};

const round: Draw = (brush) => {
  const w = brush.random.between(46, 54);
  return mug(brush, {
    profile: [
      [w * 0.82, 66],
      [w * 0.9, 84],
      [w, 116],
      [w * 0.88, 148],
      [w * 0.6, 164],
    ],
    handle: [86, 142, 30],
  });
};

const tall: Draw = (brush) => {
  const w = brush.random.between(34, 40);
  return mug(brush, {
    profile: [
      [w, 30],
      [w * 0.96, 70],
      [w * 0.86, 124],
      [w * 0.74, 164],
    ],
    handle: [58, 128, 28],
  });
};

const espresso: Draw = (brush) => {
  const w = brush.random.between(38, 44);
  return mug(brush, {
    profile: [
      [w, 92],
      [w * 0.97, 112],
      [w * 0.8, 138],
      [w * 0.5, 156],
    ],
    handle: [100, 132, 22],
    saucer: true,
  });
};

export const MUGS: Family<"straight mug" | "round mug" | "tall mug" | "espresso cup"> = {
  "straight mug": straight,
  "round mug": round,
  "tall mug": tall,
  "espresso cup": espresso,
};
