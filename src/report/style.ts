/** The page's style: one column, light and dark, legible on a phone and on paper. */
import { CHART_STYLE } from "./charts.ts";

export const STYLE = `${CHART_STYLE}
:root{color-scheme:light dark;--page:light-dark(#fff,#0d1117);--ink:light-dark(#1f2328,#e6edf3);--dim:light-dark(#57606a,#9da7b3);
--line:light-dark(#d8dee4,#30363d);--soft:light-dark(#f6f8fa,#161b22);--alarm:light-dark(#b3261e,#ff8a80);--alarm-soft:light-dark(#fdecea,#2d1513);
--fine:light-dark(#1a6b3c,#56d4a8);--link:light-dark(#0b5cad,#6cb6ff);--badge:light-dark(#b34700,#ffa657)}
*{box-sizing:border-box}
body{margin:0 auto;max-width:62rem;padding:1rem;background:var(--page);color:var(--ink);font:1rem/1.5 system-ui,-apple-system,"Segoe UI",sans-serif;overflow-wrap:break-word}
a{color:var(--link)}
h1{font-size:1.6rem;line-height:1.2;margin:.5rem 0}
h2{font-size:1.25rem;margin:2rem 0 .5rem}
h3{font-size:1rem;margin:1.25rem 0 .25rem}
p{margin:.5rem 0;max-width:46rem}
.skip{position:absolute;left:-100rem}
.skip:focus{left:1rem;top:1rem;background:var(--page);padding:.5rem}
nav ul{display:flex;flex-wrap:wrap;gap:.25rem 1rem;list-style:none;padding:0;margin:.5rem 0}
nav a{display:inline-block;padding:.35rem 0}
.dim{color:var(--dim)}
.badge{display:inline-block;border:2px solid var(--badge);border-radius:.4rem;padding:0 .5rem;font-weight:600;font-size:1rem;vertical-align:middle}
.verdict{border-left:.35rem solid var(--fine);background:var(--soft);padding:.6rem .9rem;border-radius:.3rem}
.verdict.alarm{border-color:var(--alarm);background:var(--alarm-soft)}
.verdict p:first-child{font-weight:600;margin-top:0}
.scroll{overflow-x:auto;margin:.75rem 0;border:1px solid var(--line);border-radius:.4rem}
:focus-visible{outline:3px solid var(--link);outline-offset:2px}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;font-size:.9rem}
caption{text-align:left;padding:.5rem .7rem;color:var(--dim)}
th,td{padding:.4rem .7rem;text-align:left;border-top:1px solid var(--line);vertical-align:top}
thead th{white-space:nowrap}
tbody th{font-weight:600}
.number{text-align:right;white-space:nowrap}
tr.decided td:nth-child(3){font-weight:600}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,24rem),1fr));gap:1rem}
figure{margin:0;border:1px solid var(--line);border-radius:.4rem;padding:.6rem;min-width:0}
figcaption{font-weight:600}
svg.daily{display:block;width:100%;height:auto}
details{margin:.5rem 0}
summary{cursor:pointer;padding:.35rem 0}
@media print{.skip,nav{display:none}.scroll{overflow:visible}figure,table{break-inside:avoid}}
`;
