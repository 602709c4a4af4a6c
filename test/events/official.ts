/**
 * Samples of other formats' documentation, with the shop's own item ids and a search's token in them. `token` stands where docs/reference/events-api.md
 * says that it may.
 */

/** developers.google.com/analytics/devguides/collection/ga4/ecommerce (read November 2026): the item of all its samples. */
const gaItem = (itemId: string, index: number, token?: string) => ({
  item_id: itemId,
  item_name: "Stan and Friends Tee",
  affiliation: "Google Merchandise Store",
  coupon: "SUMMER_FUN",
  discount: 2.22,
  index,
  item_brand: "Google",
  item_category: "Apparel",
  item_category2: "Adult",
  item_category3: "Shirts",
  item_category4: "Crew",
  item_category5: "Short sleeve",
  item_list_id: token ?? "related_products",
  item_list_name: "Related Products",
  item_variant: "green",
  location_id: "ChIJIQBpAG2ahYAR_6128GcTUEo",
  price: 10.01,
  quantity: 3,
});

/** developers.google.com/analytics/devguides/collection/protocol/ga4/reference/events#purchase */
export const gaPurchase = (items: readonly string[], token?: string) => ({
  client_id: "123456.7654321",
  timestamp_micros: "1795262390000000",
  non_personalized_ads: false,
  events: [
    {
      name: "purchase",
      params: {
        currency: "USD",
        transaction_id: "T_12345",
        value: 30.03,
        coupon: "SUMMER_FUN",
        shipping: 3.33,
        tax: 1.11,
        session_id: "123",
        engagement_time_msec: "100",
        items: items.map((id, i) => gaItem(id, i, token)),
      },
    },
  ],
});

/**
 * The least purchase that Google's own validator of the Measurement Protocol takes, in the request that its event builder sends:
 * github.com/googleanalytics/ga-dev-tools, src/components/ga4/EventBuilder/ValidateEvent: schemas/eventTypes/purchase.spec.ts, usePayload.ts.
 */
export const gaLeastPurchase = (itemId: string, token: string, more: object = {}) => ({
  client_id: "123456.7654321",
  events: [
    {
      name: "purchase",
      params: { transaction_id: "A12345", currency: "USD", value: 12, armmt_token: token, items: [{ item_id: itemId, ...more }] },
    },
  ],
});

/** The same guide: `gtag("event", name, parameters)`, as the data layer holds the call. */
export const gtagCall = (name: string, itemId: string, token?: string) => [
  "event",
  name,
  {
    item_list_id: "related_products",
    item_list_name: "Related products",
    currency: "USD",
    value: 30.03,
    armmt_token: token,
    items: [gaItem(itemId, 0)],
  },
];

/** The same guide, for Tag Manager: `dataLayer.push({ event, ecommerce })`. */
export const dataLayerPush = (event: string, itemId: string, token?: string) => ({
  event,
  ecommerce: { currency: "USD", value: 30.03, items: [{ ...gaItem(itemId, 0), armmt_token: token }] },
});

/** The same guide's refunds: of a whole order, and of a part of it. */
export const gaRefund = (items: readonly string[], token?: string) => ({
  client_id: "123456.7654321",
  events: [
    {
      name: "refund",
      params: {
        currency: "USD",
        transaction_id: "T_12345",
        value: 30.03,
        armmt_token: token,
        ...(items.length > 0 && { items: items.map((id, i) => ({ ...gaItem(id, i), quantity: 1 })) }),
      },
    },
  ],
});

/** www.twilio.com/docs/segment/connections/spec/ecommerce/v2 (segmentio/segment-docs, src/connections/spec/ecommerce/v2.md): its products. */
const segmentProducts = ([first = "", second = ""]: readonly string[]) => [
  {
    product_id: first,
    sku: "45790-32",
    name: "Monopoly: 3rd Edition",
    price: 19,
    position: 1,
    category: "Games",
    url: "https://www.example.com/product/path",
    image_url: "https://www.example.com/product/path.jpg",
  },
  { product_id: second, sku: "46493-32", name: "Uno Card Game", price: 3, quantity: 2, position: 2, category: "Games" },
];

const segmentOrder = (items: readonly string[], token?: string) => ({
  checkout_id: "fksdjfsdjfisjf9sdfjsd9f",
  order_id: "50314b8e9bcf000000000000",
  affiliation: "Google Store",
  total: 27.5,
  subtotal: 22.5,
  revenue: 25,
  shipping: 3,
  tax: 2,
  discount: 2.5,
  coupon: "hasbros",
  currency: "USD",
  armmt_token: token,
  products: segmentProducts(items),
});

const segmentProduct = (itemId: string, token?: string) => ({
  product_id: itemId,
  sku: "G-32",
  category: "Games",
  name: "Monopoly: 3rd Edition",
  brand: "Hasbro",
  variant: "200 pieces",
  price: 18.99,
  quantity: 1,
  coupon: "MAYDEALS",
  position: 3,
  url: "https://www.example.com/product/path",
  image_url: "https://www.example.com/product/path.jpg",
  armmt_token: token,
});

/** www.twilio.com/docs/segment/connections/spec/track, in a batch of .../sources/catalog/libraries/server/http-api#batch */
const trackCall = (event: string, properties: object) => ({
  anonymousId: "23adfd82-aa0f-45a7-a756-24f2a7a4c895",
  context: { library: { name: "analytics.js", version: "2.11.1" }, ip: "108.0.78.21" },
  event,
  integrations: {},
  messageId: `ajs-${event}`,
  properties,
  receivedAt: "2026-11-21T11:59:50.019Z",
  sentAt: "2026-11-21T11:59:49.000Z",
  timestamp: "2026-11-21T11:59:40.000Z",
  type: "track",
  userId: "AiUGstSDIg",
  originalTimestamp: "2026-11-21T11:59:39.000Z",
});

export const segmentBatch = (items: readonly [string, string], token?: string) => ({
  batch: [
    {
      type: "identify",
      userId: "019mr8mf4r",
      traits: { email: "jake@yahoo.com", name: "Jake Peterson" },
      timestamp: "2026-11-21T11:59:00.000Z",
    },
    trackCall("Product List Viewed", { list_id: token ?? "hot_deals_1", category: "Deals", products: segmentProducts(items) }),
    trackCall("Product Clicked", segmentProduct(items[0], token)),
    trackCall("Product Added", { cart_id: "skdjsidjsdkdj29j", ...segmentProduct(items[0], token) }),
    trackCall("Order Completed", segmentOrder(items, token)),
    trackCall("Order Refunded", { ...segmentOrder(items, token), total: 30 }),
  ],
  context: { device: { type: "phone", name: "Apple iPhone 6" } },
  sentAt: "2026-11-21T12:00:00.000Z",
  writeKey: "YOUR_WRITE_KEY",
});

export const segmentTrack = (itemId: string, token?: string) => trackCall("Product Clicked", segmentProduct(itemId, token));

const library = { context: { library: { name: "@segment/analytics-node", version: "3.1.0" } }, _metadata: { nodeVersion: "v22.23.3", jsRuntime: "node" } }; // prettier-ignore

/** What @segment/analytics-node 3.1.0 sent to `POST /v1/batch` (recorded), beside `authorization: Basic <base64 of "shop-key:">`. */
export const recordedSegmentBatch = (token: string) => ({
  batch: [
    {
      timestamp: "2026-11-30T09:06:22.386Z",
      integrations: {},
      type: "identify",
      userId: "u-1",
      traits: { plan: "x" },
      ...library,
      messageId: "node-next-1796029582386-2cab1b15-9706-439d-9bc3-88a226fb0b0e",
    },
    {
      timestamp: "2026-11-30T09:06:22.386Z",
      integrations: {},
      event: "Product Clicked",
      type: "track",
      properties: { product_id: "mug", armmt_token: token },
      ...library,
      anonymousId: "a-1",
      messageId: "node-next-1796029582386-1b159706-539d-4bc3-88a2-26fb0b0e6399",
    },
    {
      timestamp: "2026-11-30T09:06:22.387Z",
      integrations: {},
      event: "Order Completed",
      type: "track",
      properties: {
        order_id: "O-7",
        currency: "EUR",
        total: 29,
        armmt_token: token,
        products: [
          { product_id: "mug", price: 12.5, quantity: 2, name: "Mug" },
          { product_id: "cup", price: 4, quantity: 1 },
        ],
      },
      ...library,
      userId: "u-1",
      messageId: "node-next-1796029582387-9706539d-dbc3-48a2-a6fb-0b0e63993483",
    },
  ],
  writeKey: "shop-key",
  sentAt: "2026-11-30T09:06:22.397Z",
});

/** What search-insights 2.17.3 sent to `POST /1/events` from Node (recorded): the address's parameters, and a body per call. */
export const RECORDED_INSIGHTS_SEARCH =
  "?X-Algolia-Application-Id=APP&X-Algolia-API-Key=shop-key&X-Algolia-Agent=insights-js%20(2.17.3)%3B%20insights-js-node-esm%20(2.17.3)";
export const recordedInsights = (token: string) => {
  const shared = { index: "products", queryID: token, userToken: "consented-browser-7" };
  const bought = { objectIDs: ["cup"], objectData: [{ price: 4, quantity: 1, queryID: token }], currency: "EUR" };
  return [
    { events: [{ eventType: "click", eventName: "Clicked", objectIDs: ["mug"], positions: [1], ...shared }] },
    { events: [{ eventType: "conversion", eventSubtype: "purchase", eventName: "Bought", ...bought, ...shared }] },
  ];
};
