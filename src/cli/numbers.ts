/** Numbers on the command line of `plan` and `report`. An error names the expected value. */
import { InvalidArgumentError } from "commander";

function numberThat(isValid: (value: number) => boolean, expected: string): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!isValid(value)) throw new InvalidArgumentError(`Give ${expected}.`);
    return value;
  };
}

/** Between 0 and 1. */
export const share = numberThat((value) => value > 0 && value < 1, "a number between 0 and 1");

/** 0 and 1 included. */
export const partOfOne = numberThat((value) => value >= 0 && value <= 1, "a number from 0 to 1");

/** Above 0, at most 1. */
export const upToOne = numberThat((value) => value > 0 && value <= 1, "a number above 0, at most 1");

export function above(least: number): (text: string) => number {
  return numberThat((value) => value > least && Number.isFinite(value), `a number above ${least}`);
}

export function whole(least: number): (text: string) => number {
  return numberThat((value) => Number.isSafeInteger(value) && value >= least, `a whole number of at least ${least}`);
}

/** A relative change: above -1, not 0. */
export const change = numberThat(
  (value) => value > -1 && value !== 0 && Number.isFinite(value),
  "a relative change such as 0.03 for three percent more",
);
