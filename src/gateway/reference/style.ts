/** How `/docs` looks: the reader's own light or dark, one column when narrow, colours of at least 4.5 to 1. */
export const STYLE = `
:root {
  --ink: #1b1f24; --soft: #57606a; --paper: #ffffff; --raised: #f3f4f6; --line: #d0d7de; --link: #0550ae;
  --get: #0550ae; --post: #116329; --patch: #7d4e00; --delete: #a40e26;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ink: #e6edf3; --soft: #9aa4af; --paper: #0d1117; --raised: #161b22; --line: #30363d; --link: #79b8ff;
    --get: #79b8ff; --post: #7ee787; --patch: #f0b72f; --delete: #ff9492;
  }
}
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; }
body {
  margin: 0 auto; padding: 1.5rem; max-width: 88rem; color: var(--ink); background: var(--paper);
  font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere;
}
@media (min-width: 60rem) {
  body { display: grid; grid-template-columns: 25rem minmax(0, 1fr); gap: 0 2.5rem; }
  header { grid-column: 1 / -1; }
  nav { position: sticky; top: 0; max-height: 100vh; overflow-y: auto; align-self: start; padding-bottom: 2rem; }
}
h1 { margin: 0; } h1 small { color: var(--soft); font-weight: 400; }
h2 { margin: 2rem 0 .5rem; text-transform: capitalize; } nav h2 { font-size: 1rem; margin: 1rem 0 .25rem; }
h3 { margin: 2rem 0 .25rem; font-size: 1.05rem; } h4 { margin: 1rem 0 .25rem; font-size: .95rem; }
section { border-top: 1px solid var(--line); }
a { color: var(--link); } nav a { text-decoration: none; } nav a:hover { text-decoration: underline; }
a:focus-visible, [tabindex]:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
.skip { position: absolute; left: -99rem; } .skip:focus { left: 1rem; top: 1rem; background: var(--paper); padding: .5rem; }
nav ul { list-style: none; margin: 0; padding: 0; font-size: .9rem; } nav li { padding: .1rem 0; } nav li a { display: block; line-height: 1.5rem; }
code, pre { font-family: ui-monospace, monospace; font-size: .9em; }
pre { margin: 0; padding: .75rem; background: var(--raised); white-space: pre-wrap; }
table { width: 100%; border-collapse: collapse; margin: .75rem 0; font-size: .92rem; }
caption { text-align: left; font-weight: 600; padding: .25rem 0; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0; border-top: 1px solid var(--line); font-weight: 400; }
thead th { color: var(--soft); }
tbody th { width: 30%; } td:nth-child(2) { width: 26%; }
@media (max-width: 40rem) {
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  tbody tr { display: block; padding: .4rem 0; border-top: 1px solid var(--line); }
  tbody th, tbody td, td:nth-child(2) { display: block; width: auto; padding: 0; border: 0; }
  tbody td:empty { display: none; }
  td:nth-child(2) { color: var(--soft); }
}
i { color: var(--soft); font-style: normal; font-size: .9em; }
.get { color: var(--get); } .post { color: var(--post); } .patch { color: var(--patch); } .delete { color: var(--delete); }
@media print { nav { display: none; } body { display: block; } }
`;
