/** Why a server does not start, in words for whoever starts it: each problem names the value and the fix. */
export class StartError extends Error {
  override readonly name = "StartError";
  readonly problems: readonly string[];
  /** 2: flags or configuration are wrong. 1: something that they need is not there. */
  readonly exitCode: 1 | 2;

  constructor(problems: readonly string[], exitCode: 1 | 2, options?: ErrorOptions) {
    super(problems.join("\n"), options);
    this.problems = problems;
    this.exitCode = exitCode;
  }
}
