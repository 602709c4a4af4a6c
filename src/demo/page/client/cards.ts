/** A column of product cards. Cards are kept by id when the list changes, so that they can glide and keep the focus. */
import type { Product } from "./api.ts";
import { button, element, flip } from "./dom.ts";

export interface Card {
  readonly product: Product;
  /** 1-based, in this column. */
  readonly position: number;
  /** In the re-ranked column: 1-based rank in the engine's order, where known. */
  readonly rank?: number | undefined;
  /** In the engine's column: the re-ranked position, short enough for a badge (`4`, `25+`). */
  readonly movedTo?: string | undefined;
  /** Why it stands there: a part of what the model reads, and how many places it lifts the product, or lowers it. */
  readonly why?: readonly Reason[] | undefined;
}

interface Reason {
  readonly part: string;
  readonly places: number;
}

/** From the engine's rank to the shown position, both 1-based: a sign (▲3, ▼1 or =), and words for a screen reader. */
export function movement(rank: number, position: number) {
  const distance = Math.abs(rank - position);
  const count = `${distance} ${distance === 1 ? "position" : "positions"}`;
  if (rank > position) return { kind: "up", mark: `▲${distance}`, words: `up ${count}` };
  if (rank < position) return { kind: "down", mark: `▼${distance}`, words: `down ${count}` };
  return { kind: "same", mark: "=", words: "not moved" };
}

const money = new Intl.NumberFormat("en", { style: "currency", currency: "EUR" });
const compact = new Intl.NumberFormat("en", { notation: "compact" });

const span = (name: string, ...children: (Node | string | undefined)[]) => element("span", { class: name }, ...children);

/** Returns a function that replaces the cards of the column. */
export function createColumn(list: HTMLOListElement, onChoose: (product: Product) => void): (cards: readonly Card[]) => void {
  const items = new Map<string, HTMLLIElement>();

  const itemFor = (card: Card): HTMLLIElement => {
    const item = items.get(card.product.id) ?? element("li", { "data-id": card.product.id });
    items.set(card.product.id, item);
    const choice = item.querySelector("button") ?? item.appendChild(createButton(card.product, onChoose));
    choice.setAttribute("aria-label", describe(card));
    choice.querySelector(".card__badges")?.replaceChildren(...badges(card));
    choice.querySelector(".card__why")?.replaceChildren(...reasons(card.why));
    return item;
  };

  return (cards) => {
    const focused = document.activeElement;
    flip(list, () => {
      const kept = new Set(cards.map((card) => card.product.id));
      for (const id of items.keys()) if (!kept.has(id)) items.delete(id);
      list.replaceChildren(...cards.map(itemFor));
    });
    // Moving an element takes the focus from it.
    if (focused instanceof HTMLElement && focused !== document.activeElement && list.contains(focused))
      focused.focus({ preventScroll: true });
  };
}

function createButton(product: Product, onChoose: (product: Product) => void): HTMLButtonElement {
  return button(
    { class: "card" },
    () => onChoose(product),
    span(
      "card__picture",
      product.image === "" ? undefined : element("img", { src: product.image, alt: "", loading: "lazy", decoding: "async" }),
      span("card__badges"),
      product.in_stock === false ? span("card__stock", "Sold out") : undefined,
    ),
    span("card__text", span("card__title", product.title), facts(product)),
    span("card__why"),
  );
}

/** In this order, because a narrow card has no room for the last ones. */
function facts({ price, rating, rating_count: ratings, category }: Product): HTMLElement {
  return span(
    "card__facts",
    price === undefined ? undefined : span("card__price", money.format(price)),
    price === undefined && category !== undefined ? element("span", {}, category) : undefined,
    rating === undefined ? undefined : element("span", {}, `★ ${rating.toFixed(1)}`),
    rating === undefined || ratings === undefined ? undefined : span("card__ratings", `(${compact.format(ratings)})`),
  );
}

function badges({ position, rank, movedTo }: Card): HTMLElement[] {
  const badge = span("position", String(position));
  if (rank === undefined) return movedTo === undefined ? [badge] : [badge, span("move move--to", `→ ${movedTo}`)];
  const { kind, mark } = movement(rank, position);
  return [badge, span(`move move--${kind}`, mark)];
}

/** What each part is called on a card; a part without a name here is called as it is. */
const PART_NAMES: Readonly<Record<string, string>> = { taste: "your taste" };

const nameOf = (part: string): string => PART_NAMES[part] ?? part;

function reasons(why: readonly Reason[] | undefined): HTMLElement[] {
  return (why ?? []).map(({ part, places }) => {
    const { kind, mark } = movement(places, 0);
    return span("why", `${nameOf(part)} `, span(`move--${kind}`, mark));
  });
}

/** For a screen reader. */
function describe({ product, position, rank, movedTo, why }: Card): string {
  const parts = [
    product.title,
    product.price === undefined ? undefined : money.format(product.price),
    product.rating === undefined ? undefined : `rated ${product.rating.toFixed(1)} of 5`,
    product.in_stock === false ? "sold out" : undefined,
    `position ${position}`,
    rank === undefined ? undefined : `${movement(rank, position).words} from ${rank}`,
    movedTo === undefined ? undefined : `re-ranked to ${movedTo}`,
    ...(why ?? []).map(({ part, places }) => `${movement(places, 0).words} for ${nameOf(part)}`),
    "add to recently viewed",
  ];
  return parts.filter((part) => part !== undefined).join(", ");
}

/** Marks the same product in the other column while a card is pointed at or focused. */
export function markCounterparts(columns: HTMLElement): void {
  const unmark = (): void => {
    for (const item of columns.querySelectorAll(".is-counterpart")) item.classList.remove("is-counterpart");
  };
  const mark = (event: Event): void => {
    unmark();
    const item = event.target instanceof Element ? event.target.closest<HTMLElement>("li[data-id]") : undefined;
    const id = item?.dataset["id"];
    if (id === undefined) return;
    for (const same of columns.querySelectorAll(`li[data-id="${CSS.escape(id)}"]`)) {
      if (same !== item) same.classList.add("is-counterpart");
    }
  };
  for (const type of ["pointerover", "focusin"]) columns.addEventListener(type, mark);
  for (const type of ["pointerout", "focusout"]) columns.addEventListener(type, unmark);
}
