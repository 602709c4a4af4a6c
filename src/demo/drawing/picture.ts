/** One product → its SVG: the backdrop, then the family that draws its category. */
import { type Brush, createBrush, type Subject } from "./brush.ts";
import { backdrop, shadow } from "./backdrop.ts";

const OUTLINES: Readonly<Record<string, string>> = {
  shoe: "M30 140q0-34 26-44q14 20 40 24q40 6 64 26q6 14-4 14H36q-6-4-6-20Z",
  bag: "M44 84h112l12 76H32Z",
  lamp: "M70 40h60l26 62H44ZM94 102h12v50h22v8H72v-8h22Z",
  chair: "M60 30h80v64h10v14h-6v52h-8v-52H64v52h-8v-52h-6V94h10Z",
  sofa: "M24 92h20V70h112v22h20v60H24Z",
  mug: "M56 56h76v12h18q20 0 20 28t-20 28h-18v32H56Z",
  watch: "M84 20h32l4 44q26 12 26 36t-26 36l-4 44H84l-4-44q-26-12-26-36t26-36Z",
  clock: "M100 30a66 66 0 1 1 0 132a66 66 0 1 1 0-132Z",
  shirt: "M70 36q30 20 60 0l44 26l-16 34l-20-8v76H62V88l-20 8L26 62Z",
  dress: "M76 30q24 16 48 0l-6 54l38 84H44l38-84Z",
  hat: "M40 116q4-60 60-60t60 60h20q0 16-20 16H40q-20 0-20-16Z",
  sunglasses: "M20 84h70q4 40-34 40T20 84ZM110 84h70q4 40-34 40t-36-40ZM88 84h24v10H88Z",
  vase: "M82 34h36l-4 34q34 20 34 52t-24 40H76q-24-8-24-40t34-52Z",
  cushion: "M40 46q60-14 120 0q14 56 0 112q-60 14-120 0q-14-56 0-112Z",
  bottle: "M86 24h28v20q18 10 18 30v82q0 8-8 8H76q-8 0-8-8V74q0-20 18-30Z",
  headphones: "M36 120a64 64 0 1 1 128 0v30h-26v-40h12a50 50 0 0 0-100 0h12v40H36Z",
};

function drawShape(brush: Brush, category: string): string {
  const outline = OUTLINES[category];
  if (outline === undefined) throw new Error(`Cannot draw category "${category}": no family draws it`);
  return shadow(brush, { y: 162, width: 130 }) + brush.body(outline);
}

export function drawProduct(subject: Subject): string {
  const brush = createBrush(subject);
  const parts = backdrop(brush) + drawShape(brush, subject.category);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 200" width="400" height="400"><defs>${brush.definitions()}</defs>${parts}</svg>`;
}
