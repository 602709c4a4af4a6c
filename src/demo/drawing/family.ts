/** The shape of a family: one drawing per silhouette of its category. */
import type { Brush } from "./brush.ts";

/** Draws product and shadow, without the backdrop. */
export type Draw = (brush: Brush) => string;

/** By the silhouette's name in the vocabulary. */
export type Family<Name extends string> = Readonly<Record<Name, Draw>>;

/** The names of a category's silhouettes. */
export type NamesOf<Words extends { readonly silhouettes: readonly { readonly name: string }[] }> = Words["silhouettes"][number]["name"];
