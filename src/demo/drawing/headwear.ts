/** Hats, caps and beanies; headphones, and earbuds with their case; sunglasses from the front, temples folded behind. */
import type { Style } from "../catalogue/vocabulary.ts";
import { band, banded, bothSides, type Brush, emblem, type Family, gradientElement, hanging, sized, standing } from "./brush.ts";
import { blob, box, curve, ellipse, type Point } from "./outline.ts";
import { darken, GOLD, lighten, THREAD } from "./palette.ts";

/** The ribbon round the crown; minimal hats have a tonal one. */
const ribbon = ({ is, part, trim, main }: Brush, d: string): string => (is("minimal") ? part(d, darken(main, 0.3), "cotton") : trim(d));

export const HATS = {
  cap: sized("56..68", (brush, h) => {
    const { main, is, line, trim, plain } = brush;
    const top = 132 - h * 1.35;
    const button = 132 - h * 1.02;
    const crown = `M36 132C34 ${132 - h * 1.2} 70 ${top} 96 ${top}C130 ${top} 146 110 146 132Q92 142 36 132Z`;
    const peak = "M92 134Q120 126 146 128Q186 132 192 148Q184 154 160 150Q124 144 92 140Z";
    const panel = `M96 ${top}C124 ${138 - h * 1.3} 132 112 132 135Q112 138 92 137C92 110 94 90 96 ${top}Z`;
    return (
      standing(brush, 154, 150) +
      brush.body(crown) +
      (is("sporty", "playful") ? trim(panel) : "") +
      line(curve([96, button], [90, 110], [90, 137]), darken(main, 0.5), 1.8, { opacity: 0.5 }) +
      line(curve([92, button], [62, 100], [54, 135]), darken(main, 0.5), 1.8, { opacity: 0.4 }) +
      band(brush, crown, [70, 120], 9) +
      (is("minimal", "elegant") ? plain(peak) : trim(peak)) +
      trim(ellipse(94, button, 5, 3.4)) +
      emblem(brush, [112, 112], 12)
    );
  }),
  beanie: sized("48..62", (brush, top) => {
    const { main, is, line, part, plain } = brush;
    const crown = `M44 138C40 ${top + 26} 66 ${top} 100 ${top}C134 ${top} 160 ${top + 26} 156 138Q100 148 44 138Z`;
    const cuff = "M38 128Q100 142 162 128Q166 146 162 162Q100 174 38 162Q34 146 38 128Z";
    const rib = (k: number) =>
      line(`M${100 + k} ${136 - Math.abs(k) * 0.08}V${167 - Math.abs(k) * 0.08}`, darken(main, 0.6), 2, { opacity: 0.35 });
    const pompom = is("minimal", "elegant", "sporty") ? "" : part(ellipse(100, top - 6, 19), brush.accent, "wool");
    const cuffColour = brush.look.pattern === "plain" ? darken(main, 0.14) : lighten(main, 0.08);
    return (
      standing(brush, 168, 130) +
      banded(brush, crown, [100, 104], 12) +
      pompom +
      (is("minimal") ? plain(cuff) : part(cuff, cuffColour)) +
      [-48, -32, -16, 0, 16, 32, 48].map(rib).join("") +
      emblem(brush, [124, 149], 9)
    );
  }),
  fedora: sized("78..86 58..68", (brush, w, top) => {
    const { is, body } = brush;
    const dent = `Q86 ${top - 6} 100 ${top + 10}Q114 ${top - 6} 126 ${top}`;
    const feather = "M140 132Q150 104 164 96Q162 118 148 136Z";
    return (
      standing(brush, 164, 2 * w - 20) +
      body(`M54 140C54 100 60 ${top + 6} 74 ${top}${dent}C140 ${top + 6} 146 100 146 140Z`) +
      brush.line(curve([84, top + 4], [96, top + 22], [100, top + 40]), darken(brush.main, 0.55), 3, { opacity: 0.4 }) +
      body(`M${100 - w} 134Q100 158 ${100 + w} 134Q${100 + w - 4} 154 100 164Q${100 - w + 4} 154 ${100 - w} 134Z`) +
      ribbon(brush, "M53 124Q100 138 147 124L147 142Q100 154 53 142Z") +
      (is("rustic", "playful") ? brush.part(feather, lighten(brush.accent, 0.2), "cotton") : "") +
      (is("elegant", "sporty") ? emblem(brush, [66, 138], 7) : "")
    );
  }),
  "bucket hat": sized("58..70 66..78", (brush, top, flare) => {
    const { main, is, line, body } = brush;
    const crown = `M66 ${top}Q100 ${top - 9} 134 ${top}L146 126Q100 138 54 126Z`;
    const seam = (k: number) => {
      const d = `M${54 - (flare - 46) * k} ${124 + 36 * k}Q100 ${137 + 36 * k} ${146 + (flare - 46) * k} ${124 + 36 * k}`;
      return is("rustic") ? line(d, THREAD, 1.6, { dash: "5 4", opacity: 0.55 }) : line(d, darken(main, 0.55), 1.6, { opacity: 0.55 });
    };
    return (
      standing(brush, 166, 2 * flare) +
      banded(brush, crown, [100, 106], 11) +
      body(`M54 122Q100 136 146 122L${100 + flare} 158Q100 178 ${100 - flare} 158Z`) +
      [0.3, 0.6, 0.9].map(seam).join("") +
      emblem(brush, [100, 92], 13)
    );
  }),
  "sun hat": sized("84..92 62..74", (brush, w, top) => {
    const { is, body, line } = brush;
    const brim = `M${100 - w} 128C${100 - w} 100 ${100 + w} 100 ${100 + w} 128C${100 + w} 162 ${100 - w} 162 ${100 - w} 128Z`;
    const bow = is("elegant", "playful") ? brush.trim("M140 124L164 110V140ZM140 124L160 158L144 156Z") : "";
    const rim = `M${100 - w + 6} 136C${100 - w * 0.5} 158 ${100 + w * 0.5} 158 ${100 + w - 6} 136`;
    return (
      standing(brush, 156, 2 * w - 16) +
      body(brim) +
      line(rim, darken(brush.main, 0.5), 2, { opacity: 0.4 }) +
      body(`M56 126C56 ${top} 76 ${top} 100 ${top}C124 ${top} 144 ${top} 144 126Q100 142 56 126Z`) +
      ribbon(brush, "M55 112Q100 126 145 112L146 128Q100 144 54 128Z") +
      bow +
      (is("sporty", "retro") ? emblem(brush, [100, 100], 12) : "")
    );
  }),
} satisfies Family;

/** Height of the ears. */
const EAR = 122;

/** `span`: half distance between the ears. `t`: thickness of the hoop. `w` and `h`: half width and half height of an ear cup. */
function headphones(brush: Brush, span: number, top: number, t: number, w: number, h: number): string {
  const { main, accent, is, line, body, part } = brush;
  const [out, inner, low] = [span + t / 2, span - t / 2, top + t - 12 + t * 0.4];
  const hoop =
    `M${100 - out} ${EAR - 4}C${100 - out} ${top - 12} ${100 + out} ${top - 12} ${100 + out} ${EAR - 4}h${-t}` +
    `C${100 + inner} ${low} ${100 - inner} ${low} ${100 - inner} ${EAR - 4}Z`;
  const pad = (s: number) => {
    const d = box(100 + s * (span - 4) - (s > 0 ? w * 0.9 : -w * 0.05), EAR - h * 0.92, w * 0.86, h * 1.84, 10);
    return part(d, is("minimal") ? darken(main, 0.4) : "#2d2a2e", "suede");
  };
  const shell = (s: number) => {
    const x = 100 + s * (span + 4);
    const outline = ellipse(x, EAR, w, h);
    const cup = banded(brush, outline, [x, EAR + h * 0.3], 9);
    if (is("minimal")) return cup + line(ellipse(x, EAR, w * 0.6, h * 0.6), darken(main, 0.5), 1.6, { opacity: 0.4 });
    return cup + line(ellipse(x, EAR, w * 0.66, h * 0.66), accent, 4) + emblem(brush, [x, EAR], w * 0.36);
  };
  const padding = `<path d="M${100 - span * 0.5} 0h${span}v${top + t * 2}h${-span}Z" fill="${is("elegant") ? darken(main, 0.4) : accent}"/>`;
  const cushion = is("minimal") ? "" : brush.clip(hoop, padding);
  return standing(brush, 172, 2 * span + 20) + hanging(hoop) + body(hoop) + cushion + pad(-1) + pad(1) + shell(-1) + shell(1);
}

export const HEADPHONES = {
  "over-ear headphones": sized("50..56 20..30 13..18 26..30 38..44", headphones),
  "on-ear headphones": sized("52..58 26..36 6..8 22..26 23..27", headphones),
  "studio headphones": (brush) => {
    const { line, part } = brush;
    const { between, chance } = brush.random;
    const extra = chance(0.5)
      ? line("M54 150Q56 178 92 178", "#2d2a2e", 5) + part(box(86, 171, 20, 13, 6), brush.accent, "plastic")
      : line("M48 162Q40 182 58 190Q80 198 104 194", "#2d2a2e", 4);
    return headphones(brush, between(48, 54), 16, between(20, 25), between(32, 36), between(34, 38)) + extra;
  },
  earbuds: sized("50..58", (brush, w) => {
    const { main, accent, is, plain, part } = brush;
    const r = brush.random.pick([20, 34]);
    const [left, right, corner] = [100 - w, 100 + w, r * 0.3];
    const lid = `M${left} 116V${96 - corner}Q${left} 72 ${left + r} 72H${right - r}Q${right} 72 ${right} ${96 - corner}V116Z`;
    const base = `M${left} 118H${right}V${150 - corner}Q${right} 172 ${right - r} 172H${left + r}Q${left} 172 ${left} ${150 - corner}Z`;
    const tip = is("minimal") ? darken(main, 0.4) : accent;
    const bud = (x: number, s: number) =>
      `<g transform="translate(${x} 44) rotate(${s * 14})">` +
      plain(box(-5, 0, 10, 34, 5)) +
      plain(ellipse(0, 0, 14, 13)) +
      `${part(ellipse(s * -8, 2, 7, 8), tip, "rubber")}</g>`;
    return (
      standing(brush, 174, 2 * w) +
      bud(70, 1) +
      bud(130, -1) +
      brush.body(lid) +
      banded(brush, base, [100, 146], 10) +
      `<path d="M${100 - w} 116h${2 * w}v3h${-2 * w}Z" fill="${darken(main, 0.55)}"/>` +
      (is("minimal") ? `<circle cx="100" cy="128" r="2.6" fill="${lighten(main, 0.7)}"/>` : brush.trim(box(90, 111, 20, 11, 5))) +
      emblem(brush, [100, 93], 12)
    );
  }),
} satisfies Family;

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
  const tint = define("lens", gradientElement("linear", ' x1="0" y1="0" x2=".3" y2="1"', ["0", top], ["1", bottom]));
  const glare = `<path d="M${cx - 30} ${Y + 40}L${cx + 6} ${Y - 50}h14L${cx - 16} ${Y + 40}Z" fill="#fff" fill-opacity=".2"/>`;
  return `<path d="${d}" fill="${tint}"/>${clip(d, glare)}`;
}

/** `shape`: outline of the right half (`s` 1) or the left (-1), drawn in by `t`, which is also the frame's thickness. `hinge`: start of the temples, from the middle. */
function glasses(brush: Brush, t: number, shape: (s: number, t: number) => string, bridge: string, [hx, hy]: Point): string {
  const { main, accent, is, line, clip, trim, body } = brush;
  const rim = (s: number) => shape(s, 0);
  const temple = (s: number) => {
    const d = `M${100 + s * hx} ${hy}Q${100 + s * (hx + 12)} ${hy - 22} ${100 + s * (hx - 2)} ${hy - 44}`;
    return line(d, darken(main, 0.55), 7.5) + line(d, darken(main, 0.15), 5);
  };
  const metal = is("elegant") ? accent : darken(main, 0.3);
  const stud = (s: number) => (is("minimal") ? "" : trim(ellipse(100 + s * (hx - 5), hy + 1, 4.2)));
  // Made even where emblems replace them: a picture lists the fills of all that is made.
  const studs = bothSides(stud);
  const marks = is("playful", "rustic", "sporty") ? bothSides((s) => emblem(brush, [100 + s * (hx - 8), hy + 2], 7)) : studs;
  const brow = (s: number) => clip(rim(s), `<path d="M0 ${hy - 12}h200v12H0Z" fill="${accent}"/>`);
  const brows = is("retro") ? bothSides(brow) : "";
  return (
    bothSides(temple) +
    hanging(bothSides(rim)) +
    line(bridge, darken(metal, 0.3), 9) +
    line(bridge, metal, 6) +
    bothSides((s) => body(rim(s))) +
    brows +
    bothSides((s) => lens(brush, shape(s, t), 100 + s * 42)) +
    marks
  );
}

/** Frame thickness: metal is thin unless a pattern has to show. */
const thickness = ({ look, random }: Brush): number =>
  (look.material === "metal" && look.pattern === "plain" ? 6 : random.between(9, 13)) + (look.pattern === "plain" ? 0 : 3);

export const SUNGLASSES = {
  "round sunglasses": sized("34..40", (brush, r) => {
    const shape = (s: number, t: number) => ellipse(100 + s * 45, Y, r - t);
    return glasses(brush, thickness(brush), shape, curve([88, Y - 8], [100, Y - 14], [112, Y - 8]), [45 + r - 3, Y - 8]);
  }),
  "square sunglasses": sized("36..40 27..34", (brush, w, h) => {
    const t = thickness(brush);
    const r = brush.random.pick([6, 14]);
    const shape = (s: number, k: number) => box(100 + s * 46 - w + k, Y - h + k, 2 * (w - k), 2 * (h - k), k === 0 ? r : r * 0.6);
    return glasses(brush, t, shape, curve([90, Y - 14], [100, Y - 17], [110, Y - 14]), [46 + w - 3, Y - h + 10]);
  }),
  "cat-eye sunglasses": sized("30..40", (brush, lift) => {
    const shape = (s: number, t: number) =>
      blob(
        [100 + s * (12 + t), Y - 16 + t],
        [100 + s * 48, Y - 24 + t],
        [100 + s * (88 - t * 1.4), Y - lift + t * 1.1],
        [100 + s * (80 - t), Y + 8 - t * 0.3],
        [100 + s * 48, Y + 29 - t],
        [100 + s * (18 + t * 0.7), Y + 14 - t * 0.5],
      );
    return glasses(brush, thickness(brush), shape, curve([86, Y - 10], [100, Y - 14], [114, Y - 10]), [80, Y - lift + 10]);
  }),
  "aviator sunglasses": sized("36..44", (brush, drop) => {
    const shape = (s: number, t: number) =>
      blob(
        [100 + s * (14 + t), Y - 22 + t],
        [100 + s * 48, Y - 30 + t],
        [100 + s * (82 - t), Y - 24 + t],
        [100 + s * (84 - t), Y + 4],
        [100 + s * 60, Y + drop - t],
        [100 + s * (28 + t * 0.6), Y + drop * 0.66 - t],
      );
    const bridge = `M84 ${Y - 28}H116M88 ${Y - 10}Q100 ${Y - 18} 112 ${Y - 10}`;
    return glasses(brush, thickness(brush) * 0.75, shape, bridge, [80, Y - 18]);
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
