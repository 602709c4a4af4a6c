/** Items that are on sale in the test only. */
import { shareOf } from "../../../cli/lists/split.ts";

/** Items of the "newcomers": never shown in training or validation, on sale in the test. */
const COLD_SHARE = 0.1;

export const isCold = (itemId: string): boolean => shareOf(`item:${itemId}`) < COLD_SHARE;
