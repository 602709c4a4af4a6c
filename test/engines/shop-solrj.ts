/** Documents with a value of every type that Solr has, in a core "products". */
import { PRODUCTS, solrCore } from "./shop.ts";

const TYPES: Readonly<Record<string, string>> = {
  pfloat: "FloatPointField",
  pdate: "DatePointField",
  binary: "BinaryField",
  uuid: "UUIDField",
  location: "LatLonPointSpatialField",
  nestPath: "NestPathField",
};

const FIELDS: Readonly<Record<string, string>> = {
  views: "plong",
  weight: "pfloat",
  created: "pdate",
  raw: "binary",
  batch: "uuid",
  place: "location",
  grade: "grade",
  note: "string",
  _root_: "string",
  _nest_path_: "nestPath",
};

const field = (name: string, type: string, more = ""): string =>
  `<field name="${name}" type="${type}" indexed="${type !== "binary"}" ${more}/>`;

/** Its files. */
export function typedCore(): Readonly<Record<string, string>> {
  const core = solrCore("products");
  const types = Object.entries(TYPES).map(
    ([name, of]) => `<fieldType name="${name}" class="solr.${of}"${of.includes("Point") ? ` docValues="true"` : ""}/>`,
  );
  types.push(`<fieldType name="grade" class="solr.EnumFieldType" docValues="true" enumsConfig="enums.xml" enumName="grade"/>`);
  const fields = Object.entries(FIELDS).map(([name, type]) => field(name, type, `stored="${name !== "_nest_path_"}"`));
  const many = [
    ["tags", "string"],
    ["sizes", "pint"],
    ["dates", "pdate"],
    ["code", "string"],
  ].map(([name = "", type = ""]) => field(name, type, `stored="true" multiValued="true"`));
  const dynamic = `<dynamicField name="*_s" type="string" indexed="false" stored="true" docValues="false"/>`;
  const schema = "products/conf/managed-schema.xml";
  return {
    ...core,
    [schema]: core[schema]!.replace("<uniqueKey>", `${[...types, ...fields, ...many, dynamic].join("")}<uniqueKey>`).replace(
      `<field name="_version_" type="plong" indexed="false" stored="false"/>`,
      `<field name="_version_" type="plong" indexed="false" stored="false" docValues="true"/>`,
    ),
    "products/conf/enums.xml": `<enumsConfig><enum name="grade"><value>low</value><value>middle</value><value>high</value></enum></enumsConfig>`,
  };
}

const TEXTS = [
  "",
  "plain",
  'quotes " and \\ and /',
  "tab\tline\nend",
  "größer – 漢字 – 😀 – \u2028",
  "\ufeffmark",
  "x".repeat(31),
  "y".repeat(300),
];

/** What each document has beside the product's own fields differs, so that the order of documents decides where a name comes first. */
export const TYPED_PRODUCTS: readonly object[] = PRODUCTS.map(
  ({ id, title, category, price, rating, popularity, inStock, createdAt }, i) => ({
    id,
    title,
    category,
    price: i % 11 === 0 ? -0.1 : price,
    rating,
    popularity: [0, -popularity, popularity, 2147483647][i % 4],
    in_stock: inStock,
    code: [`code-${i}`],
    // As text, because these are beyond what a double holds.
    ...(i % 2 === 0 && {
      views: ["0", "14", "15", "-1", "9007199254740993", "9223372036854775807", "72057594037927936", "-9223372036854775808"][(i / 2) % 8],
    }),
    ...(i % 3 === 0 && { weight: [0.1, 1e-30, 3.4e38, 0, 16777217][i % 5] }),
    created: `${createdAt}T0${i % 10}:00:00.00${i % 7}Z`,
    ...(i % 4 === 1 && { raw: btoa("binary".repeat(i % 9)) }),
    ...(i % 5 === 2 && { batch: `00000000-0000-4000-8000-${String(i).padStart(12, "0")}` }),
    ...(i % 3 === 1 && { place: `${i % 90},${i % 180}` }),
    grade: ["low", "middle", "high"][i % 3],
    note: TEXTS[i % TEXTS.length],
    tags: TEXTS.slice(0, i % TEXTS.length),
    sizes: Array.from({ length: i % 40 }, (_, n) => n * i),
    dates: [`2020-01-01T00:00:00Z`].slice(i % 2),
    [`own${i}_s`]: `only here ${i}`,
    [`some${i % 40}_s`]: TEXTS[(i + 1) % TEXTS.length],
    ...(i % 6 === 0 && {
      variants: [
        { id: `${id}-v1`, note: "red", [`v${i % 12}_s`]: "a" },
        { id: `${id}-v2`, sizes: [1, 2] },
      ],
    }),
    ...(i % 6 === 3 && { _childDocuments_: [{ id: `${id}-c1`, note: "nameless", [`c${i % 9}_s`]: "b" }] }),
  }),
);
