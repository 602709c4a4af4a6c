/** One HTML page: for each query two lists with their pictures, sides shuffled, and a choice by keyboard. Nothing on it says which is which. */
import { type DrawnProduct, drawnProduct } from "../../demo/catalogue/catalogue.ts";
import { drawPicture } from "../../demo/drawing/picture.ts";
import { type PageData, runPage } from "./client.ts";
import { isSame, type Pairs, sideOf } from "./pairs.ts";
import type { Judgments } from "./verdict.ts";

/** What is judged, before anybody has. */
export type Open = Omit<Judgments, "judge" | "choices">;

export function openJudgments({ pairs, model, set }: Pairs, asked: Pick<Open, "seed" | "of" | "against" | "trust">): Open {
  return { format: 1, ...asked, model, set, identical: pairs.filter(isSame).map(({ text }) => text) };
}

const money = new Intl.NumberFormat("en", { style: "currency", currency: "EUR" });

function shown(product: DrawnProduct) {
  const picture = `data:image/svg+xml;base64,${Buffer.from(drawPicture(product)).toString("base64")}`;
  return { title: product.title, price: money.format(product.price), picture };
}

export function drawPage({ pairs }: Pairs, open: Open): string {
  const different = pairs.filter((pair) => !isSame(pair));
  const ids = new Set(different.flatMap(({ of, against }) => [...of, ...against]));
  const data: PageData = {
    lists: different.map(({ text: query, of, against }) =>
      sideOf(open.seed, query) === "left" ? { query, left: of, right: against } : { query, left: against, right: of },
    ),
    products: Object.fromEntries([...ids].map((id) => [id, shown(drawnProduct(id))])),
    key: Buffer.from(JSON.stringify(open)).toString("base64"),
  };
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>Which list is better?</title>
<style>${STYLE}</style>
<header>
<h1 id="query" aria-live="polite"></h1>
<p id="progress"></p>
<p class="keys"><kbd>←</kbd> left is better <kbd>→</kbd> right is better <kbd>Space</kbd> same <kbd>Backspace</kbd> one back</p>
</header>
<main id="sides"><ol id="left" aria-label="Left"></ol><ol id="right" aria-label="Right"></ol></main>
<form id="save" hidden>
<label>Who judged, and how <input id="judge" required size="60"></label>
<button>Save the judgments</button>
</form>
<script>(${runPage.toString()})(${JSON.stringify(data).replaceAll("<", String.raw`\u003c`)})</script>
</html>
`;
}

const STYLE = `
body { margin: 16px; font: 14px/1.3 system-ui, sans-serif; color: #1c1917; background: #fff; }
header { display: flex; gap: 24px; align-items: baseline; flex-wrap: wrap; }
h1 { margin: 0; font-size: 24px; }
p { margin: 0; color: #57534e; }
kbd { border: 1px solid #a8a29e; border-radius: 4px; padding: 0 5px; margin-left: 10px; }
main { display: grid; grid-template-columns: 1fr 1fr; gap: 32px; margin-top: 12px; }
ol { margin: 0; padding: 12px; list-style: none; display: grid; grid-template-columns: repeat(5, 1fr); gap: 10px; align-content: start; border: 2px solid #d6d3d1; border-radius: 8px; }
li img { width: 100%; display: block; border-radius: 6px; }
li span { display: block; font-size: 12px; }
li span + span { color: #57534e; }
form { margin-top: 16px; }
[hidden] { display: none; }
`;
