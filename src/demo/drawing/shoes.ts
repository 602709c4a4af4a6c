/** Shoes, in profile with the toe to the right. */
import type { Style } from "../catalogue/vocabulary.ts";
import { band, type Brush, emblem, type Family, sized, standing } from "./brush.ts";
import { box, curve, ellipse, type Point } from "./outline.ts";
import { darken, GOLD, lighten, THREAD } from "./palette.ts";

/** Soles are white on sporty shoes, gum on retro ones, dark or wooden otherwise. */
function soleColour({ look, main, accent }: Brush): string {
  const colours: Readonly<Record<Style, string>> = {
    sporty: "#f7f6f3",
    playful: accent,
    retro: "#c08a52",
    rustic: "#8a5d3a",
    elegant: "#2d2628",
    minimal: lighten(main, 0.75),
  };
  return colours[look.style];
}

/** Rustic shoes show their seams. */
function seam({ main, is, line }: Brush, d: string): string {
  return is("rustic") ? line(d, THREAD, 2.2, { dash: "5 4" }) : line(d, darken(main, 0.55), 1.6, { opacity: 0.5 });
}

function laces({ main, accent, is, tube }: Brush, from: Point, to: Point, count: number): string {
  const colour = is("minimal") ? lighten(main, 0.5) : is("elegant") ? accent : lighten(accent, 0.5);
  const lace = (k: number) => {
    const [x, y] = [from[0] + (to[0] - from[0]) * k, from[1] + (to[1] - from[1]) * k];
    return tube(`M${x - 9} ${y + 8}L${x + 3} ${y - 1}`, colour, 3.4, 1.6, 0.35);
  };
  return Array.from({ length: count }, (_, i) => lace(i / (count - 1))).join("");
}

function sole(brush: Brush, thickness: number): string {
  const top = 160 - thickness;
  const d = `M24 ${top}Q22 164 34 164H170Q184 164 182 ${top + 2}Q176 ${top + 6} 168 ${top + 4}H36Q28 ${top + 4} 24 ${top}Z`;
  const groove = brush.is("sporty") ? brush.line(`M30 ${top + 9}H176`, brush.accent, 3) : "";
  return brush.part(d, soleColour(brush), "rubber") + groove;
}

export const SHOES = {
  sneaker: sized("12..20", (brush, t) => {
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
      brush.clip(upper, brush.is("minimal") ? "" : brush.trim(toe) + brush.trim(`M22 ${rise - 6}h20v40h-20Z`)) +
      band(brush, `M56 ${rise + 18}L104 ${rise + 20}L132 ${b}H56Z`, [92, rise + 34], 11) +
      seam(brush, `M44 ${b - 3}Q52 ${rise + 34} 80 ${rise + 28}Q100 ${rise + 26} 118 ${rise + 26}`) +
      laces(brush, [92, rise + 2], [126, rise + 24], 4) +
      sole(brush, t)
    );
  }),
  "high-top": sized("12..18", (brush, t) => {
    const b = 163 - t;
    const c = brush.random.between(38, 50);
    const upper = `M32 ${b}C28 120 34 80 30 ${c}Q52 ${c - 10} 86 ${c - 2}C86 78 100 104 126 114Q178 122 178 ${b}Z`;
    const toe = `M144 ${b}Q144 122 152 119Q179 126 178 ${b}Z`;
    return (
      standing(brush, 165, 156) +
      brush.body(upper) +
      brush.clip(upper, brush.is("minimal") ? "" : brush.trim(toe) + brush.trim(`M22 ${c - 12}h70v15h-70Z`)) +
      band(brush, `M30 60H84L120 ${b}H34Z`, [70, 112], 11) +
      emblem(brush, [52, c + 38], 11) +
      seam(brush, `M48 ${b - 3}Q50 116 84 112`) +
      laces(brush, [84, c + 12], [122, 112], 7) +
      sole(brush, t)
    );
  }),
  "ankle boot": sized("28..44 12..22", (brush, c, heel) => {
    const { main, is, trim, part, clip } = brush;
    const upper = `M40 150C36 120 40 80 38 ${c}Q62 ${c - 7} 92 ${c}C92 76 92 96 108 110Q140 116 160 126Q178 134 178 152Z`;
    const colour = soleColour(brush);
    return (
      standing(brush, 172, 150) +
      part(`M38 148h38v${heel + 4}q0 3-3 3h-32q-3 0-3-3Z`, colour, "rubber") +
      part("M38 150H180Q184 158 176 161H84Q74 161 72 156H40Z", colour, "rubber") +
      brush.body(upper) +
      (is("elegant", "minimal")
        ? part(`M54 ${c + 10}h24l-5 58h-14Z`, darken(main, 0.4), "wool")
        : laces(brush, [92, c + 22], [118, 112], 6) + clip(upper, trim(`M30 ${c - 10}h70v16h-70Z`))) +
      band(brush, upper, [80, 116], 11) +
      seam(brush, "M44 128Q70 122 80 146M108 112Q112 130 132 148") +
      (is("elegant") ? trim(`M40 112H106v7H40Z`) : "") +
      brush.line(curve([38, c], [64, c - 4], [92, c]), darken(main, 0.5), 2)
    );
  }),
  heel: sized("92..108", (brush, tall) => {
    const { main, accent, is, line } = brush;
    const isStiletto = brush.random.chance(0.6);
    const upper =
      `M32 ${tall}Q28 ${tall + 22} 40 ${tall + 34}Q74 ${tall + 36} 96 146Q112 166 150 166H176Q184 158 172 150` +
      `C150 140 128 138 116 124Q100 ${tall + 14} 60 ${tall + 18}Q46 ${tall + 16} 44 ${tall - 4}Z`;
    const heel = isStiletto
      ? `M34 ${tall + 28}L52 ${tall + 32}Q46 140 42 168h-6Q36 140 32 ${tall + 30}Z`
      : `M33 ${tall + 26}L64 ${tall + 33}Q56 140 58 168H34Z`;
    const strap = curve([42, tall + 4], [66, tall - 10], [84, tall + 20]);
    const edge = curve([60, tall + 18], [98, tall + 24], [116, 124], [146, 142]);
    const hasStrap = brush.random.chance(0.4);
    return (
      standing(brush, 169, 150) +
      brush.part(heel, is("minimal") ? darken(main, 0.25) : accent, is("elegant") ? "metal" : "leather") +
      brush.body(upper) +
      (hasStrap ? line(strap, darken(main, 0.2), 5) : "") +
      band(brush, upper, [108, 140], 10) +
      line(edge, darken(main, 0.55), 2, { opacity: 0.6 }) +
      emblem(brush, [150, 150], is("rustic") ? 7 : 9) +
      line("M98 150Q112 167 150 167H176", darken(soleColour(brush), 0.1), 4)
    );
  }),
  sandal: sized("9..22", (brush, t) => {
    const { main, is, part, line } = brush;
    const colour = is("minimal") ? darken(main, 0.35) : soleColour(brush);
    const [y, w] = [160 - t, brush.random.between(14, 20)];
    const bed = `M26 ${y}Q22 164 34 164H170Q186 160 178 ${y}Q150 ${y - 4} 110 ${y}Q60 ${y - 6} 26 ${y}Z`;
    // One wide strap, or two arches with a loop round the heel.
    const isWide = brush.random.chance(0.4);
    const wide = `M86 ${y}C90 ${y - 40} 108 ${y - 56} 126 ${y - 50}Q156 ${y - 40} 170 ${y}Z`;
    const inside = `<path d="M88 ${y}C92 ${y - 30} 102 ${y - 44} 112 ${y - 49}Q100 ${y - 24} 104 ${y}Z" fill="${darken(main, 0.65)}"/>`;
    const loop =
      `M32 ${y}C28 ${y - 34} 32 ${y - 52} 42 ${y - 54}Q74 ${y - 60} 104 ${y - 50}L100 ${y - 38}` +
      `Q74 ${y - 46} 50 ${y - 42}Q42 ${y - 24} 48 ${y}Z`;
    const instep =
      `M80 ${y}C84 ${y - 36} 96 ${y - 52} 106 ${y - 51}Q122 ${y - 48} 130 ${y}H${130 - w}` +
      `Q114 ${y - 30} 106 ${y - 31}Q98 ${y - 30} 96 ${y}Z`;
    const front =
      `M128 ${y}C130 ${y - 22} 138 ${y - 32} 146 ${y - 31}Q160 ${y - 29} 170 ${y}H${170 - w * 0.9}` +
      `Q154 ${y - 15} 147 ${y - 15}Q143 ${y - 14} 142 ${y}Z`;
    return (
      standing(brush, 165, 156) +
      part(bed, colour, is("rustic") ? "straw" : "rubber") +
      line(`M30 ${y + 1}Q70 ${y - 6} 110 ${y + 1}Q150 ${y - 4} 176 ${y + 1}`, lighten(colour, 0.4), 3) +
      (isWide ? [wide] : [loop, instep, front]).map((d) => brush.body(d) + seam(brush, d)).join("") +
      (isWide ? inside + emblem(brush, [130, y - 24], 12) : emblem(brush, [76, y - 50], 7)) +
      (!isWide && is("elegant", "rustic") ? line(box(99, y - 47, 13, 13, 3), GOLD, 3) : "")
    );
  }),
  loafer: (brush) => {
    const { main, accent, is, line, part } = brush;
    return (
      standing(brush, 165, 156) +
      part("M26 148H182Q184 162 172 162H76V158H66V164H32Q24 162 26 148Z", soleColour(brush), "rubber") +
      brush.body("M30 150C26 132 24 112 34 98Q40 94 50 104Q74 118 98 106Q104 98 112 104Q136 116 160 122Q180 130 178 150Z") +
      (is("minimal") ? "" : brush.trim("M88 108Q100 98 112 104L126 112Q128 132 122 150H92Q84 130 88 108Z")) +
      seam(brush, "M124 114Q144 118 156 128Q164 138 164 147") +
      band(brush, "M34 110L86 116V150H30Z", [60, 124], 10) +
      (is("elegant") ? line("M96 122H120", GOLD, 5) + line(ellipse(108, 122, 5), GOLD, 3) : "") +
      (is("retro") ? [98, 104, 110, 116].map((x) => line(`M${x} 126l-4 14`, darken(accent, 0.4), 3)).join("") : "") +
      (is("playful") ? part(ellipse(108, 120, 10), "#f4cc4d", "wool") : "") +
      line(curve([34, 98], [50, 104], [74, 112], [98, 106]), darken(main, 0.5), 2.4)
    );
  },
} satisfies Family;
