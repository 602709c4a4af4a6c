/** Exports of Vega that its own types lack. */
import type { Color } from "vega";

declare module "vega" {
  export class SVGStringRenderer {
    initialize(element: null, width: number, height: number, origin: readonly [x: number, y: number]): this;
    background(colour: Color): this;
    render(root: object): this;
    svg(): string;
  }
  export interface Scene {
    readonly root: object;
  }
  export const textMetrics: { width: (item: { readonly fontSize?: number }, text: unknown) => number };
}
