/**
 * Reads the flags of `armmt start`; a wrong one is told with its value and what is expected.
 */
import type { FieldOptions } from "../catalog/fields.ts";
import { InvalidArgumentError } from "commander";

export interface StartFlags extends FieldOptions {
  readonly catalog: string;
  readonly port: number;
  readonly shopPort: number;
  readonly imageEncoder: string;
  readonly pictureAspect?: number;
  readonly skipUnreadable?: true;
  readonly rebuild?: true;
  /** Folder for everything that is computed and stored locally; default .armmt in the project. */
  readonly home?: string;
  readonly json?: true;
}

/** A port, 1..65535. */
export function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < 1 || port > 65_535)
    throw new InvalidArgumentError(`"${text}" is no port; give a number from 1 to 65535.`);
  return port;
}

/** `3:4` → 0.75 */
export function parseAspect(text: string): number {
  const [, width, height] = /^(\d+(?:\.\d+)?):(\d+(?:\.\d+)?)$/.exec(text) ?? [];
  const aspect = Number(width) / Number(height);
  if (!(aspect >= 0.1 && aspect <= 10)) throw new InvalidArgumentError(`"${text}" is no aspect; give width:height, such as 3:4.`);
  return aspect;
}
