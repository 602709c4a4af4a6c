/** A preview as sections for the terminal and as one HTML page, with the two lists of a search beside each other. */
import { escape } from "../../report/charts.ts";
import * as format from "../../report/format.ts";
import { type Block, list, paragraph, type Section } from "../../report/blocks.ts";
import { drawDocument } from "../evaluate/page.ts";
import type { ChangedSearch, Preview } from "./preview.ts";

/** How a shop shows an item; parts that are not known are absent. */
export interface ShownItem {
  readonly title?: string | undefined;
  /** http or https. */
  readonly picture?: string | undefined;
}

export interface DescribedPreview {
  readonly preview: Preview;
  /** What was compared, and by which searches. */
  readonly title: string;
  /** What a reader must know of the searches. */
  readonly notes: readonly string[];
}

export function headlineOf({ searches, changed, changedOnPage, page, moves }: Preview): string {
  if (searches === 0) return "No search could be looked at";
  const { hits, meanPlaces, mostPlaces } = moves;
  const far =
    hits === 0 ? "" : `; ${format.wholeNumber(hits)} hits move by ${meanPlaces.toFixed(1)} places on average, at most ${mostPlaces}`;
  return (
    `${format.wholeNumber(changed)} of ${format.wholeNumber(searches)} searches change (${format.share(changed / searches)}), ` +
    `${format.wholeNumber(changedOnPage)} of them in the first ${page} positions (${format.share(changedOnPage / searches)})${far}`
  );
}

export function previewSections({ preview, notes }: DescribedPreview): readonly Section[] {
  const { rules, never, contradictions, lost, most, cutRecords } = preview;
  const said = [
    ...notes,
    ...(cutRecords === 0
      ? []
      : [`${cutRecords} searches have more rules that did nothing than a record holds: a rule may fit more than is said here`]),
  ];
  const sections: readonly { readonly id: string; readonly heading: string; readonly blocks: readonly Block[] }[] = [
    { id: "searches", heading: "Searches", blocks: [paragraph(headlineOf(preview)), ...list(said)] },
    {
      id: "contradictions",
      heading: "Rules that contradict each other",
      blocks: [
        ...list(contradictions),
        ...list(lost.map(({ rule, by, searches }) => `${rule} gives way to ${by} in ${format.wholeNumber(searches)} searches`)),
      ],
    },
    { id: "never", heading: "Rules that fit no search", blocks: list(never.map(({ id, why }) => `${id}: ${why}`)) },
    {
      id: "rules",
      heading: "What each rule does",
      blocks: [
        {
          kind: "table",
          caption: "Searches, by rule",
          headings: ["Rule", "Fits", "Changes something", "Did nothing, or not for all its items, because"],
          rows: rules.map(({ id, fits, acts, idle }) => [
            id,
            ...[fits, acts].map(format.wholeNumber),
            Object.entries(idle)
              .map(([reason, searches]) => `${reason} ${searches}`)
              .join(", "),
          ]),
          numeric: [1, 2],
        },
      ],
    },
    {
      id: "most",
      heading: "Most changed",
      blocks: most.length === 0 ? [] : [mostTable(most)],
    },
  ];
  return sections.filter(({ blocks }) => blocks.length > 0);
}

function mostTable(most: readonly ChangedSearch[]): Block {
  return {
    kind: "table",
    caption: "By the share of the first positions that hold another hit; upper positions weigh more",
    headings: ["Query", "Index", "Searches", "Change", "Hits moved", "Rules"],
    rows: most.map(({ query, index, searches, change, moved, applied }) => [
      nameOf(query),
      index,
      format.wholeNumber(searches),
      format.share(change),
      format.wholeNumber(moved),
      applied.join(", "),
    ]),
    numeric: [2, 3, 4],
  };
}

const nameOf = (query: string): string => (query.trim() === "" ? "(no words)" : query);

const SIDES = `
.sides{display:grid;grid-template-columns:1fr 1fr;gap:0 1rem;margin:0 0 2rem}
.sides h4{margin:.5rem 0;font-size:.9rem}
.sides ol{list-style:none;margin:0;padding:0}
.sides li{display:grid;grid-template-columns:1.6rem 3rem minmax(0,1fr);gap:.5rem;align-items:center;min-height:3.5rem;border-top:1px solid var(--line);padding:.2rem 0}
.sides img,.sides .none{width:3rem;height:3rem;object-fit:contain;background:var(--soft)}
.sides .moved{background:var(--soft)}
.sides .gone{text-decoration:line-through}
`;

export function drawPreview(described: DescribedPreview, itemOf: (id: string) => ShownItem | undefined): string {
  const { preview, title } = described;
  const draw = (search: ChangedSearch): string => drawSides(search, preview.page, itemOf);
  return drawDocument({
    title,
    headline: headlineOf(preview),
    sections: previewSections(described),
    charts: { most: preview.most.map(draw).join("") },
    images: "https: http: data:",
    style: SIDES,
  });
}

function drawSides(
  { query, index, searches, before, after, applied }: ChangedSearch,
  page: number,
  itemOf: (id: string) => ShownItem | undefined,
) {
  const side = (heading: string, shown: readonly string[], other: readonly string[], isAfter: boolean): string => {
    const items = shown.slice(0, page).map((id, place) => {
      const elsewhere = other.indexOf(id);
      const { title = id, picture } = itemOf(id) ?? {};
      const picturePart =
        picture === undefined
          ? '<span class="none"></span>'
          : `<img src="${escape(picture)}" alt="" loading="lazy" referrerpolicy="no-referrer">`;
      const way = elsewhere === place ? "" : wayOf(elsewhere, place, isAfter);
      const kind = elsewhere === place ? "" : elsewhere < 0 && !isAfter ? ' class="moved gone"' : ' class="moved"';
      const about = [title === id ? "" : id, way].filter((part) => part !== "").join(" · ");
      return `<li${kind}><span>${place + 1}</span>${picturePart}<span>${escape(title)}<br><span class="dim">${escape(about)}</span></span></li>`;
    });
    return `<div><h4>${heading}</h4><ol>${items.join("")}</ol></div>`;
  };
  const label = `${nameOf(query)} in ${index}`;
  return (
    `<h3>${escape(label)}</h3><p class="dim">${searches} ${searches === 1 ? "search" : "searches"}; ${escape(applied.join(", "))}</p>` +
    `<div class="sides">${side("Before", before, after, false)}${side("With the draft", after, before, true)}</div>`
  );
}

function wayOf(elsewhere: number, place: number, isAfter: boolean): string {
  if (elsewhere < 0) return isAfter ? "new on this page" : "not on this page any more";
  if (!isAfter) return `to ${elsewhere + 1}`;
  return elsewhere > place ? `▲ from ${elsewhere + 1}` : `▼ from ${elsewhere + 1}`;
}
