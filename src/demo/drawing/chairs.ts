/** Chairs. Those of wood and metal have a frame of it and a printed seat; the others are upholstered. */
import { standing } from "./backdrop.ts";
import type { Brush } from "./brush.ts";
import type { Draw, Family } from "./family.ts";
import { band, emblem } from "./motif.ts";
import { box, curve, ellipse, type Point, polygon } from "./outline.ts";
import { colourOf, darken, lighten } from "./palette.ts";

interface Frame {
  readonly colour: string;
  readonly material: "wood" | "metal";
  /** The frame is the dyed part; otherwise it is plain wood or metal. */
  readonly dyed: boolean;
}

function frameOf(brush: Brush): Frame {
  const { material, style } = brush.look;
  if (material === "wood" || material === "metal") return { colour: brush.main, material, dyed: true };
  if (style === "elegant") return { colour: colourOf("gold"), material: "metal", dyed: false };
  if (style === "minimal") return { colour: "#34363c", material: "metal", dyed: false };
  return { colour: brush.random.pick(["#8a5d3a", "#6b4429", "#c49a69"]), material: "wood", dyed: false };
}

/** A straight leg from top to floor. */
function leg(brush: Brush, { colour, material }: Frame, [x1, y1]: Point, [x2, y2]: Point): string {
  const w = material === "wood" ? 4.2 : 2.8;
  return brush.part(
    polygon([
      [x1 - w, y1],
      [x1 + w, y1],
      [x2 + w * 0.6, y2],
      [x2 - w * 0.6, y2],
    ]),
    colour,
    material,
  );
}

const upholstery = (brush: Brush) => (brush.look.material === "wood" || brush.look.material === "metal" ? "cotton" : brush.look.material);

const dining: Draw = (brush) => {
  const { random } = brush;
  const frame = frameOf(brush);
  const w = random.between(34, 42);
  const top = random.between(22, 34);
  const backs = [
    () => brush.body(box(100 - w, top, 2 * w, 66, random.pick([10, 26])), upholstery(brush)),
    () =>
      brush.part(box(100 - w, top, 2 * w, 16, 7), frame.colour, frame.material) +
      [-0.6, -0.2, 0.2, 0.6].map((k) => brush.part(box(100 + k * w - 3, top + 14, 6, 62), frame.colour, frame.material)).join(""),
    () =>
      brush.part(box(100 - w, top, 2 * w, 20, 8), frame.colour, frame.material) +
      brush.part(box(100 - w, top + 32, 2 * w, 16, 6), frame.colour, frame.material),
  ];
  const slatted = frame.dyed ? random.pick(backs) : backs[0]!;
  const seat = polygon([
    [100 - w - 2, 98],
    [100 + w + 2, 98],
    [100 + w + 9, 116],
    [100 - w - 9, 116],
  ]);
  return (
    standing(brush, 176, 2 * w + 30) +
    leg(brush, frame, [100 - w + 2, 60], [100 - w + 2, 168]) +
    leg(brush, frame, [100 + w - 2, 60], [100 + w - 2, 168]) +
    slatted() +
    band(brush, box(100 - w, top, 2 * w, 66, 10), { x: 100, y: top + 6, size: 9 }) +
    leg(brush, frame, [100 - w - 3, 116], [100 - w - 6, 178]) +
    leg(brush, frame, [100 + w + 3, 116], [100 + w + 6, 178]) +
    brush.body(seat, upholstery(brush)) +
    brush.part(
      box(100 - w - 9, 115, 2 * w + 18, 8, 3),
      darken(frame.dyed ? frame.colour : brush.main, 0.15),
      frame.dyed ? frame.material : upholstery(brush),
    )
  );
};

const armchair: Draw = (brush) => {
  const { random } = brush;
  const frame = frameOf(brush);
  const fabric = upholstery(brush);
  const top = random.between(34, 48);
  const r = random.pick([12, 30, 46]);
  const arm = (x: number) => brush.body(box(x, 88, 26, 66, random.pick([8, 13])), fabric);
  const back = box(48, top, 104, 100, r);
  return (
    standing(brush, 174, 132) +
    leg(brush, frame, [54, 150], [46, 176]) +
    leg(brush, frame, [146, 150], [154, 176]) +
    brush.body(back, fabric) +
    band(brush, back, { x: 100, y: top + 14, size: 10 }) +
    brush.part(box(52, 126, 96, 28, 8), darken(brush.main, 0.22), fabric) +
    brush.body(box(56, 106, 88, 26, 11), fabric) +
    arm(34) +
    arm(140) +
    (brush.look.style === "playful" ? emblem(brush, { x: 100, y: top + 42, size: 15 }) : "")
  );
};

const stool: Draw = (brush) => {
  const { random } = brush;
  const frame = frameOf(brush);
  const w = random.between(34, 44);
  const y = random.between(62, 84);
  const seat = box(100 - w, y, 2 * w, 20, random.pick([9, 5]));
  return (
    standing(brush, 177, 2 * w + 26) +
    leg(brush, frame, [100 - w * 0.5, y + 14], [100 - w * 0.66, 170]) +
    leg(brush, frame, [100 + w * 0.5, y + 14], [100 + w * 0.66, 170]) +
    brush.line(`M${100 - w * 0.84} 142H${100 + w * 0.84}`, { colour: darken(frame.colour, 0.2), width: 5 }) +
    leg(brush, frame, [100 - w * 0.72, y + 14], [100 - w - 4, 179]) +
    leg(brush, frame, [100 + w * 0.72, y + 14], [100 + w + 4, 179]) +
    brush.body(seat, upholstery(brush)) +
    band(brush, seat, { x: 100, y: y + 10, size: 8 }) +
    brush.body(ellipse(100, y + 2, w, 9), upholstery(brush))
  );
};

const rocking: Draw = (brush) => {
  const frame = frameOf(brush);
  const { colour, material } = frame;
  const tube = (d: string, width: number) =>
    brush.line(d, { colour: darken(colour, 0.5), width: width + 1.6 }) +
    brush.line(d, { colour, width }) +
    brush.line(d, { colour: lighten(colour, 0.5), width: width * 0.25, opacity: 0.6 });
  const w = material === "wood" ? 7.5 : 5.5;
  const lean = brush.random.between(0, 10);
  const back = polygon([
    [58 - lean, 34],
    [74 - lean, 30],
    [92, 110],
    [74, 114],
  ]);
  const seat = polygon([
    [72, 104],
    [142, 96],
    [146, 112],
    [76, 120],
  ]);
  return (
    standing(brush, 177, 140) +
    tube(
      curve([
        [28, 158],
        [60, 172],
        [104, 176],
        [146, 170],
        [178, 152],
      ]),
      w,
    ) +
    tube("M82 116L66 170", w) +
    tube("M136 110L146 168", w) +
    brush.body(back, upholstery(brush)) +
    band(brush, back, { x: 70, y: 46, size: 10 }) +
    brush.body(seat, upholstery(brush)) +
    tube(`M${70 - lean * 0.5} 76Q100 82 138 80L138 104`, w)
  );
};

export const CHAIRS: Family<"dining chair" | "armchair" | "stool" | "rocking chair"> = {
  "dining chair": dining,
  armchair,
  stool,
  "rocking chair": rocking,
};
