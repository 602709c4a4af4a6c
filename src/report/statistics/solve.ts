/** A few linear equations: Gaussian elimination with partial pivoting. `undefined` where they have no single solution. */
export function solve(matrix: readonly (readonly number[])[], right: readonly number[]): readonly number[] | undefined {
  const n = right.length;
  const rows = matrix.map((row, i) => [...row, right[i]!]);
  for (let column = 0; column < n; column++) {
    let pivot = column;
    for (let i = column + 1; i < n; i++) if (Math.abs(rows[i]![column]!) > Math.abs(rows[pivot]![column]!)) pivot = i;
    const top = rows[pivot]!;
    if (!(Math.abs(top[column]!) > 0)) return undefined;
    [rows[pivot], rows[column]] = [rows[column]!, top];
    for (let i = column + 1; i < n; i++) {
      const factor = rows[i]![column]! / top[column]!;
      for (let j = column; j <= n; j++) rows[i]![j]! -= factor * top[j]!;
    }
  }
  const solution = Array.from({ length: n }, () => 0);
  for (let i = n - 1; i >= 0; i--) {
    const known = solution.reduce((sum, value, j) => (j > i ? sum + rows[i]![j]! * value : sum), 0);
    solution[i] = (rows[i]![n]! - known) / rows[i]![i]!;
  }
  return solution;
}
