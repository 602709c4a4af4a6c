/** Patterns of names. */

/** `*` stands for any text, `one` for any one character. */
export function matches(pattern: string, text: string, one?: string): boolean {
  let [at, from, star, mark] = [0, 0, -1, 0];
  while (from < text.length) {
    if (pattern[at] === "*") [star, mark] = [at++, from];
    else if (at < pattern.length && (pattern[at] === text[from] || pattern[at] === one)) [at, from] = [at + 1, from + 1];
    else if (star >= 0) [at, from] = [star + 1, ++mark];
    else return false;
  }
  while (pattern[at] === "*") at++;
  return at === pattern.length;
}
