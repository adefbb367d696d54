/** The panel's style sheet. One set of tokens for light, dark and forced colours. */

/** Where there is no room for a window beside the page. */
export const FULL_SCREEN = "(max-width: 37.5em), (max-height: 30em)";
/** Where the messages alone could not scroll: all of the chat scrolls as one. */
export const SHORT = "(max-height: 30em)";

export const panelSheet = new CSSStyleSheet();
panelSheet.replaceSync(`
:host {
  --surface: #fff; --raised: #f4f5f6; --text: #1a1a1a; --muted: #474b4f; --edge: #767b80; --rule: #c9cdd1; --bad: #8f0016;
  --link: var(--accent-text, #00529e); --focus: #1a1a1a;
}
@media (prefers-color-scheme: dark) {
  :host {
    --surface: #1b1e21; --raised: #2a2e32; --text: #f2f3f4; --muted: #cdd1d5; --edge: #9aa0a6; --rule: #50565c; --bad: #ffb4ab;
    --link: var(--accent-text-dark, #9cc9f5); --focus: #fff;
  }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
.hidden { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.paper-frame { position: absolute; inline-size: 1px; block-size: 1px; border: 0; clip-path: inset(50%); }
.panel {
  position: fixed; inset: auto; inset-block-end: 1rem; inset-inline-end: 1rem; margin: 0; padding: 0;
  flex-direction: column; inline-size: min(27.5em, 100vw - 2rem); block-size: min(44em, var(--height, 100dvh) - 2rem);
  max-inline-size: none; max-block-size: none; overflow: hidden;
  font-size: calc(1em * var(--scale, 1)); color: var(--text); background: var(--surface);
  border: 1px solid var(--edge); border-block-start: 4px solid var(--accent); border-radius: 8px; box-shadow: 0 4px 24px rgb(0 0 0 / .25);
  overflow-wrap: break-word; hyphens: auto;
}
.panel[open] { display: flex; }
:host([position="left"]) .panel { inset-inline: 1rem auto; }
.panel::backdrop { background: var(--surface); }
h2, h3, p, ul, ol { margin: 0; padding: 0; }
ul, ol { list-style: none; }
button, textarea, input { font: inherit; color: inherit; }
button { cursor: pointer; }
a { color: var(--link); text-underline-offset: .2em; }
a:hover { text-decoration-thickness: 2px; }
svg { inline-size: 1.25em; block-size: 1.25em; flex: none; vertical-align: -.25em; fill: none; stroke: currentColor; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
a svg { inline-size: .85em; block-size: .85em; vertical-align: -.05em; margin-inline-start: .3em; }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; border-radius: 4px; }
.log:focus-visible, .menu:focus-visible, .page:focus-visible, .notices:focus-visible { outline-offset: -3px; }
h2:focus-visible, h3:focus-visible { outline-offset: 0; }

.head { display: flex; flex-wrap: wrap; align-items: center; padding: .25em .25em .4em 1em; border-block-end: 1px solid var(--rule); flex: none; }
h2 { flex: 1 1 6em; min-inline-size: 0; font-size: 1.125em; line-height: 1.3; font-weight: 700; }
.who { flex-basis: 100%; font-size: .875em; line-height: 1.4; color: var(--muted); }
.buttons { display: flex; flex: none; }
.head-button {
  display: flex; flex-direction: column; align-items: center; justify-content: center; gap: .1em; min-inline-size: max(3.5em, 44px);
  min-block-size: max(2.75em, 44px); padding: .25em .4em; border: 0; background: none; border-radius: 8px;
}
.head-button span { font-size: .75em; line-height: 1.2; }
.head-button:hover, .entry:hover:not(:disabled) { background: var(--raised); }
.banner { flex: none; padding: .5em 1em; background: var(--raised); border-block-end: 1px solid var(--rule); font-weight: 600; }
.banner:empty, .problem:empty, .counter:empty, .mistake:empty, .page > p:empty, .done:empty { display: none; }
.notices { flex: none; max-block-size: 7.5em; overflow-y: auto; padding: .5em 1em; border-block-end: 1px solid var(--rule); border-inline-start: 4px solid var(--edge); background: var(--raised); font-size: .9375em; }
.notices > * + * { margin-block-start: .25em; }

.main { flex: 1; min-block-size: 0; display: flex; flex-direction: column; position: relative; }
.log { flex: 1; min-block-size: 6em; overflow-y: auto; overscroll-behavior: contain; padding: 1em; position: relative; }
.messages { display: flex; flex-direction: column; gap: 1em; }
.message { max-inline-size: 60ch; position: relative; }
.author { font-size: .875em; font-weight: 600; color: var(--muted); }
.text > * + * { margin-block-start: .5em; }
.text ul, .text ol { padding-inline-start: 1.5em; }
.text ul { list-style: disc; }
.text ol { list-style: decimal; }
.text li + li { margin-block-start: .25em; }
.citizen { align-self: flex-end; max-inline-size: 85%; padding: .5em 1em; border-radius: 8px; background: color-mix(in srgb, var(--accent) 12%, var(--surface)); border: 1px solid color-mix(in srgb, var(--accent) 40%, var(--surface)); }
@media (prefers-color-scheme: dark) { .citizen { background: color-mix(in srgb, var(--accent) 35%, var(--surface)); border-color: var(--edge); } }
.citizen.pending { border-style: dashed; }
.bot, .agent { border-inline-start: 2px solid var(--rule); padding-inline-start: .9em; }
.agent { border-inline-start: 4px solid var(--accent); }
.agent .author { color: var(--text); font-weight: 700; }
.agent + .agent:has(> .author.hidden) { margin-block-start: -.5em; }
.system:not(.emergency) { padding-block: .4em; border-block: 1px solid var(--rule); font-size: .875em; color: var(--muted); }
.system:not(.emergency) + .system:not(.emergency) { border-block-start: 0; margin-block-start: -1em; }
.card { border: 1px solid var(--edge); border-radius: 8px; padding: 1em; }
.emergency { border: 3px solid var(--bad); border-radius: 8px; padding: 1em; }
h3 { font-size: 1.125em; line-height: 1.3; margin-block-end: .5em; }
.offer { margin-block-start: 1em; border: 1px solid var(--edge); border-radius: 8px; padding: 1em; max-inline-size: 60ch; }
.offer .phone { display: inline; font-weight: 600; white-space: nowrap; }
.offer .primary { margin-block-start: .75em; }
.call-back { margin-block-start: .75em; inline-size: auto; }
.panel:not([data-state="bot"]) .call-back { display: none; }
.typing { color: var(--muted); font-style: italic; margin-block-start: 1em; }
.newer { align-self: center; position: absolute; inset-block-end: auto; min-block-size: 44px; margin-block-start: -3.5em; z-index: 1; padding: .25em 1em; border: 2px solid var(--accent); border-radius: 8px; background: var(--surface); }

.choices { display: flex; flex-direction: column; gap: .5em; margin-block-start: .75em; }
.choices.row { flex-flow: row wrap; }
.choice {
  min-block-size: 44px; inline-size: 100%; padding: .4em .8em; text-align: start; border: 1px solid var(--edge); border-radius: 8px;
  background: var(--surface); color: var(--link); font-weight: 600; line-height: 1.35;
}
.row .choice, .more .choice { inline-size: auto; }
.choice:hover { background: var(--raised); text-decoration: underline; text-underline-offset: .2em; }
.choice .number { color: var(--muted); font-weight: 400; }
.more-row { display: flex; flex-wrap: wrap; align-items: baseline; gap: .25em .5em; margin-block-start: .75em; }
.more-label { font-size: .875em; font-weight: 600; color: var(--muted); }
.more { display: flex; flex-wrap: wrap; gap: .4em; }
.more .choice { font-size: .9375em; font-weight: 500; padding-inline: .7em; }
.actions { display: flex; flex-wrap: wrap; gap: .25em 1em; align-items: center; margin-block-start: 1em; }
.primary {
  display: inline-flex; align-items: center; justify-content: center; min-block-size: 44px; padding: .4em 1.1em; border: 2px solid var(--accent); border-radius: 8px;
  color: var(--on-accent); background: var(--accent); font-weight: 600; text-decoration: none; line-height: 1.35;
}
.primary:hover { text-decoration: underline; }
.actions .primary { flex-basis: 100%; }
.action, .phone { display: inline-flex; align-items: center; min-block-size: 44px; }
.office { display: flex; flex-wrap: wrap; align-items: center; gap: 0 .75em; margin-block-start: .75em; padding-block-start: .5em; border-block-start: 1px solid var(--rule); }
.office strong { flex-basis: 100%; }
.footer { margin-block-start: .5em; padding-block-start: .5em; border-block-start: 1px solid var(--rule); font-size: .875em; color: var(--muted); }
.source { display: flex; flex-wrap: wrap; gap: 0 1em; }
.source a { display: inline-block; padding-block: .5em; margin-block: -.5em; }
.rating, .paper { display: flex; flex-wrap: wrap; align-items: center; gap: .25em .5em; margin-block-start: .25em; }
.thumb { display: inline-flex; align-items: center; gap: .4em; min-block-size: 44px; min-inline-size: 44px; padding: .25em .8em; border: 1px solid var(--edge); border-radius: 8px; background: var(--surface); color: var(--text); }
.thumb[aria-pressed="true"] { border: 3px solid var(--link); font-weight: 700; }
.thumb:hover { background: var(--raised); }
.thumb.down svg { transform: rotate(180deg); }
.plain { min-block-size: 44px; padding: .25em 0; border: 0; background: none; color: var(--link); text-decoration: underline; text-underline-offset: .2em; }
.paper { gap: 0 1em; }

.problem { flex: none; margin: 0 1em .5em; padding: .5em 1em; border: 2px solid var(--bad); border-radius: 8px; }
.foot { flex: none; border-block-start: 1px solid var(--rule); padding: .5em 1em; background: var(--surface); }
label { display: block; font-size: .875em; font-weight: 600; margin-block-end: .25em; }
.line { display: flex; align-items: flex-end; gap: .5em; }
textarea {
  flex: 1; min-inline-size: 0; min-block-size: max(3em, 44px); padding: .6em .75em; border: 1px solid var(--edge); border-radius: 8px;
  color: var(--text); background: var(--surface); resize: none; line-height: 1.5; display: block;
}
textarea[aria-invalid="true"] { border: 2px solid var(--bad); }
.send { min-block-size: max(3em, 44px); gap: .4em; padding-inline: .9em; }
.counter { font-size: .875em; color: var(--muted); }
textarea[aria-invalid="true"] ~ .counter, .counter.over { color: var(--bad); }
.plain[aria-disabled="true"] { color: var(--muted); cursor: progress; }
.humans .plain { text-align: start; }
.humans { display: flex; flex-wrap: wrap; align-items: center; gap: 0 1.25em; margin-block-start: .25em; }
.place { flex-basis: 100%; padding-block-start: .25em; font-weight: 600; }
.asked { font-weight: 400; }
.line-of-end { display: flex; flex-wrap: wrap; align-items: center; gap: .5em 1em; padding-block: .5em; }
.line-of-end p { flex: 1 1 12em; }
.whole-rating { padding-block: .25em .5em; border-block-start: 1px solid var(--rule); }
fieldset { border: 0; margin: 0; padding: 0; min-inline-size: 0; }
legend { padding: 0; font-size: .875em; font-weight: 600; margin-block: .25em; }
.grades { display: grid; grid-template-columns: repeat(6, minmax(0, 1fr)); gap: .25em; }
.grade { position: relative; display: flex; flex-direction: column; align-items: center; margin: 0; font-size: 1em; text-align: center; }
.grade input { position: absolute; inset: 0; inline-size: 100%; block-size: 100%; margin: 0; opacity: 0; cursor: pointer; }
.grade span:not(.hidden) { display: flex; align-items: center; justify-content: center; inline-size: 100%; min-block-size: 44px; border: 1px solid var(--edge); border-radius: 8px; font-weight: 600; }
.grade:hover span:not(.hidden) { background: var(--raised); }
.grade input:checked + span { border: 3px solid var(--link); background: var(--raised); }
.grade input:focus-visible + span { outline: 3px solid var(--focus); outline-offset: 2px; }
.meanings { display: flex; justify-content: space-between; font-size: .875em; color: var(--muted); }
.rating-more { margin-block-start: .5em; }
.rating-more textarea { inline-size: 100%; }
.rating-more .thumb { margin-block-start: .5em; font-weight: 600; }

.page { flex: 1; min-block-size: 0; overflow-y: auto; padding: .5em 1em 1em; }
.page > p { margin-block-end: .5em; max-inline-size: 60ch; }
.page h3 { margin-block-start: .5em; }
.fields { display: flex; flex-direction: column; gap: 1em; margin-block-start: 1em; }
.fields fieldset { display: flex; flex-direction: column; gap: .5em; }
.fields legend { margin-block-end: .5em; }
.fields .primary { align-self: flex-start; }
.fields .problem { margin: 0; }
.field input:not([type="checkbox"]) { inline-size: 100%; min-block-size: max(3em, 44px); padding: .4em .75em; border: 1px solid var(--edge); border-radius: 8px; color: var(--text); background: var(--surface); }
.field textarea { inline-size: 100%; resize: vertical; }
.field input[aria-invalid="true"]:not([type="checkbox"]), .field textarea[aria-invalid="true"] { border: 2px solid var(--bad); }
.mistake { color: var(--bad); font-size: .875em; font-weight: 600; margin-block-start: .25em; }
.consent { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: 0 .6em; align-items: start; }
.consent input { inline-size: 1.5em; block-size: 1.5em; margin: .1em 0 0; accent-color: var(--link); }
.consent label { font-weight: 400; font-size: .9375em; margin: 0; }
.consent .mistake { grid-column: 2; }
.thanks { margin-block: .5em 1.5em; }

.menu { flex: 1; min-block-size: 0; overflow-y: auto; padding: .5em 1em 1em; }
.entry { display: flex; align-items: center; inline-size: 100%; min-block-size: max(3em, 44px); padding: .4em .5em; border: 0; border-block-end: 1px solid var(--rule); background: none; text-align: start; font-weight: 600; }
.entry:disabled { color: var(--muted); font-weight: 400; cursor: default; }
.back { font-weight: 400; }
.back::before { content: "‹"; content: "‹" / ""; margin-inline-end: .5em; font-size: 1.4em; line-height: 1; }
.sizes { gap: .5em; flex-wrap: wrap; }
.sizes > :first-child { flex: 1; }
.size { min-inline-size: 4em; text-align: center; font-weight: 400; }
.size-step { min-inline-size: 44px; min-block-size: 44px; border: 1px solid var(--edge); border-radius: 8px; background: var(--surface); font-weight: 600; }
.size-step[aria-disabled="true"] { color: var(--muted); border-style: dashed; cursor: default; }
.legal { display: flex; flex-wrap: wrap; gap: 0 1.25em; padding: .5em; }
.legal a { display: inline-flex; align-items: center; min-block-size: 44px; }
.confirm { display: flex; flex-direction: column; gap: 1em; padding-block: 1em; }
.confirm h3 { margin: 0; }
.confirm .entry { border: 1px solid var(--edge); border-radius: 8px; justify-content: center; }

@media ${FULL_SCREEN} {
  .panel, :host([position="left"]) .panel { inset: 0; inset-block-end: auto; inline-size: 100%; block-size: var(--height, 100dvh); border-inline: 0; border-block-end: 0; border-radius: 0; box-shadow: none; }
  .log { padding: .75em; }
  .foot { padding: .5em .75em; }
}
@media (prefers-color-scheme: dark) { .primary { border-color: var(--link); } }
@media ${SHORT} {
  .panel { overflow-y: auto; }
  .panel[open] { display: block; }
  .log { overflow: visible; min-block-size: 0; }
  .newer { display: none; }
  .notices, .page, .menu { max-block-size: none; overflow: visible; }
}
@media (max-width: 22em) {
  .send span { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); }
  .send { padding-inline: .7em; }
  .rating > :first-child, .sizes > :first-child { flex-basis: 100%; }
}
@media (forced-colors: active) {
  :host { --focus: Highlight; }
  .citizen { border: 1px solid CanvasText; }
  .primary { border-color: ButtonText; }
  .grade input:checked + span { border-color: Highlight; }
  .thumb[aria-pressed="true"] { border-color: Highlight; }
}
`);
