/** Sunglasses, from the front, temples folded behind. */
import type { Style } from "../catalogue/vocabulary.ts";
import { bothSides, type Brush, emblem, type Family, hanging, sized } from "./brush.ts";
import { blob, box, curve, ellipse, type Point, points } from "./outline.ts";
import { darken, GOLD, lighten } from "./palette.ts";

/** Height of the middle of the lenses. */
const Y = 102;

/** Lens tints of a style, at the top and at the bottom. */
const TINTS: Readonly<Record<Exclude<Style, "sporty">, readonly [string, string]>> = {
  minimal: ["#26292e", "#5b636c"],
  retro: ["#8a4a22", "#e2a050"],
  elegant: ["#2a2028", "#85707c"],
  rustic: ["#4f4a2c", "#a69a62"],
  playful: ["#b04a9a", "#ffc0a0"],
};

function lens({ look, accent, define, clip }: Brush, d: string, cx: number): string {
  const [top, bottom] = look.style === "sporty" ? [accent, lighten(accent, 0.5)] : TINTS[look.style];
  const tint = define(
    "lens",
    (id) =>
      `<linearGradient id="${id}" x1="0" y1="0" x2=".3" y2="1"><stop offset="0" stop-color="${top}"/>` +
      `<stop offset="1" stop-color="${bottom}"/></linearGradient>`,
  );
  const glare = `<path d="M${cx - 30} ${Y + 40}L${cx + 6} ${Y - 50}h14L${cx - 16} ${Y + 40}Z" fill="#fff" fill-opacity=".2"/>`;
  return `<path d="${d}" fill="${tint}"/>${clip(d, glare)}`;
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
  const { main, accent, is, line, clip, trim, body } = brush;
  const [hx, hy] = hinge;
  const temple = (s: number) => {
    const d = `M${100 + s * hx} ${hy}Q${100 + s * (hx + 12)} ${hy - 22} ${100 + s * (hx - 2)} ${hy - 44}`;
    return line(d, darken(main, 0.55), 7.5) + line(d, darken(main, 0.15), 5);
  };
  const metal = is("elegant") ? accent : darken(main, 0.3);
  const stud = (s: number) => (is("minimal") ? "" : trim(ellipse(100 + s * (hx - 5), hy + 1, 4.2)));
  // Made even where emblems replace them: a picture lists the fills of all that is made.
  const studs = bothSides(stud);
  const marks = is("playful", "rustic", "sporty") ? bothSides((s) => emblem(brush, [100 + s * (hx - 8), hy + 2], 7)) : studs;
  const brow = (s: 1 | -1) => clip(rim(s), `<path d="M0 ${hy - 12}h200v12H0Z" fill="${accent}"/>`);
  const brows = is("retro") ? bothSides(brow) : "";
  return (
    bothSides(temple) +
    hanging(bothSides(rim)) +
    line(bridge, darken(metal, 0.3), 9) +
    line(bridge, metal, 6) +
    bothSides((s) => body(rim(s))) +
    brows +
    bothSides((s) => lens(brush, glass(s), 100 + s * 42)) +
    marks
  );
}

/** Frame thickness: metal is thin unless a pattern has to show. */
const thickness = ({ look, random }: Brush): number =>
  (look.material === "metal" && look.pattern === "plain" ? 6 : random.between(9, 13)) + (look.pattern === "plain" ? 0 : 3);

export const SUNGLASSES = {
  "round sunglasses": sized("34..40", (brush, r) => {
    const t = thickness(brush);
    return glasses(brush, {
      rim: (s) => ellipse(100 + s * 45, Y, r),
      glass: (s) => ellipse(100 + s * 45, Y, r - t),
      bridge: curve([88, Y - 8], [100, Y - 14], [112, Y - 8]),
      hinge: [45 + r - 3, Y - 8],
    });
  }),
  "square sunglasses": sized("36..40 27..34", (brush, w, h) => {
    const t = thickness(brush);
    const r = brush.random.pick([6, 14]);
    return glasses(brush, {
      rim: (s) => box(100 + s * 46 - w, Y - h, 2 * w, 2 * h, r),
      glass: (s) => box(100 + s * 46 - w + t, Y - h + t, 2 * (w - t), 2 * (h - t), r * 0.6),
      bridge: curve([90, Y - 14], [100, Y - 17], [110, Y - 14]),
      hinge: [46 + w - 3, Y - h + 10],
    });
  }),
  "cat-eye sunglasses": sized("30..40", (brush, lift) => {
    const shape = (s: number, t: number) =>
      points(
        [100 + s * (12 + t), Y - 16 + t],
        [100 + s * 48, Y - 24 + t],
        [100 + s * (88 - t * 1.4), Y - lift + t * 1.1],
        [100 + s * (80 - t), Y + 8 - t * 0.3],
        [100 + s * 48, Y + 29 - t],
        [100 + s * (18 + t * 0.7), Y + 14 - t * 0.5],
      );
    const t = thickness(brush);
    return glasses(brush, {
      rim: (s) => blob(...shape(s, 0)),
      glass: (s) => blob(...shape(s, t)),
      bridge: curve([86, Y - 10], [100, Y - 14], [114, Y - 10]),
      hinge: [80, Y - lift + 10],
    });
  }),
  "aviator sunglasses": sized("36..44", (brush, drop) => {
    const shape = (s: number, t: number) =>
      points(
        [100 + s * (14 + t), Y - 22 + t],
        [100 + s * 48, Y - 30 + t],
        [100 + s * (82 - t), Y - 24 + t],
        [100 + s * (84 - t), Y + 4],
        [100 + s * 60, Y + drop - t],
        [100 + s * (28 + t * 0.6), Y + drop * 0.66 - t],
      );
    const t = thickness(brush) * 0.75;
    return glasses(brush, {
      rim: (s) => blob(...shape(s, 0)),
      glass: (s) => blob(...shape(s, t)),
      bridge: `M84 ${Y - 28}H116M88 ${Y - 10}Q100 ${Y - 18} 112 ${Y - 10}`,
      hinge: [80, Y - 18],
    });
  }),
  "shield sunglasses": sized("26..34", (brush, h) => {
    const { main, is, line, clip, trim } = brush;
    const t = thickness(brush) * 0.85;
    const shape = (k: number) =>
      `M${16 + k} ${Y - h + k}Q100 ${Y - h - 14 + k} ${184 - k} ${Y - h + k}` +
      `Q${186 - k} ${Y + h * 0.5} ${160 - k * 0.6} ${Y + h - k}` +
      `Q126 ${Y + h + 8 - k} ${112 + k * 0.3} ${Y + h * 0.4 - k * 0.2}` +
      `Q100 ${Y + h * 0.1 - k * 0.4} ${88 - k * 0.3} ${Y + h * 0.4 - k * 0.2}` +
      `Q74 ${Y + h + 8 - k} ${40 + k * 0.6} ${Y + h - k}Q${14 + k} ${Y + h * 0.5} ${16 + k} ${Y - h + k}Z`;
    const temple = (s: number) =>
      line(`M${100 + s * 80} ${Y - h + 6}Q${100 + s * 92} ${Y - h - 20} ${100 + s * 76} ${Y - h - 40}`, darken(main, 0.35), 9);
    const outer = shape(0);
    return (
      bothSides(temple) +
      hanging(outer) +
      brush.body(outer) +
      lens(brush, shape(t), 60) +
      clip(shape(t), `<path d="M110 160L150 50h12L124 160Z" fill="#fff" fill-opacity=".16"/>`) +
      (is("minimal") ? "" : bothSides((s) => trim(box(100 + s * 74 - 7, Y - h + 3, 14, 9, 4)))) +
      (is("elegant") ? line(`M22 ${Y - h + 2}Q100 ${Y - h - 12} 178 ${Y - h + 2}`, GOLD, 4) : "")
    );
  }),
} satisfies Family;
