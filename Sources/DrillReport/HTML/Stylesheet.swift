/// The whole look of a report: no file, font or picture from elsewhere. Light and dark follow the reader's system;
/// every text has a contrast of at least 4.5 to its ground.
enum Stylesheet {
    static let text: Markup = """
        :root{color-scheme:light dark;
        --ground:#fff;--raised:#f6f7f8;--ink:#1b1f24;--muted:#59636e;--line:#d9dee3;--faint:#eceff2;
        --pass:#12703f;--pass-ground:#e9f5ee;--fail:#b3261e;--fail-ground:#fcecea;--open:#8a5a00;--open-ground:#fdf3dc;
        --good:#7fbf9f;--bad:#d6483c;--bad-line:#fff;--unsent:#aab2bb;
        --rto:#1f4f99;--rto-ink:#fff;--predicted:#7a4bb3;--band:#66707a;--band-ink:#fff;--shade:#f1ede4;
        --claim:#2f6db5;--claim-ink:#fff;--state:#e4e7ea;--state-line:#99a2ab;--spread:#b9c9dd;--median:#1f4f99;
        --instant:#5b6570}
        @media (prefers-color-scheme:dark){:root{
        --ground:#14171a;--raised:#1d2125;--ink:#e7eaed;--muted:#a3adb8;--line:#363d44;--faint:#262b30;
        --pass:#6fcf9b;--pass-ground:#15291f;--fail:#ff8a80;--fail-ground:#331a18;--open:#f0bd5b;--open-ground:#2e2614;
        --good:#3f8a66;--bad:#e5594c;--bad-line:#14171a;--unsent:#6b757f;
        --rto:#8ab4f8;--rto-ink:#10151b;--predicted:#c3a0ee;--band:#7d8791;--band-ink:#0e1114;--shade:#23211b;
        --claim:#6a9fe0;--claim-ink:#0e1114;--state:#2b3137;--state-line:#6d7781;--spread:#35506f;--median:#9cc2ff;
        --instant:#a6b0ba}}
        *{box-sizing:border-box}
        html{-webkit-text-size-adjust:100%}
        body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Noto Sans CJK SC","PingFang SC","Microsoft YaHei",sans-serif;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
        main{max-width:1128px;margin:0 auto;padding:24px 24px 64px}
        h1{font-size:1.65rem;line-height:1.25;margin:.1em 0 .3em;font-weight:650;letter-spacing:-.01em}
        h2{font-size:1.15rem;margin:2.4em 0 .7em;font-weight:650}
        h3{font-size:1rem;margin:1.6em 0 .5em;font-weight:650}
        h4{font-size:.92rem;margin:1.4em 0 .4em;font-weight:650}
        p{margin:.4em 0;max-width:76ch}
        .muted,small{color:var(--muted)}
        small{font-size:.86rem}
        code,pre{font:.9em/1.5 ui-monospace,"SF Mono",Menlo,Consolas,"Noto Sans Mono",monospace}
        pre{background:var(--raised);border:1px solid var(--line);border-radius:6px;padding:12px 14px;overflow-x:auto;margin:.6em 0;white-space:pre-wrap}
        a{color:var(--rto)}
        .banner{border:1px solid;border-left-width:6px;border-radius:8px;padding:18px 22px 16px;margin:0 0 20px}
        .banner .word{font-weight:700;font-size:1.02rem}
        .banner .facts{color:var(--muted);font-size:.88rem;margin-top:.7em}
        .banner .facts span{margin-right:1.2em;display:inline-block}
        .banner p{font-size:1.06rem}
        .pass-banner{background:var(--pass-ground);border-color:var(--pass)}.pass-banner .word{color:var(--pass)}
        .fail-banner{background:var(--fail-ground);border-color:var(--fail)}.fail-banner .word{color:var(--fail)}
        .open-banner{background:var(--open-ground);border-color:var(--open)}.open-banner .word{color:var(--open)}
        .v{white-space:nowrap;font-weight:650}
        .v-pass{color:var(--pass)}.v-fail{color:var(--fail)}.v-open{color:var(--open)}
        .figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(188px,1fr));gap:12px;margin:0;padding:0}
        .figures>div{background:var(--raised);border-radius:8px;padding:14px 16px 12px}
        .figures dt{color:var(--muted);font-size:.84rem}
        .figures dd{margin:0}
        .figures .big{font-size:1.6rem;font-weight:650;letter-spacing:-.015em;line-height:1.3}
        .figures .big small{font-size:.9rem;font-weight:400;letter-spacing:0;white-space:nowrap}
        .figures .sub{color:var(--muted);font-size:.86rem;line-height:1.45}
        .scroll{overflow-x:auto;margin:.5em 0}
        table{border-collapse:collapse;width:100%;font-size:.9rem}
        table.compact{width:auto}.compact td,.compact th{padding-right:32px}
        caption{text-align:left;color:var(--muted);font-size:.86rem;padding:0 0 6px}
        th,td{text-align:left;vertical-align:top;padding:6px 14px 6px 0;border-bottom:1px solid var(--faint);unicode-bidi:isolate;overflow-wrap:break-word}
        thead th{color:var(--muted);font-weight:500;font-size:.84rem;border-bottom-color:var(--line);white-space:nowrap}
        tbody th{font-weight:500}
        th.n,td.n{text-align:right;white-space:nowrap}
        td:last-child,th:last-child{padding-right:0}
        .nowrap{white-space:nowrap}
        details{border-top:1px solid var(--line);padding:2px 0}
        details details{border-top:1px solid var(--faint)}
        summary{cursor:pointer;padding:9px 0;font-weight:500}
        summary:focus-visible{outline:2px solid var(--rto);outline-offset:2px;border-radius:3px}
        .trial>summary{font-size:1.02rem}
        .trial>summary .v{margin:0 .5em}
        .trial>summary small{font-weight:400}
        .trial>.inner{padding:0 0 18px}
        ul{margin:.4em 0;padding-left:1.2em}
        .legend{display:flex;flex-wrap:wrap;gap:4px 18px;font-size:.84rem;color:var(--muted);margin:.3em 0 .6em;padding:0;list-style:none}
        .legend li{display:flex;align-items:center;gap:6px}
        .legend svg{width:22px;height:12px;flex:none}
        figure{margin:14px 0 4px}
        figcaption{font-size:.88rem;color:var(--muted);margin-bottom:6px}
        .picture{display:block;width:100%;height:auto}
        .narrow{display:none}
        .natural{display:block}
        .defs{position:absolute;width:0;height:0}
        svg text{font-size:11.5px;fill:var(--ink);font-family:inherit}
        svg text.muted,svg tspan.muted{fill:var(--muted)}
        svg text.halo{paint-order:stroke;stroke:var(--halo,var(--ground));stroke-width:3px;stroke-linejoin:round}
        svg text.tick{font-size:11px}
        svg .strong{font-weight:650}
        .shade{fill:var(--shade)}
        .instant{stroke:var(--instant);stroke-width:1;stroke-dasharray:2 3;fill:none}
        .band{fill:var(--band)}.on-band{fill:var(--band-ink)!important}
        .rto{fill:var(--rto)}.on-rto{fill:var(--rto-ink)!important;font-weight:650}
        .uncertain{fill:url(#hatch)}
        .predicted{fill:url(#lean);stroke:var(--predicted);stroke-width:1.2}
        .lane{fill:var(--faint)}
        .claim{fill:var(--claim)}.on-claim{fill:var(--claim-ink)!important}
        .latent{fill:none;stroke:var(--claim);stroke-width:1.5;stroke-dasharray:4 3}
        .state{fill:url(#dead)}.on-state{fill:var(--ink)!important;paint-order:stroke;stroke:var(--state);stroke-width:4px}
        .blind{fill:url(#dots)}.on-blind{fill:var(--muted)!important;paint-order:stroke;stroke:var(--faint);stroke-width:4px}
        .overlap{fill:url(#clash);stroke:var(--bad);stroke-width:1.5}
        .handover{fill:none;stroke:var(--open);stroke-width:1.5;stroke-dasharray:3 2}
        .tag{fill:var(--fail)}.on-tag{fill:var(--ground)!important;font-weight:650}
        .good{fill:var(--good)}.bad{fill:var(--bad)}.bad-lines{fill:url(#bad)}.unsent{fill:var(--unsent)}
        .spread{fill:var(--spread)}.median{fill:var(--median)}
        .grid{stroke:var(--faint);stroke-width:1;fill:none}
        .axis{stroke:var(--line);stroke-width:1;fill:none}
        .hover{fill:transparent}
        .threshold{stroke:var(--ink);stroke-width:1.4;stroke-dasharray:5 3;fill:none}
        .dot{fill:var(--rto)}.ring{fill:var(--ground);stroke:var(--open);stroke-width:1.8}
        .cross{stroke:var(--fail);stroke-width:2.4;fill:none}
        .fail .dot{fill:var(--fail)}.inconclusive .dot{fill:var(--open)}
        .interval{fill:var(--rto);opacity:.55}
        footer{margin-top:48px;color:var(--muted);font-size:.84rem;border-top:1px solid var(--line);padding-top:12px}
        @media (max-width:640px){
        main{padding:14px 14px 48px}h1{font-size:1.35rem}
        .banner{padding:14px 15px 12px}.banner .facts span{display:block}
        .figures{grid-template-columns:1fr 1fr;gap:8px}.figures>div{padding:11px 12px}.figures .big{font-size:1.3rem}
        .figures .big small{display:block;font-size:.84rem}
        .wide{display:none}.narrow{display:block}
        .stack thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
        .stack tr{display:block;border-bottom:1px solid var(--line);padding:8px 0}
        .stack td,.stack th{display:block;border:0;padding:1px 0}
        .stack td[data-label]:not(:empty)::before{content:attr(data-label) " ";color:var(--muted)}
        }
        @media print{
        :root{color-scheme:light;--ground:#fff;--raised:#f6f7f8;--ink:#1b1f24;--muted:#59636e;--line:#d9dee3;--faint:#eceff2;
        --pass:#12703f;--pass-ground:#e9f5ee;--fail:#b3261e;--fail-ground:#fcecea;--open:#8a5a00;--open-ground:#fdf3dc;
        --good:#7fbf9f;--bad:#d6483c;--bad-line:#fff;--unsent:#aab2bb;--rto:#1f4f99;--rto-ink:#fff;--predicted:#7a4bb3;
        --band:#66707a;--band-ink:#fff;--shade:#f1ede4;--claim:#2f6db5;--claim-ink:#fff;--state:#e4e7ea;--state-line:#99a2ab;
        --spread:#b9c9dd;--median:#1f4f99;--instant:#5b6570}
        @page{margin:14mm}
        body{font-size:10.5pt}main{max-width:none;padding:0}
        *{print-color-adjust:exact;-webkit-print-color-adjust:exact}
        .wide{display:block}.narrow{display:none}.figures{grid-template-columns:repeat(auto-fit,minmax(32mm,1fr));gap:8px}.figures>div{padding:9px 11px}.figures .big{font-size:1.3rem}
        figure,tr,.banner,.figures>div{break-inside:avoid}h2,h3,h4,summary{break-after:avoid}
        details::details-content{content-visibility:visible;display:block;block-size:auto}
        .scroll{overflow:visible}pre{white-space:pre-wrap}
        }
        """

    /// Patterns tell the kinds apart where colours do not.
    static let patterns: Markup = """
        <svg class="defs" aria-hidden="true" focusable="false"><defs>
        <pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="2" height="5" style="fill:var(--rto-ink);opacity:.55"/></pattern>
        <pattern id="lean" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(-45)"><rect width="1.4" height="6" style="fill:var(--predicted);opacity:.32"/></pattern>
        <pattern id="dead" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="6" height="6" style="fill:var(--state)"/><rect width="1.5" height="6" style="fill:var(--state-line)"/></pattern>
        <pattern id="dots" width="6" height="6" patternUnits="userSpaceOnUse"><circle cx="3" cy="3" r="1" style="fill:var(--muted)"/></pattern>
        <pattern id="clash" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="3" height="7" style="fill:var(--bad);opacity:.75"/></pattern>
        <pattern id="bad" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="1.3" height="5" style="fill:var(--bad-line);opacity:.6"/></pattern>
        </defs></svg>
        """
}
