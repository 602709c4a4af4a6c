/**
 * Chairs, sofas and cushions. Chairs of wood and metal have a frame of it and a printed seat; the others are upholstered. Sofas are seen
 * from the front.
 */
import type { Material } from "../catalogue/vocabulary.ts";
import { band, banded, type Brush, emblem, type Family, hanging, sized, standing } from "./brush.ts";
import { box, curve, ellipse, type Point, polygon } from "./outline.ts";
import { darken, GOLD, lighten } from "./palette.ts";

interface Frame {
  readonly colour: string;
  readonly material: "wood" | "metal";
  /** The frame is the dyed part; otherwise it is plain wood or metal. */
  readonly isDyed: boolean;
  /** Material of the seat. */
  readonly fabric: Material;
}

function frameOf({ look, main, random, is }: Brush): Frame {
  const { material } = look;
  if (material === "wood" || material === "metal") return { colour: main, material, isDyed: true, fabric: "cotton" };
  if (is("elegant")) return { colour: GOLD, material: "metal", isDyed: false, fabric: material };
  if (is("minimal")) return { colour: "#34363c", material: "metal", isDyed: false, fabric: material };
  return { colour: random.pick(["#8a5d3a", "#6b4429", "#c49a69"]), material: "wood", isDyed: false, fabric: material };
}

/** A pair of straight legs, from `x1` units beside the middle at the top to `x2` at the floor. */
function legs(brush: Brush, { colour, material }: Frame, [x1, y1]: Point, [x2, y2]: Point): string {
  const w = material === "wood" ? 4.2 : 2.8;
  const leg = (top: number, foot: number) =>
    brush.part(polygon([top - w, y1], [top + w, y1], [foot + w * 0.6, y2], [foot - w * 0.6, y2]), colour, material);
  return leg(100 - x1, 100 - x2) + leg(100 + x1, 100 + x2);
}

export const CHAIRS = {
  "dining chair": (brush) => {
    const { random, main, part, body } = brush;
    const frame = frameOf(brush);
    const { colour, material, isDyed, fabric } = frame;
    const w = random.between(34, 42);
    const top = random.between(22, 34);
    const rail = (y: number, height: number, r: number) => part(box(100 - w, y, 2 * w, height, r), colour, material);
    const slat = (k: number) => part(box(100 + k * w - 3, top + 14, 6, 62), colour, material);
    const solid = () => body(box(100 - w, top, 2 * w, 66, random.pick([10, 26])), fabric);
    const backs = [
      solid,
      () => rail(top, 16, 7) + [-0.6, -0.2, 0.2, 0.6].map(slat).join(""),
      () => rail(top, 20, 8) + rail(top + 32, 16, 6),
    ];
    const back = isDyed ? random.pick(backs) : solid;
    return (
      standing(brush, 176, 2 * w + 30) +
      legs(brush, frame, [w - 2, 60], [w - 2, 168]) +
      back() +
      band(brush, box(100 - w, top, 2 * w, 66, 10), [100, top + 6], 9) +
      legs(brush, frame, [w + 3, 116], [w + 6, 178]) +
      body(polygon([100 - w - 2, 98], [100 + w + 2, 98], [100 + w + 9, 116], [100 - w - 9, 116]), fabric) +
      part(box(100 - w - 9, 115, 2 * w + 18, 8, 3), darken(isDyed ? colour : main, 0.15), isDyed ? material : fabric)
    );
  },
  armchair: (brush) => {
    const { random, body, part } = brush;
    const frame = frameOf(brush);
    const { fabric } = frame;
    const top = random.between(34, 48);
    const back = box(48, top, 104, 100, random.pick([12, 30, 46]));
    const arm = (x: number) => body(box(x, 88, 26, 66, random.pick([8, 13])), fabric);
    return (
      standing(brush, 174, 132) +
      legs(brush, frame, [46, 150], [54, 176]) +
      banded(brush, back, [100, top + 14], 10, fabric) +
      part(box(52, 126, 96, 28, 8), darken(brush.main, 0.22), fabric) +
      body(box(56, 106, 88, 26, 11), fabric) +
      arm(34) +
      arm(140) +
      (brush.is("playful") ? emblem(brush, [100, top + 42], 15) : "")
    );
  },
  stool: (brush) => {
    const { random, body, line } = brush;
    const frame = frameOf(brush);
    const w = random.between(34, 44);
    const y = random.between(62, 84);
    const seat = box(100 - w, y, 2 * w, 20, random.pick([9, 5]));
    return (
      standing(brush, 177, 2 * w + 26) +
      legs(brush, frame, [w * 0.5, y + 14], [w * 0.66, 170]) +
      line(`M${100 - w * 0.84} 142H${100 + w * 0.84}`, darken(frame.colour, 0.2), 5) +
      legs(brush, frame, [w * 0.72, y + 14], [w + 4, 179]) +
      banded(brush, seat, [100, y + 10], 8, frame.fabric) +
      body(ellipse(100, y + 2, w, 9), frame.fabric)
    );
  },
  "rocking chair": (brush) => {
    const { colour, material, fabric } = frameOf(brush);
    const w = material === "wood" ? 7.5 : 5.5;
    const rod = (d: string) => brush.tube(d, colour, w, 1.6, 0.5) + brush.line(d, lighten(colour, 0.5), w * 0.25, { opacity: 0.6 });
    const lean = brush.random.between(0, 10);
    const back = polygon([58 - lean, 34], [74 - lean, 30], [92, 110], [74, 114]);
    return (
      standing(brush, 177, 140) +
      rod(curve([28, 158], [60, 172], [104, 176], [146, 170], [178, 152])) +
      rod("M82 116L66 170") +
      rod("M136 110L146 168") +
      banded(brush, back, [70, 46], 10, fabric) +
      brush.body(polygon([72, 104], [142, 96], [146, 112], [76, 120]), fabric) +
      rod(`M${70 - lean * 0.5} 76Q100 82 138 80L138 104`)
    );
  },
} satisfies Family;

/** `chaise`: the share of the width that the chaise of a corner sofa takes; 0 for none. */
function sofa(brush: Brush, left: number, width: number, seats: number, chaise: number = 0): string {
  const { random, main, accent, is, body, plain, part } = brush;
  const top = random.between(66, 80);
  const armWidth = random.between(14, 22);
  const armTop = random.between(92, 104);
  const r = random.pick([5, 11, 18]);
  const legColour = is("elegant") ? GOLD : is("minimal") ? "#3a3c42" : "#7a4f30";
  const inner = width - 2 * armWidth;
  const seatWidth = inner / seats;
  const x = (i: number) => left + armWidth + i * seatWidth;
  const each = (draw: (i: number) => string) => Array.from({ length: seats }, (_, i) => draw(i)).join("");
  const back = box(left + 6, top, width - 12, 76, r);
  const foot = (at: number) => part(box(at - 3.5, 156, 7, 18, 2), legColour, is("minimal", "elegant") ? "metal" : "wood");
  const arm = (at: number) => body(box(at, armTop, armWidth + 2, 158 - armTop, r));
  const scatter = (at: number, turn: number) =>
    `<g transform="rotate(${turn} ${at} 116)">${part(box(at - 15, 98, 30, 28, 8), accent, "cotton")}</g>`;
  return (
    standing(brush, 174, width) +
    foot(left + 12) +
    foot(left + width - 12) +
    plain(back) +
    each((i) => body(box(x(i) + 1, top + 6, seatWidth - 2, 62, r))) +
    band(brush, back, [left + width / 2, top + 10], 8) +
    part(box(left + 4, 138, width - 8, 22, 5), darken(main, 0.2)) +
    each((i) => body(box(x(i), 122, seatWidth, 22, Math.min(9, r)))) +
    scatter(x(0) + 18, -9) +
    (seats > 2 ? scatter(x(seats) - 18, 8) : "") +
    arm(left) +
    (chaise === 0 ? arm(left + width - armWidth - 2) : body(box(left + width * (1 - chaise), 126, width * chaise + 2, 40, 8)))
  );
}

export const SOFAS = {
  "two-seat sofa": (brush) => sofa(brush, 36, 128, 2),
  "three-seat sofa": (brush) => sofa(brush, 16, 168, 3),
  "corner sofa": (brush) => sofa(brush, 14, 172, 3, 0.36),
} satisfies Family;

/** A pillow of four soft corners around [100, y]. */
function pillow(width: number, height: number, y: number): string {
  const [w, h] = [width / 2, height / 2];
  const bend = (bx: number, by: number, cx: number, cy: number) =>
    `Q${(100 + bx * w * 0.93).toFixed(1)} ${(y + by * h * 0.9).toFixed(1)} ${(100 + cx * w).toFixed(1)} ${(y + cy * h).toFixed(1)}`;
  return `M${100 - w} ${y - h}${bend(0, -1, 1, -1)}${bend(1, 0, 1, 1)}${bend(0, 1, -1, 1)}${bend(-1, 0, -1, -1)}Z`;
}

function piping({ accent, line, is }: Brush, outline: string): string {
  if (is("rustic")) return line(outline, accent, 4, { dash: "5 4" });
  return is("minimal") ? "" : line(outline, accent, is("retro") ? 5 : 3.4);
}

/** Tassels or pompoms on the corners of a box. */
function corners({ accent, line, part, is }: Brush, [left, top]: Point, [right, bottom]: Point): string {
  const pompom = (x: number, y: number) => part(ellipse(x, y, 9), accent, "wool");
  const tassel = (x: number, y: number) =>
    [-4, 0, 4].map((k) => line(`M${x} ${y}l${(x < 100 ? -1 : 1) * 10 + k} ${12 + k}`, darken(accent, 0.1), 3)).join("");
  if (!is("playful", "rustic")) return "";
  const draw = is("playful") ? pompom : tassel;
  return draw(left, top) + draw(right, top) + draw(left, bottom) + draw(right, bottom);
}

export const CUSHIONS = {
  "square cushion": sized("122..138", (brush, size) => {
    const outline = pillow(size, size, 102);
    const [low, high] = [100 - size / 2 + 3, 100 + size / 2 - 3];
    const turn = brush.random.between(-8, 8).toFixed(1);
    const cushion =
      corners(brush, [low, low + 2], [high, high + 2]) +
      banded(brush, outline, [100, 96], 14) +
      piping(brush, outline) +
      (brush.look.pattern === "plain" ? emblem(brush, [100, 74], 16) : "");
    return `${standing(brush, 172, 110)}<g transform="rotate(${turn} 100 102)">${cushion}</g>`;
  }),
  "round cushion": sized("60..68", (brush, r) => {
    const outline = ellipse(100, 104, r, r * 0.97);
    const folds = [0, 45, 90, 135, 180, 225, 270, 315].map((angle) => {
      const a = (angle * Math.PI) / 180;
      const [x, y] = [Math.cos(a), Math.sin(a)];
      const d = `M${100 + x * 9} ${104 + y * 9}L${100 + x * r * 0.8} ${104 + y * r * 0.78}`;
      return brush.line(d, darken(brush.main, 0.5), 2, { opacity: 0.35 });
    });
    return hanging(outline) + brush.body(outline) + folds.join("") + piping(brush, outline) + brush.trim(ellipse(100, 104, 8));
  }),
  "lumbar cushion": sized("150..164 76..90", (brush, w, h) => {
    const outline = pillow(w, h, 112);
    const [x, y] = [w / 2 - 4, h / 2 - 4];
    return (
      standing(brush, 160, 140) +
      corners(brush, [100 - x, 112 - y], [100 + x, 112 + y]) +
      banded(brush, outline, [100, 106], 13) +
      piping(brush, outline) +
      (brush.look.pattern === "plain" ? emblem(brush, [100, 92], 13) : "")
    );
  }),
  "bolster cushion": sized("26..32", (brush, r) => {
    const { main, accent, part, line } = brush;
    const roll = box(26, 112 - r, 140, 2 * r, 12);
    const ring = (x: number) => line(`M${x} ${112 - r}Q${x + r * 0.7} 112 ${x} ${112 + r}`, accent, 5);
    return (
      standing(brush, 114 + r, 140) +
      banded(brush, roll, [96, 104], 13) +
      (brush.is("minimal") ? "" : ring(44) + ring(134)) +
      part(ellipse(164, 112, r * 0.5, r), lighten(main, 0.12)) +
      line(ellipse(164, 112, r * 0.26, r * 0.52), darken(main, 0.4), 2, { opacity: 0.5 }) +
      brush.trim(ellipse(164, 112, 4, 6))
    );
  }),
} satisfies Family;
