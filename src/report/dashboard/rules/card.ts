/** One rule of the list: what it is and did, and the form that edits it. Problems stand beside the field that has them. */
import type { Rule } from "../../../rules/document.ts";
import { button, h } from "../draw.ts";
import { EMPTY, type Field, FIELDS, isLines, KINDS, shown, written } from "./fields.ts";
import { stateOf } from "./draft.ts";
import { inWords, STATES, whenInWords } from "./words.ts";

export interface CardActions {
  /** Puts the rule in the place of the one that was drawn, or takes it out. */
  readonly change: (rule: Rule | undefined) => void;
  readonly copy: () => void;
  /** Why the edge would not take this rule. */
  readonly check: (rule: Rule) => Promise<readonly string[]>;
}

interface About {
  /** "changed", "new". */
  readonly mark: string | undefined;
  readonly did: string | undefined;
  readonly since: string | undefined;
}

type Loose = Readonly<Record<string, unknown>>;

export function drawCard(rule: Rule, { mark, did, since }: About, isOpen: boolean, actions: CardActions): HTMLElement {
  const state = stateOf(rule, Date.now());
  const { id, name, note, owner, action } = rule;
  const off = state === "off";
  const card = h(
    "article",
    { class: `card ${state === "live" ? "" : "open"}`, "data-rule": id },
    h(
      "h3",
      {},
      name ?? id,
      " ",
      h("span", { class: "tag" }, STATES[state]),
      mark !== undefined && h("span", { class: "tag strong" }, mark),
    ),
    h("p", {}, h("b", {}, action.do), ` ${inWords("action", action)}`),
    h("p", {}, "When: ", whenInWords(rule, Date.now())),
    note !== undefined && h("p", { class: "lines" }, note),
    h("p", { class: "dim" }, `${id}${owner === undefined ? "" : ` · owner ${owner}`}${since === undefined ? "" : ` · ${since}`}`),
    did !== undefined && h("p", { class: "dim" }, `Last 24 hours: ${did}`),
    h(
      "p",
      {},
      button(off ? "Turn on" : "Turn off", () => actions.change(turned(rule, off)), `${off ? "Turn on" : "Turn off"} ${id}`),
      " ",
      button("Copy", actions.copy, `Copy ${id}`),
      " ",
      button("Take out", () => actions.change(undefined), `Take out ${id}`),
    ),
  );
  const form = h("details", {}, h("summary", {}, `Edit ${id}`));
  const open = (): void => void (form.childElementCount === 1 && form.append(drawForm(rule, actions)));
  form.addEventListener("toggle", open);
  if (isOpen) {
    form.setAttribute("open", "");
    open();
  }
  card.append(form);
  return card;
}

function turned(rule: Rule, on: boolean): Rule {
  const { enabled: _, ...rest } = rule;
  return on ? rest : { ...rule, enabled: false };
}

/** With the member at the path; without it where the value is `undefined`. */
function withMember(rule: Loose, [first, second]: Field["path"], value: unknown): Loose {
  const own = second === undefined ? value : withMember(Object(rule[first]), [second], value);
  const { [first]: _, ...rest } = rule;
  if (own === undefined || (first === "when" && Object.keys(Object(own)).length === 0)) return rest;
  return { ...rule, [first]: own };
}

const memberOf = (rule: Loose, [first, second]: Field["path"]): unknown =>
  second === undefined ? rule[first] : Object(rule[first])[second];

let forms = 0;

function drawForm(drawn: Rule, { change, check }: CardActions): HTMLElement {
  let rule: Loose = { ...drawn };
  const form = h("form", { class: "form" });
  const notes = new Map<string, HTMLElement>();
  const rest = h("p", { class: "bad lines", role: "status" });
  const prefix = `f${++forms}`;
  let asked = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function show(): Promise<void> {
    const mine = ++asked;
    const problems = await check(rule as unknown as Rule).catch((cause: unknown) => [String(cause)]); // oxlint-disable-line no-unsafe-type-assertion
    if (mine !== asked) return;
    const left = new Set(problems);
    for (const [path, note] of notes) {
      const own = problems.filter((problem) => isAt(problem, path));
      for (const problem of own) left.delete(problem);
      note.textContent = own.join("\n");
      form.querySelector(`#${note.id.slice(0, -1)}`)?.setAttribute("aria-invalid", String(own.length > 0));
    }
    rest.textContent = [...left].join("\n");
  }
  const set = (next: Loose): void => {
    rule = next;
    clearTimeout(timer);
    timer = setTimeout(() => void show(), 300);
    json.value = JSON.stringify(rule, undefined, 2);
  };

  const labelled = (label: string, control: HTMLElement, path: string, hint?: string): HTMLElement => {
    const id = `${prefix}-${path.replaceAll(".", "-")}`;
    control.id = id;
    control.setAttribute("aria-describedby", `${id}_`);
    const note = h("span", { id: `${id}_`, class: "bad lines" });
    notes.set(path, note);
    return h("p", {}, h("label", { for: id }, label), control, hint !== undefined && h("small", { class: "dim" }, hint), note);
  };
  const drawField = ({ path, label, control, hint }: Field): HTMLElement => {
    const value = memberOf(rule, path);
    if (control === "flag") {
      const box = h("input", { type: "checkbox", ...(value === true && { checked: "" }) });
      box.addEventListener("change", () => set(withMember(rule, path, (box as HTMLInputElement).checked || undefined))); // oxlint-disable-line no-unsafe-type-assertion
      return labelled(label, box, path.join("."), hint);
    }
    const text = shown(control, value);
    const choices = Array.isArray(control) ? ["", ...control] : undefined;
    const input =
      choices !== undefined
        ? select(choices, text)
        : area(text, control === "area" || isLines(control), control === "number" ? "decimal" : undefined);
    input.addEventListener("input", () => set(withMember(rule, path, written(control, input.value))));
    return labelled(label, input, path.join("."), hint);
  };

  const json = area(JSON.stringify(rule, undefined, 2), true);
  json.addEventListener("input", () => {
    try {
      set(Object(JSON.parse(json.value)));
    } catch {
      rest.textContent = "This is not JSON";
    }
  });
  const kind = select(KINDS, drawn.action.do);
  kind.addEventListener("change", () => {
    const next = KINDS.find((one) => one === kind.value) ?? "pin";
    set({ ...rule, action: { do: next, ...EMPTY[next] } });
    fill();
  });
  const fields = h("div");
  const fill = (): void =>
    fields.replaceChildren(...FIELDS.filter(({ of }) => of === undefined || of.some((one) => one === kind.value)).map(drawField));
  fill();
  form.append(
    h("p", {}, h("label", {}, "What it does ", kind)),
    fields,
    h("details", {}, h("summary", {}, "As JSON"), labelled("The rule, with what the form does not show", json, "")),
    rest,
    h("button", {}, "Put into the draft"),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    change(rule as unknown as Rule); // oxlint-disable-line no-unsafe-type-assertion
  });
  void show();
  return form;
}

/** Problems begin with the rule, and say where in it: "Rule pin: action.items.0.id is …". */
function isAt(problem: string, path: string): boolean {
  return path !== "" && problem.split(": ").some((part) => part === path || part.startsWith(`${path}.`) || part.startsWith(`${path} `));
}

export function area(text: string, isLong: boolean, mode?: string): HTMLInputElement | HTMLTextAreaElement {
  const input = isLong ? document.createElement("textarea") : document.createElement("input");
  input.value = text;
  input.spellcheck = false;
  if (mode !== undefined) input.inputMode = mode;
  if (input instanceof HTMLTextAreaElement) input.rows = Math.min(12, Math.max(2, text.split("\n").length));
  return input;
}

export function select(values: readonly string[], chosen: string): HTMLSelectElement {
  const list = document.createElement("select");
  list.append(...values.map((value) => h("option", { value, ...(value === chosen && { selected: "" }) }, value || "as usual")));
  return list;
}
