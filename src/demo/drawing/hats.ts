/** Hats, caps and beanies. */
import { standing } from "./backdrop.ts";
import type { Brush } from "./brush.ts";
import type { Draw, Family } from "./family.ts";
import { band, emblem } from "./motif.ts";
import { curve, ellipse } from "./outline.ts";
import { darken, lighten } from "./palette.ts";

/** The ribbon round the crown; minimal hats have a tonal one. */
function ribbon(brush: Brush, d: string): string {
  const { style } = brush.look;
  if (style === "minimal") return brush.part(d, darken(brush.main, 0.3), "cotton");
  return brush.trim(d);
}

const cap: Draw = (brush) => {
  const h = brush.random.between(56, 68);
  const top = 132 - h * 1.35;
  const crown = `M36 132C34 ${132 - h * 1.2} 70 ${top} 96 ${top}C130 ${top} 146 110 146 132Q92 142 36 132Z`;
  const peak = "M92 134Q120 126 146 128Q186 132 192 148Q184 154 160 150Q124 144 92 140Z";
  const panel = `M96 ${132 - h * 1.35}C124 ${138 - h * 1.3} 132 112 132 135Q112 138 92 137C92 110 94 90 96 ${132 - h * 1.35}Z`;
  return (
    standing(brush, 154, 150) +
    brush.body(crown) +
    (brush.look.style === "sporty" || brush.look.style === "playful" ? brush.trim(panel) : "") +
    brush.line(
      curve([
        [96, 132 - h * 1.02],
        [90, 110],
        [90, 137],
      ]),
      { colour: darken(brush.main, 0.5), width: 1.8, opacity: 0.5 },
    ) +
    brush.line(
      curve([
        [92, 132 - h * 1.02],
        [62, 100],
        [54, 135],
      ]),
      { colour: darken(brush.main, 0.5), width: 1.8, opacity: 0.4 },
    ) +
    band(brush, crown, { x: 70, y: 120, size: 9 }) +
    (brush.look.style === "minimal" || brush.look.style === "elegant" ? brush.plain(peak) : brush.trim(peak)) +
    brush.trim(ellipse(94, 132 - h * 1.02, 5, 3.4)) +
    emblem(brush, { x: 112, y: 112, size: 12 })
  );
};

const beanie: Draw = (brush) => {
  const top = brush.random.between(48, 62);
  const crown = `M44 138C40 ${top + 26} 66 ${top} 100 ${top}C134 ${top} 160 ${top + 26} 156 138Q100 148 44 138Z`;
  const cuff = "M38 128Q100 142 162 128Q166 146 162 162Q100 174 38 162Q34 146 38 128Z";
  const ribs = [-48, -32, -16, 0, 16, 32, 48].map((k) =>
    brush.line(`M${100 + k} ${136 - Math.abs(k) * 0.08}V${167 - Math.abs(k) * 0.08}`, {
      colour: darken(brush.main, 0.6),
      width: 2,
      opacity: 0.35,
    }),
  );
  const pom =
    brush.look.style === "minimal" || brush.look.style === "elegant" || brush.look.style === "sporty"
      ? ""
      : brush.part(ellipse(100, top - 6, 19), brush.accent, "wool");
  return (
    standing(brush, 168, 130) +
    brush.body(crown) +
    band(brush, crown, { x: 100, y: 104, size: 12 }) +
    pom +
    (brush.look.style === "minimal"
      ? brush.plain(cuff)
      : brush.part(cuff, brush.look.pattern === "plain" ? darken(brush.main, 0.14) : lighten(brush.main, 0.08))) +
    ribs.join("") +
    emblem(brush, { x: 124, y: 149, size: 9 })
  );
};

const fedora: Draw = (brush) => {
  const w = brush.random.between(78, 86);
  const top = brush.random.between(58, 68);
  const dent = `Q86 ${top - 6} 100 ${top + 10}Q114 ${top - 6} 126 ${top}`;
  const crown = `M54 140C54 100 60 ${top + 6} 74 ${top}${dent}C140 ${top + 6} 146 100 146 140Z`;
  const brim = `M${100 - w} 134Q100 158 ${100 + w} 134Q${100 + w - 4} 154 100 164Q${100 - w + 4} 154 ${100 - w} 134Z`;
  const tape = "M53 124Q100 138 147 124L147 142Q100 154 53 142Z";
  return (
    standing(brush, 164, 2 * w - 20) +
    brush.body(crown) +
    brush.line(
      curve([
        [84, top + 4],
        [96, top + 22],
        [100, top + 40],
      ]),
      { colour: darken(brush.main, 0.55), width: 3, opacity: 0.4 },
    ) +
    brush.body(brim) +
    ribbon(brush, tape) +
    (brush.look.style === "rustic" || brush.look.style === "playful"
      ? brush.part("M140 132Q150 104 164 96Q162 118 148 136Z", lighten(brush.accent, 0.2), "cotton")
      : "") +
    (brush.look.style === "elegant" || brush.look.style === "sporty" ? emblem(brush, { x: 66, y: 138, size: 7 }) : "")
  );
};

const bucket: Draw = (brush) => {
  const top = brush.random.between(58, 70);
  const flare = brush.random.between(66, 78);
  const crown = `M66 ${top}Q100 ${top - 9} 134 ${top}L146 126Q100 138 54 126Z`;
  const brim = `M54 122Q100 136 146 122L${100 + flare} 158Q100 178 ${100 - flare} 158Z`;
  const rows = [0.3, 0.6, 0.9].map((k) =>
    brush.line(`M${54 - (flare - 46) * k} ${124 + 36 * k}Q100 ${137 + 36 * k} ${146 + (flare - 46) * k} ${124 + 36 * k}`, {
      colour: brush.look.style === "rustic" ? "#f0dcb8" : darken(brush.main, 0.55),
      width: 1.6,
      ...(brush.look.style === "rustic" ? { dash: "5 4" } : {}),
      opacity: 0.55,
    }),
  );
  return (
    standing(brush, 166, 2 * flare) +
    brush.body(crown) +
    band(brush, crown, { x: 100, y: 106, size: 11 }) +
    brush.body(brim) +
    rows.join("") +
    emblem(brush, { x: 100, y: 92, size: 13 })
  );
};

const sun: Draw = (brush) => {
  const w = brush.random.between(84, 92);
  const brim = `M${100 - w} 128C${100 - w} 100 ${100 + w} 100 ${100 + w} 128C${100 + w} 162 ${100 - w} 162 ${100 - w} 128Z`;
  const top = brush.random.between(62, 74);
  const crown = `M56 126C56 ${top} 76 ${top} 100 ${top}C124 ${top} 144 ${top} 144 126Q100 142 56 126Z`;
  const tape = "M55 112Q100 126 145 112L146 128Q100 144 54 128Z";
  const bow =
    brush.look.style === "elegant" || brush.look.style === "playful" ? brush.trim("M140 124L164 110V140ZM140 124L160 158L144 156Z") : "";
  return (
    standing(brush, 156, 2 * w - 16) +
    brush.body(brim) +
    brush.line(`M${100 - w + 6} 136C${100 - w * 0.5} 158 ${100 + w * 0.5} 158 ${100 + w - 6} 136`, {
      colour: darken(brush.main, 0.5),
      width: 2,
      opacity: 0.4,
    }) +
    brush.body(crown) +
    ribbon(brush, tape) +
    bow +
    (brush.look.style === "sporty" || brush.look.style === "retro" ? emblem(brush, { x: 100, y: 100, size: 12 }) : "")
  );
};

export const HATS: Family<"cap" | "beanie" | "fedora" | "bucket hat" | "sun hat"> = {
  cap,
  beanie,
  fedora,
  "bucket hat": bucket,
  "sun hat": sun,
};
