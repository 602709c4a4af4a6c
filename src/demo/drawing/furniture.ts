/**
 * Lamps, chairs, sofas and cushions. A lamp's shade carries colour and pattern, stand and base are of the material. Chairs of wood and
 * metal have a frame of it and a printed seat; the others are upholstered. Sofas are seen from the front.
 */
import type { Material } from "../catalogue/vocabulary.ts";
import { band, banded, type Brush, emblem, type Family, gradientElement, hanging, sized, standing } from "./brush.ts";
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
  const halo = gradientElement("radial", "", ["0", "#fff3c4", ".95"], [".5", "#ffe9a8", ".4"], ["1", "#ffe9a8", "0"]);
  const fill = brush.define("glow", halo);
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

/** `isDyed`: the frame is the dyed part; otherwise it is plain wood or metal. `fabric`: material of the seat. */
type Frame = Readonly<{ colour: string; material: "wood" | "metal"; isDyed: boolean; fabric: Material }>;

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
      [34, 140].map(arm).join("") +
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
