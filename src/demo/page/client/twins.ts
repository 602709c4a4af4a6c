/**
 * While a card is pointed at or focused, the same product in the other column is marked, so that the eye finds where it went.
 */
export function markTwins(columns: HTMLElement): void {
  const unmark = (): void => {
    for (const twin of columns.querySelectorAll(".is-twin")) twin.classList.remove("is-twin");
  };
  const mark = (event: Event): void => {
    unmark();
    const item = event.target instanceof Element ? event.target.closest<HTMLElement>("li[data-id]") : undefined;
    const id = item?.dataset["id"];
    if (id === undefined) return;
    for (const twin of columns.querySelectorAll(`li[data-id="${CSS.escape(id)}"]`)) if (twin !== item) twin.classList.add("is-twin");
  };
  for (const type of ["pointerover", "focusin"]) columns.addEventListener(type, mark);
  for (const type of ["pointerout", "focusout"]) columns.addEventListener(type, unmark);
}
