/** Graceful shutdown on SIGINT, SIGTERM and SIGHUP, and when npm, the parent, is killed. */
export const STOP_SIGNALS: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];

const TIMEOUT_MS = 5_000;
const ORPHAN_CHECK_MS = 500;

/**
 * On the first signal calls `stop`, then ends the process with 0, or with the process.exitCode that `stop` has set. A second signal ends it
 * with 1, and so does a `stop` that takes longer than `timeoutMs`. Never resolves.
 */
export function runUntilStopped(
  stop: () => Promise<unknown>,
  timeoutMs: number = TIMEOUT_MS,
  end: (code: number) => void = (code) => process.exit(code),
): Promise<never> {
  let isStopping = false;
  const onSignal = (): void => {
    if (isStopping) return end(1);
    isStopping = true;
    setTimeout(() => end(1), timeoutMs);
    void stop().finally(() => end(Number(process.exitCode ?? 0)));
    return undefined;
  };
  for (const signal of STOP_SIGNALS) process.on(signal, onSignal);
  if (process.env["npm_lifecycle_event"] !== undefined) stopWithNpm(onSignal);
  return new Promise(() => undefined);
}

/** A killed npm kills its shell, which sends no signal: this process only gets another parent. */
function stopWithNpm(stop: () => void): void {
  const parent = process.ppid;
  const check = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(check);
    stop();
  }, ORPHAN_CHECK_MS);
}
