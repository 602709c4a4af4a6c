/** Forms in the charset of old clients, as the form in UTF-8 that says the same. */

const LATIN = /charset=(?:iso-8859-1|latin1)/i;

/** The body itself where it is in UTF-8. In ISO-8859-1 each byte is the character of its number. */
export function formInUtf8(body: Uint8Array, contentType: string | undefined): Uint8Array {
  if (contentType === undefined || !LATIN.test(contentType)) return body;
  let text = "";
  for (const byte of body) text += byte < 0x80 ? String.fromCharCode(byte) : `%${byte.toString(16)}`;
  const escaped = text.replaceAll(/%([89a-f][\da-f])/gi, (_, hex: string) =>
    encodeURIComponent(String.fromCharCode(Number.parseInt(hex, 16))),
  );
  return new TextEncoder().encode(escaped);
}
