/** The demo shop's Worker. It stands for any shop behind the edge and does not know about re-ranking. */
import { createShopHandler } from "./shop.ts";

export default { fetch: createShopHandler() };
