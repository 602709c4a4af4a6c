/** Numbers on the command line of `plan` and `report`; a wrong one is told with what is expected. */
import { InvalidArgumentError } from "commander";

/** Between 0 and 1. */
export function share(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value < 1)) throw new InvalidArgumentError("Give a number between 0 and 1.");
  return value;
}

/** Above 0, at most 1. */
export function upToOne(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 1)) throw new InvalidArgumentError("Give a number above 0, at most 1.");
  return value;
}

export function above(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!(value > least) || !Number.isFinite(value)) throw new InvalidArgumentError(`Give a number above ${least}.`);
    return value;
  };
}

export function whole(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!Number.isSafeInteger(value) || value < least) throw new InvalidArgumentError(`Give a whole number of at least ${least}.`);
    return value;
  };
}

/** A relative change: above -1, not 0. */
export function change(text: string): number {
  const value = Number(text);
  if (!(value > -1) || value === 0 || !Number.isFinite(value)) {
    throw new InvalidArgumentError("Give a relative change such as 0.03 for three percent more.");
  }
  return value;
}
