/** Work that goes on after a reply (waitUntil), remembered, so that a server that stops can wait for it. */
export interface AfterWork {
  add(work: Promise<unknown>): void;
  /** How much is going on. */
  readonly size: number;
  /** Resolves when nothing is going on, also nothing that was added meanwhile. */
  settled(): Promise<void>;
}

/** `log` gets a line for work that fails: nobody else would hear of it. */
export function createAfterWork(log: (entry: Readonly<Record<string, unknown>>) => void): AfterWork {
  const running = new Set<Promise<void>>();
  return {
    get size() {
      return running.size;
    },
    add(work) {
      const watched = work
        .then(
          () => undefined,
          (cause: unknown) => log({ level: "error", event: "after_reply_failed", detail: String(cause) }),
        )
        .finally(() => running.delete(watched));
      running.add(watched);
    },
    async settled() {
      while (running.size > 0) await Promise.all(running); // oxlint-disable-line no-await-in-loop
    },
  };
}
