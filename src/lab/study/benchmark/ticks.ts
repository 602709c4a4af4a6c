/** Round numbers for the axes of a chart. Pure arithmetic. */

/** Round steps (1, 2 or 5 times a power of ten) that cover low..high in about five, at most eight. */
export function niceTicks(low: number, high: number): number[] {
  const raw = (high - low || Math.abs(high) || 1) / 5;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 5, 10].find((times) => times * power >= 0.7 * raw) ?? 10);
  const first = Math.floor(low / step + 1e-9);
  const last = Math.ceil(high / step - 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/** 1, 2 and 5 times the powers of ten that enclose low..high; only the powers where that is more than a few. */
export function logTicks(low: number, high: number): number[] {
  const first = Math.floor(Math.log10(low));
  const last = Math.ceil(Math.log10(high));
  const powers = Array.from({ length: last - first + 1 }, (_, i) => 10 ** (first + i));
  return last - first > 3 ? powers : powers.flatMap((power, i) => (i === powers.length - 1 ? [power] : [power, 2 * power, 5 * power]));
}

/** 1.5e9 → "1.5 G" */
export function shortNumber(value: number): string {
  const units: readonly (readonly [number, string])[] = [
    [1e12, " T"],
    [1e9, " G"],
    [1e6, " M"],
    [1e3, " k"],
  ];
  const unit = units.find(([size]) => Math.abs(value) >= size);
  return unit === undefined ? String(value) : `${Number((value / unit[0]).toPrecision(3))}${unit[1]}`;
}
