/** Styles of the reference page; light and dark, phone and desktop. */
export const styles = `
:root{color-scheme:light dark;--fg:#1c2024;--dim:#5a6570;--bg:#fff;--side:#f5f6f8;--line:#d9dee3;--code:#f0f2f5;--link:#1457c8}
@media(prefers-color-scheme:dark){:root{--fg:#e6e9ec;--dim:#9aa5b0;--bg:#14171a;--side:#1b1f23;--line:#30363d;--code:#20252a;--link:#7fb0ff}}
*{box-sizing:border-box}
html{scroll-padding-top:1rem}
body{margin:0;display:grid;grid-template-columns:19rem minmax(0,1fr);font:15px/1.55 system-ui,sans-serif;color:var(--fg);background:var(--bg)}
a{color:var(--link)}
nav{position:sticky;top:0;height:100vh;overflow:auto;padding:1rem;background:var(--side);border-right:1px solid var(--line);font-size:13px}
nav a{display:block;padding:.1rem 0;text-decoration:none;overflow-wrap:anywhere}
nav b{display:block;margin:1rem 0 .25rem}
nav .home{font-weight:700;font-size:16px}
main{max-width:60rem;padding:1.5rem 2rem 6rem}
article{border-top:1px solid var(--line);padding:.5rem 0 1.5rem}
h3{font-size:1.05rem}h4{margin:1rem 0 .25rem}small{font-weight:400;color:var(--dim)}
.access{color:var(--dim);font-size:13px}
code,pre{font:13px/1.5 ui-monospace,monospace}
p code,td code,small code{background:var(--code);padding:.05rem .3rem;border-radius:.25rem}
pre{background:var(--code);padding:.75rem 1rem;border-radius:.5rem;overflow-x:auto}
pre i,td i{color:var(--dim);font-style:normal}
table{border-collapse:collapse;width:100%;display:block;overflow-x:auto}
td,th{text-align:left;padding:.3rem .8rem .3rem 0;border-bottom:1px solid var(--line);vertical-align:top}
h3 i,nav i{font:700 11px/1 ui-monospace,monospace;text-transform:uppercase;font-style:normal;color:var(--dim)}
i.get{color:#1a7f4b}i.post{color:#1457c8}i.put,i.patch{color:#9a6200}i.delete{color:#b3261e}
@media(prefers-color-scheme:dark){i.get{color:#5fd39a}i.post{color:#7fb0ff}i.put,i.patch{color:#e6b455}i.delete{color:#ff8a80}}
@media(max-width:760px){body{display:block}nav{position:static;height:auto;max-height:40vh;border-right:0;border-bottom:1px solid var(--line)}main{padding:1rem}}
`;
