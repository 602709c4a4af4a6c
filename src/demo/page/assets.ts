/**
 * What the shop's Worker itself answers where the page should be.
 *
 * The page is static files (HTML, CSS, and TypeScript that `npm start` bundles); Workers Static Assets serves them before the Worker is
 * asked. Only a shop that was started without them gets here, and is told how to start.
 */
export interface PageAsset {
  readonly type: string;
  readonly body: string;
}

/** By URL path. */
export const pageAssets: Readonly<Record<string, PageAsset>> = {
  "/": {
    type: "text/plain; charset=utf-8",
    body: "This shop runs without its page. `npm start` starts it with the page, behind the edge Worker.\n",
  },
};
