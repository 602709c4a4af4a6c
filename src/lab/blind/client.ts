/** The script of the page. It is written into it as text: nothing outside this function exists there. */
export interface PageData {
  readonly lists: readonly { readonly query: string; readonly left: readonly string[]; readonly right: readonly string[] }[];
  /** By product id. */
  readonly products: Readonly<Record<string, { readonly title: string; readonly price: string; readonly picture: string }>>;
  /** Saved beside the choices; encoded, so that no glance at the page's source tells the sides. */
  readonly key: string;
}

export function runPage({ lists, products, key }: PageData): void {
  // oxlint-disable-next-line unicorn/consistent-function-scoping -- nothing outside exists in the page
  const part = (id: string): HTMLElement => {
    const found = document.getElementById(id);
    if (found === null) throw new Error(`The page has no #${id}`);
    return found;
  };
  const choices = new Map<string, string>();
  let at = 0;

  const card = (id: string): HTMLElement => {
    const product = products[id];
    const [item, picture, title, price] = ["li", "img", "span", "span"].map((tag) => document.createElement(tag));
    picture!.setAttribute("src", product?.picture ?? "");
    picture!.setAttribute("alt", "");
    title!.textContent = product?.title ?? id;
    price!.textContent = product?.price ?? "";
    item!.append(picture!, title!, price!);
    return item!;
  };

  const show = (): void => {
    const list = lists[at];
    part("query").textContent = list?.query ?? "All judged";
    part("progress").textContent = `${choices.size} of ${lists.length} judged`;
    part("left").replaceChildren(...(list?.left ?? []).map(card));
    part("right").replaceChildren(...(list?.right ?? []).map(card));
    part("sides").hidden = list === undefined;
    part("save").hidden = list !== undefined;
  };

  document.addEventListener("keydown", (event) => {
    if (event.target instanceof HTMLInputElement || event.ctrlKey || event.metaKey || event.altKey) return;
    const list = lists[at];
    const choice = { ArrowLeft: "left", ArrowRight: "right", " ": "same" }[event.key];
    if (choice !== undefined && list !== undefined) {
      choices.set(list.query, choice);
      at++;
    } else if (event.key === "Backspace" && at > 0) {
      at--;
      choices.delete(lists[at]!.query);
    } else return;
    event.preventDefault();
    show();
  });

  part("save").addEventListener("submit", (event) => {
    event.preventDefault();
    const judge = part("judge");
    const open = JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(key), (letter) => letter.charCodeAt(0))));
    const judgments = { ...open, judge: judge instanceof HTMLInputElement ? judge.value : "", choices: Object.fromEntries(choices) };
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([`${JSON.stringify(judgments, undefined, 2)}\n`], { type: "application/json" }));
    link.download = "judgments.json";
    link.click();
  });

  show();
}
