/** The order in which Solr writes parameters: that of Java's HashMap. */

/** `isCopied`: into a table that is made for as many names; else it has grown with them. Without names of the same place, which follow their insertion. */
export function hashOrder(names: readonly string[], isCopied: boolean): string[] {
  let size = 16;
  const isFull = (): boolean => (isCopied ? names.length / 0.75 + 1 > size : names.length > size * 0.75);
  if (isCopied) size = 2;
  while (isFull()) size *= 2;
  return names.toSorted((a, b) => (hashOf(a) & (size - 1)) - (hashOf(b) & (size - 1)));
}

function hashOf(name: string): number {
  let hash = 0;
  for (let at = 0; at < name.length; at++) hash = (Math.imul(31, hash) + name.charCodeAt(at)) | 0;
  return hash ^ (hash >>> 16);
}
