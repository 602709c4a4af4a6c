/**
 * The oracle. It knows what a client without an edge gets from the same engine for the same request with the same fault, and the promises:
 * unless a search is re-ranked the shopper gets just that, byte for byte.
 */
import { OUTCOME_HEADER, parseOutcomes } from "../../src/protocol.ts";
import { isBypassReason } from "../../src/result.ts";
import type { EngineStandIn } from "../search/dialects/stand-in.ts";
import { plainBody, type Received } from "./client.ts";

export const PROMISES = {
  answer: "the engine's own status and bytes, or 502 or 504 where it has given none",
  order: "a permutation of the engine's window: nothing lost, nothing doubled, everything else as it was",
  reason: "an outcome or a known reason in x-armmt; never 500",
  time: "an end within the time limit, and no more bytes than the engine sent or 96 MB",
} as const;

export type Promised = keyof typeof PROMISES;

export interface Violation {
  readonly promise: Promised;
  readonly detail: string;
}

export interface Case {
  readonly standIn: Pick<EngineStandIn, "read">;
  /** Without an edge. */
  readonly alone: Received;
  /** Through the edge. */
  readonly served: Received;
  /** Whole replies of the engine to other requests than the shopper's own. */
  readonly wide: readonly Buffer[];
  readonly maxMs: number;
  /** The edge may refuse although there was an answer. */
  readonly mayRefuse: boolean;
  /** A bug is injected: it is named as one. */
  readonly isBug?: boolean;
  /** The window is of another moment than the shopper's own request: an unchanged page is cut from it. */
  readonly isOtherWindow?: boolean;
}

const MAX_BYTES = 96_000_000;

const REFUSALS: ReadonlySet<string> = new Set(["engine_unreachable", "engine_timeout"]);

export function judge(one: Case): Violation[] {
  const { served, alone } = one;
  const violations: Violation[] = [];
  const violate = (promise: Promised, detail: string): void => void violations.push({ promise, detail });
  const came = served.kind === "whole" ? served.body.length : served.length;
  const sent = alone.kind === "whole" ? alone.body.length : alone.length;
  if (came > Math.max(sent, MAX_BYTES)) violate("time", `${came} bytes, of ${sent} that the engine sent`);
  if (served.ms > one.maxMs) violate("time", `${Math.round(served.ms)} ms of at most ${one.maxMs}`);
  if (served.kind === "late") {
    violate("time", `No end after ${Math.round(served.ms)} ms`);
    return violations;
  }
  if (served.kind === "broken") {
    // What is streamed on can only break off as the engine did, or at a limit.
    if (alone.kind === "whole" && sent < 1_000_000) violate("answer", `The connection broke: ${served.cause}`);
    else if (came === 0) violate("answer", `The connection broke without a reply: ${served.cause}`);
    return violations;
  }
  const outcomes = parseOutcomes(served.headers[OUTCOME_HEADER] ?? "");
  const reasons = outcomes.map((outcome) =>
    outcome === undefined ? "unreadable" : outcome.kind === "applied" ? "applied" : outcome.reason,
  );
  if (served.status === 500 && !(alone.kind === "whole" && alone.status === 500)) violate("reason", "status 500");
  if (outcomes.length === 0) violate("reason", `x-armmt is ${JSON.stringify(served.headers[OUTCOME_HEADER])}`);
  const unknown = reasons.find(
    (reason) => reason !== "applied" && (!isBypassReason(reason) || (reason === "internal_error" && one.isBug !== true)),
  );
  if (unknown !== undefined) violate("reason", unknown);
  const isRefusal = reasons.every((reason) => REFUSALS.has(reason)) && (served.status === 502 || served.status === 504);
  if (isRefusal) {
    if (alone.kind === "whole" && !one.mayRefuse && isStatus(alone.status))
      violate("answer", `${served.status} ${reasons[0]}, the engine answers ${alone.status}`);
    return violations;
  }
  if (alone.kind !== "whole") {
    violate(
      "answer",
      `${served.status} ${reasons.join(", ")}: ${came} bytes as a whole reply, the engine's was ${alone.kind} after ${sent}`,
    );
    return violations;
  }
  if (served.status !== alone.status) violate("answer", `status ${served.status}, the engine's is ${alone.status} (${reasons.join(", ")})`);
  else if (reasons.includes("applied")) judgeOrder(one, served, alone, violate);
  else if (!isSameBody(served, alone) && !isCutFromWindow(one, served))
    violate("answer", `${came} other bytes than the engine's ${sent} (${reasons.join(", ")})`);
  return violations;
}

const isStatus = (status: number): boolean => status >= 200 && status <= 599;

type Whole = Extract<Received, { kind: "whole" }>;

const plainOf = ({ headers, body }: Whole): Buffer | undefined => plainBody(headers["content-encoding"], body);

/** The engine's bytes as it sent them, or unpacked; bytes that are packed are named so. */
function isSameBody(served: Whole, alone: Whole): boolean {
  const isNamedAlike = (served.headers["content-encoding"] ?? "identity") === (alone.headers["content-encoding"] ?? "identity");
  if (isNamedAlike && served.body.equals(alone.body)) return true;
  const plain = plainOf(alone);
  if (plain !== undefined) return plainOf(served)?.equals(plain) === true;
  // Named as packed in a way that it is not: its text is an answer all the same.
  return served.headers["content-encoding"] === undefined && served.body.equals(alone.body) && isText(alone.body);
}

function isCutFromWindow({ standIn, wide, isOtherWindow }: Case, served: Whole): boolean {
  const window = wide.at(-1);
  if (isOtherWindow !== true || window === undefined) return false;
  const [shown, all] = [served.body, window].map((body) => standIn.read(JSON.parse(body.toString("utf8")))[0]?.ids ?? []);
  return shown!.length > 0 && shown!.every((id, i) => all![i] === id);
}

function isText(body: Buffer): boolean {
  return Buffer.from(body.toString("utf8"), "utf8").equals(body);
}

function judgeOrder({ standIn, wide }: Case, served: Whole, alone: Whole, violate: (promise: Promised, detail: string) => void): void {
  const own = plainOf(alone) ?? alone.body;
  const read = (body: Buffer) => standIn.read(JSON.parse(body.toString("utf8").replace("\u{feff}", "")));
  try {
    const shown = read(plainOf(served) ?? served.body);
    const expected = read(own);
    const windows = wide.map(read);
    if (shown.length !== expected.length) return violate("order", `${shown.length} searches of ${expected.length}`);
    shown.forEach(({ ids }, i) => {
      const { ids: ownIds } = expected[i]!;
      // The last window that was asked for, else the reply to the shopper's own request.
      const known = new Set(windows.at(-1)?.[i]?.ids ?? ownIds);
      const strangers = ids.filter((id) => !known.has(id));
      if (strangers.length > 0) violate("order", `${strangers.length} hits are not in the window`);
      if (new Set(ids).size !== ids.length) violate("order", "a hit is shown twice");
      if (ids.length !== ownIds.length) violate("order", `${ids.length} hits, the engine's own page has ${ownIds.length}`);
    });
    if (windows.length === 0 && JSON.stringify(shown.map(({ rest }) => rest)) !== JSON.stringify(expected.map(({ rest }) => rest))) {
      violate("order", "something besides the hits has changed");
    }
  } catch (cause) {
    violate("order", `The re-ranked reply cannot be read: ${String(cause)}`);
  }
}
