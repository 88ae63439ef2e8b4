/** The page's style: one column, quiet, a phone's width included, and on paper. */
import { HEAT_STEPS, themeStyle } from "./theme.js";

const heat = Array.from(
  { length: HEAT_STEPS },
  (_, i) => `.h${i}{background:var(--h${i})${i >= 4 ? ";color:var(--hot)" : ""}}`,
).join("");

export const STYLE = `${themeStyle()}
*{box-sizing:border-box}
html{scroll-padding-top:7rem}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif;overflow-wrap:anywhere}
main,header.top,footer{max-width:70rem;margin:0 auto;padding:0 1.25rem}
header.top{padding-top:2rem}
h1{font-size:1.6rem;line-height:1.25;margin:0 0 .25rem}
h2{font-size:1.25rem;margin:3rem 0 .5rem;padding-top:.75rem;border-top:1px solid var(--rule)}
h3{font-size:1rem;margin:1.75rem 0 .25rem}
h4{font-size:.9rem;margin:1rem 0 .25rem}
p{margin:.4rem 0;max-width:50rem}
p.tight{margin-bottom:0}
ul,ol{max-width:60rem}
a{color:var(--link)}
code{font:13px/1.45 ui-monospace,"SFMono-Regular",Menlo,"DejaVu Sans Mono",monospace;white-space:pre-wrap}
.muted{color:var(--muted)}
.lead{font-size:1.05rem}
.verdict{margin:1rem 0;padding:.75rem 1rem;background:var(--panel);border-left:4px solid var(--c0);max-width:none}
.verdict.problem{border-left-color:var(--suspect)}
.verdict p{max-width:none}
.facts{display:grid;grid-template-columns:repeat(auto-fill,minmax(10.5rem,1fr));gap:.75rem 1.5rem;margin:1.25rem 0}
.facts div{border-top:1px solid var(--rule);padding-top:.35rem}
.facts dt{color:var(--muted);font-size:.8rem}
.facts dd{margin:0;font-size:1.05rem;font-variant-numeric:tabular-nums}
.facts dd small{display:block;color:var(--muted);font-size:.8rem}
.good{color:var(--good)}
.bad{color:var(--suspect)}
nav.sections{position:sticky;top:0;z-index:3;background:var(--paper);border-bottom:1px solid var(--rule)}
nav.sections>div{max-width:70rem;margin:0 auto;padding:.4rem 1.25rem;display:flex;flex-wrap:wrap;gap:.15rem 1rem;align-items:center}
nav.sections a{text-decoration:none;font-size:.9rem}
nav.sections a:hover{text-decoration:underline}
.range{display:flex;flex-wrap:wrap;gap:.25rem .75rem;align-items:center;font-size:.85rem;width:100%}
.range output{font-variant-numeric:tabular-nums}
.range label{display:inline-flex;align-items:center;gap:.35rem;color:var(--muted)}
.range input[type=range]{width:8rem;accent-color:var(--c0)}
button{font:inherit;font-size:.8rem;color:var(--link);background:none;border:1px solid var(--rule);border-radius:3px;padding:.05rem .45rem;cursor:pointer}
button:hover{border-color:var(--link)}
button:disabled{color:var(--muted);cursor:default;border-color:var(--grid)}
:focus-visible{outline:2px solid var(--link);outline-offset:2px}
figure{margin:1.25rem 0 1.5rem;min-width:0}
figcaption{margin-bottom:.25rem}
figcaption b{display:block}
figcaption .muted{font-size:.88rem;display:block;max-width:50rem}
.chart{width:100%;min-width:0}
.chart svg{display:block;max-width:100%}
.tools{display:flex;gap:.4rem;margin-top:.25rem}
.tip{position:absolute;z-index:5;pointer-events:none;background:var(--ink);color:var(--paper);font-size:.8rem;line-height:1.35;padding:.35rem .5rem;border-radius:3px;max-width:22rem;font-variant-numeric:tabular-nums}
.tip[hidden]{display:none}
.tip div{display:flex;gap:.5rem;justify-content:space-between}
.scroll{overflow-x:auto;margin:.5rem 0 1rem}
table{border-collapse:collapse;font-size:.85rem;min-width:min(100%,44rem)}
#hot,.listing,.statement{width:100%}
th,td{text-align:left;padding:.2rem .5rem;border-bottom:1px solid var(--grid);vertical-align:top;font-weight:normal}
thead th{color:var(--muted);border-bottom:1px solid var(--rule);white-space:nowrap}
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
th,td{overflow-wrap:normal}
td code{overflow-wrap:anywhere}
td.code{min-width:14rem}
th[scope=row]{white-space:nowrap;max-width:22rem;overflow:hidden;text-overflow:ellipsis}
#hot th[scope=row]{white-space:normal;overflow-wrap:anywhere;min-width:11rem}
td.code{min-width:16rem}
${heat}
.listing td,.listing th{border-bottom:0;padding:.02rem .5rem}
.listing th.n{color:var(--muted)}
tr.gap td{color:var(--muted);text-align:center}
details.file{margin:.75rem 0}
details.file>summary{cursor:pointer}
.statement{max-width:60rem}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(20rem,1fr));gap:0 2rem}
.finding{margin:1.5rem 0 2.5rem;padding-left:1rem;border-left:3px solid var(--rule)}
.finding.problem{border-left-color:var(--suspect)}
.finding h3{margin-top:0}
.tag{display:inline-block;font-size:.75rem;border:1px solid var(--rule);border-radius:3px;padding:0 .35rem;color:var(--muted);margin-right:.35rem;vertical-align:.1em}
.problem>h3 .tag,.problem>p .tag{border-color:var(--suspect);color:var(--suspect)}
ol.path{list-style:none;margin:.75rem 0;padding:0}
ol.path li{position:relative;margin:0;padding:0}
ol.path .edge{display:block;margin-left:1rem;padding:.1rem 0 .1rem 1rem;border-left:2px solid var(--rule);font-size:.85rem;color:var(--muted)}
ol.path .edge::before{content:"↓";margin-left:-1.43rem;margin-right:.6rem;color:var(--rule);background:var(--paper)}
ol.path .node{display:inline-block;max-width:100%;border:1px solid var(--rule);border-radius:4px;padding:.15rem .6rem;background:var(--panel)}
ol.path li.suspect .edge{border-left-color:var(--suspect);color:var(--suspect);font-weight:600}
ol.path li.suspect .edge::before{color:var(--suspect)}
ol.path li.target .node{border-color:var(--muted);font-weight:600}
.problem ol.path li.target .node{border-color:var(--suspect);background:var(--suspectpaper);font-weight:inherit}
.graph{max-width:100%;height:auto;display:block}
.graph text{font:12px system-ui,"DejaVu Sans",sans-serif;fill:var(--ink)}
.graph .node{fill:var(--panel);stroke:var(--rule)}
.graph .edge{fill:none;stroke:var(--muted);stroke-width:1.4}
.graph .closing{stroke:var(--suspect);stroke-width:2.2}
.graph .label{fill:var(--muted);font-size:11px}
.graph .closinglabel{fill:var(--suspect);font-weight:600;font-size:11px}
.graph .arrow{fill:var(--muted)}
.graph .closingarrow{fill:var(--suspect)}
pre.lines{margin:.4rem 0;padding:.5rem .75rem;background:var(--panel);overflow-x:auto;font:13px/1.45 ui-monospace,Menlo,"DejaVu Sans Mono",monospace}
pre.lines mark{display:inline-block;min-width:100%;background:var(--suspectpaper);color:inherit;box-shadow:none;border-left:3px solid var(--suspect);margin-left:-.5rem;padding-left:calc(.5rem - 3px)}
.caption{margin:.75rem 0 0;color:var(--muted);font-size:.85rem}
.caption+pre.lines{margin-top:.15rem}
.whole,.part{padding:.2rem .6rem;border-left:3px solid var(--c1);background:var(--panel);font-size:.88rem}
details.runtime{margin:1rem 0}
details.runtime>summary{cursor:pointer;color:var(--muted)}
details.runtime>.finding{margin-top:1rem}
td.place{overflow-wrap:anywhere;min-width:8rem}
#models th[scope=row]{white-space:normal;max-width:none;min-width:8rem}
.compared thead th{white-space:normal;min-width:4.5rem}
.compared th[scope=row]{white-space:normal;overflow-wrap:anywhere;min-width:9rem}
.outside{opacity:.45}
footer{margin-top:3rem;padding-top:1rem;padding-bottom:3rem;border-top:1px solid var(--rule);color:var(--muted);font-size:.85rem}
.skip{position:absolute;left:-999rem}
.skip:focus{left:1rem;top:.5rem;z-index:9;background:var(--paper);padding:.25rem .5rem}
@media (max-width:40rem){
body{font-size:16px}
h1{font-size:1.35rem}
main,header.top,footer{padding-left:.9rem;padding-right:.9rem}
nav.sections{position:static}
nav.sections>div{padding:.4rem .9rem}
html{scroll-padding-top:1rem}
.facts{grid-template-columns:repeat(auto-fill,minmax(8.5rem,1fr))}
.finding{padding-left:.6rem}
table{font-size:.8rem}
th,td{padding:.2rem .35rem}
thead th{white-space:normal;vertical-align:bottom}
th[scope=row]{white-space:normal;overflow-wrap:anywhere;min-width:6.5rem;max-width:9.5rem}
#hot th[scope=row]{min-width:5rem}
.listing th[scope=row]{white-space:nowrap;min-width:0}
td.place{min-width:6.5rem}
td.code{min-width:7.5rem}
}
@media print{
nav.sections,.tools,.range,.skip,.screen{display:none}
body{font-size:10.5pt}
.scroll{overflow:visible}
table,#hot,.listing,.statement{font-size:8pt;width:100%;min-width:0;max-width:none}
th,td{padding:.1rem .25rem}
td,thead th,th[scope=row],#hot th[scope=row]{white-space:normal;overflow-wrap:anywhere;max-width:none;min-width:0}
td.n,.listing th.n{white-space:nowrap;overflow-wrap:normal}
td.code,td.place{min-width:0}
code,pre.lines{font-size:8pt;white-space:pre-wrap;overflow-wrap:anywhere}
figure,.finding,.ledger>p{break-inside:avoid}
h2,h3{break-after:avoid}
main,header.top,footer{max-width:none;padding:0}
.heat{print-color-adjust:exact;-webkit-print-color-adjust:exact}
}`;
