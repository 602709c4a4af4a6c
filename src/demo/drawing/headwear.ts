/** Hats, caps and beanies; headphones, and earbuds with their case. */
import { band, banded, type Brush, emblem, type Family, hanging, sized, standing } from "./brush.ts";
import { box, curve, ellipse } from "./outline.ts";
import { darken, lighten, THREAD } from "./palette.ts";

/** The ribbon round the crown; minimal hats have a tonal one. */
function ribbon({ is, part, trim, main }: Brush, d: string): string {
  return is("minimal") ? part(d, darken(main, 0.3), "cotton") : trim(d);
}

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
  "sun hat": sized("84..92", (brush, w) => {
    const { is, body, line } = brush;
    const brim = `M${100 - w} 128C${100 - w} 100 ${100 + w} 100 ${100 + w} 128C${100 + w} 162 ${100 - w} 162 ${100 - w} 128Z`;
    const top = brush.random.between(62, 74);
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
function headphones(brush: Brush, span: number, top: number, t: number, [w, h]: readonly [number, number]): string {
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
  "over-ear headphones": (brush) => {
    const { between } = brush.random;
    return headphones(brush, between(50, 56), between(20, 30), between(13, 18), [between(26, 30), between(38, 44)]);
  },
  "on-ear headphones": (brush) => {
    const { between } = brush.random;
    return headphones(brush, between(52, 58), between(26, 36), between(6, 8), [between(22, 26), between(23, 27)]);
  },
  "studio headphones": (brush) => {
    const { line, part } = brush;
    const { between, chance } = brush.random;
    const extra = chance(0.5)
      ? line("M54 150Q56 178 92 178", "#2d2a2e", 5) + part(box(86, 171, 20, 13, 6), brush.accent, "plastic")
      : line("M48 162Q40 182 58 190Q80 198 104 194", "#2d2a2e", 4);
    return headphones(brush, between(48, 54), 16, between(20, 25), [between(32, 36), between(34, 38)]) + extra;
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
