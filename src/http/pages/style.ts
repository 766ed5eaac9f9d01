import type { Brand } from "../../services/host/Config.ts"

/** The one stylesheet of all pages: light and dark, phone and desktop, the system's own fonts. */
const sheet = `
*,*::before,*::after{box-sizing:border-box}
:root{color-scheme:light dark;--accent:#3f46a8;--on-accent:#fff;--text:#1d2233;--soft:#555d74;--line:#d5d9e6;
--card:#fffffff2;--field:#fff;--tint:#eef0f9;--bad:#a3161d;--bad-tint:#fdecec;--good:#14603a;--good-tint:#e6f5ec;
--warn:#7a4a00;--warn-tint:#fdf3dc;--ring:#3f46a8;
--page:radial-gradient(60rem 40rem at 12% -5%,#ffe3ee 0,#ffe3ee00 62%),radial-gradient(52rem 42rem at 95% 8%,#d6f3ee 0,#d6f3ee00 62%),
radial-gradient(60rem 46rem at 82% 105%,#e3dcfb 0,#e3dcfb00 62%),radial-gradient(50rem 40rem at 5% 100%,#fdf1d3 0,#fdf1d300 60%),#f4f5fa}
@media(prefers-color-scheme:dark){:root{--text:#eceef6;--soft:#aab1c6;--line:#3a4057;--card:#171b2bf2;--field:#10131f;--tint:#22273b;
--bad:#ffb3b0;--bad-tint:#3c1a20;--good:#9be2b8;--good-tint:#14301f;--warn:#f5cf85;--warn-tint:#352811;--ring:#aab2ff;
--page:radial-gradient(60rem 40rem at 12% -5%,#40233d 0,#40233d00 62%),radial-gradient(52rem 42rem at 95% 8%,#123c40 0,#123c4000 62%),
radial-gradient(60rem 46rem at 82% 105%,#2c2459 0,#2c245900 62%),#0d101b}}
html{overflow-y:scroll;font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",sans-serif;-webkit-text-size-adjust:100%}
body{margin:0;min-height:100vh;min-height:100dvh;display:flex;flex-direction:column;color:var(--text);
background:var(--page);background-attachment:fixed;overflow-wrap:anywhere}
.top,.foot{width:100%;max-width:46rem;margin:0 auto;padding:1.25rem}
.top{display:flex;align-items:center;justify-content:center;gap:.6rem;font-weight:650;font-size:1.05rem}
.top img{height:2.25rem;max-width:12rem;object-fit:contain}
.foot{display:flex;flex-wrap:wrap;gap:.4rem 1.25rem;justify-content:center;font-size:.875rem}
.foot a{color:var(--soft)}
main{width:calc(100% - 2rem);max-width:27rem;margin:auto;padding:2rem;background:var(--card);
border:1px solid var(--line);border-radius:1.25rem;box-shadow:0 1.25rem 3.5rem #1d22331f}
main>:last-child:last-child{margin-bottom:0}
main.wide{max-width:44rem;margin-top:0}
@media(max-width:30rem){main{padding:1.4rem 1.2rem;border-radius:1rem}}
h1{margin:0 0 .35rem;font-size:1.5rem;line-height:1.25;font-weight:680;letter-spacing:-.01em}
h2{margin:1.75rem 0 .5rem;font-size:1.06rem;line-height:1.35}
p{margin:.5rem 0}
.lead,.hint,small{color:var(--soft)}
.lead{margin:0 0 1.25rem}
.hint,small{font-size:.875rem}
a{color:inherit;text-decoration:underline;text-underline-offset:.15em}
:focus-visible{outline:3px solid var(--ring);outline-offset:2px;border-radius:.3rem}
form{margin:1rem 0}
form.inline{display:inline;margin:0}
label,legend{display:block;font-weight:600;font-size:.94rem}
fieldset{margin:0;padding:0;border:0;min-width:0}
legend{padding:0;margin-bottom:.5rem}
.field{margin:0 0 1rem}
.field .hint{margin:.4rem 0 0}
input:not([type]),input[type=text],input[type=email],input[type=password],input[type=date],select,textarea{display:block;width:100%;margin-top:.3rem;
padding:.7rem .8rem;font:inherit;color:inherit;background:var(--field);border:1px solid #858ca5;border-radius:.7rem}
select{min-height:calc(2.9rem + 2px);text-overflow:ellipsis}
input[readonly]{background:var(--tint);border-color:var(--line)}
input[aria-invalid=true]{border-color:var(--bad)}
.affix{display:flex;align-items:center;margin-top:.3rem;background:var(--field);border:1px solid #858ca5;border-radius:.7rem;overflow:hidden}
.affix:focus-within{outline:3px solid var(--ring);outline-offset:2px}
.affix:has([aria-invalid=true]){border-color:var(--bad)}
.affix>:is(input,select){flex:1;min-width:0;margin:0!important;border:0!important;border-radius:0!important;outline:0;background:none!important}
.affix>select{flex:0 1 auto;max-width:60%;padding-left:0!important}
.affix>span{flex:0 1 auto;max-width:60%;padding-right:.8rem;color:var(--soft)}
button.reveal{flex:none;width:auto;margin:0 .35rem 0 0;padding:.3rem .6rem;border:0;background:none;color:var(--soft);font-size:.875rem}
button.reveal[aria-pressed=true]{color:var(--text);text-decoration:underline}
.error{margin:.4rem 0 0;color:var(--bad);font-size:.9rem;font-weight:600}
.copyable{display:flex;align-items:baseline;gap:.6rem;min-width:0}
.copyable>code{min-width:0;overflow-wrap:anywhere}
.copyable>button{flex:none}
main>.copyable,.secret .copyable{margin:.75rem 0 1.25rem;padding:.7rem .9rem;border-radius:.8rem;background:var(--tint);justify-content:space-between}
.secret .copyable{margin:0;padding:0;justify-content:center;flex-wrap:wrap}
li.place{padding:.75rem .9rem}
li.place .facts{margin:.5rem 0}
.joined{display:flex;gap:.4rem;align-items:flex-end}
.joined input{flex:1;min-width:0}
.joined select{width:auto;max-width:55%}
.check{display:flex;gap:.6rem;align-items:flex-start;font-weight:400}
.check input{width:1.15rem;height:1.15rem;margin:.15rem 0 0;flex:none;accent-color:var(--accent)}
button,.button{display:block;width:100%;padding:.78rem 1rem;margin:.6rem 0 0;font:inherit;font-weight:650;text-align:center;
text-decoration:none;cursor:pointer;border-radius:.8rem;border:1px solid var(--accent);background:var(--accent);color:var(--on-accent)}
button:hover,.button:hover{filter:brightness(1.08)}
button.quiet,.button.quiet{background:var(--field);color:var(--text);border-color:#858ca5}
button.danger{background:var(--bad-tint);color:var(--bad);border-color:var(--bad)}
button.small,.button.small{display:inline-block;width:auto;padding:.35rem .8rem;margin:0;font-size:.9rem;border-radius:.6rem}
button.link{display:inline;width:auto;padding:0;margin:0;border:0;background:none;color:inherit;font-weight:400;text-decoration:underline}
.pair{display:flex;flex-wrap:wrap-reverse;gap:.6rem;margin-top:1.25rem}
.pair>*{flex:1 1 9rem;margin:0}
.note{margin:0 0 1rem;padding:.7rem .9rem;border-radius:.8rem;border:1px solid;font-size:.94rem}
.note p{margin:.2rem 0}
.note.bad{color:var(--bad);background:var(--bad-tint)}
.note.good{color:var(--good);background:var(--good-tint)}
.note.warn{color:var(--warn);background:var(--warn-tint)}
.divider{display:flex;align-items:center;gap:.8rem;margin:1.25rem 0 .25rem;color:var(--soft);font-size:.875rem}
.divider::before,.divider::after{content:"";flex:1;border-top:1px solid var(--line)}
.list:is(ul,ol){list-style:none;margin:1rem 0;padding:0}
.list:is(ul,ol)>li{border:1px solid var(--line);border-radius:.8rem;background:var(--field);margin:0 0 .6rem}
.list:is(ul,ol)>li:last-child{margin-bottom:0}
.list:is(ul,ol)>li.row,ul.list>li>a{display:flex;align-items:center;gap:.8rem;padding:.75rem .9rem}
ul.list>li>a{color:inherit;text-decoration:none}
ul.list>li>a:hover{background:var(--tint);border-radius:.8rem}
.grow{flex:1;min-width:0}
.grow strong,.grow small{display:block}
.face{flex:none;display:grid;place-items:center;width:2.4rem;height:2.4rem;border-radius:50%;background:var(--tint);font-weight:700;text-transform:uppercase}
.who{display:flex;align-items:center;gap:.8rem;padding:.7rem .9rem;margin:0 0 1rem;border-radius:.8rem;background:var(--tint)}
h1+.who{margin-top:.9rem}
.who .face{background:var(--field)}
code,.code{font:.9em/1.45 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
.who{flex-wrap:wrap}
.who .grow{min-width:8rem}
.actions{display:flex;align-items:center;gap:.8rem;overflow-wrap:normal;white-space:nowrap}
.centred{align-items:center}.centred>span{margin-top:.3rem}
.tag.good{background:var(--good-tint);color:var(--good)}.tag.bad{background:var(--bad-tint);color:var(--bad)}
.row .joined{flex-wrap:wrap;align-items:center}
.row .joined input{flex:1 1 9rem;margin:0}
h1+.note{margin-top:.75rem}
.row form{flex:none}
ul.list>li>a.leads::after{content:"\\203a";color:var(--soft);font-size:1.5rem;line-height:1}
@media(min-width:40rem){main.wide :is(button,.button):not(.small,.link,.reveal){display:inline-block;width:auto;min-width:12rem}}
.top-aligned{align-items:flex-start!important}
li.app{padding:.75rem .9rem}li.app>*{display:block}li.app>code{font-size:.82rem;color:var(--soft)}
li.app>.row{display:flex;gap:.8rem;margin-top:.6rem}li.app>.row+.row{border-top:1px solid var(--line);padding-top:.6rem}
.tag{display:inline-block;padding:.05rem .5rem;margin-right:.3rem;border-radius:1rem;background:var(--tint);color:var(--soft);font-size:.8rem;font-weight:600}
nav.tabs{display:flex;gap:.25rem;margin:0 0 1.5rem;padding:0 0 .75rem;border-bottom:1px solid var(--line)}
nav.tabs a{padding:.4rem .8rem;border-radius:.6rem;text-decoration:none;font-weight:600;font-size:.94rem}
nav.tabs a{overflow-wrap:normal;white-space:nowrap}
@media(max-width:30rem){nav.tabs{justify-content:space-between;gap:0;margin-inline:-.6rem}nav.tabs a{padding:.4rem .3rem;font-size:.82rem}.facts{grid-template-columns:1fr!important;gap:0!important}.facts dd{margin-bottom:.5rem!important}.copyable{justify-content:space-between}
.who .actions{width:100%;justify-content:space-between}.row.top-aligned{flex-wrap:wrap}.row.top-aligned>.grow{flex-basis:100%}}
@media(max-width:22rem){nav.tabs{flex-wrap:wrap;margin-inline:0}}
nav.tabs.many{flex-wrap:wrap;justify-content:flex-start;gap:.25rem;margin-inline:0}nav.tabs.many a{padding:.3rem .6rem}
h3{margin:1rem 0 .25rem;font-size:.94rem}.chart{margin:.25rem 0 .75rem}.chart svg{display:block;width:100%;height:4rem}.chart path{fill:var(--ring)}
.chart .axis{fill:var(--line)}.chart .bad{fill:var(--bad)}.chart figcaption{max-width:none;color:var(--soft);font-size:.875rem}
form.look-up{display:flex;flex-wrap:wrap;gap:.6rem;align-items:flex-end}form.look-up .field{flex:1 1 10rem;margin:0}form.look-up:has(.hint) .field{flex-basis:100%}
form.look-up button{width:auto!important;min-width:0!important;margin:0;padding-block:.7rem}
.tools{display:flex;flex-wrap:wrap;gap:.6rem;align-items:center;margin:.5rem 0}
nav.tabs a:hover,nav.tabs a[aria-current]{background:var(--tint)}
.facts{display:grid;align-items:baseline;grid-template-columns:max-content 1fr;gap:.4rem 1.25rem;margin:1rem 0 1.5rem}
.facts dt{color:var(--soft)}
.facts dd{margin:0}
ol.steps{margin:1rem 0;padding:0 0 0 1.3rem}
.qr{display:block;width:100%;max-width:14rem;margin:.75rem 0;border-radius:.6rem}
.secret{margin:0 0 1.25rem;padding:1rem;border-radius:.8rem;background:var(--tint);font-size:1.15rem;text-align:center}
ol.codes{columns:2;margin:1rem 0;padding:1rem 1rem 1rem 2.6rem;border-radius:.8rem;background:var(--tint)}
ol.codes li{padding:.25rem 0}
.print-only{display:none}
@media print{.top,.foot,nav.tabs,.who,button,.button,.note{display:none!important}.print-only{display:block}
main:has(.paper) :not(:has(.paper),.paper,.paper *){display:none!important}body{background:none}main{box-shadow:none;border:0;margin:0}}
.client{margin:.9rem 0 1rem;padding:.7rem .9rem;border:1px solid var(--line);border-radius:.8rem;background:var(--field)}
.client code{display:block;font-size:.82rem;color:var(--soft)}
ul.grants{list-style:none;margin:.75rem 0 0;padding:0}
ul.grants>li{position:relative;padding:.15rem 0 .55rem 1.75rem}
ul.grants>li::before{content:"\\2713";position:absolute;left:.25rem;color:var(--good);font-weight:700}
ul.grants>li.strong::before{content:"!";left:.45rem;color:var(--warn)}
ul.grants>li.choice{padding-left:0}
ul.grants>li.choice::before{content:none}
ul.grants>li.choice>small,ul.grants>li.choice>details{margin-left:1.75rem}
ul.grants>li.choice.strong strong::before{content:"! ";color:var(--warn)}
ul.grants strong{font-weight:600}
ul.grants small{display:block}
details{margin:.75rem 0}
summary{cursor:pointer;color:var(--soft);font-size:.9rem}
.row>input[type=checkbox]{flex:none;width:1.25rem;height:1.25rem;accent-color:var(--accent)}
ul.list>li.row>a{display:block;padding:0;background:none}ul.list>li.row>a:hover strong{text-decoration:underline}
.preview{flex:none;display:grid;place-items:center;width:4.5rem;height:4.5rem;object-fit:cover;overflow:hidden;border-radius:.6rem;
background:var(--tint);color:var(--soft);font-size:.75rem;text-align:center}
.pictures{display:flex;flex-wrap:wrap;gap:.8rem;margin:1rem 0}figure{margin:0}figcaption{max-width:10rem;font-size:.8rem;color:var(--soft)}
.pictures .preview{width:10rem;height:10rem}.whole{display:block;max-width:100%;max-height:30rem;border-radius:.8rem}
.said{white-space:pre-wrap;font-size:1.06rem}
pre{margin:.5rem 0 1rem;padding:.9rem;border-radius:.8rem;background:var(--tint);white-space:pre-wrap;font:.82rem/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
table{width:100%;border-collapse:collapse}
input[type=file]{display:block;width:100%;margin-top:.3rem;font:inherit;color:inherit}
::file-selector-button{padding:.5rem .9rem;margin:0 .8rem 0 0;font:inherit;color:var(--text);background:var(--field);border:1px solid #858ca5;border-radius:.6rem;cursor:pointer}
progress{width:100%;accent-color:var(--accent)}
[hidden]{display:none!important}
.visually-hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
@media(prefers-reduced-motion:no-preference){button,.button,ul.list>li>a{transition:filter .12s,background .12s}}
@media(forced-colors:active){main,.note,ul.list>li{border:1px solid CanvasText}}
`

const channel = (value: number): number => {
  const part = value / 255
  return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
}

/** The relative luminance of a colour in hexadecimal (WCAG 2). */
const luminance = (hex: string): number => {
  const [red, green, blue] = [1, 3, 5].map((at) => channel(parseInt(hex.slice(at, at + 2), 16)))
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!
}

/** Black or white, whichever is more readable on a colour. */
export const textOn = (hex: string): "#000" | "#fff" =>
  (luminance(hex) + 0.05) ** 2 > 1.05 * 0.05 ? "#000" : "#fff"

/** The brand's overrides. The configuration admits only hexadecimal colours and https URLs without quotes. */
const brandRules = ({ color, background }: Brand): string => {
  const accent = color === undefined ? "" : `--accent:${color};--on-accent:${textOn(color)};`
  const picture =
    background === undefined || background.startsWith("#") ? "" : `url("${background}")`
  const page =
    background === undefined
      ? ""
      : picture === ""
        ? `--page:${background};`
        : `--page:#8883 ${picture} center/cover;`
  const rules = `${accent}${page}`
  const light = rules === "" ? "" : `:root:root{${rules}}`
  // On a background colour, the text outside of the card must be readable in both modes.
  const outside =
    picture === "" && background !== undefined
      ? `.top,.foot,.foot a{color:${textOn(background)}}`
      : picture === ""
        ? ""
        : `.top,.foot{margin-block:1rem;width:auto;border-radius:1rem;background:var(--card)}`
  return `${light}${outside}`
}

/** The stylesheet with the brand's colours. */
export const stylesheet = (brand: Brand): string => `${sheet}${brandRules(brand)}`
