/** Whom an experiment leaves out: crawlers see pages too, and buy nothing. */
import { isbot } from "isbot";

/** For servers that search for their shoppers: the shopper's own user agent. */
export const USER_AGENT_HEADER = "x-armmt-user-agent";

/**
 * By the user agent that the server passes on, else by the request's own where that is a browser's or says it is: what calls itself
 * anything else is a program of the shop's, with a shopper behind it, and only the shop can tell.
 */
export function isBot(headers: Headers): boolean {
  const given = headers.get(USER_AGENT_HEADER);
  if (given !== null) return isbot(given);
  const own = headers.get("user-agent");
  return own !== null && own.startsWith("Mozilla/") && isbot(own);
}
