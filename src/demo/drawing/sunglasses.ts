/** Sunglasses, from the front, temples folded behind. */
import { hanging } from "./backdrop.ts";
import type { Brush } from "./brush.ts";
import type { Draw, Family } from "./family.ts";
import { emblem } from "./motif.ts";
import { blob, box, curve, ellipse, type Point } from "./outline.ts";
import { colourOf, darken, lighten } from "./palette.ts";

const Y = 102;

/** Lens tints follow the style. */
function lensFill(brush: Brush): string {
  const { style } = brush.look;
  const [top, bottom] =
    style === "sporty"
      ? [brush.accent, lighten(brush.accent, 0.5)]
      : style === "retro"
        ? ["#8a4a22", "#e2a050"]
        : style === "playful"
          ? ["#b04a9a", "#ffc0a0"]
          : style === "rustic"
            ? ["#4f4a2c", "#a69a62"]
            : style === "elegant"
              ? ["#2a2028", "#85707c"]
              : ["#26292e", "#5b636c"];
  return brush.define(
    "lens",
    (id) =>
      `<linearGradient id="${id}" x1="0" y1="0" x2=".3" y2="1"><stop offset="0" stop-color="${top}"/><stop` +
      ` offset="1" stop-color="${bottom}"/></linearGradient>`,
  );
}

function lens(brush: Brush, d: string, cx: number): string {
  const glare = `<path d="M${cx - 30} ${Y + 40}L${cx + 6} ${Y - 50}h14L${cx - 16} ${Y + 40}Z" fill="#fff" fill-opacity=".2"/>`;
  return `<path d="${d}" fill="${lensFill(brush)}"/>${brush.clip(d, glare)}`;
}

interface Frame {
  /** Outlines of the right half, `s` = 1, and of the left, `s` = -1. */
  readonly rim: (s: 1 | -1) => string;
  readonly glass: (s: 1 | -1) => string;
  readonly bridge: string;
  /** Where the temples start, from the middle. */
  readonly hinge: Point;
}

function glasses(brush: Brush, { rim, glass, bridge, hinge }: Frame): string {
  const [hx, hy] = hinge;
  const temple = (s: number) => {
    const d = `M${100 + s * hx} ${hy}Q${100 + s * (hx + 12)} ${hy - 22} ${100 + s * (hx - 2)} ${hy - 44}`;
    return brush.line(d, { colour: darken(brush.main, 0.55), width: 7.5 }) + brush.line(d, { colour: darken(brush.main, 0.15), width: 5 });
  };
  const both = `${rim(1)}${rim(-1)}`;
  const metal = { colour: brush.look.style === "elegant" ? brush.accent : darken(brush.main, 0.3), width: 5 };
  const studs = brush.look.style === "minimal" ? "" : [1, -1].map((s) => brush.trim(ellipse(100 + s * (hx - 5), hy + 1, 4.2))).join("");
  const mark =
    brush.look.style === "playful" || brush.look.style === "rustic" || brush.look.style === "sporty"
      ? [1, -1].map((s) => emblem(brush, { x: 100 + s * (hx - 8), y: hy + 2, size: 7 })).join("")
      : studs;
  const rule =
    brush.look.style === "retro"
      ? [1, -1].map((s) => brush.clip(rim(s === 1 ? 1 : -1), `<path d="M0 ${hy - 12}h200v12H0Z" fill="${brush.accent}"/>`)).join("")
      : "";
  return [
    temple(1),
    temple(-1),
    hanging(both),
    brush.line(bridge, { ...metal, colour: darken(metal.colour, 0.3), width: 9 }),
    brush.line(bridge, { ...metal, width: 6 }),
    brush.body(rim(1)),
    brush.body(rim(-1)),
    rule,
    lens(brush, glass(1), 142),
    lens(brush, glass(-1), 58),
    mark,
  ].join("");
}

/** Frame thickness: metal is thin unless a pattern has to show. */
const thick = (brush: Brush) =>
  (brush.look.material === "metal" && brush.look.pattern === "plain" ? 6 : brush.random.between(9, 13)) +
  (brush.look.pattern === "plain" ? 0 : 3);

const roundShape: Draw = (brush) => {
  const r = brush.random.between(34, 40);
  const t = thick(brush);
  return glasses(brush, {
    rim: (s) => ellipse(100 + s * 45, Y, r),
    glass: (s) => ellipse(100 + s * 45, Y, r - t),
    bridge: curve([
      [100 - 12, Y - 8],
      [100, Y - 14],
      [112, Y - 8],
    ]),
    hinge: [45 + r - 3, Y - 8],
  });
};

const square: Draw = (brush) => {
  const [w, h] = [brush.random.between(36, 40), brush.random.between(27, 34)];
  const t = thick(brush);
  const r = brush.random.pick([6, 14]);
  return glasses(brush, {
    rim: (s) => box(100 + s * 46 - w, Y - h, 2 * w, 2 * h, r),
    glass: (s) => box(100 + s * 46 - w + t, Y - h + t, 2 * (w - t), 2 * (h - t), r * 0.6),
    bridge: curve([
      [90, Y - 14],
      [100, Y - 17],
      [110, Y - 14],
    ]),
    hinge: [46 + w - 3, Y - h + 10],
  });
};

const catEye: Draw = (brush) => {
  const lift = brush.random.between(30, 40);
  const shape = (s: number, t: number): Point[] => [
    [100 + s * (12 + t), Y - 16 + t],
    [100 + s * 48, Y - 24 + t],
    [100 + s * (88 - t * 1.4), Y - lift + t * 1.1],
    [100 + s * (80 - t), Y + 8 - t * 0.3],
    [100 + s * 48, Y + 29 - t],
    [100 + s * (18 + t * 0.7), Y + 14 - t * 0.5],
  ];
  const t = thick(brush);
  return glasses(brush, {
    rim: (s) => blob(shape(s, 0)),
    glass: (s) => blob(shape(s, t)),
    bridge: curve([
      [86, Y - 10],
      [100, Y - 14],
      [114, Y - 10],
    ]),
    hinge: [80, Y - lift + 10],
  });
};

const aviator: Draw = (brush) => {
  const drop = brush.random.between(36, 44);
  const shape = (s: number, t: number): Point[] => [
    [100 + s * (14 + t), Y - 22 + t],
    [100 + s * 48, Y - 30 + t],
    [100 + s * (82 - t), Y - 24 + t],
    [100 + s * (84 - t), Y + 4],
    [100 + s * 60, Y + drop - t],
    [100 + s * (28 + t * 0.6), Y + drop * 0.66 - t],
  ];
  const t = thick(brush) * 0.75;
  return glasses(brush, {
    rim: (s) => blob(shape(s, 0)),
    glass: (s) => blob(shape(s, t)),
    bridge: `M84 ${Y - 28}H116M88 ${Y - 10}Q100 ${Y - 18} 112 ${Y - 10}`,
    hinge: [80, Y - 18],
  });
};

const shield: Draw = (brush) => {
  const h = brush.random.between(26, 34);
  const t = thick(brush) * 0.85;
  const shape = (k: number) =>
    `M${16 + k} ${Y - h + k}Q100 ${Y - h - 14 + k} ${184 - k} ${Y - h + k}` +
    `Q${186 - k} ${Y + h * 0.5} ${160 - k * 0.6} ${Y + h - k}` +
    `Q126 ${Y + h + 8 - k} ${112 + k * 0.3} ${Y + h * 0.4 - k * 0.2}` +
    `Q100 ${Y + h * 0.1 - k * 0.4} ${88 - k * 0.3} ${Y + h * 0.4 - k * 0.2}` +
    `Q74 ${Y + h + 8 - k} ${40 + k * 0.6} ${Y + h - k}Q${14 + k} ${Y + h * 0.5} ${16 + k} ${Y - h + k}Z`;
  const temple = (s: number) =>
    brush.line(`M${100 + s * 80} ${Y - h + 6}Q${100 + s * 92} ${Y - h - 20} ${100 + s * 76} ${Y - h - 40}`, {
      colour: darken(brush.main, 0.35),
      width: 9,
    });
  const outer = shape(0);
  const hinge = (s: number) => (brush.look.style === "minimal" ? "" : brush.trim(box(100 + s * 74 - 7, Y - h + 3, 14, 9, 4)));
  const brow = brush.line(`M22 ${Y - h + 2}Q100 ${Y - h - 12} 178 ${Y - h + 2}`, { colour: colourOf("gold"), width: 4 });
  return [
    temple(1),
    temple(-1),
    hanging(outer),
    brush.body(outer),
    lens(brush, shape(t), 60),
    brush.clip(shape(t), `<path d="M110 160L150 50h12L124 160Z" fill="#fff" fill-opacity=".16"/>`),
    hinge(1),
    hinge(-1),
    brush.look.style === "elegant" ? brow : "",
  ].join("");
};

export const SUNGLASSES: Family<
  "round sunglasses" | "square sunglasses" | "cat-eye sunglasses" | "aviator sunglasses" | "shield sunglasses"
> = {
  "round sunglasses": roundShape,
  "square sunglasses": square,
  "cat-eye sunglasses": catEye,
  "aviator sunglasses": aviator,
  "shield sunglasses": shield,
};
