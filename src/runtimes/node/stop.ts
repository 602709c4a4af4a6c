/**
 * Ctrl-C and its kin, once the Workers run. Before that nothing needs an orderly end: the libraries kill their own children.
 */
const SIGNALS: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];
const PATIENCE_MS = 5_000;
const ORPHAN_CHECK_MS = 500;

/**
 * On the first signal calls `stop`, then ends the process with 0, or what `stop` put into process.exitCode; a second signal, or a `stop`
 * that hangs for `patienceMs`, ends it with 1. Never resolves.
 */
export function runUntilStopped(stop: () => Promise<unknown>, patienceMs: number = PATIENCE_MS): Promise<never> {
  let isStopping = false;
  const onSignal = (): void => {
    if (isStopping) process.exit(1);
    isStopping = true;
    setTimeout(() => process.exit(1), patienceMs);
    void stop().finally(() => process.exit(process.exitCode ?? 0));
  };
  for (const signal of SIGNALS) {
    process.removeAllListeners(signal); // miniflare's would end the process in the middle of `stop`, with an error code
    process.on(signal, onSignal);
  }
  stopWithNpm(onSignal);
  return new Promise(() => undefined);
}

/** npm that is killed kills its shell, but the shell tells us nothing: we only get another parent. */
function stopWithNpm(stop: () => void): void {
  if (process.env["npm_lifecycle_event"] === undefined) return; // started by hand: whoever did it may well leave
  const parent = process.ppid;
  const check = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(check);
    stop();
  }, ORPHAN_CHECK_MS);
}
