/** Cushions, leaning against nothing in particular. */
import { hanging, standing } from "./backdrop.ts";
import type { Brush } from "./brush.ts";
import type { Draw, Family } from "./family.ts";
import { band, emblem } from "./motif.ts";
import { box, ellipse, type Point } from "./outline.ts";
import { darken, lighten } from "./palette.ts";

function bend([x1, y1]: Point, [x2, y2]: Point): string {
  return `Q${x1.toFixed(1)} ${y1.toFixed(1)} ${x2.toFixed(1)} ${y2.toFixed(1)}`;
}

/** A pillow of four soft corners. */
function pillow(width: number, height: number, y: number): string {
  const [w, h] = [width / 2, height / 2];
  const corner = (sx: number, sy: number): Point => [100 + sx * w, y + sy * h];
  const side = (sx: number, sy: number): Point => [100 + sx * w * 0.93, y + sy * h * 0.9];
  const [a, b, c, d] = [corner(-1, -1), corner(1, -1), corner(1, 1), corner(-1, 1)];
  return `M${a[0]} ${a[1]}${bend(side(0, -1), b)}${bend(side(1, 0), c)}${bend(side(0, 1), d)}${bend(side(-1, 0), a)}Z`;
}

function piping(brush: Brush, outline: string): string {
  const { style } = brush.look;
  if (style === "rustic") return brush.line(outline, { colour: brush.accent, width: 4, dash: "5 4" });
  if (style === "minimal") return "";
  return brush.line(outline, { colour: brush.accent, width: style === "retro" ? 5 : 3.4 });
}

/** Tassels or pompoms in the given places. */
function corners(brush: Brush, places: readonly Point[]): string {
  const { style } = brush.look;
  if (style === "playful") return places.map(([x, y]) => brush.part(ellipse(x, y, 9), brush.accent, "wool")).join("");
  if (style === "rustic") {
    return places
      .map(([x, y]) => {
        const out = x < 100 ? -1 : 1;
        return [-4, 0, 4]
          .map((k) => brush.line(`M${x} ${y}l${out * 10 + k} ${12 + k}`, { colour: darken(brush.accent, 0.1), width: 3 }))
          .join("");
      })
      .join("");
  }
  return "";
}

const square: Draw = (brush) => {
  const size = brush.random.between(122, 138);
  const outline = pillow(size, size, 102);
  const [low, high] = [100 - size / 2 + 3, 100 + size / 2 - 3];
  const turn = brush.random.between(-8, 8).toFixed(1);
  const cushion = [
    corners(brush, [
      [low, low + 2],
      [high, low + 2],
      [low, high + 2],
      [high, high + 2],
    ]),
    brush.body(outline),
    band(brush, outline, { x: 100, y: 96, size: 14 }),
    piping(brush, outline),
    brush.look.pattern === "plain" ? emblem(brush, { x: 100, y: 74, size: 16 }) : "",
  ];
  return `${standing(brush, 172, 110)}<g transform="rotate(${turn} 100 102)">${cushion.join("")}</g>`;
};

const round: Draw = (brush) => {
  const r = brush.random.between(60, 68);
  const outline = ellipse(100, 104, r, r * 0.97);
  const folds = [0, 45, 90, 135, 180, 225, 270, 315].map((angle) => {
    const a = (angle * Math.PI) / 180;
    const [x, y] = [Math.cos(a), Math.sin(a)];
    return brush.line(`M${100 + x * 9} ${104 + y * 9}L${100 + x * r * 0.8} ${104 + y * r * 0.78}`, {
      colour: darken(brush.main, 0.5),
      width: 2,
      opacity: 0.35,
    });
  });
  return hanging(outline) + brush.body(outline) + folds.join("") + piping(brush, outline) + brush.trim(ellipse(100, 104, 8));
};

const lumbar: Draw = (brush) => {
  const [w, h] = [brush.random.between(150, 164), brush.random.between(76, 90)];
  const outline = pillow(w, h, 112);
  const [x, y] = [w / 2 - 4, h / 2 - 4];
  return (
    standing(brush, 160, 140) +
    corners(brush, [
      [100 - x, 112 - y],
      [100 + x, 112 - y],
      [100 - x, 112 + y],
      [100 + x, 112 + y],
    ]) +
    brush.body(outline) +
    band(brush, outline, { x: 100, y: 106, size: 13 }) +
    piping(brush, outline) +
    (brush.look.pattern === "plain" ? emblem(brush, { x: 100, y: 92, size: 13 }) : "")
  );
};

const bolster: Draw = (brush) => {
  const r = brush.random.between(26, 32);
  const tube = box(26, 112 - r, 140, 2 * r, 12);
  const end = ellipse(164, 112, r * 0.5, r);
  const ring = (x: number) => brush.line(`M${x} ${112 - r}Q${x + r * 0.7} 112 ${x} ${112 + r}`, { colour: brush.accent, width: 5 });
  return (
    standing(brush, 114 + r, 140) +
    brush.body(tube) +
    band(brush, tube, { x: 96, y: 104, size: 13 }) +
    (brush.look.style === "minimal" ? "" : ring(44) + ring(134)) +
    brush.part(end, lighten(brush.main, 0.12)) +
    brush.line(ellipse(164, 112, r * 0.26, r * 0.52), { colour: darken(brush.main, 0.4), width: 2, opacity: 0.5 }) +
    brush.trim(ellipse(164, 112, 4, 6))
  );
};

export const CUSHIONS: Family<"square cushion" | "round cushion" | "lumbar cushion" | "bolster cushion"> = {
  "square cushion": square,
  "round cushion": round,
  "lumbar cushion": lumbar,
  "bolster cushion": bolster,
};
