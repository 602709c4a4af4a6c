/**
 * Another flag system instead of our experiments: the value of one text flag is the variant of a unit.
 *
 * The client is OpenFeature's, or anything of its shape (Cloudflare's Flagship binding). A late or wrong answer becomes the default variant
 * outside every experiment, with a line in the log. A flag system that fails again and again is left alone for a while.
 */
import { type Breaker, createBreaker } from "../breaker.ts";
import type { Attributes, VariantChoice } from "../experiment/assign.ts";
import { parseTreatment } from "../experiment/treatment.ts";
import { type Log, withTimeout } from "../web.ts";

/** The part of OpenFeature's `Client` that is used. */
export interface FlagClient {
  /** May reject. */
  getStringValue(flagKey: string, defaultValue: string, context: FlagContext): Promise<string>;
}

type FlagContext = { targetingKey: string } & { [attribute: string]: string | number | boolean };

/** Never rejects. */
export type FlagSource = (attributes: Attributes) => Promise<VariantChoice | undefined>;

/** A shopper waits for it before the engine is even asked. */
const TIMEOUT_MS = 100;

/** `key`: of the flag; the name under which exposures are recorded. */
export function createFlagSource(
  client: FlagClient,
  key: string,
  log: Log,
  breaker: Breaker = createBreaker({ now: () => Date.now() }),
): FlagSource {
  const fail = (detail: string): undefined => {
    log({ level: "warn", event: "flag_failed", flag: key, detail });
  };
  return async (attributes) => {
    const { id, ...others } = attributes;
    if (typeof id !== "string" || id === "") return undefined;
    const known = Object.entries(others).flatMap(([name, value]) => ((value ?? null) === null ? [] : [[name, value] as const]));
    if (!breaker.admits()) return fail("It has failed too often in a row, and is left alone");
    try {
      const answer = client.getStringValue(key, "", { ...Object.fromEntries(known), targetingKey: id });
      const variant = await withTimeout(answer, TIMEOUT_MS, () => undefined);
      if (variant === undefined) {
        breaker.failed();
        return fail(`No answer within ${TIMEOUT_MS} ms`);
      }
      breaker.succeeded();
      // The flag's own default: this unit is in no experiment.
      if (variant === "") return undefined;
      const treatment = parseTreatment(variant);
      return treatment.ok ? { experiment: key, variant, unit: id, bucket: undefined } : fail(treatment.error);
    } catch (cause) {
      breaker.failed();
      return fail(String(cause));
    }
  };
}
