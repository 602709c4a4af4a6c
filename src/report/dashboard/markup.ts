/** The dashboard's page as it is before anybody has shown the admin token: a form, and nothing that is known of the shop. */

const STYLE = `:root{color-scheme:light dark;--bad:light-dark(#b3261e,#ff8a80);--good:light-dark(#1a6b3c,#56d4a8);--dim:light-dark(#57606a,#9da7b3);--line:light-dark(#d8dee4,#30363d);--link:light-dark(#0b5cad,#6cb6ff)}
*{box-sizing:border-box}body{margin:0 auto;max-width:64rem;padding:1rem;background:light-dark(#fff,#0d1117);color:light-dark(#1f2328,#e6edf3);font:1rem/1.5 system-ui;overflow-wrap:anywhere}
h1{font-size:1.4rem}h2{margin:2rem 0 .5rem}h1,h3{margin:0}h2,h3{font-size:1.1rem}p,figure{margin:.4rem 0}
header{display:flex;flex-wrap:wrap;gap:1rem;justify-content:space-between}
button,input{font:inherit;padding:.5rem .8rem;min-height:2.75rem;max-width:100%}label{display:block}:focus-visible{outline:3px solid var(--link);outline-offset:2px}
.dim,caption{color:var(--dim)}.bad{color:var(--bad)}.good{color:var(--good)}.strong{font-weight:600}
.card{border:1px solid var(--line);border-left:.35rem solid var(--good);border-radius:.4rem;padding:.8rem;margin:.8rem 0}.alarm{border-left-color:var(--bad)}.open{border-left-color:var(--dim)}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.9rem}
caption,th{text-align:left}td{text-align:right}th,td{padding:.3rem .6rem .3rem 0;border-top:1px solid var(--line);overflow-wrap:normal}
svg{display:block;width:100%;max-width:40rem}text{fill:currentcolor;font-size:11px}summary{cursor:pointer;padding:.4rem 0}
a{color:var(--link);padding:.5rem}
@media print{button,form{display:none}}`;

/** Of the page of rules, besides. */
const RULES_STYLE = `textarea,select{font:inherit;padding:.5rem;min-height:2.75rem;width:100%;max-width:100%}form input:not([type=checkbox]){width:100%}.form p,.lines{white-space:pre-line}small,.hush+*{display:block}
input[type=checkbox]{min-height:0;width:1.5rem;height:1.5rem}[aria-invalid=true]{outline:2px solid var(--bad)}.tag{font-size:.8rem;border:1px solid var(--line);border-radius:1rem;padding:0 .5rem}
.hush{position:absolute;clip-path:inset(50%)}.stick{position:sticky;bottom:0;top:0;z-index:1;background:light-dark(#fff,#0d1117)}[hidden]{display:none!important}.row{display:flex;flex-wrap:wrap;gap:.6rem;align-items:end}
.two{display:grid;grid-template-columns:1fr 1fr;gap:.6rem}.wide{grid-column:1/-1}h4{margin:.4rem 0}.hits{list-style:none;margin:0;padding:0}
.hits li{border-top:1px solid var(--line);padding:.4rem 0;display:grid;grid-template-columns:3.5rem 1fr;gap:.2rem .5rem;min-height:4.4rem}.hits li>*{min-width:0}.acts,.hits details{grid-column:1/-1}
.acts{display:flex;flex-wrap:wrap;gap:.2rem}.acts button{padding:.2rem .5rem;font-size:.85rem}.pic{width:3.5rem;height:3.5rem;object-fit:contain;background:#fff;display:grid;place-items:center;border:1px solid var(--line);color:#57606a}
.grip{cursor:grab;touch-action:none;font-size:1.5rem;padding:.2rem .6rem;user-select:none}.held{opacity:.5}.over{outline:3px dashed var(--link)}`;

/** A page of the dashboard, which its script fills. */
export interface PageKind {
  readonly title: string;
  readonly style: string;
  /** To the other page. */
  readonly link: string;
  /** Where its pictures may come from. */
  readonly images: string;
}

export const FIGURES: PageKind = { title: "armmt", style: STYLE, link: `<a href="rules.html">Rules</a>`, images: "data:" };
/** Pictures of products may lie with any host. */
export const RULES: PageKind = {
  title: "armmt: rules",
  style: `${STYLE}\n${RULES_STYLE}`,
  link: `<a href="./">Figures</a>`,
  images: "'self' data: https: http:",
};

/** The page with its script in it, and the policy that lets this one script and this one style run, and nothing else. */
export function pageOf(script: string, { title, style, link }: PageKind): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${title}</title>
<link rel="icon" href="data:,"><style>${style}</style></head>
<body><noscript>This page needs JavaScript; \`armmt report\` and /armmt/status do without.</noscript>
<header><h1>armmt</h1><div id="tools" hidden>${link} <button id="again">Read again</button> <button id="out">Log out</button></div></header>
<form id="in"><label for="token">Admin token (the secret ADMIN_TOKEN of this edge)</label>
<input autocomplete="username" value="armmt" hidden><input id="token" type="password" autocomplete="current-password" required spellcheck="false"> <button>Open</button></form>
<p id="note" role="status"></p><main id="main"></main><script>${script}</script></body></html>`;
}

export function policyOf(script: string, { style, images }: PageKind, hash: (text: string) => string): string {
  const own = (text: string): string => `'sha256-${hash(text)}'`;
  return `default-src 'none'; script-src ${own(script)}; style-src ${own(style)}; connect-src 'self'; img-src ${images}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
}
