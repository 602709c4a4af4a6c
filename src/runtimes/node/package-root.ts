/** Where the files of this package are. The user's project is another folder: the current one. */
import { fileURLToPath } from "node:url";

/** The folder with package.json and `model/`: the checkout, or `node_modules/armmt-edge`. */
export const PACKAGE_ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/** Sources run as they are; an installed package has them compiled, in a folder that belongs to npm. */
export const IS_CHECKOUT = import.meta.url.endsWith(".ts");

/** Path of a module of this package, named as below `src` (`runtimes/browser/sw.ts`): the source in the checkout, else the compiled file in `dist`. */
export function modulePath(source: string): string {
  const name = IS_CHECKOUT ? source : source.replace(/\.ts$/, ".js");
  return fileURLToPath(new URL(`../../${name}`, import.meta.url));
}
