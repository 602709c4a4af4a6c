/**
 * FLIP (first, last, invert, play): lets elements glide from where they stood to where a re-render put them.
 *
 * Does nothing where the visitor asked for reduced motion.
 */
const DURATION_MS = 480;
const EASING = "cubic-bezier(.2, .8, .2, 1)";

/** Runs `change`, which may reorder, add and remove the children of `parent`, and animates what moved or came. */
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
      if (before.size > 0)
        child.animate(
          [
            { opacity: 0, scale: 0.96 },
            { opacity: 1, scale: 1 },
          ],
          { duration: DURATION_MS, easing: EASING },
        );
      continue;
    }
    const [dx, dy] = [first.left - last.left, first.top - last.top];
    if ((dx === 0 && dy === 0) || (!isNearScreen(first) && !isNearScreen(last))) continue;
    child.animate([{ translate: `${dx}px ${dy}px` }, { translate: "0 0" }], { duration: DURATION_MS, easing: EASING });
  }
}

function isNearScreen(box: DOMRect): boolean {
  return box.bottom > -innerHeight && box.top < 2 * innerHeight;
}
