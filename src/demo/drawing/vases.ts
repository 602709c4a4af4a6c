/** Vases, some with a sprig in them. */
import { standing } from "./backdrop.ts";
import type { Brush } from "./brush.ts";
import type { Draw, Family } from "./family.ts";
import { band, emblem } from "./motif.ts";
import { curve, ellipse, type Point, turned } from "./outline.ts";
import { darken } from "./palette.ts";

function sprig(brush: Brush, top: number): string {
  const { random } = brush;
  const leaf = random.pick(["#6d9a62", "#8aa876", "#557f5b"]);
  const stems = random.pick([[-16, 8], [-8, 14, 4], [12]]);
  return stems
    .map((lean) => {
      const height = random.between(8, 24);
      const tip: Point = [100 + lean * 1.6, height];
      const stem = brush.line(curve([[100, top + 4], [100 + lean * 0.5, (top + height) / 2], tip]), {
        colour: darken(leaf, 0.2),
        width: 2.2,
      });
      const leaves = [0.35, 0.6, 0.85, 1].map((k, i) => {
        const x = 100 + lean * 1.6 * k;
        const y = top + (height - top) * k;
        const turn = (i % 2 === 0 ? -50 : 50) + lean;
        return `<ellipse cx="${x}" cy="${y}" rx="3.2" ry="8.5" fill="${leaf}" transform="rotate(${turn} ${x} ${y}) translate(0 -6)"/>`;
      });
      return stem + leaves.join("");
    })
    .join("");
}

function vase(brush: Brush, profile: readonly Point[], handles: boolean = false): string {
  const { random, look, main } = brush;
  const [rim, top] = profile[0]!;
  const [foot, bottom] = profile.at(-1)!;
  const belly = profile.reduce((widest, point) => (point[0] > widest[0] ? point : widest));
  const outline = turned(profile, { bow: 0.14 });
  const arms = handles
    ? [-1, 1].map((side) => {
        const d = curve([
          [100 + side * rim * 0.9, top + 12],
          [100 + side * (rim + 28), top + 18],
          [100 + side * belly[0] * 0.86, belly[1] - 20],
        ]);
        return brush.line(d, { colour: darken(main, 0.45), width: 9 }) + brush.line(d, { colour: main, width: 6.5 });
      })
    : [];
  return (
    standing(brush, bottom + 3, foot * 2 + 24) +
    (random.chance(0.45) ? sprig(brush, top) : "") +
    arms.join("") +
    brush.body(outline) +
    band(brush, outline, { x: 100, y: belly[1] - 5, size: 12 }) +
    (look.pattern === "plain" && look.style === "playful" ? emblem(brush, { x: 100, y: belly[1] + 24, size: 12 }) : "") +
    brush.part(ellipse(100, top, rim, rim * 0.2), main, "cotton") +
    `<path d="${ellipse(100, top + 0.6, rim * 0.8, rim * 0.14)}" fill="${darken(main, 0.65)}"/>`
  );
}

const bottle: Draw = (brush) => {
  const neck = brush.random.between(9, 13);
  const belly = brush.random.between(36, 46);
  return vase(brush, [
    [neck * 1.25, 46],
    [neck, 60],
    [neck * 1.05, 84],
    [belly * 0.85, 112],
    [belly, 134],
    [belly * 0.86, 156],
    [belly * 0.66, 168],
  ]);
};

const amphora: Draw = (brush) => {
  const belly = brush.random.between(42, 50);
  return vase(
    brush,
    [
      [22, 50],
      [16, 62],
      [20, 74],
      [belly, 98],
      [belly * 0.9, 126],
      [belly * 0.5, 154],
      [belly * 0.42, 168],
    ],
    true,
  );
};

const cylinder: Draw = (brush) => {
  const w = brush.random.between(26, 36);
  return vase(brush, [
    [w, brush.random.between(42, 60)],
    [w, 100],
    [w, 150],
    [w * 0.96, 168],
  ]);
};

const round: Draw = (brush) => {
  const belly = brush.random.between(50, 58);
  return vase(brush, [
    [belly * 0.4, 66],
    [belly * 0.38, 74],
    [belly * 0.86, 94],
    [belly, 122],
    [belly * 0.84, 150],
    [belly * 0.5, 168],
  ]);
};

const hourglass: Draw = (brush) => {
  const w = brush.random.between(36, 44);
  return vase(brush, [
    [w, 46],
    [w * 0.86, 64],
    [w * 0.46, 100],
    [w * 0.8, 140],
    [w * 0.96, 158],
    [w * 0.9, 168],
  ]);
};

export const VASES: Family<"bottle vase" | "amphora vase" | "cylinder vase" | "round vase" | "hourglass vase"> = {
  "bottle vase": bottle,
  "amphora vase": amphora,
  "cylinder vase": cylinder,
  "round vase": round,
  "hourglass vase": hourglass,
};
