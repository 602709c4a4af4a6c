/** Lamps: the shade carries colour and pattern, stand and base are of the material. */
import { standing } from "./backdrop.ts";
import type { Draw, Family } from "./family.ts";
import { glow, raw, shade } from "./lampshade.ts";
import { band } from "./motif.ts";
import { box, curve, ellipse, mirrored, type Point, polygon, turned } from "./outline.ts";
import { darken } from "./palette.ts";

const table: Draw = (brush) => {
  const { random } = brush;
  const colour = raw(brush);
  const w = random.between(14, 30);
  const bases: readonly (readonly Point[])[] = [
    [
      [5, 96],
      [6, 104],
      [w, 128],
      [w * 0.8, 150],
      [w * 0.5, 162],
      [w + 8, 170],
    ],
    [
      [5, 96],
      [5, 150],
      [8, 160],
      [32, 166],
      [32, 171],
    ],
    [
      [8, 96],
      [w * 0.6, 112],
      [w * 0.4, 128],
      [w * 0.8, 146],
      [w * 0.5, 160],
      [w + 6, 170],
    ],
  ];
  return (
    standing(brush, 172, 80) +
    brush.part(turned(random.pick(bases)), colour) +
    glow(brush, 100, 102, 56) +
    shade(brush, [random.between(28, 38), 100], random.between(48, 58))
  );
};

const floor: Draw = (brush) => {
  const { random } = brush;
  const colour = raw(brush);
  const tripod = random.chance(0.5);
  const leg = (x: number) =>
    brush.part(
      polygon([
        [98, 78],
        [102, 78],
        [x + 3, 178],
        [x - 3, 178],
      ]),
      colour,
    );
  const stand = tripod
    ? leg(66) + leg(134) + leg(104)
    : brush.part(box(97, 66, 6, 108), colour) +
      brush.part(
        turned([
          [6, 168],
          [26, 174],
          [26, 178],
        ]),
        colour,
      );
  return (
    standing(brush, 179, tripod ? 84 : 62) +
    stand +
    glow(brush, 100, 70, 44) +
    shade(brush, [random.between(14, 22), 68], random.between(34, 44))
  );
};

const desk: Draw = (brush) => {
  const { random } = brush;
  const colour = raw(brush);
  const arm = (d: string) => brush.line(d, { colour: darken(colour, 0.45), width: 8 }) + brush.line(d, { colour, width: 5.5 });
  const elbow: Point = [random.between(54, 66), random.between(78, 92)];
  const head = mirrored(
    [
      [9, -22],
      [16, -14],
      [34, 18],
    ],
    0,
  );
  const round = "M-10 -20Q0 -26 10 -20C26 -12 32 0 36 18H-36C-32 0 -26 -12 -10 -20Z";
  const outline = random.chance(0.5) ? head : round;
  const joint = (x: number, y: number) => brush.trim(ellipse(x, y, 5));
  return (
    standing(brush, 170, 84, 84) +
    brush.part(
      turned(
        [
          [20, 158],
          [32, 164],
          [32, 170],
        ],
        { x: 84 },
      ),
      colour,
    ) +
    arm(`M84 160L${elbow[0]} ${elbow[1]}L128 48`) +
    joint(elbow[0], elbow[1]) +
    joint(84, 158) +
    glow(brush, 142, 84, 40) +
    `<g transform="translate(136 58) rotate(-22) scale(1.15)">` +
    brush.body(outline, "metal") +
    band(brush, outline, { x: 0, y: 4, size: 9 }) +
    "</g>"
  );
};

const pendant: Draw = (brush) => {
  const { random } = brush;
  const colour = raw(brush);
  const w = random.between(50, 64);
  const top = random.between(62, 74);
  const shapes: readonly (readonly Point[])[] = [
    [
      [10, top],
      [w * 0.66, top + 18],
      [w * 0.94, top + 44],
      [w, top + 66],
    ],
    [
      [8, top],
      [w * 0.8, top + 22],
      [w * 0.94, top + 52],
      [w * 0.66, top + 84],
    ],
    [
      [9, top],
      [14, top + 16],
      [w * 0.5, top + 40],
      [w, top + 74],
    ],
  ];
  const profile = random.pick(shapes);
  const [half, bottom] = profile.at(-1)!;
  const outline = turned(profile, { bow: 0.06 });
  return (
    brush.line(`M100 0V${top}`, { colour: "#3b3236", width: 3 }) +
    brush.part(box(92, top - 16, 16, 20, 4), colour) +
    glow(brush, 100, bottom + 12, half * 1.05) +
    brush.body(outline) +
    band(brush, outline, { x: 100, y: bottom - 18, size: 11 }) +
    `<path d="${ellipse(100, bottom + 1, half * 0.94, half * 0.1)}" fill="#fff2c6"/>` +
    brush.line(
      curve([
        [100 - half, bottom],
        [100, bottom + half * 0.1],
        [100 + half, bottom],
      ]),
      { colour: darken(brush.main, 0.4), width: 1.6 },
    )
  );
};

export const LAMPS: Family<"table lamp" | "floor lamp" | "desk lamp" | "pendant lamp"> = {
  "table lamp": table,
  "floor lamp": floor,
  "desk lamp": desk,
  "pendant lamp": pendant,
};
