/** Small helpers for the document, in place of a framework. */

/** Throws where the page has no such element of that type. */
export function byId<T extends Element>(id: string, type: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`The page has no ${type.name} #${id}`);
  return found;
}

type Child = Node | string | undefined;

/** Children that are undefined are left out. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children.filter((child) => child !== undefined));
  return node;
}

export function button(
  attributes: Readonly<Record<string, string>>,
  onClick: () => void,
  ...children: readonly Child[]
): HTMLButtonElement {
  const node = element("button", { type: "button", ...attributes }, ...children);
  node.addEventListener("click", onClick);
  return node;
}

/** A row of a definition list. */
export const row = (term: string, value: string): HTMLElement[] => [element("dt", {}, term), element("dd", {}, value)];

export const errorText = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const ANIMATION = { duration: 480, easing: "cubic-bezier(.2, .8, .2, 1)" };

/**
 * FLIP (first, last, invert, play): runs `change`, which may reorder, add and remove the children of `parent`, and lets what moved glide and
 * what came fade in. No animation where the visitor asked for reduced motion.
 */
export function flip(parent: Element, change: () => void): void {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
    change();
    return;
  }
  const before = new Map([...parent.children].map((child) => [child, child.getBoundingClientRect()]));
  change();
  for (const child of parent.children) {
    const last = child.getBoundingClientRect();
    const first = before.get(child);
    if (first === undefined) {
      if (before.size > 0) child.animate({ opacity: [0, 1], scale: [0.96, 1] }, ANIMATION);
      continue;
    }
    const [dx, dy] = [first.left - last.left, first.top - last.top];
    if ((dx === 0 && dy === 0) || (!isNearScreen(first) && !isNearScreen(last))) continue;
    child.animate({ translate: [`${dx}px ${dy}px`, "0 0"] }, ANIMATION);
  }
}

const isNearScreen = (box: DOMRect): boolean => box.bottom > -innerHeight && box.top < 2 * innerHeight;
