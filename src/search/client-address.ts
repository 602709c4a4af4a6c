/**
 * The address of a client: for the rate limit, and for engines that are to know it. Only the runtime knows it, or a proxy of the shop in front
 * of the edge; what a client says of itself is not asked.
 */

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;

/** IPv4 as IPv6 writes it, where a socket takes both. */
const MAPPED = /^::ffff:(?=\d+\.)/i;

/** Some proxies add the port. */
const WITH_PORT = /^(?:\[([^\]]+)\]|(\d+\.\d+\.\d+\.\d+))(?::\d+)?$/;

/** Some systems add the network interface. */
const INTERFACE = /%.*$/;

/** An IPv4 or IPv6 address in its usual form; `undefined` for everything else. */
export function readAddress(text: string): string | undefined {
  const written = text.trim();
  if (IPV4.test(written)) return written;
  const [, six, four] = WITH_PORT.exec(written) ?? [];
  const plain = (six ?? four ?? written).replace(INTERFACE, "").replace(MAPPED, "");
  if (IPV4.test(plain)) return plain;
  const url = `http://[${plain}]/`;
  return /^[\da-f:.]{2,45}$/i.test(plain) && URL.canParse(url) ? new URL(url).hostname.slice(1, -1) : undefined;
}

/** The last address of a list: the one that the proxy next to the edge wrote. Those before it come from others, the client among them. */
export function lastAddress(list: string): string | undefined {
  return readAddress(list.slice(list.lastIndexOf(",") + 1));
}
