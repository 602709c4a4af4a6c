/** The rules of a catalogue on the admin page: try, list, draft, publish, history. The draft stays in this tab until it is published or thrown away. */
import { warningsOn } from "../../../rules/check.ts";
import type { Rule } from "../../../rules/document.ts";
import type { RulesChange } from "../../../rules/history.ts";
import { describeAction, type MovingRule } from "../../../rules/why.ts";
import { ask, Failure } from "../ask.ts";
import { button, h, table } from "../draw.ts";
import { area, drawCard, select } from "./card.ts";
import { changesOf, freeId, put, rebase, type Rules, without } from "./draft.ts";
import { createTry, type Index } from "./try.ts";
import { didInWords, moment } from "./words.ts";

interface Catalogs {
  readonly catalogs: readonly { readonly name: string; readonly indexes: readonly Index[] }[];
  readonly isLive: boolean;
  readonly canWrite: boolean;
}

interface State {
  readonly version: string;
  readonly text: string | null;
  readonly history: readonly RulesChange[] | { readonly problem: string };
}

type Today =
  | { readonly rows: readonly { readonly rule: string; readonly reason: string; readonly n: number }[] }
  | { readonly problem: string };

const NO_RULES = '{"format":1,"rules":[]}';
/** Cards that are drawn at once. */
const MOST_CARDS = 50;
/** Versions that are read to learn since when a rule is as it is. */
const MOST_VERSIONS = 20;
const NAME = "armmt-name";

const textOf = (rules: Rules): string => JSON.stringify({ format: 1, rules }, undefined, 2);
const sum = (counts: readonly number[]): number => counts.reduce((all, n) => all + n, 0);

/** Of a document that cannot be read nothing is listed; the history still leads back. */
function baseOf({ text }: State): Rules {
  try {
    return rulesIn(text ?? NO_RULES);
  } catch {
    return [];
  }
}

type Loose = Readonly<Record<string, unknown>>;

/** Ids of items are text in the page, as they are at the edge. Throws where the text is no document. */
function rulesIn(text: string): Rules {
  const { rules }: { rules?: unknown } = Object(JSON.parse(text));
  if (!Array.isArray(rules)) throw new Error("No list of rules");
  return rules.map((rule) => ({ ...rule, action: idsAsText(Object(rule.action)) }));
}

function idsAsText(of: Loose): Loose {
  const { items, ids, match } = of;
  return {
    ...of,
    ...(Array.isArray(items) && { items: items.map((item: Loose) => ({ ...item, id: String(item["id"]) })) }),
    ...(Array.isArray(ids) && { ids: ids.map(String) }),
    ...(Array.isArray(match) && { match: match.map(idsAsText) }),
  };
}

export async function viewRules(wanted?: string): Promise<HTMLElement> {
  const { catalogs, isLive, canWrite } = await ask<Catalogs>("rules");
  const first = catalogs.find(({ name }) => name === wanted) ?? catalogs[0];
  const root = h("section", {}, h("h2", {}, "Rules"));
  if (first === undefined) return root;
  const place = h("div");
  const chosen = select(
    catalogs.map(({ name }) => name),
    first.name,
  );
  const open = async (name: string): Promise<void> => {
    const indexes = catalogs.find((one) => one.name === name)?.indexes ?? [];
    place.replaceChildren(h("p", { role: "status" }, "Reading …"));
    place.replaceChildren(
      await viewCatalog(name, indexes, canWrite).catch((error: unknown) => h("p", { class: "bad", role: "alert" }, String(error))),
    );
  };
  chosen.addEventListener("change", () => void open(chosen.value));
  if (catalogs.length > 1) root.append(h("label", {}, "Catalogue ", chosen));
  if (!isLive) root.append(h("p", { class: "bad" }, "This edge follows no rules: set LIVE_RULES = true."));
  else if (!canWrite) root.append(h("p", {}, "This edge cannot write: copy the draft from below into a file, and publish it with ", h("code", {}, "npx armmt rules publish draft.json"), ".")); // prettier-ignore
  root.append(place);
  await open(first.name);
  return root;
}

async function viewCatalog(catalog: string, indexes: readonly Index[], canWrite: boolean): Promise<HTMLElement> {
  const path = `rules/${catalog}`;
  const kept = `armmt-draft ${catalog}`;
  let state = await ask<State>(path);
  let base = baseOf(state);
  /** Drafts before the one of now. */
  let steps: Rules[] = [];
  let draft: Rules = base;
  let opened: string | undefined;
  let most = MOST_CARDS;
  let did: ReadonlyMap<string, Map<string, number>> | undefined;
  let searches = 0;
  const since = new Map<string, RulesChange | undefined>();

  const status = h("p", { role: "status", class: "strong stick" });
  const say = (text: string): void => void (status.textContent = text);
  const name = area(sessionStorage.getItem(NAME) ?? "", false);
  name.maxLength = 100;
  name.required = true;
  name.autocomplete = "name";
  name.addEventListener("input", () => sessionStorage.setItem(NAME, name.value.trim()));
  const filter = area("", false);
  filter.setAttribute("type", "search");
  filter.addEventListener("input", () => drawList());
  const note = area("", false);
  note.maxLength = 500;
  const count = h("h3");
  const head = h(
    "p",
    { class: "row" },
    button("New rule", () => add({ id: "", action: { do: "pin", items: [] } }, "new-rule")),
    h("label", {}, "Find ", filter),
  );
  const [list, panel, history] = [h("div"), h("div"), h("section")];

  function keep(): void {
    try {
      if (draft === base) sessionStorage.removeItem(kept);
      else sessionStorage.setItem(kept, JSON.stringify({ version: state.version, base, draft }));
    } catch {
      // A large draft lives in the page alone.
    }
  }

  function edit(next: Rules, said: string): void {
    steps.push(draft);
    draft = changesOf(base, next).length === 0 ? base : next;
    redraw(said);
  }

  function redraw(said: string): void {
    keep();
    drawList();
    drawPanel();
    tryOut.again();
    say(said);
  }

  const tryOut = createTry({
    catalog,
    indexes,
    live: () => textOf(base),
    draft: () => textOf(draft),
    rules: () => draft,
    edit,
    owner: () => name.value.trim(),
    describe: (id, isDraft) =>
      movingRule(
        (isDraft ? draft : base).find((rule) => rule.id === id),
        id,
      ),
  });

  function movingRule(rule: Rule | undefined, id: string): MovingRule {
    const isAsLive = JSON.stringify(rule) === JSON.stringify(base.find((one) => one.id === id));
    const last = isAsLive ? since.get(id) : undefined;
    return {
      id,
      does: rule === undefined ? null : describeAction(rule.action),
      name: rule?.name ?? null,
      note: rule?.note ?? null,
      owner: rule?.owner ?? null,
      by: last?.by ?? null,
      since: last?.at ?? (isAsLive ? null : "this draft"),
      until: rule?.when?.until ?? null,
    };
  }

  function drawList(): void {
    const words = filter.value.trim().toLowerCase();
    const marks = new Map(changesOf(base, draft).map(({ id, how }) => [id, how]));
    const found = draft.filter((rule) => words === "" || JSON.stringify(rule).toLowerCase().includes(words));
    const cards = found.slice(0, most).map((rule) => {
      const { id } = rule;
      const change = since.get(id);
      const about = {
        mark: marks.get(id),
        did: did === undefined || marks.get(id) === "new" ? undefined : didInWords(did.get(id)),
        since: marks.has(id) || change === undefined ? undefined : `as it is since ${moment(change.at)} by ${change.by}`,
      };
      return drawCard(rule, about, id === opened, {
        change: (next) => {
          opened = undefined;
          edit(
            next === undefined ? without(draft, id) : put(draft, next, id),
            `Rule ${id} is ${next === undefined ? "taken out of" : "changed in"} the draft.`,
          );
          (next === undefined
            ? filter
            : [...list.querySelectorAll<HTMLElement>("[data-rule]")]
                .find((card) => card.dataset["rule"] === next.id)
                ?.querySelector("summary")
          )?.focus();
        },
        copy: () => add({ ...rule, enabled: false }, `${id}-copy`),
        check: async (one) => (await ask<{ problems: readonly string[] }>(`${path}/check`, { text: textOf([one]) })).problems,
      });
    });
    count.textContent = `${draft.length} rules`;
    const more = button(`Show ${found.length - most} more`, () => {
      most *= 10;
      drawList();
    });
    list.replaceChildren(...cards, ...(found.length > most ? [more] : []));
  }

  function add(rule: Rule, wish: string): void {
    const id = freeId(draft, wish);
    opened = id;
    filter.value = id;
    edit([...draft, { ...rule, id }], `Rule ${id} is in the draft.`);
    list.querySelector<HTMLElement>("form input, form textarea")?.focus();
  }

  function warnings(): readonly string[] {
    const ids = new Set(draft.filter(({ enabled }) => enabled !== false).map(({ id }) => id));
    const idle = searches === 0 ? [] : base.filter(({ id }) => ids.has(id) && did?.get(id) === undefined).map(({ id }) => `Rule ${id}: matched none of the ${searches} searches of the last 24 hours`); // prettier-ignore
    try {
      return [...warningsOn({ rules: draft }, Date.now()), ...idle];
    } catch {
      // A form may hold what no rule is: the edge says so when it checks.
      return idle;
    }
  }

  function drawPanel(): void {
    const changes = changesOf(base, draft);
    const found = warnings();
    const json = area(textOf(draft), true);
    json.readOnly = true;
    const publish = h("button", {}, "Publish");
    const form = h(
      "form",
      { class: "card open" },
      h("h3", {}, "Draft"),
      changes.length === 0
        ? h("p", { class: "dim" }, "As live: nothing to publish.")
        : h("ul", {}, ...changes.map(({ id, how }) => h("li", {}, `${id}: ${how}`))),
      found.length > 0 &&
        h(
          "details",
          { open: "" },
          h("summary", {}, `${found.length} warnings`),
          h("ul", {}, ...found.slice(0, 50).map((text) => h("li", {}, text))),
        ),
      steps.length > 0 && button("Undo the last step", () => { draft = steps.pop() ?? base; redraw("The last step is undone."); }), // prettier-ignore
      " ",
      changes.length > 0 && button("Throw the draft away", () => edit(base, "The draft is as live again; undo brings it back.")),
      h("label", {}, "Your name, for the history ", name),
      h("label", {}, "What for ", note),
      h("p", {}, publish),
      changes.length > 0 && h("details", {}, h("summary", {}, "The draft as JSON"), json),
    );
    if (changes.length === 0 || !canWrite) publish.setAttribute("disabled", "");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void send(
        path,
        { text: textOf(draft), ...(note.value.trim() !== "" && { note: note.value.trim() }) },
        "The draft is live: edges follow within a minute.",
      );
    });
    const focused = [name, note].find((input) => input === document.activeElement);
    panel.replaceChildren(form);
    focused?.focus();
  }

  /** Publishes or rolls back, as from the version that this page began with. */
  async function send(to: string, body: object, said: string): Promise<void> {
    if (name.value.trim() === "") {
      say("Say who you are: the history names who publishes.");
      name.focus();
      return;
    }
    say("Publishing …");
    try {
      await ask(to, { ...body, by: name.value.trim(), expect: state.version });
      steps = [];
      note.value = "";
      await reread(() => base);
      redraw(said);
    } catch (error) {
      if (error instanceof Failure && error.status === 409) return conflict(error);
      say(`Not published: ${error instanceof Error ? error.message : String(error)}. The draft is still here.`);
    }
  }

  async function reread(next: () => Rules): Promise<void> {
    state = await ask<State>(path);
    base = baseOf(state);
    draft = next();
    drawHistory();
    await findSince();
  }

  function conflict({ message, answer }: Failure): void {
    const last = answer["last"] as RulesChange | undefined; // oxlint-disable-line no-unsafe-type-assertion
    const who = last === undefined ? message : `${last.by} published at ${moment(last.at)}`;
    say(`Not published: ${who}, after you began. Your draft is still here.`);
    const mine = { base, draft };
    const merge = button("Put my changes on top of theirs", () => {
      void (async () => {
        let both: readonly string[] = [];
        await reread(() => {
          const merged = rebase(mine.base, mine.draft, base);
          ({ both } = merged);
          return changesOf(base, merged.rules).length === 0 ? base : merged.rules;
        });
        steps = [];
        redraw(
          both.length === 0
            ? "Your changes stand on top of theirs: look, then publish."
            : `Both of you changed ${both.join(", ")}: the draft has your rules. Look, then publish.`,
        );
      })().catch((error: unknown) => say(String(error)));
    });
    status.append(" ", merge);
    merge.focus();
  }

  function drawHistory(): void {
    const changes = state.history;
    if ("problem" in changes) return history.replaceChildren(h("h3", {}, "History"), h("p", { class: "bad" }, changes.problem));
    const lost = changes.at(-1)?.version !== state.version && changes.length > 0;
    history.replaceChildren(
      h("h3", {}, "History"),
      ...(lost
        ? [h("p", { class: "bad" }, "The last change of this list is not live: it failed half way, or KV does not show it here yet.")]
        : []),
      table(
        "Who changed what, newest first",
        ["When", "Who", "How", "Version", "What for"],
        changes.toReversed().map(({ at, by, from, version, note: why = "" }) => [moment(at), by, from, version === state.version ? `${version} (live)` : version, why]), // prettier-ignore
      ),
      h(
        "p",
        {},
        ...[...new Set(changes.toReversed().map(({ version }) => version))].flatMap(
          (version) =>
          version === state.version || !canWrite ? [] : [button("Go back to", () => void send(`${path}/rollback`, { to: version }, `Version ${version} is live again: edges follow within a minute.`), `Go back to ${version}`), ` ${version} `], // prettier-ignore
        ),
      ),
    );
  }

  /** The change since which each live rule is as it is now: versions are read backwards until all are known. */
  async function findSince(): Promise<void> {
    since.clear();
    const changes = "problem" in state.history ? [] : state.history;
    let open: Rules = base;
    for (let i = changes.findLastIndex(({ version }) => version === state.version); i >= 0 && open.length > 0; i--) {
      const change = changes[i]!;
      for (const { id } of open) since.set(id, change);
      if (change.before === null || changes.length - i > MOST_VERSIONS) break;
      const before = await ask<{ text: string }>(`${path}/${change.before}`).then(
        ({ text }) => rulesIn(text),
        (): Rules => [],
      ); // oxlint-disable-line no-await-in-loop
      const known = new Map(before.map((rule) => [rule.id, JSON.stringify(rule)]));
      open = open.filter((rule) => known.get(rule.id) === JSON.stringify(rule));
    }
  }

  async function readToday(): Promise<void> {
    const today = await ask<Today>(`${path}/today`);
    if ("problem" in today) return say(`What the rules did is not known: ${today.problem}.`);
    const rows = Map.groupBy(today.rows, ({ rule }) => rule);
    searches = sum((rows.get("") ?? []).map(({ n }) => n));
    did = new Map([...rows].map(([rule, own]): [string, Map<string, number>] => [rule, new Map(own.map(({ reason, n }) => [reason, n]))]));
  }

  const stored = sessionStorage.getItem(kept);
  if (stored !== null) {
    const found: { version: string; base: Rules; draft: Rules } = JSON.parse(stored);
    if (found.version === state.version) draft = found.draft;
    else {
      const { rules, both } = rebase(found.base, found.draft, base);
      draft = rules;
      say(
        `Others have published since: your draft stands on top of theirs${both.length === 0 ? "" : `; both changed ${both.join(", ")}`}.`,
      );
    }
  }
  if (state.version !== "none" && base.length === 0)
    say(`The live document (${state.version}) holds no rules, or cannot be read: edges follow none. The history leads back.`);
  drawList();
  drawPanel();
  drawHistory();
  void Promise.all([findSince(), readToday()])
    .catch((error: unknown) => say(String(error)))
    .then(() => {
      if (!list.contains(document.activeElement) && !panel.contains(document.activeElement)) {
        drawList();
        drawPanel();
      }
    });
  return h("div", {}, status, tryOut.element, panel, count, head, list, history);
}
