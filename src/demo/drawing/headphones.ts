/** Headphones, from the front, and earbuds with their case. */
import { hanging, standing } from "./backdrop.ts";
import type { Brush } from "./brush.ts";
import type { Draw, Family } from "./family.ts";
import { band, emblem } from "./motif.ts";
import { box, ellipse } from "./outline.ts";
import { darken, lighten } from "./palette.ts";

interface Shape {
  /** Half distance between the ears, top of the band, its thickness. */
  readonly span: number;
  readonly top: number;
  readonly band: number;
  /** An ear cup: half width and half height. */
  readonly cup: readonly [number, number];
}

const EAR = 122;

function headphones(brush: Brush, { span, top, band: t, cup }: Shape): string {
  const { look, main, accent } = brush;
  const [w, h] = cup;
  const arc = (r: number, y: number) => `M${100 - r} ${EAR - 4}C${100 - r} ${y - 12} ${100 + r} ${y - 12} ${100 + r} ${EAR - 4}`;
  const hoop =
    `${arc(span + t / 2, top)}h${-t}` +
    `C${100 + span - t / 2} ${top + t - 12 + t * 0.4} ${100 - span + t / 2} ${top + t - 12 + t * 0.4} ${100 - span + t / 2} ${EAR - 4}` +
    `Z`;
  const pad = (s: number) =>
    brush.part(
      box(100 + s * (span - 4) - (s > 0 ? w * 0.9 : -w * 0.05), EAR - h * 0.92, w * 0.86, h * 1.84, 10),
      look.style === "minimal" ? darken(main, 0.4) : "#2d2a2e",
      "suede",
    );
  const shell = (s: number) => {
    const x = 100 + s * (span + 4);
    const outline = ellipse(x, EAR, w, h);
    return (
      brush.body(outline) +
      band(brush, outline, { x, y: EAR + h * 0.3, size: 9 }) +
      (look.style === "minimal" ? "" : brush.line(ellipse(x, EAR, w * 0.66, h * 0.66), { colour: accent, width: 4 })) +
      (look.style === "minimal"
        ? brush.line(ellipse(x, EAR, w * 0.6, h * 0.6), { colour: darken(main, 0.5), width: 1.6, opacity: 0.4 })
        : emblem(brush, { x, y: EAR, size: w * 0.36 }))
    );
  };
  const cushion =
    look.style === "minimal"
      ? ""
      : brush.clip(
          hoop,
          `<path d="M${100 - span * 0.5} 0h${span}v${top + t * 2}h${-span}Z"` +
            ` fill="${look.style === "elegant" ? darken(main, 0.4) : accent}"/>`,
        );
  return standing(brush, 172, 2 * span + 20) + hanging(hoop) + brush.body(hoop) + cushion + pad(-1) + pad(1) + shell(-1) + shell(1);
}

const overEar: Draw = (brush) =>
  headphones(brush, {
    span: brush.random.between(50, 56),
    top: brush.random.between(20, 30),
    band: brush.random.between(13, 18),
    cup: [brush.random.between(26, 30), brush.random.between(38, 44)],
  });
const onEar: Draw = (brush) =>
  headphones(brush, {
    span: brush.random.between(52, 58),
    top: brush.random.between(26, 36),
    band: brush.random.between(6, 8),
    cup: [brush.random.between(22, 26), brush.random.between(23, 27)],
  });

const studio: Draw = (brush) => {
  const mic = brush.random.chance(0.5)
    ? brush.line("M54 150Q56 178 92 178", { colour: "#2d2a2e", width: 5 }) + brush.part(box(86, 171, 20, 13, 6), brush.accent, "plastic")
    : brush.line("M48 162Q40 182 58 190Q80 198 104 194", { colour: "#2d2a2e", width: 4 });
  return (
    headphones(brush, {
      span: brush.random.between(48, 54),
      top: 16,
      band: brush.random.between(20, 25),
      cup: [brush.random.between(32, 36), brush.random.between(34, 38)],
    }) + mic
  );
};

const earbuds: Draw = (brush) => {
  const { main, look } = brush;
  const w = brush.random.between(50, 58);
  const r = brush.random.pick([20, 34]);
  const [left, right, corner] = [100 - w, 100 + w, r * 0.3];
  const lid = `M${left} 116V${96 - corner}Q${left} 72 ${left + r} 72H${right - r}Q${right} 72 ${right} ${96 - corner}V116Z`;
  const base = `M${left} 118H${right}V${150 - corner}Q${right} 172 ${right - r} 172H${left + r}Q${left} 172 ${left} ${150 - corner}Z`;
  const tip = look.style === "minimal" ? darken(main, 0.4) : brush.accent;
  const bud = (x: number, s: number) => {
    const parts = [
      brush.plain(box(-5, 0, 10, 34, 5)),
      brush.plain(ellipse(0, 0, 14, 13)),
      brush.part(ellipse(s * -8, 2, 7, 8), tip, "rubber"),
    ];
    return `<g transform="translate(${x} 44) rotate(${s * 14})">${parts.join("")}</g>`;
  };
  return (
    standing(brush, 174, 2 * w) +
    bud(70, 1) +
    bud(130, -1) +
    brush.body(lid) +
    brush.body(base) +
    band(brush, base, { x: 100, y: 146, size: 10 }) +
    `<path d="M${100 - w} 116h${2 * w}v3h${-2 * w}Z" fill="${darken(main, 0.55)}"/>` +
    (look.style === "minimal" ? `<circle cx="100" cy="128" r="2.6" fill="${lighten(main, 0.7)}"/>` : brush.trim(box(90, 111, 20, 11, 5))) +
    emblem(brush, { x: 100, y: 93, size: 12 })
  );
};

export const HEADPHONES: Family<"over-ear headphones" | "on-ear headphones" | "studio headphones" | "earbuds"> = {
  "over-ear headphones": overEar,
  "on-ear headphones": onEar,
  "studio headphones": studio,
  earbuds,
};
