/**
 * A column of product cards. Cards are kept by id when the list changes, so that they can glide and keep the focus.
 */
import { element } from "./dom.ts";
import { flip } from "./flip.ts";
import { movement } from "./movement.ts";
import type { Product } from "./reply.ts";

export interface Card {
  readonly product: Product;
  /** 1-based place in this column. */
  readonly position: number;
  /** In the re-ranked column: 1-based place in the engine's order, where known. */
  readonly rank?: number | undefined;
  /** In the engine's column: where the edge put it, in words short enough for a badge (`4`, `25+`). */
  readonly movedTo?: string | undefined;
  /** How much the model leaned on the picture, 0..1; the rest is text. */
  readonly pictureWeight?: number | undefined;
}

export interface Column {
  /** Replaces the cards. */
  show(cards: readonly Card[]): void;
}

const money = new Intl.NumberFormat("en", { style: "currency", currency: "EUR" });
const count = new Intl.NumberFormat("en", { notation: "compact" });

export function createColumn(list: HTMLOListElement, onChoose: (product: Product) => void): Column {
  const items = new Map<string, HTMLLIElement>();

  const itemFor = (card: Card): HTMLLIElement => {
    const item = items.get(card.product.id) ?? element("li", { "data-id": card.product.id });
    items.set(card.product.id, item);
    const button = item.querySelector("button") ?? item.appendChild(createButton(card.product, onChoose));
    button.setAttribute("aria-label", describe(card));
    button.querySelector(".card__badges")?.replaceChildren(...badges(card));
    button.querySelector(".card__weight")?.replaceChildren(...weight(card.pictureWeight));
    return item;
  };

  return {
    show: (cards) => {
      const focused = document.activeElement;
      flip(list, () => {
        const kept = new Set(cards.map((card) => card.product.id));
        for (const id of items.keys()) if (!kept.has(id)) items.delete(id);
        list.replaceChildren(...cards.map(itemFor));
      });
      // Moving an element takes the focus from it.
      if (focused instanceof HTMLElement && focused !== document.activeElement && list.contains(focused))
        focused.focus({ preventScroll: true });
    },
  };
}

function createButton(product: Product, onChoose: (product: Product) => void): HTMLButtonElement {
  const button = element(
    "button",
    { type: "button", class: "card" },
    element(
      "span",
      { class: "card__picture" },
      product.image === "" ? undefined : element("img", { src: product.image, alt: "", loading: "lazy", decoding: "async" }),
      element("span", { class: "card__badges" }),
      product.in_stock === false ? element("span", { class: "card__stock" }, "Sold out") : undefined,
    ),
    element("span", { class: "card__text" }, element("span", { class: "card__title" }, product.title), facts(product)),
    element("span", { class: "card__weight" }),
  );
  button.addEventListener("click", () => onChoose(product));
  return button;
}

/** In this order, because a narrow card has no room for the last ones. */
function facts({ price, rating, rating_count: ratings, category }: Product): HTMLElement {
  return element(
    "span",
    { class: "card__facts" },
    price === undefined ? undefined : element("span", { class: "card__price" }, money.format(price)),
    price === undefined && category !== undefined ? element("span", {}, category) : undefined,
    rating === undefined ? undefined : element("span", {}, `★ ${rating.toFixed(1)}`),
    rating === undefined || ratings === undefined ? undefined : element("span", { class: "card__ratings" }, `(${count.format(ratings)})`),
  );
}

function badges({ position, rank, movedTo }: Card): HTMLElement[] {
  const place = element("span", { class: "place" }, String(position));
  if (rank !== undefined) {
    const { kind, mark } = movement(rank, position);
    return [place, element("span", { class: `move move--${kind}` }, mark)];
  }
  if (movedTo !== undefined) return [place, element("span", { class: "move move--to" }, `→ ${movedTo}`)];
  return [place];
}

function weight(pictureWeight: number | undefined): HTMLElement[] {
  if (pictureWeight === undefined) return [];
  const picture = Math.round(pictureWeight * 100);
  return [
    element("span", { class: "weight__bar", style: `--image: ${picture}%` }),
    element("span", { class: "weight__text" }, `text ${100 - picture}`),
    element("span", { class: "weight__image" }, `picture ${picture}`),
  ];
}

function describe({ product, position, rank, movedTo, pictureWeight }: Card): string {
  const parts = [
    product.title,
    product.price === undefined ? undefined : money.format(product.price),
    product.rating === undefined ? undefined : `rated ${product.rating.toFixed(1)} of 5`,
    product.in_stock === false ? "sold out" : undefined,
    `position ${position}`,
    rank === undefined ? undefined : `${movement(rank, position).words} from ${rank}`,
    movedTo === undefined ? undefined : `re-ranked to ${movedTo}`,
    pictureWeight === undefined ? undefined : `picture weight ${Math.round(pictureWeight * 100)} percent`,
    "add to recently viewed",
  ];
  return parts.filter((part) => part !== undefined).join(", ");
}
