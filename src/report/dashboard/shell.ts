/** What both pages begin with: they ask for the admin token, then for what they show, and forget all of it with the token. */
import { ask, KEY, Refusal } from "./ask.ts";

interface Shown {
  readonly nodes: readonly Node[];
  readonly note: string;
}

const byId = (id: string): HTMLElement => document.querySelector<HTMLElement>(`#${id}`)!;

export function openShell(read: (from: typeof ask) => Promise<Shown>): void {
  const [tools, form, note, main] = [byId("tools"), byId("in"), byId("note"), byId("main")];
  const input = document.querySelector<HTMLInputElement>("#token")!;

  async function open(): Promise<void> {
    note.textContent = "Reading …";
    try {
      const shown = await read(ask);
      main.replaceChildren(...shown.nodes);
      note.textContent = shown.note;
      show(true);
    } catch (error) {
      const isRefused = error instanceof Refusal;
      note.textContent = isRefused ? error.message : `Cannot be read: ${String(error)}`;
      if (isRefused) show(false);
      else tools.hidden = false;
    }
  }

  function show(isOpen: boolean): void {
    tools.hidden = !isOpen;
    form.hidden = isOpen;
    if (isOpen) return;
    sessionStorage.removeItem(KEY);
    main.replaceChildren();
    input.focus();
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    sessionStorage.setItem(KEY, input.value.trim());
    input.value = "";
    void open();
  });
  byId("again").addEventListener("click", () => void open());
  byId("out").addEventListener("click", () => {
    show(false);
    note.textContent = "";
  });
  if (sessionStorage.getItem(KEY) === null) input.focus();
  else void open();
}
