/** Lamps: the shade carries colour and pattern, stand and base are of the material. */
import { band, banded, type Brush, type Family, standing } from "./brush.ts";
import { box, curve, ellipse, mirrored, type Point, points, polygon, turned } from "./outline.ts";
import { darken, GOLD, lighten } from "./palette.ts";

/** The material's own colour, for parts that are not dyed. */
function rawColour({ look, main, random }: Brush): string {
  if (look.material === "brass") return GOLD;
  if (look.material === "wood") return random.pick(["#9a6b42", "#7a4f30", "#c79b68"]);
  if (look.material === "metal") return random.pick(["#8d939b", "#3b3d43"]);
  return lighten(main, 0.15);
}

function glow(brush: Brush, x: number, y: number, r: number): string {
  const fill = brush.define(
    "glow",
    (id) =>
      `<radialGradient id="${id}"><stop offset="0" stop-color="#fff3c4" stop-opacity=".95"/><stop offset=".5"` +
      ` stop-color="#ffe9a8" stop-opacity=".4"/><stop offset="1" stop-color="#ffe9a8" stop-opacity="0"/></radialGradient>`,
  );
  return `<ellipse cx="${x}" cy="${y}" rx="${r}" ry="${r * 0.62}" fill="${fill}"/>`;
}

/** A shade between two heights: cone, drum or bell. */
function shade(brush: Brush, top: number, bottom: number, width: number): string {
  const { look, random } = brush;
  const height = bottom - top;
  const kind = random.pick(["cone", "drum", "bell"]);
  const narrow = kind === "drum" ? 0.88 : kind === "cone" ? 0.5 : 0.36;
  const bell = points([width * narrow, top], [width * 0.5, top + height * 0.45], [width * 0.74, top + height * 0.8], [width, bottom]);
  const straight =
    `M${100 - width * narrow} ${top}Q100 ${top - 5} ${100 + width * narrow} ${top}L${100 + width} ${bottom}` +
    `Q100 ${bottom + 10} ${100 - width} ${bottom}Z`;
  const outline = kind === "bell" ? turned(bell, { bow: 0.06 }) : straight;
  // Fabric shades are lit from inside; brass and metal lamps have one of metal half of the time.
  const { material } = look;
  const fabric = material === "brass" || material === "metal" ? random.pick(["cotton", material] as const) : "linen";
  const light = brush.clip(outline, glow(brush, 100, bottom - height * 0.3, width * 0.8));
  return (
    brush.body(outline, fabric) +
    (fabric === "linen" || fabric === "cotton" ? `<g opacity=".6">${light}</g>` : "") +
    band(brush, outline, [100, bottom - 15], 11)
  );
}

export const LAMPS = {
  "table lamp": (brush) => {
    const { random } = brush;
    const colour = rawColour(brush);
    const w = random.between(14, 30);
    const base = random.pick([
      points([5, 96], [6, 104], [w, 128], [w * 0.8, 150], [w * 0.5, 162], [w + 8, 170]),
      points([5, 96], [5, 150], [8, 160], [32, 166], [32, 171]),
      points([8, 96], [w * 0.6, 112], [w * 0.4, 128], [w * 0.8, 146], [w * 0.5, 160], [w + 6, 170]),
    ]);
    return (
      standing(brush, 172, 80) +
      brush.part(turned(base), colour) +
      glow(brush, 100, 102, 56) +
      shade(brush, random.between(28, 38), 100, random.between(48, 58))
    );
  },
  "floor lamp": (brush) => {
    const { random, part } = brush;
    const colour = rawColour(brush);
    const isTripod = random.chance(0.5);
    const leg = (x: number) => part(polygon([98, 78], [102, 78], [x + 3, 178], [x - 3, 178]), colour);
    const stand = isTripod
      ? leg(66) + leg(134) + leg(104)
      : part(box(97, 66, 6, 108), colour) + part(turned(points([6, 168], [26, 174], [26, 178])), colour);
    return (
      standing(brush, 179, isTripod ? 84 : 62) +
      stand +
      glow(brush, 100, 70, 44) +
      shade(brush, random.between(14, 22), 68, random.between(34, 44))
    );
  },
  "desk lamp": (brush) => {
    const { random } = brush;
    const colour = rawColour(brush);
    const [x, y] = [random.between(54, 66), random.between(78, 92)];
    const round = "M-10 -20Q0 -26 10 -20C26 -12 32 0 36 18H-36C-32 0 -26 -12 -10 -20Z";
    const outline = random.chance(0.5) ? mirrored(0, [9, -22], [16, -14], [34, 18]) : round;
    return (
      standing(brush, 170, 84, 84) +
      brush.part(turned(points([20, 158], [32, 164], [32, 170]), { x: 84 }), colour) +
      brush.tube(`M84 160L${x} ${y}L128 48`, colour, 5.5, 2.5, 0.45) +
      brush.trim(ellipse(x, y, 5)) +
      brush.trim(ellipse(84, 158, 5)) +
      glow(brush, 142, 84, 40) +
      `<g transform="translate(136 58) rotate(-22) scale(1.15)">` +
      brush.body(outline, "metal") +
      band(brush, outline, [0, 4], 9) +
      "</g>"
    );
  },
  "pendant lamp": (brush) => {
    const { random } = brush;
    const colour = rawColour(brush);
    const w = random.between(50, 64);
    const top = random.between(62, 74);
    const profile: readonly Point[] = random.pick([
      points([10, top], [w * 0.66, top + 18], [w * 0.94, top + 44], [w, top + 66]),
      points([8, top], [w * 0.8, top + 22], [w * 0.94, top + 52], [w * 0.66, top + 84]),
      points([9, top], [14, top + 16], [w * 0.5, top + 40], [w, top + 74]),
    ]);
    const [half, bottom] = profile.at(-1)!;
    const outline = turned(profile, { bow: 0.06 });
    const rim = curve([100 - half, bottom], [100, bottom + half * 0.1], [100 + half, bottom]);
    return (
      brush.line(`M100 0V${top}`, "#3b3236", 3) +
      brush.part(box(92, top - 16, 16, 20, 4), colour) +
      glow(brush, 100, bottom + 12, half * 1.05) +
      banded(brush, outline, [100, bottom - 18], 11) +
      `<path d="${ellipse(100, bottom + 1, half * 0.94, half * 0.1)}" fill="#fff2c6"/>` +
      brush.line(rim, darken(brush.main, 0.4), 1.6)
    );
  },
} satisfies Family;
