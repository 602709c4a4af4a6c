/** One search with the live rules and with the draft, side by side: by the edge's own code, hits drawn with their pictures, moved by buttons or by hand. */
import { usualSearch } from "../../../backends/usual-searches.ts";
import type { When } from "../../../rules/document.ts";
import { describeWhy, type Explained, type MovingRule, whyOf } from "../../../rules/why.ts";
import { ask, Failure } from "../ask.ts";
import { button, type Child, h } from "../draw.ts";
import { area, select } from "./card.ts";
import { act, doneTo, hiddenBy, pin, release, type Rules, whenOf } from "./draft.ts";
import { hitsOf, type ShownHit } from "./reply.ts";

export interface Index {
  readonly name: string;
  readonly backend: string;
}

export interface TryDeps {
  readonly catalog: string;
  readonly indexes: readonly Index[];
  /** As text, for the edge. */
  live(): string;
  draft(): string;
  rules(): Rules;
  /** Another draft, and what is said of it. */
  edit(rules: Rules, said: string): void;
  owner(): string;
  /** What is known of a rule of either side. */
  describe(id: string, isDraft: boolean): MovingRule;
}

const PLACE = "{query}";
const HITS = 20;

interface Reply {
  readonly armmt: Explained | readonly Explained[];
}

interface Side {
  readonly explained: Explained;
  readonly hits: readonly (ShownHit | undefined)[];
}

interface Tried {
  readonly query: string;
  readonly index: string;
  readonly when: When;
  readonly live: Side;
  readonly draft: Side;
}

/** A search of the application's kind; of some engines only the shop knows it. */
function templateOf({ name, backend }: Index): string {
  const usual = usualSearch(backend)?.(encodeURIComponent(name), PLACE, HITS);
  return JSON.stringify(usual === undefined ? { path: `/${PLACE}` } : { path: usual.path, body: usual.json });
}

export function createTry(deps: TryDeps) {
  const templates = new Map(deps.indexes.map((index) => [index.name, templateOf(index)]));
  const query = area("", false);
  const index = select(templates.size === 0 ? [] : [...templates.keys()], deps.indexes[0]?.name ?? "");
  const template = area(templates.get(index.value) ?? "", true);
  const at = area("", false);
  at.setAttribute("type", "datetime-local");
  index.addEventListener("change", () => void (template.value = templates.get(index.value) ?? ""));
  template.addEventListener("input", () => void templates.set(index.value, template.value));
  const lists = h("div", { class: "two" });
  const status = h("p", { role: "status" });
  const say = (text: string): void => void (status.textContent = text);
  const form = h(
    "form",
    {},
    h(
      "p",
      { class: "row" },
      h("label", {}, "Search words ", query),
      deps.indexes.length > 1 && h("label", {}, "Index ", index),
      h("button", {}, "Try"),
    ),
    h(
      "details",
      {},
      h("summary", {}, "How your application searches, and when"),
      h("label", {}, `As JSON: path, body, headers; ${PLACE} for the words`, template),
      h("label", {}, "As at (your own time; empty: now)", at),
    ),
  );
  const wantedId = area("", false);
  const wanted = area("1", false, "numeric");
  const byId = h(
    "form",
    { class: "row" },
    h("label", {}, "An item that is not here: its id ", wantedId),
    h("label", {}, "Position ", wanted),
    h("button", {}, "Pin"),
  );
  byId.addEventListener("submit", (event) => {
    event.preventDefault();
    const position = Number(wanted.value);
    if (wantedId.value.trim() !== "" && position >= 1) pinTo(wantedId.value.trim(), Math.round(position));
  });
  byId.hidden = true;
  let tried: Tried | undefined;
  let number = 0;

  async function side(text: string): Promise<Side> {
    const { path, body, headers }: { path?: string; body?: unknown; headers?: object } = Object(JSON.parse(template.value));
    const words = query.value;
    const sent =
      body === undefined ? undefined : put(typeof body === "string" ? body : JSON.stringify(body), JSON.stringify(words).slice(1, -1));
    const reply = await ask<Reply>(`rules/${deps.catalog}/try`, {
      text,
      search: {
        path: put(String(path), encodeURIComponent(words)),
        body: sent,
        headers: { ...(sent !== undefined && { "content-type": "application/json" }), ...headers },
      },
      ...(at.value !== "" && { at: Date.parse(at.value) }),
    });
    const [explained] = [reply.armmt].flat();
    if (explained === undefined) throw new Error("The reply has no explanation: is this a search that the edge re-ranks?");
    return {
      explained,
      hits: hitsOf(
        reply,
        explained.items.map(({ id }) => id),
      ),
    };
  }

  async function run(): Promise<void> {
    const mine = ++number;
    try {
      const [live, draft] = await Promise.all([side(deps.live()), side(deps.draft())]);
      if (mine !== number) return;
      const when = whenOf(query.value, deps.indexes.length > 1 ? index.value : undefined);
      tried = { query: query.value, index: index.value, when, live, draft };
      draw();
      const before = live.explained.items.map(({ id }) => id);
      const moved = draft.explained.items.filter(({ id }, i) => before[i] !== id).length;
      say(
        `${draft.explained.items.length} hits for "${query.value}": the draft changes ${moved === 0 ? "nothing" : `${moved} positions`}.`,
      );
    } catch (error) {
      if (mine !== number) return;
      say(error instanceof Failure ? `The search cannot be tried: ${error.message}` : String(error));
    }
  }

  function draw(): void {
    if (tried === undefined) return;
    const { activeElement } = document;
    const key = activeElement instanceof HTMLElement ? activeElement.dataset["key"] : undefined;
    const { when } = tried;
    byId.hidden = false;
    const hidden = hiddenBy(deps.rules(), when);
    lists.replaceChildren(
      column("With the live rules", tried.live, false),
      column("With the draft", tried.draft, true),
      h(
        "p",
        { class: "wide" },
        ...hidden.flatMap((id): Child[] => [
          h("s", {}, id),
          " ",
          button("Show again", () => change(id, "is no longer hidden", release(deps.rules(), when, id)), `Show ${id} again`),
          " ",
        ]),
      ),
    );
    if (key !== undefined) [...lists.querySelectorAll<HTMLElement>("[data-key]")].find((one) => one.dataset["key"] === key)?.focus();
  }

  const change = (id: string, how: string, rules: Rules): void => deps.edit(rules, `In the draft ${id} ${how}.`);

  function pinTo(id: string, position: number): void {
    if (tried !== undefined) change(id, `is pinned to position ${position}`, pin(deps.rules(), tried.when, id, position, deps.owner()));
  }

  function column(title: string, { explained, hits }: Side, isDraft: boolean): HTMLElement {
    const other = new Map(tried?.live.explained.items.map(({ id, position }) => [id, position]));
    return h(
      "section",
      { "aria-label": title },
      h("h4", {}, title),
      explained.items.length === 0
        ? h("p", { class: "dim" }, "No hits.")
        : h("ol", { class: "hits" }, ...explained.items.map((item, i) => drawHit(item, hits[i], explained, isDraft, other.get(item.id)))),
    );
  }

  function drawHit(
    item: Explained["items"][number],
    hit: ShownHit | undefined,
    explained: Explained,
    isDraft: boolean,
    before: number | undefined,
  ): HTMLElement {
    const { id, position } = item;
    const places = before === undefined ? undefined : before - position;
    const badge = !isDraft || places === 0 ? "" : places === undefined ? "new here" : `${places > 0 ? "▲" : "▼"} ${Math.abs(places)}`;
    const row = h(
      "li",
      { "data-position": position, "data-id": id },
      picture(hit),
      h(
        "div",
        {},
        h("b", {}, `${position}. `),
        hit?.title ?? id,
        " ",
        badge !== "" && h("span", { class: "tag" }, badge),
        h("div", { class: "dim" }, id),
      ),
    );
    if (isDraft) row.append(controls(id, position, explained.items.length, row));
    const why = h("details", {}, h("summary", {}, "Why here", h("span", { class: "hush" }, ` ${id}`)));
    why.addEventListener("toggle", () => {
      if (why.childElementCount === 1) why.append(h("p", { class: "lines" }, wordsOf(item, explained, isDraft)));
    });
    row.append(why);
    return row;
  }

  function wordsOf({ id, rules = [] }: Explained["items"][number], explained: Explained, isDraft: boolean): string {
    const moving = rules.map((rule) => deps.describe(rule, isDraft));
    return describeWhy(whyOf(explained, { query: tried?.query ?? "", index: tried?.index ?? "", id }, moving));
  }

  function controls(id: string, position: number, count: number, row: HTMLElement): HTMLElement {
    const when = tried?.when ?? {};
    const own = doneTo(deps.rules(), when, id);
    const keyed = (text: string, label: string, onClick: () => void, isOff = false): HTMLElement => {
      const made = button(text, onClick, `${label} ${id}`);
      made.dataset["key"] = `${id} ${label}`;
      made.disabled = isOff;
      return made;
    };
    const kind = (what: "hide" | "boost" | "bury", label: string, said: string): HTMLElement =>
      keyed(label, label, () => change(id, said, act(deps.rules(), what, when, id, deps.owner())), own.includes(what));
    const grip = h("span", { class: "grip", title: "Drag to pin", "aria-hidden": "true" }, "⠿");
    grip.addEventListener("pointerdown", (event) => drag(event, id, row));
    return h(
      "div",
      { class: "acts" },
      grip,
      keyed("↑", "Move up", () => pinTo(id, position - 1), position <= 1),
      keyed("↓", "Move down", () => pinTo(id, position + 1), position >= count),
      keyed("Pin here", "Pin here", () => pinTo(id, position), own.includes("pin")),
      kind("boost", "Boost", "is boosted by 5 places"),
      kind("bury", "Bury", "is buried by 5 places"),
      kind("hide", "Hide", "is hidden"),
      own.length > 0 && keyed("Undo", "Let go of", () => change(id, "is let go", release(deps.rules(), when, id))),
    );
  }

  /** By mouse, pen or finger: the hit comes to the position over which it is let go. */
  function drag(event: PointerEvent, id: string, row: HTMLElement): void {
    event.preventDefault();
    const grip = event.currentTarget;
    if (!(grip instanceof HTMLElement)) return;
    let over: HTMLElement | undefined;
    row.classList.add("held");
    grip.setPointerCapture(event.pointerId);
    const move = ({ clientX, clientY }: PointerEvent): void => {
      const found = document.elementsFromPoint(clientX, clientY).find((one): one is HTMLElement => one instanceof HTMLElement && one.dataset["position"] !== undefined && one.parentElement === row.parentElement); // prettier-ignore
      over?.classList.remove("over");
      over = found ?? over;
      over?.classList.add("over");
      // So that a long list can be dragged through.
      if (clientY < 60) scrollBy(0, -12);
      else if (clientY > innerHeight - 60) scrollBy(0, 12);
    };
    const end = (isDropped: boolean) => (): void => {
      grip.removeEventListener("pointermove", move);
      row.classList.remove("held");
      over?.classList.remove("over");
      if (isDropped && over !== undefined && over !== row) pinTo(id, Number(over.dataset["position"]));
    };
    grip.addEventListener("pointermove", move);
    grip.addEventListener("pointerup", end(true), { once: true });
    grip.addEventListener("pointercancel", end(false), { once: true });
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void run();
  });
  return {
    element: h("section", {}, h("h3", {}, "Try a search"), form, status, lists, byId),
    /** After each change the lists are computed again, not patched. */
    again(): void {
      if (tried === undefined) return;
      draw();
      void run();
    },
  };
}

const put = (text: string, word: string): string => text.replaceAll(PLACE, () => word).replaceAll(encodeURIComponent(PLACE), () => word);

function picture(hit: ShownHit | undefined): Node {
  const none = h("span", { class: "pic", "aria-hidden": "true" }, (hit?.title ?? "?").slice(0, 1));
  if (hit?.picture === undefined) return none;
  // Pages are below /armmt/, the shop's own pictures below what is above.
  const made = h("img", { class: "pic", src: new URL(hit.picture, new URL("..", location.href)).href, alt: "", loading: "lazy", referrerpolicy: "no-referrer", width: 56, height: 56, draggable: "false" }); // prettier-ignore
  made.addEventListener("error", () => made.replaceWith(none));
  return made;
}
