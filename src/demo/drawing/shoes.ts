/** Shoes, in profile with the toe to the right. */
import { standing } from "./backdrop.ts";
import type { Draw, Family } from "./family.ts";
import { laces, seam, sole, soleColour } from "./footwear.ts";
import { band, emblem } from "./motif.ts";
import { box, curve, ellipse } from "./outline.ts";
import { colourOf, darken, lighten } from "./palette.ts";

const sneaker: Draw = (brush) => {
  const t = brush.random.between(12, 20);
  const b = 163 - t;
  const rise = brush.random.between(84, 94);
  const upper =
    `M30 ${b}C26 132 26 ${rise + 22} 34 ${rise}Q44 ${rise - 6} 52 ${rise + 6}Q64 ${rise + 14} 78 ${rise - 4}` +
    `Q86 ${rise - 12} 94 ${rise - 4}C108 ${rise + 16} 128 ${rise + 24} 150 ${rise + 30}` +
    `Q178 ${rise + 38} 178 ${b}Z`;
  const toe = `M144 ${b}Q146 ${rise + 34} 154 ${rise + 31}Q179 ${rise + 39} 178 ${b}Z`;
  return (
    standing(brush, 165, 156) +
    brush.body(upper) +
    brush.clip(upper, brush.look.style === "minimal" ? "" : brush.trim(toe) + brush.trim(`M22 ${rise - 6}h20v40h-20Z`)) +
    band(brush, `M56 ${rise + 18}L104 ${rise + 20}L132 ${b}H56Z`, { x: 92, y: rise + 34, size: 11 }) +
    seam(brush, `M44 ${b - 3}Q52 ${rise + 34} 80 ${rise + 28}Q100 ${rise + 26} 118 ${rise + 26}`) +
    laces(brush, [92, rise + 2], [126, rise + 24], 4) +
    sole(brush, t)
  );
};

const highTop: Draw = (brush) => {
  const t = brush.random.between(12, 18);
  const b = 163 - t;
  const c = brush.random.between(38, 50);
  const upper = `M32 ${b}C28 120 34 80 30 ${c}Q52 ${c - 10} 86 ${c - 2}C86 78 100 104 126 114Q178 122 178 ${b}Z`;
  const toe = `M144 ${b}Q144 122 152 119Q179 126 178 ${b}Z`;
  return (
    standing(brush, 165, 156) +
    brush.body(upper) +
    brush.clip(upper, brush.look.style === "minimal" ? "" : brush.trim(toe) + brush.trim(`M22 ${c - 12}h70v15h-70Z`)) +
    band(brush, `M30 60H84L120 ${b}H34Z`, { x: 70, y: 112, size: 11 }) +
    emblem(brush, { x: 52, y: c + 38, size: 11 }) +
    seam(brush, `M48 ${b - 3}Q50 116 84 112`) +
    laces(brush, [84, c + 12], [122, 112], 7) +
    sole(brush, t)
  );
};

const boot: Draw = (brush) => {
  const c = brush.random.between(28, 44);
  const heel = brush.random.between(12, 22);
  const upper = `M40 150C36 120 40 80 38 ${c}Q62 ${c - 7} 92 ${c}C92 76 92 96 108 110Q140 116 160 126Q178 134 178 152Z`;
  const colour = soleColour(brush);
  const elastic = brush.look.style === "elegant" || brush.look.style === "minimal";
  return (
    standing(brush, 172, 150) +
    brush.part(`M38 148h38v${heel + 4}q0 3-3 3h-32q-3 0-3-3Z`, colour, "rubber") +
    brush.part("M38 150H180Q184 158 176 161H84Q74 161 72 156H40Z", colour, "rubber") +
    brush.body(upper) +
    (elastic
      ? brush.part(`M54 ${c + 10}h24l-5 58h-14Z`, darken(brush.main, 0.4), "wool")
      : laces(brush, [92, c + 22], [118, 112], 6) + brush.clip(upper, brush.trim(`M30 ${c - 10}h70v16h-70Z`))) +
    band(brush, upper, { x: 80, y: 116, size: 11 }) +
    seam(brush, "M44 128Q70 122 80 146M108 112Q112 130 132 148") +
    (brush.look.style === "elegant" ? brush.trim(`M40 112H106v7H40Z`) : "") +
    brush.line(
      curve([
        [38, c],
        [64, c - 4],
        [92, c],
      ]),
      { colour: darken(brush.main, 0.5), width: 2 },
    )
  );
};

const heel: Draw = (brush) => {
  const tall = brush.random.between(92, 108);
  const stiletto = brush.random.chance(0.6);
  const upper =
    `M32 ${tall}Q28 ${tall + 22} 40 ${tall + 34}Q74 ${tall + 36} 96 146Q112 166 150 166H176Q184 158 172 150` +
    `C150 140 128 138 116 124Q100 ${tall + 14} 60 ${tall + 18}Q46 ${tall + 16} 44 ${tall - 4}Z`;
  const d = stiletto
    ? `M34 ${tall + 28}L52 ${tall + 32}Q46 140 42 168h-6Q36 140 32 ${tall + 30}Z`
    : `M33 ${tall + 26}L64 ${tall + 33}Q56 140 58 168H34Z`;
  const strap = brush.random.chance(0.4);
  return (
    standing(brush, 169, 150) +
    brush.part(
      d,
      brush.look.style === "minimal" ? darken(brush.main, 0.25) : brush.accent,
      brush.look.style === "elegant" ? "metal" : "leather",
    ) +
    brush.body(upper) +
    (strap
      ? brush.line(
          curve([
            [42, tall + 4],
            [66, tall - 10],
            [84, tall + 20],
          ]),
          { colour: darken(brush.main, 0.2), width: 5 },
        )
      : "") +
    band(brush, upper, { x: 108, y: 140, size: 10 }) +
    brush.line(
      curve([
        [60, tall + 18],
        [98, tall + 24],
        [116, 124],
        [146, 142],
      ]),
      { colour: darken(brush.main, 0.55), width: 2, opacity: 0.6 },
    ) +
    emblem(brush, { x: 150, y: 150, size: brush.look.style === "rustic" ? 7 : 9 }) +
    brush.line("M98 150Q112 167 150 167H176", { colour: darken(soleColour(brush), 0.1), width: 4 })
  );
};

const sandal: Draw = (brush) => {
  const t = brush.random.between(9, 22);
  const colour = brush.look.style === "minimal" ? darken(brush.main, 0.35) : soleColour(brush);
  const [y, w] = [160 - t, brush.random.between(14, 20)];
  const bed = `M26 ${y}Q22 164 34 164H170Q186 160 178 ${y}Q150 ${y - 4} 110 ${y}Q60 ${y - 6} 26 ${y}Z`;
  // One wide strap, or two arches with a loop round the heel.
  const wide = brush.random.chance(0.4);
  const front =
    `M128 ${y}C130 ${y - 22} 138 ${y - 32} 146 ${y - 31}Q160 ${y - 29} 170 ${y}H${170 - w * 0.9}` +
    `Q154 ${y - 15} 147 ${y - 15}Q143 ${y - 14} 142 ${y}Z`;
  const instep =
    `M80 ${y}C84 ${y - 36} 96 ${y - 52} 106 ${y - 51}Q122 ${y - 48} 130 ${y}H${130 - w}` +
    `Q114 ${y - 30} 106 ${y - 31}Q98 ${y - 30} 96 ${y}Z`;
  const loop =
    `M32 ${y}C28 ${y - 34} 32 ${y - 52} 42 ${y - 54}Q74 ${y - 60} 104 ${y - 50}L100 ${y - 38}` +
    `Q74 ${y - 46} 50 ${y - 42}Q42 ${y - 24} 48 ${y}Z`;
  const straps = wide ? [`M86 ${y}C90 ${y - 40} 108 ${y - 56} 126 ${y - 50}Q156 ${y - 40} 170 ${y}Z`] : [loop, instep, front];
  const inside = wide
    ? `<path d="M88 ${y}C92 ${y - 30} 102 ${y - 44} 112 ${y - 49}Q100 ${y - 24} 104 ${y}Z" fill="${darken(brush.main, 0.65)}"/>`
    : "";
  const buckled = !wide && (brush.look.style === "elegant" || brush.look.style === "rustic");
  return (
    standing(brush, 165, 156) +
    brush.part(bed, colour, brush.look.style === "rustic" ? "straw" : "rubber") +
    brush.line(`M30 ${y + 1}Q70 ${y - 6} 110 ${y + 1}Q150 ${y - 4} 176 ${y + 1}`, { colour: lighten(colour, 0.4), width: 3 }) +
    straps.map((d) => brush.body(d) + seam(brush, d)).join("") +
    inside +
    emblem(brush, wide ? { x: 130, y: y - 24, size: 12 } : { x: 76, y: y - 50, size: 7 }) +
    (buckled ? brush.line(box(99, y - 47, 13, 13, 3), { colour: colourOf("gold"), width: 3 }) : "")
  );
};

const loafer: Draw = (brush) => {
  const upper = "M30 150C26 132 24 112 34 98Q40 94 50 104Q74 118 98 106Q104 98 112 104Q136 116 160 122Q180 130 178 150Z";
  const saddle = "M88 108Q100 98 112 104L126 112Q128 132 122 150H92Q84 130 88 108Z";
  const colour = soleColour(brush);
  return (
    standing(brush, 165, 156) +
    brush.part("M26 148H182Q184 162 172 162H76V158H66V164H32Q24 162 26 148Z", colour, "rubber") +
    brush.body(upper) +
    (brush.look.style === "minimal" ? "" : brush.trim(saddle)) +
    seam(brush, "M124 114Q144 118 156 128Q164 138 164 147") +
    band(brush, "M34 110L86 116V150H30Z", { x: 60, y: 124, size: 10 }) +
    (brush.look.style === "elegant"
      ? brush.line("M96 122H120", { colour: colourOf("gold"), width: 5 }) +
        brush.line(ellipse(108, 122, 5), { colour: colourOf("gold"), width: 3 })
      : "") +
    (brush.look.style === "retro"
      ? [0, 1, 2, 3].map((i) => brush.line(`M${98 + i * 6} 126l-4 14`, { colour: darken(brush.accent, 0.4), width: 3 })).join("")
      : "") +
    (brush.look.style === "playful" ? brush.part(ellipse(108, 120, 10), "#f4cc4d", "wool") : "") +
    brush.line(
      curve([
        [34, 98],
        [50, 104],
        [74, 112],
        [98, 106],
      ]),
      { colour: darken(brush.main, 0.5), width: 2.4 },
    )
  );
};

export const SHOES: Family<"sneaker" | "high-top" | "ankle boot" | "heel" | "sandal" | "loafer"> = {
  sneaker,
  "high-top": highTop,
  "ankle boot": boot,
  heel,
  sandal,
  loafer,
};
