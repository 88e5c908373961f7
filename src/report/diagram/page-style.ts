import { PALETTE } from './svg';

export const PAGE_STYLE = `
:root{${PALETTE.light};color-scheme:light dark}
@media(prefers-color-scheme:dark){:root:not([data-theme=light]){${PALETTE.dark}}}
:root[data-theme=dark]{${PALETTE.dark};color-scheme:dark}
:root[data-theme=light]{color-scheme:light}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1320px;padding:24px;background:var(--bg);color:var(--ink);font:14px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
header{display:flex;flex-wrap:wrap;gap:16px;justify-content:space-between;align-items:end}
h1{font-size:22px;margin:0}h2{font-size:17px;margin:28px 0 8px}p{margin:2px 0}
.muted{color:var(--muted)}
.tools{display:flex;gap:12px;align-items:center}
input[type=search]{width:300px;max-width:60vw;padding:7px 10px;border:1px solid var(--line);border-radius:8px;background:var(--bg);color:inherit;font:inherit}
kbd{border:1px solid var(--edge);border-radius:4px;padding:0 5px;font-size:12px}
button{font:inherit;color:inherit;background:var(--card);border:1px solid var(--line);border-radius:8px;padding:6px 12px;cursor:pointer}
:focus-visible{outline:3px solid var(--gate-edge);outline-offset:2px}
.legend{display:flex;flex-wrap:wrap;gap:18px;font-size:13px;margin:10px 0}
.legend .wire{display:inline-block;width:34px;border-top:2px solid var(--line);vertical-align:middle}.legend .wire.plain{border-top-style:dashed}.legend .no{color:var(--bad)}
.lanes{--inner:minmax(170px,1.1fr) minmax(128px,.8fr) minmax(150px,1fr) minmax(128px,.8fr) minmax(240px,1.7fr);border-radius:14px}
.lanes.egress{background:linear-gradient(90deg,var(--mesh) 0 55.5%,transparent 55.5%)}
.lanes.ingress{background:linear-gradient(90deg,transparent 0 33.5%,var(--mesh) 33.5%)}
.heads,.lane{display:grid;grid-template-columns:var(--inner);padding:8px 12px}
.heads{font-size:12px;padding-bottom:0}
.lane[hidden]{display:none}
.card{border:1px solid var(--edge);border-radius:8px;padding:8px 12px;background:var(--card);align-self:stretch;overflow-wrap:anywhere}
.card ul{list-style:none;margin:0;padding:0}.clients li{font-weight:600}
.gateway{border:1.5px solid var(--gate-edge);background:var(--gate);text-align:center;display:flex;flex-direction:column;justify-content:center}
.refused .ends{border:1.5px dashed var(--bad);background:var(--bad-bg)}
.link{align-self:center;text-align:center;font-size:12px;padding:0 6px;position:relative}
.link span{display:block;color:var(--safe)}.link.plain span{color:var(--unsafe)}.link.no span{color:var(--bad);font-weight:600}
.link i{display:block;border-top:2px solid var(--line);position:relative;margin:3px 4px 3px 0}
.link.plain i{border-top-style:dashed}
.link i::after{content:"";position:absolute;right:-4px;top:-6px;border:5px solid transparent;border-left:8px solid var(--line);border-right:0}
.link small{display:block}
.direct .link{grid-column:2/5}
.ends{display:flex;flex-direction:column;justify-content:center}.icon{vertical-align:-1px}.card .hosts{display:flex;flex-wrap:wrap;gap:4px 6px}
.host{font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;padding:2px 7px;border-color:var(--edge);background:var(--bg);text-align:left;overflow-wrap:anywhere}
.host:hover{border-color:var(--gate-edge)}.host.hit{border:2px solid var(--gate-edge);font-weight:700}
details summary{cursor:pointer;margin:6px 0 4px}
dialog{border:1px solid var(--line);border-radius:12px;background:var(--bg);color:inherit;width:min(760px,94vw);max-height:88vh;padding:20px}
dialog::backdrop{background:rgb(0 0 0/.45)}
dialog form{display:flex;justify-content:space-between;gap:12px;align-items:start}dialog h2{margin:0;overflow-wrap:anywhere}
.path{padding-left:22px}.path>li{margin:6px 0;padding:8px 12px;border:1px solid var(--edge);border-radius:8px;background:var(--card);overflow-wrap:anywhere}
.path>li.refused{border:1.5px dashed var(--bad);background:var(--bad-bg)}
.path .sent{margin:6px 0 0;color:var(--muted)}.path .sent::before{content:"↓ sends "}
.path>li.client .sent::before{content:"↓ speaks "}
code{font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;color:var(--muted)}
.picture{overflow-x:auto;border:1px solid var(--edge);border-radius:12px}
@media(max-width:860px){.heads{display:none}.lane{display:block}.lane .card,.lane .link{margin:4px 0}.lanes.egress,.lanes.ingress{background:var(--mesh)}}
@media print{.tools,.legend{display:none}details>ul{display:flex!important}}
`.replace(/\n/g, '');
