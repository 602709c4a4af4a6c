/** A page that searches and tells Segment of clicks; `?edge=…` names how the edge gets them. What the library could not deliver stands in `window.told`, and how the edge answered copies in `window.statuses`. */
import { AnalyticsBrowser } from "@segment/analytics-next";

const EDGE = "https://edge.shop.example";
const HOST = "edge.shop.example/v1";

const way = new URLSearchParams(location.search).get("edge");
/** What the page would load from Segment. */
const cdnSettings = { integrations: { "Segment.io": { apiKey: "write-key" } } };
const settings = {
  copy: {},
  host: { apiHost: HOST, protocol: EDGE.split(":")[0] },
  batches: { apiHost: HOST, protocol: EDGE.split(":")[0], deliveryStrategy: { strategy: "batching", config: { size: 3, timeout: 200 } } },
}[way];
const analytics = AnalyticsBrowser.load({ writeKey: "write-key", cdnSettings }, { integrations: { "Segment.io": settings } });

window.told = [];
window.statuses = [];
void analytics.on("error", ({ reason }) => window.told.push(String(reason)));
if (way === "copy") {
  void analytics.on("track", async (event, properties) => {
    const body = JSON.stringify({ type: "track", event, properties });
    const { status } = await fetch(`${EDGE}/events`, { method: "POST", body, keepalive: true });
    window.statuses.push(status);
  });
}

void analytics.page();
void analytics.identify("u-1", { email: "somebody@shop.example" });

const query = { multi_match: { query: "black", fields: ["title"] } };
const reply = await fetch(`${EDGE}/stock/_search`, {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ query, size: 10 }),
});
const token = reply.headers.get("x-armmt-events");
const { hits } = await reply.json();
document.querySelector("#hits").replaceChildren(
  ...hits.hits.map(({ _id: id, _source: { title } }) => {
    const button = document.createElement("button");
    button.textContent = title;
    button.dataset.id = id;
    button.addEventListener("click", () => analytics.track("Product Clicked", { product_id: id, armmt_token: token }));
    return button;
  }),
);
const advertised = Object.assign(document.createElement("button"), { textContent: "Advertised, after no search" });
advertised.addEventListener("click", () => analytics.track("Product Clicked", { product_id: "p1" }));
document.querySelector("#offers").replaceChildren(advertised);
