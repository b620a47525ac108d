// Written by `npm run codegen` from packages/gateway/dashboard and uPlot.

/** A file of the page, and where it is served. */
export interface File {
  readonly path: string
  readonly contentType: string
  readonly text: string
}

export const files: ReadonlyArray<File> = [
  {
    path: "/dashboard",
    contentType: "text/html; charset=utf-8",
    text: `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>Spillway</title>
    <link rel="icon" href="dashboard/icon.svg" type="image/svg+xml">
    <link rel="stylesheet" href="dashboard/uplot.css">
    <link rel="stylesheet" href="dashboard/style.css">
    <script src="dashboard/uplot.js" defer></script>
    <script src="dashboard/main.js" type="module"></script>
  </head>
  <body>
    <a class="skip" href="#main">Skip to the numbers</a>
    <header class="top">
      <div class="brand">
        <svg viewBox="0 0 24 24" aria-hidden="true"><path d="M2 7c3 0 3 2 6 2s3-2 6-2 3 2 6 2M2 13c3 0 3 2 6 2s3-2 6-2 3 2 6 2M8 19c3 0 3 2 6 2s3-2 6-2"/></svg>
        <h1>Spillway</h1>
        <span id="version" class="quiet"></span>
      </div>
      <p id="connection" class="badge" role="status" data-state="unknown">Connecting</p>
      <p id="gateway" class="quiet"></p>
      <button id="sign-out" type="button" hidden>Sign out</button>
    </header>
    <main id="main" tabindex="-1">
      <section id="sign-in" aria-labelledby="sign-in-title" hidden>
        <h2 id="sign-in-title">Sign in</h2>
        <form id="sign-in-form">
          <p id="sign-in-why" role="status"></p>
          <label for="key">Key of an admin of this gateway</label>
          <div class="row">
            <input id="key" type="password" autocomplete="off" spellcheck="false" required aria-describedby="sign-in-note">
            <button class="primary">Sign in</button>
          </div>
          <p id="sign-in-note" class="quiet">It stays in this tab, and is gone when the tab is closed.</p>
        </form>
      </section>
      <noscript><p class="empty">This page needs its scripts to show anything.</p></noscript>
      <div id="content" hidden>
        <section aria-labelledby="overview-title">
          <h2 id="overview-title">Now</h2>
          <dl id="tiles" class="tiles"></dl>
        </section>
        <section aria-labelledby="charts-title">
          <div class="heading">
            <h2 id="charts-title">The last ten minutes</h2>
            <label class="choice">Backend <select id="choice"></select></label>
          </div>
          <div id="charts" class="charts"></div>
        </section>
        <section aria-labelledby="backends-title">
          <h2 id="backends-title">Backends</h2>
          <ul id="backends" class="cards"></ul>
        </section>
        <section aria-labelledby="circuits-title">
          <h2 id="circuits-title">Circuits, the last half hour</h2>
          <div id="circuits"></div>
        </section>
        <section aria-labelledby="keys-title">
          <h2 id="keys-title">Keys</h2>
          <div id="keys"></div>
        </section>
        <section aria-labelledby="failures-title">
          <h2 id="failures-title">Latest failures</h2>
          <div id="failures"></div>
        </section>
        <section aria-labelledby="spend-title">
          <h2 id="spend-title">Spend</h2>
          <div id="spend" class="spend"></div>
          <div id="budgets" class="budgets" hidden></div>
        </section>
      </div>
    </main>
    <p id="told" class="told" role="status"></p>
    <dialog id="asking" aria-labelledby="asking-title"></dialog>
  </body>
</html>
`
  },
  {
    path: "/dashboard/icon.svg",
    contentType: "image/svg+xml",
    text: `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="#2563a8" stroke-width="2.4" stroke-linecap="round"><path d="M2 7c3 0 3 2 6 2s3-2 6-2 3 2 6 2M2 13c3 0 3 2 6 2s3-2 6-2 3 2 6 2M8 19c3 0 3 2 6 2s3-2 6-2"/></svg>
`
  },
  {
    path: "/dashboard/style.css",
    contentType: "text/css; charset=utf-8",
    text: `:root {
  color-scheme: light dark;
  --ground: #f5f6f8;
  --card: #ffffff;
  --edge: #dfe3e9;
  --grid: #e9ecf1;
  --text: #1b2430;
  --quiet: #5a6675;
  --accent: #1f5fa8;
  --on-accent: #ffffff;
  --hover: #eef1f5;
  --good: #17714a;
  --good-ground: #e3f3ea;
  --busy: #1f5fa8;
  --busy-ground: #e4eef9;
  --warn: #8a5200;
  --warn-ground: #fdf0d9;
  --bad: #b3261e;
  --bad-ground: #fce8e6;
  --off: #5a6675;
  --off-ground: #eceff3;
  --line-1: #1f6fc4;
  --line-2: #c25a12;
  --line-3: #1a8a5b;
  --line-4: #8348c0;
  --line-5: #b72f6b;
  --line-6: #6b7480;
  --shadow: 0 1px 2px rgb(20 30 45 / 6%);
}

@media (prefers-color-scheme: dark) {
  :root {
    --ground: #10151c;
    --card: #18202a;
    --edge: #2a3542;
    --grid: #232d39;
    --text: #e4e9ef;
    --quiet: #9aa7b6;
    --accent: #7ab4f5;
    --on-accent: #0b1420;
    --hover: #222c38;
    --good: #6fcf9d;
    --good-ground: #15301f;
    --busy: #8bbcf6;
    --busy-ground: #17293e;
    --warn: #f0b95a;
    --warn-ground: #35270e;
    --bad: #ff9d94;
    --bad-ground: #3c1a18;
    --off: #9aa7b6;
    --off-ground: #232d39;
    --line-1: #6aaef7;
    --line-2: #f29a5c;
    --line-3: #5fcf9b;
    --line-4: #bd94f0;
    --line-5: #f07fb0;
    --line-6: #a3adb9;
    --shadow: none;
  }
}

* { box-sizing: border-box; }
html { scroll-padding-top: 5rem; }
[hidden] { display: none !important; }

body {
  margin: 0;
  background: var(--ground);
  color: var(--text);
  font: 15px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
  font-variant-numeric: tabular-nums;
}

h1, h2, h3, p, dl, dd, ul, figure { margin: 0; padding: 0; }
h1 { font-size: 1.15rem; }
h2 { font-size: 1.05rem; font-weight: 650; }
h3 { font-size: .95rem; font-weight: 650; }
ul { list-style: none; }

:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
main:focus { outline: none; }

.quiet { color: var(--quiet); font-size: .85rem; font-weight: 400; }
.number { text-align: right; }
.row { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; }
.end { justify-content: flex-end; }
.heading { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; justify-content: space-between; }
.empty { color: var(--quiet); padding: .75rem 1rem; background: var(--card); border: 1px dashed var(--edge); border-radius: 10px; }

.skip { position: absolute; left: -100vw; top: .5rem; z-index: 3; padding: .5rem 1rem; background: var(--accent); color: var(--on-accent); }
.skip:focus { left: .5rem; }

/* the top */

.top {
  position: sticky;
  top: 0;
  z-index: 2;
  display: flex;
  flex-wrap: wrap;
  gap: .25rem 1rem;
  align-items: center;
  padding: .6rem 1.5rem;
  background: var(--card);
  border-bottom: 1px solid var(--edge);
}
.brand { display: flex; gap: .5rem; align-items: baseline; margin-right: auto; }
.brand svg { width: 1.4rem; height: 1.4rem; align-self: center; fill: none; stroke: var(--accent); stroke-width: 2.2; stroke-linecap: round; }

main { display: block; max-width: 1480px; margin: 0 auto; padding: 1.25rem 1.5rem 4rem; }
main section { margin-bottom: 2rem; }
main section > h2, main section > .heading { margin-bottom: .75rem; }

/* states */

.badge {
  display: inline-block;
  padding: .1rem .55rem;
  border-radius: 1rem;
  font-size: .82rem;
  font-weight: 550;
  white-space: nowrap;
  color: var(--off);
  background: var(--off-ground);
}
.badge[data-mood="good"] { color: var(--good); background: var(--good-ground); }
.badge[data-mood="busy"] { color: var(--busy); background: var(--busy-ground); }
.badge[data-mood="warn"] { color: var(--warn); background: var(--warn-ground); }
.badge[data-mood="bad"] { color: var(--bad); background: var(--bad-ground); }

/* buttons and fields */

button, select, input {
  font: inherit;
  min-height: 2rem;
  padding: .2rem .7rem;
  color: var(--text);
  background: var(--card);
  border: 1px solid var(--edge);
  border-radius: 7px;
}
button { cursor: pointer; font-size: .88rem; font-weight: 550; }
button:hover { background: var(--hover); }
button[aria-busy="true"] { opacity: .6; cursor: progress; }
button.primary { color: var(--on-accent); background: var(--accent); border-color: var(--accent); }
button.harmful { color: var(--bad); background: var(--bad-ground); border-color: var(--bad); }
input, select { border-color: var(--quiet); }
label { font-size: .88rem; font-weight: 550; }
.choice { display: flex; gap: .5rem; align-items: center; }

/* numbers */

.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(138px, 1fr)); gap: .75rem; }
.tiles > div, .chart, .cards article, #sign-in form {
  background: var(--card);
  border: 1px solid var(--edge);
  border-radius: 10px;
  box-shadow: var(--shadow);
}
.tiles > div { padding: .7rem .9rem; min-width: 0; }
.tiles dt { color: var(--quiet); font-size: .85rem; }
.tiles .value { font-size: 1.5rem; font-weight: 600; line-height: 1.3; letter-spacing: -.01em; }
.tiles .value[data-mood="bad"] { color: var(--bad); }
.tiles .value[data-mood="warn"] { color: var(--warn); }
.tiles .quiet { overflow-wrap: anywhere; }

/* charts */

.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 380px), 1fr)); gap: .75rem; }
.chart { padding: .8rem .9rem; min-width: 0; }
.chart figcaption { display: flex; flex-wrap: wrap; gap: 0 .6rem; align-items: baseline; }
.plot { height: 150px; margin: .35rem 0; overflow: hidden; }
.legend { display: flex; flex-wrap: wrap; gap: .1rem 1rem; min-height: 1.4rem; font-size: .82rem; }
.legend li { display: flex; gap: .4rem; align-items: center; }
.legend b { font-weight: 600; }
.line { width: 22px; height: 8px; }
.line path { fill: none; stroke-width: 2; }
.line-1 path { stroke: var(--line-1); }
.line-2 path { stroke: var(--line-2); }
.line-3 path { stroke: var(--line-3); }
.line-4 path { stroke: var(--line-4); }
.line-5 path { stroke: var(--line-5); }
.line-6 path { stroke: var(--line-6); }

/* backends */

.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 292px), 1fr)); gap: .75rem; }
.cards article { display: flex; flex-direction: column; gap: .6rem; height: 100%; padding: .85rem .9rem; }
.cards .row { margin-top: auto; }
.cards .row { gap: .4rem; }
.cards button { padding: .2rem .55rem; font-size: .84rem; }
.spark { width: 100%; height: 28px; }
.spark path { fill: none; stroke: var(--line-1); stroke-width: 1.5; vector-effect: non-scaling-stroke; }
.facts { display: grid; grid-template-columns: 4fr 5fr 4fr; gap: .4rem .6rem; }
.facts dt, .gauge dt { color: var(--quiet); font-size: .8rem; }
.facts .number { text-align: left; font-weight: 550; font-size: .88rem; white-space: nowrap; letter-spacing: -.01em; }
.gauges { display: grid; gap: .4rem; }
.gauge { display: grid; grid-template-columns: auto 1fr; gap: 0 .5rem; font-size: .85rem; }
.gauge .bar { grid-column: 1 / -1; }
.bar { display: block; height: 6px; overflow: hidden; background: var(--off-ground); border-radius: 3px; }
.bar i { display: block; height: 100%; width: 0; background: var(--line-1); border-radius: 3px; transition: width .4s; }
.bar i[data-full] { background: var(--line-2); }
.bar i[data-low] { background: var(--line-2); }

/* tables */

table { width: 100%; border-collapse: collapse; background: var(--card); border: 1px solid var(--edge); border-radius: 10px; font-size: .88rem; }
caption { padding: 0 0 .4rem; text-align: left; color: var(--quiet); font-size: .85rem; }
th, td { padding: .45rem .6rem; text-align: left; border-top: 1px solid var(--grid); vertical-align: middle; }
thead th { border-top: 0; color: var(--quiet); font-size: .8rem; font-weight: 550; white-space: nowrap; }
tbody th { font-weight: 600; white-space: nowrap; }
th.number, td.number { text-align: right; }
td .row { flex-wrap: nowrap; }
td button { min-height: 1.7rem; padding: .05rem .55rem; font-size: .82rem; }
.headroom { display: inline-flex; gap: .5rem; align-items: center; white-space: nowrap; }
.headroom .bar { width: 56px; }
.spend .headroom { display: flex; justify-content: flex-end; }
.spend .headroom span:last-child { min-width: 4.8rem; }
.spend { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 300px), 1fr)); gap: 1rem; align-items: start; }

.budgets { margin-top: 1rem; }

.tracks { display: grid; gap: .35rem; margin: .5rem 0 1rem; padding: .8rem .9rem; background: var(--card); border: 1px solid var(--edge); border-radius: 10px; }
.tracks li { display: grid; grid-template-columns: 7.5rem 1fr 7rem; gap: .75rem; align-items: center; font-size: .88rem; }
.tracks .badge { justify-self: start; }
.track { width: 100%; height: 20px; }
.track rect { fill: var(--off); }
.track rect[data-mood="good"] { fill: var(--line-3); }
.track rect[data-mood="busy"] { fill: var(--line-1); }
.track rect[data-mood="bad"] { fill: var(--bad); }

/* what is asked and told */

dialog { width: min(30rem, calc(100vw - 2rem)); padding: 1.25rem; color: var(--text); background: var(--card); border: 1px solid var(--edge); border-radius: 12px; }
dialog::backdrop { background: rgb(10 15 22 / 45%); }
dialog form { display: grid; gap: .75rem; }
#sign-in { max-width: 30rem; margin: 8vh auto; }
#sign-in form { display: grid; gap: .75rem; padding: 1.25rem; }
#sign-in input { flex: 1; min-width: 10rem; }
.told { position: fixed; right: 1rem; bottom: 1rem; left: 1rem; z-index: 3; width: fit-content; max-width: calc(100% - 2rem); margin: 0 auto; padding: .6rem 1rem; color: var(--good); background: var(--good-ground); border: 1px solid currentcolor; border-radius: 10px; }
.told:empty { display: none; }
.told[data-mood="bad"] { color: var(--bad); background: var(--bad-ground); }

@media (max-width: 900px) {
  main, .top { padding-left: .9rem; padding-right: .9rem; }
  table, tbody, tbody tr, tbody th, tbody td { display: block; }
  table { background: none; border: 0; }
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  caption { display: block; }
  tbody { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 320px), 1fr)); gap: .6rem; }
  tbody tr { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: .4rem .8rem; padding: .7rem .9rem; background: var(--card); border: 1px solid var(--edge); border-radius: 10px; }
  tbody th, tbody td, td.number { min-width: 0; padding: 0; border: 0; text-align: left; overflow-wrap: anywhere; }
  tbody th::before, tbody td::before { content: attr(data-label); display: block; color: var(--quiet); font-size: .78rem; font-weight: 400; }
  tbody td:has(.row) { grid-column: 1 / -1; }
  tbody td:has(.row)::before { content: none; }
  td .row { flex-wrap: wrap; }
  tbody th { white-space: normal; }
  .badge { white-space: normal; }
  .headroom { flex-wrap: wrap; gap: 0 .5rem; white-space: normal; }
  .spend .headroom { justify-content: flex-start; }
  .tracks li { grid-template-columns: 1fr auto; }
  .tracks .track { grid-row: 2; grid-column: 1 / -1; }
  button { min-height: 2.4rem; }
  td button { min-height: 2.2rem; }
}

@media (max-width: 420px) {
  .tiles { grid-template-columns: repeat(2, minmax(0, 1fr)); }
}

@media (prefers-reduced-motion: reduce) {
  .bar i { transition: none; }
}

@media (forced-colors: active) {
  .badge, .bar { border: 1px solid; }
  .bar i { background: Highlight; }
}
`
  },
  {
    path: "/dashboard/actions.js",
    contentType: "text/javascript; charset=utf-8",
    text: `import { byId, html, say, set } from "./element.js";
import * as Gateway from "./gateway.js";
const told = byId("told");
let silence;
const tell = (says, mood) => {
    say(told, says);
    set(told, "data-mood", mood);
    clearTimeout(silence);
    silence = setTimeout(() => say(told, ""), mood === "bad" ? 15_000 : 6000);
};
export const act = async (path, body, done) => {
    const answer = await Gateway.ask(path, body);
    if (answer.ok)
        tell(typeof done === "string" ? done : done(answer.body), "good");
    else
        tell(\`That failed: \${answer.says}\`, "bad");
};
const dialog = byId("asking");
export const confirm = ({ answer, fields = [], isHarmful = false, text, title }) => new Promise((resolve) => {
    let isMeant = false;
    const yes = html("button", { type: "submit", class: isHarmful ? "harmful" : "primary" }, answer);
    const no = html("button", { type: "button", click: () => dialog.close() }, "Cancel");
    const form = html("form", {}, html("h2", { id: "asking-title" }, title), html("p", {}, text), ...fields, html("div", { class: "row end" }, no, yes));
    form.addEventListener("submit", (event) => {
        event.preventDefault();
        isMeant = true;
        dialog.close();
    });
    dialog.replaceChildren(form);
    dialog.addEventListener("close", () => resolve(isMeant), { once: true });
    dialog.showModal();
    if (fields.length === 0)
        no.focus();
});
export const button = (label, name, run) => {
    const node = html("button", { type: "button", "aria-label": name }, label);
    node.addEventListener("click", () => {
        if (node.getAttribute("aria-busy") === "true")
            return;
        set(node, "aria-busy", "true");
        void run().finally(() => set(node, "aria-busy", undefined));
    });
    return node;
};
export const relabel = (button, label, name) => {
    say(button, label);
    set(button, "aria-label", name);
};
`
  },
  {
    path: "/dashboard/backends.js",
    contentType: "text/javascript; charset=utf-8",
    text: `import * as Actions from "./actions.js";
import { badge } from "./badge.js";
import { spark } from "./chart.js";
import { byId, fillTo, html, list, say, set } from "./element.js";
import * as History from "./history.js";
import * as Words from "./words.js";
const gauge = (name) => {
    const bar = html("i");
    const value = html("dd", { class: "number" });
    const node = html("div", { class: "gauge" }, html("dt", {}, name), value, html("dd", { class: "bar", "aria-hidden": "true" }, bar));
    return {
        node,
        update: (taken, of, note = "") => {
            fillTo(bar, of === 0 ? 0 : taken / of);
            set(bar, "data-full", taken >= of && of > 0);
            say(value, \`\${Words.count(taken)} of \${Words.count(of)}\${note}\`);
        }
    };
};
const fact = (name) => {
    const value = html("dd", { class: "number" });
    return { node: html("div", {}, html("dt", {}, name), value), update: (text) => say(value, text) };
};
const besides = ({ adaptiveRate, batches, coalesced, hedges, retryBudget }) => [
    retryBudget !== undefined && retryBudget.balance < retryBudget.reserve &&
        \`\${Words.count(retryBudget.balance)} of \${Words.count(retryBudget.reserve)} retries left\`,
    adaptiveRate?.perSecond !== undefined && \`held to \${Words.rate(adaptiveRate.perSecond)}/s\`,
    hedges !== undefined && hedges.begun > 0 && \`\${Words.count(hedges.begun)} hedges, \${Words.count(hedges.won)} won\`,
    coalesced !== undefined && coalesced.joined > 0 && \`\${Words.count(coalesced.joined)} callers shared a call\`,
    batches !== undefined && batches.sent > 0 && \`\${Words.count(batches.items)} items in \${Words.count(batches.sent)} batches\`
].filter((words) => words !== false).join(", ");
const pause = async (backend) => {
    const isMeant = await Actions.confirm({
        title: \`Pause \${backend}?\`,
        text: "Calls under way end as they would. New ones wait, each until its deadline, or until you resume.",
        answer: "Pause"
    });
    if (isMeant)
        await Actions.act("queue/pause", { backend }, \`\${backend} is paused\`);
};
const resume = (backend) => Actions.act("queue/resume", { backend }, \`\${backend} goes on\`);
const times = [["", "until I close it"], ["60", "for 1 minute"], ["300", "for 5 minutes"], ["1800", "for 30 minutes"]];
const open = async (backend) => {
    const time = html("select", { id: "open-for" }, ...times.map(([seconds, says]) => html("option", { value: seconds }, says)));
    const isMeant = await Actions.confirm({
        title: \`Open the circuit of \${backend}?\`,
        text: "Every call to it fails at once, and goes to another backend where a route has one.",
        answer: "Open circuit",
        isHarmful: true,
        fields: [html("label", { for: "open-for" }, "How long"), time]
    });
    if (!isMeant)
        return;
    const body = time.value === "" ? { backend } : { backend, seconds: Number(time.value) };
    await Actions.act("circuit/open", body, \`The circuit of \${backend} is open\`);
};
const close = (backend) => Actions.act("circuit/close", { backend }, \`The circuit of \${backend} is closed\`);
const limit = async (backend, { capacity, concurrency }) => {
    const input = (id, least, value) => html("input", { id, type: "number", min: least, max: 100_000, step: 1, required: true, value });
    const atOnce = input("concurrency", 1, concurrency);
    const waiting = input("capacity", 0, capacity);
    const isMeant = await Actions.confirm({
        title: \`Limits of \${backend}\`,
        text: "Nobody is stopped or sent away who is in already.",
        answer: "Change",
        fields: [
            html("label", { for: "concurrency" }, "Calls under way at once"),
            atOnce,
            html("label", { for: "capacity" }, "Calls that may wait"),
            waiting
        ]
    });
    if (!isMeant)
        return;
    await Actions.act("queue/limits", { backend, concurrency: atOnce.valueAsNumber, capacity: waiting.valueAsNumber }, \`\${backend} takes \${atOnce.value} at once, and \${waiting.value} may wait\`);
};
const card = (first, history) => {
    const { backend: name } = first.backend;
    let seen = first.backend;
    const state = badge();
    const line = spark();
    const facts = { rate: fact("Calls"), latency: fact("p50 / p95"), first: fact("First token"), errors: fact("Errors"), retries: fact("Retries"), spend: fact("Spent") };
    const inFlight = gauge("Under way");
    const waiting = gauge("Waiting");
    const isPaused = () => seen.queue?.mode === "paused";
    const isOpen = () => seen.circuit !== undefined && seen.circuit.state !== "closed";
    const pausing = Actions.button("Pause", \`Pause \${name}\`, () => isPaused() ? resume(name) : pause(name));
    const opening = Actions.button("Open circuit", \`Open circuit of \${name}\`, () => isOpen() ? close(name) : open(name));
    const limiting = Actions.button("Limits", \`Limits of \${name}\`, async () => {
        if (seen.queue !== undefined)
            await limit(name, seen.queue);
    });
    const gauges = html("dl", { class: "gauges" }, inFlight.node, waiting.node);
    const others = html("p", { class: "quiet" });
    const heading = html("h3", { id: \`backend-\${name}\` }, name);
    const article = html("article", { "aria-labelledby": \`backend-\${name}\` }, html("div", { class: "heading" }, heading, state.node), line.node, html("dl", { class: "facts" }, ...Object.values(facts).map(({ node }) => node)), gauges, others, html("div", { class: "row" }, pausing, opening, limiting));
    return {
        node: html("li", {}, article),
        update: ({ at, backend }) => {
            seen = backend;
            const { calls, queue, circuit, spend } = backend;
            state.update(Words.stateOf(backend, at));
            line.draw(history.moments().map(({ samples }) => samples.get(name)?.calls ?? 0));
            facts.rate.update(\`\${Words.rate(calls?.perSecond ?? 0)}/s\`);
            const { p50 = 0, p95 = 0 } = calls?.latencyMillis ?? {};
            facts.latency.update(p95 === 0 ? "–" : Words.both(p50, p95));
            const firstPart = calls?.firstPartMillis.p50 ?? 0;
            facts.first.update(firstPart === 0 ? "–" : Words.millis(firstPart));
            const all = calls === undefined ? 0 : History.ended(calls);
            const failed = calls === undefined ? 0 : History.sum(calls.failed);
            facts.errors.update(all === 0 ? "–" : \`\${Words.count(failed)} (\${Words.percent(failed / all)})\`);
            facts.retries.update(Words.count(calls === undefined ? 0 : History.sum(calls.retries)));
            facts.spend.update(spend === undefined ? "–" : Words.money(spend.microDollars));
            say(others, besides(backend));
            set(others, "hidden", others.textContent === "");
            set(gauges, "hidden", queue === undefined);
            set(pausing, "hidden", queue === undefined);
            set(limiting, "hidden", queue === undefined);
            set(opening, "hidden", circuit === undefined);
            if (queue !== undefined) {
                inFlight.update(queue.inFlight, queue.concurrency);
                waiting.update(queue.waiting, queue.capacity, queue.waiting > 0 ? \`, oldest \${Words.millis(queue.oldestWaitMillis)}\` : "");
            }
            Actions.relabel(pausing, isPaused() ? "Resume" : "Pause", \`\${isPaused() ? "Resume" : "Pause"} \${name}\`);
            Actions.relabel(opening, isOpen() ? "Close circuit" : "Open circuit", \`\${isOpen() ? "Close" : "Open"} circuit of \${name}\`);
        }
    };
};
export const cards = (history) => {
    const show = list(byId("backends"), ({ backend }) => backend.backend, (seen) => card(seen, history));
    return ({ at, backends }) => show(backends.map((backend) => ({ backend, at }))
        .toSorted(({ backend: one }, { backend: other }) => Number((other.calls?.started ?? 0) > 0) - Number((one.calls?.started ?? 0) > 0) ||
        one.backend.localeCompare(other.backend)));
};
`
  },
  {
    path: "/dashboard/badge.js",
    contentType: "text/javascript; charset=utf-8",
    text: `import { html, say, set } from "./element.js";
import * as Words from "./words.js";
export const badge = () => {
    const node = html("span", { class: "badge" });
    return {
        node,
        update: ({ mood, says }) => {
            say(node, \`\${Words.shapes[mood]} \${says}\`);
            set(node, "data-mood", mood);
        }
    };
};
`
  },
  {
    path: "/dashboard/chart.js",
    contentType: "text/javascript; charset=utf-8",
    text: `import { html, list, say, set, svg } from "./element.js";
import { longest } from "./history.js";
export const most = 6;
const dashes = [[], [7, 3], [2, 3], [9, 3, 2, 3], [12, 4], [4, 2]];
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const toTime = (at, [first = 0, second = first + 60]) => new Date(at * 1000).toLocaleTimeString([], {
    hour: "2-digit",
    minute: "2-digit",
    ...(second - first < 60 && { second: "2-digit" })
});
const wholes = [1, 2, 5].flatMap((one) => [1, 10, 100, 1000, 10_000].map((tens) => one * tens)).toSorted((one, other) => one - other);
export const make = ({ format, isWhole = false, note, title }) => {
    const plot = html("div", { class: "plot", role: "img" });
    const items = html("ul", { class: "legend" });
    const nothing = html("p", { class: "quiet" }, "Nothing yet");
    const node = html("figure", { class: "chart" }, html("figcaption", {}, html("h3", {}, title), html("p", { class: "quiet" }, note)), plot, items, nothing);
    let chart;
    let drawn = "";
    let times = [];
    let lines = [];
    let pointed;
    const toLegend = () => list(items, ({ name }) => name, ({ name }) => {
        const place = lines.findIndex((line) => line.name === name);
        const value = html("b");
        const node = html("li", {}, svg("svg", { viewBox: "0 0 22 8", "aria-hidden": "true", class: \`line line-\${place + 1}\` }, svg("path", {
            d: "M1 4h20",
            "stroke-dasharray": dashes[place].join(" ") || undefined
        })), html("span", {}, name), value);
        return {
            node,
            update: ({ values }) => {
                const now = values[pointed ?? values.length - 1];
                say(value, now == null ? "–" : format(now));
            }
        };
    });
    let legend = toLegend();
    const range = () => {
        const last = times.at(-1) ?? 0;
        return [Math.min(Math.max(times[0] ?? 0, last - longest), last - 60), last];
    };
    const options = () => {
        const axis = { stroke: colour("--quiet"), grid: { stroke: colour("--grid"), width: 1 }, ticks: { show: false }, font: "11px system-ui, sans-serif" };
        return {
            width: Math.max(plot.clientWidth, 100),
            height: 150,
            padding: [8, 4, 0, 0],
            legend: { show: false },
            cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
            scales: { x: { range }, y: { range: (_, __, max) => [0, max > 0 ? max * 1.1 : 1] } },
            axes: [
                { ...axis, size: 24, gap: 6, space: 76, values: (_, splits) => splits.map((at) => toTime(at, splits)) },
                { ...axis, size: 54, gap: 6, space: 34, ...(isWhole && { incrs: wholes }), values: (_, splits) => splits.map(format) }
            ],
            series: [
                {},
                ...lines.map(({ name }, place) => ({
                    label: name,
                    stroke: colour(\`--line-\${place + 1}\`),
                    width: 1.75,
                    dash: dashes[place],
                    points: { show: false }
                }))
            ],
            hooks: {
                setCursor: [(self) => {
                        pointed = self.cursor.idx ?? undefined;
                        legend(lines);
                    }]
            }
        };
    };
    const data = () => [times, ...lines.map(({ values }) => values)];
    const rebuild = () => {
        chart?.destroy();
        items.replaceChildren();
        legend = toLegend();
        chart = new window.uPlot(options(), data(), plot);
        drawn = lines.map(({ name }) => name).join("\\n");
    };
    new ResizeObserver(() => chart?.setSize({ width: Math.max(plot.clientWidth, 100), height: 150 })).observe(plot);
    return {
        node,
        recolour: () => {
            if (chart !== undefined)
                rebuild();
        },
        draw(nextTimes, nextLines) {
            times = nextTimes;
            lines = nextLines.slice(0, most);
            if (chart === undefined || drawn !== lines.map(({ name }) => name).join("\\n"))
                rebuild();
            else
                chart.setData(data());
            legend(lines);
            set(nothing, "hidden", lines.length > 0);
            set(plot, "aria-label", \`\${title}: \${lines.length === 0 ? "nothing yet" : "lines; what they are at now is listed next"}\`);
        }
    };
};
export const spark = () => {
    const path = svg("path", { d: "" });
    const node = svg("svg", { viewBox: "0 0 120 28", preserveAspectRatio: "none", class: "spark", "aria-hidden": "true" }, path);
    return {
        node,
        draw: (values) => {
            const last = values.slice(-120);
            const most = Math.max(1, ...last);
            const points = last.map((value, place) => \`\${120 - last.length + place + 1} \${(26 - value / most * 24).toFixed(1)}\`);
            set(path, "d", points.length < 2 ? "" : \`M\${points.join("L")}\`);
        }
    };
};
`
  },
  {
    path: "/dashboard/circuits.js",
    contentType: "text/javascript; charset=utf-8",
    text: `import { badge } from "./badge.js";
import { byId, html, list, set, svg } from "./element.js";
import { plain, table } from "./table.js";
import * as Words from "./words.js";
const halfHour = 30 * 60_000;
const stretches = ({ at, circuit }) => {
    const begin = at - halfHour;
    const changes = (circuit.timeline ?? []).filter((change) => change.at > begin);
    const states = [{ at: begin, state: changes[0]?.from ?? circuit.state }, ...changes.map(({ at, to }) => ({ at, state: to }))];
    return states.map(({ at: from, state }, place) => ({ from: from - begin, to: (states[place + 1]?.at ?? at) - begin, state }));
};
const heights = { good: 4, busy: 10, warn: 10, bad: 18, off: 2 };
const track = ({ backend }) => {
    const state = badge();
    const picture = svg("svg", { viewBox: \`0 0 \${halfHour} 20\`, preserveAspectRatio: "none", class: "track", role: "img" });
    return {
        node: html("li", {}, html("span", {}, backend), picture, state.node),
        update: (seen) => {
            const { circuit } = seen;
            state.update({ mood: Words.circuitMoods[circuit.state], says: circuit.state });
            const all = stretches(seen);
            picture.replaceChildren(...all.map(({ from, state, to }) => {
                const mood = Words.circuitMoods[state];
                return svg("rect", { x: from, width: Math.max(to - from, halfHour / 300), y: 19 - heights[mood], height: heights[mood], "data-mood": mood });
            }));
            const opened = all.filter(({ state }) => state === "open").length;
            set(picture, "aria-label", \`\${backend}: \${circuit.state} now, \${opened === 0 ? "not open" : opened === 1 ? "open once" : \`open \${opened} times\`} in the last half hour\`);
        }
    };
};
export const circuits = () => {
    const parent = byId("circuits");
    const tracks = html("ul", { class: "tracks" });
    parent.append(html("p", { class: "quiet key" }, "Thin: closed. Half: probed. High: open. The right edge is now."), tracks);
    const showTracks = list(tracks, ({ backend }) => backend, track);
    const showChanges = table(parent, {
        caption: "The latest changes, the last one first",
        empty: "No circuit has changed yet.",
        keyOf: ({ at, backend, place }) => \`\${backend} \${place} \${at}\`,
        columns: [
            plain("Time", ({ at }) => Words.clock(at)),
            plain("Backend", ({ backend }) => backend),
            plain("From", ({ from }) => from),
            {
                name: "To",
                make: () => {
                    const { node, update } = badge();
                    return { node, update: ({ to }) => update({ mood: Words.circuitMoods[to], says: to }) };
                }
            },
            plain("Why", ({ fault, reason }) => fault === undefined ? Words.reasons[reason] : \`\${Words.reasons[reason]}: \${Words.spoken(fault)}\`)
        ]
    });
    return ({ at, backends }) => {
        showTracks(backends.flatMap(({ backend, circuit }) => circuit === undefined ? [] : [{ backend, circuit, at }])
            .toSorted((one, other) => one.backend.localeCompare(other.backend)));
        showChanges(backends.flatMap(({ backend, circuit }) => {
            const { timeline = [], transitions = timeline.length } = circuit ?? {};
            return timeline.map((change, index) => ({ ...change, backend, place: transitions - timeline.length + index }));
        }).toSorted((one, other) => other.at - one.at || other.place - one.place).slice(0, 12));
    };
};
`
  },
  {
    path: "/dashboard/element.js",
    contentType: "text/javascript; charset=utf-8",
    text: `const fill = (element, attributes, children) => {
    for (const [name, value] of Object.entries(attributes)) {
        if (typeof value === "function")
            element.addEventListener(name, value);
        else
            set(element, name, value);
    }
    element.append(...children);
    return element;
};
export const html = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);
export const svg = (tag, attributes = {}, ...children) => fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
export const byId = (id) => document.getElementById(id);
export const set = (element, name, value) => {
    if (value === undefined || value === false)
        element.removeAttribute(name);
    else if (element.getAttribute(name) !== String(value === true ? "" : value)) {
        element.setAttribute(name, String(value === true ? "" : value));
    }
};
export const say = (element, text) => {
    if (element.textContent !== text)
        element.textContent = text;
};
export const fillTo = (bar, share) => {
    bar.style.width = \`\${Math.round(Math.min(Math.max(share, 0), 1) * 1000) / 10}%\`;
};
export const list = (parent, keyOf, make) => {
    const shown = new Map();
    return (values) => {
        const wanted = new Set(values.map(keyOf));
        for (const [key, { node }] of shown) {
            if (wanted.has(key))
                continue;
            node.remove();
            shown.delete(key);
        }
        let next = parent.firstElementChild;
        for (const value of values) {
            const key = keyOf(value);
            const one = shown.get(key) ?? make(value);
            shown.set(key, one);
            one.update(value);
            if (one.node === next)
                next = next.nextElementSibling;
            else
                parent.insertBefore(one.node, next);
        }
    };
};
`
  },
  {
    path: "/dashboard/failures.js",
    contentType: "text/javascript; charset=utf-8",
    text: `import { badge } from "./badge.js";
import { byId } from "./element.js";
import { plain, table } from "./table.js";
import * as Words from "./words.js";
const nameOf = ({ attempt, backend, error, model, verdict }) => [backend, model, error, verdict, attempt].join("\\n");
const alike = (backends) => {
    const found = new Map();
    for (const { backend, calls } of backends) {
        for (const failure of calls?.lastFailures ?? []) {
            const one = { ...failure, backend, times: 1 };
            found.set(nameOf(one), { ...one, times: (found.get(nameOf(one))?.times ?? 0) + 1 });
        }
    }
    return [...found.values()].toSorted((one, other) => other.at - one.at).slice(0, 20);
};
export const failures = () => {
    const show = table(byId("failures"), {
        caption: "Of the last 50 calls and attempts of each backend that failed, the latest first",
        empty: "Nothing has failed yet.",
        keyOf: nameOf,
        columns: [
            plain("Last", ({ at }) => Words.clock(at)),
            plain("Backend", ({ backend }) => backend),
            plain("Model", ({ model }) => model === "" ? "–" : model),
            plain("Error", ({ error }) => Words.spoken(error)),
            plain("What may help", ({ verdict }) => Words.verdicts[verdict]),
            {
                name: "What failed",
                make: () => {
                    const { node, update } = badge();
                    return {
                        node,
                        update: ({ attempt }) => update(attempt === undefined ? { mood: "bad", says: "the call" } : { mood: "busy", says: \`attempt \${attempt}\` })
                    };
                }
            },
            plain("Times", ({ times }) => Words.count(times), true)
        ]
    });
    return ({ backends }) => show(alike(backends));
};
`
  },
  {
    path: "/dashboard/gateway.js",
    contentType: "text/javascript; charset=utf-8",
    text: `const stored = "spillway.key";
export const hasKey = () => sessionStorage.getItem(stored) !== null;
export const signOut = () => sessionStorage.removeItem(stored);
export const signIn = (key) => sessionStorage.setItem(stored, key);
const authorization = () => {
    const key = sessionStorage.getItem(stored);
    return key === null ? {} : { authorization: \`Bearer \${key}\` };
};
export const ask = async (path, body) => {
    try {
        const response = await fetch(\`admin/\${path}\`, {
            method: "POST",
            headers: { "content-type": "application/json", ...authorization() },
            body: JSON.stringify(body)
        });
        const answer = await response.json();
        return response.ok ? { ok: true, body: answer } : { ok: false, says: answer.error.message };
    }
    catch {
        return { ok: false, says: "the gateway did not answer" };
    }
};
const patience = 6000;
const pauses = [500, 1000, 2000, 5000];
export const listen = ({ connection, status }) => {
    const stopped = new AbortController();
    let failures = 0;
    const hear = (event) => {
        const lines = event.split("\\n");
        const name = lines.find((line) => line.startsWith("event: "))?.slice(7);
        const data = lines.find((line) => line.startsWith("data: "))?.slice(6);
        if (name === "end")
            return false;
        if (name === "status" && data !== undefined) {
            failures = 0;
            connection("live");
            status(JSON.parse(data));
        }
        return true;
    };
    const once = async () => {
        const over = new AbortController();
        const end = () => over.abort();
        let alarm = setTimeout(end, patience);
        stopped.signal.addEventListener("abort", end);
        try {
            const response = await fetch("status/events", { headers: authorization(), cache: "no-store", signal: over.signal });
            if (response.status === 401)
                return "needs-key";
            if (response.status === 403)
                return "refused";
            if (!response.ok || response.body === null)
                return "lost";
            const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
            let text = "";
            while (true) {
                const { done, value } = await reader.read();
                if (done)
                    return "lost";
                clearTimeout(alarm);
                alarm = setTimeout(end, patience);
                const events = (text + value).split("\\n\\n");
                text = events.pop() ?? "";
                if (!events.every(hear))
                    return "ended";
            }
        }
        catch {
            return "lost";
        }
        finally {
            clearTimeout(alarm);
            stopped.signal.removeEventListener("abort", end);
        }
    };
    const again = async () => {
        connection("connecting");
        while (true) {
            const end = await once();
            if (stopped.signal.aborted)
                return;
            connection(end);
            if (end === "needs-key" || end === "refused")
                return;
            await new Promise((resolve) => setTimeout(resolve, pauses[Math.min(failures++, pauses.length - 1)]));
        }
    };
    void again();
    return () => stopped.abort();
};
`
  },
  {
    path: "/dashboard/history.js",
    contentType: "text/javascript; charset=utf-8",
    text: `export const longest = 600;
export const sum = (counts) => Object.values(counts).reduce((sum, count) => sum + (count ?? 0), 0);
export const ended = ({ died, failed, interrupted, succeeded }) => succeeded + interrupted + died + sum(failed);
const none = { p50: 0, p95: 0, p99: 0 };
const known = (percentiles = none) => percentiles.p99 > 0 ? percentiles : undefined;
const rates = (before, now, seconds) => Object.fromEntries(Object.entries(now).map(([tag, count]) => [tag, Math.max((count ?? 0) - (before[tag] ?? 0), 0) / seconds]));
export const make = () => {
    const moments = [];
    let before;
    return {
        moments: () => moments,
        add(status) {
            if (before !== undefined && (before.startedAt !== status.startedAt || status.at <= before.at)) {
                if (before.startedAt !== status.startedAt)
                    moments.length = 0;
                before = undefined;
            }
            const seconds = before === undefined ? Infinity : (status.at - before.at) / 1000;
            const samples = new Map(status.backends.map(({ backend, calls, queue }) => {
                const old = before?.backends.find((one) => one.backend === backend)?.calls;
                const began = calls !== undefined && old !== undefined;
                return [backend, {
                        calls: began ? (ended(calls) - ended(old)) / seconds : 0,
                        errors: rates(old?.failed ?? {}, began ? calls.failed : {}, seconds),
                        retries: rates(old?.retries ?? {}, began ? calls.retries : {}, seconds),
                        latency: known(calls?.latencyMillis),
                        firstPart: known(calls?.firstPartMillis),
                        waiting: queue?.waiting ?? 0,
                        inFlight: queue?.inFlight ?? 0
                    }];
            }));
            if (before !== undefined)
                moments.push({ at: status.at / 1000, samples });
            before = status;
            const oldest = status.at / 1000 - longest;
            while (moments.length > 0 && moments[0].at < oldest)
                moments.shift();
        }
    };
};
`
  },
  {
    path: "/dashboard/keys.js",
    contentType: "text/javascript; charset=utf-8",
    text: `import * as Actions from "./actions.js";
import { badge } from "./badge.js";
import { byId, fillTo, html, say, set } from "./element.js";
import { sum } from "./history.js";
import { plain, table } from "./table.js";
import * as Words from "./words.js";
const headroom = {
    name: "Headroom",
    make: () => {
        const bar = html("i");
        const value = html("span");
        return {
            node: html("span", { class: "headroom" }, html("span", { class: "bar", "aria-hidden": "true" }, bar), value),
            update: ({ key }) => {
                fillTo(bar, key.headroom ?? 0);
                set(bar, "data-low", key.headroom !== undefined && key.headroom < 0.1);
                say(value, key.headroom === undefined ? "unknown" : Words.percent(key.headroom));
            }
        };
    }
};
const verdicts = {
    valid: "is accepted",
    invalid: "is not accepted",
    unknown: "could not be checked"
};
const doings = {
    name: "Do",
    make: ({ backend, key: { id } }) => {
        let isDisabled = false;
        const body = { backend, key: id };
        const switching = Actions.button("Disable", "", async () => {
            if (isDisabled)
                return Actions.act("key/enable", body, \`\${id} of \${backend} is in use again\`);
            const isMeant = await Actions.confirm({
                title: \`Take \${id} of \${backend} out of use?\`,
                text: "Calls under way end with it. New ones use the other keys, and fail where there is none.",
                answer: "Disable",
                isHarmful: true
            });
            if (isMeant)
                await Actions.act("key/disable", body, \`\${id} of \${backend} is out of use\`);
        });
        const validating = Actions.button("Validate", \`Validate \${id} of \${backend}\`, () => Actions.act("key/validate", body, ({ error, verdict }) => \`\${id} of \${backend} \${verdicts[verdict]}\${error === undefined ? "" : \` (\${Words.spoken(error)})\`}\`));
        const restoring = Actions.button("Take back", \`Take back \${id} of \${backend}\`, () => Actions.act("key/restore", body, \`\${id} of \${backend} is in use again\`));
        return {
            node: html("span", { class: "row" }, switching, validating, restoring),
            update: ({ key }) => {
                isDisabled = key.state === "disabled";
                set(restoring, "hidden", key.state === "ready" || key.state === "disabled");
                Actions.relabel(switching, isDisabled ? "Enable" : "Disable", \`\${isDisabled ? "Enable" : "Disable"} \${id} of \${backend}\`);
            }
        };
    }
};
export const keys = () => {
    const show = table(byId("keys"), {
        caption: "Every key by its name. Of the latency the recent counts most, and a failure as 30 s",
        empty: "No backend has keys.",
        keyOf: ({ backend, key }) => \`\${backend} \${key.id}\`,
        columns: [
            plain("Key", ({ key }) => key.id),
            plain("Backend", ({ backend }) => backend),
            {
                name: "State",
                make: () => {
                    const { node, update } = badge();
                    return { node, update: ({ at, key }) => update(Words.stateOfKey(key, at)) };
                }
            },
            headroom,
            plain("Under way", ({ key }) => Words.count(key.inFlight), true),
            plain("Requests", ({ key }) => Words.count(key.requests), true),
            plain("Failed", ({ key }) => Words.count(sum(key.failures)), true),
            plain("Latency", ({ key }) => key.latencyMillis === undefined || key.latencyMillis === 0 ? "–" : Words.millis(key.latencyMillis), true),
            plain("Spent", ({ key }) => key.microDollars === undefined ? "–" : Words.money(key.microDollars), true),
            plain("Last used", ({ at, key }) => Words.ago(key.lastUsed, at), true),
            doings
        ]
    });
    return ({ at, backends }) => show(backends.flatMap(({ backend, keys = [] }) => keys.map((key) => ({ backend, key, at })))
        .toSorted((one, other) => one.backend.localeCompare(other.backend) || one.key.id.localeCompare(other.key.id, "en", { numeric: true })));
};
`
  },
  {
    path: "/dashboard/main.js",
    contentType: "text/javascript; charset=utf-8",
    text: `import { cards } from "./backends.js";
import { circuits } from "./circuits.js";
import { byId, say, set } from "./element.js";
import { failures } from "./failures.js";
import * as Gateway from "./gateway.js";
import * as History from "./history.js";
import { keys } from "./keys.js";
import * as Overview from "./overview.js";
import { spend } from "./spend.js";
import * as Words from "./words.js";
const history = History.make();
const charts = Overview.charts(history);
const parts = [
    Overview.tiles(history),
    cards(history),
    circuits(),
    keys(),
    failures(),
    spend(),
    charts.draw
];
let last;
const show = () => {
    if (last === undefined)
        return;
    const status = last;
    set(byId("content"), "hidden", false);
    set(byId("sign-in"), "hidden", true);
    say(byId("version"), status.version === undefined ? "" : \`v\${status.version}\`);
    say(byId("gateway"), \`\${status.state === "accepting" ? "Takes calls" : "Shutting down"}, up for \${Words.span(status.uptimeMillis)}\`);
    for (const part of parts)
        part(status);
    const troubled = status.backends.filter((backend) => Words.stateOf(backend, status.at).mood === "bad").length;
    document.title = troubled === 0 ? "Spillway" : \`(\${troubled}) Spillway\`;
};
charts.choice.addEventListener("change", show);
document.addEventListener("visibilitychange", () => {
    if (!document.hidden)
        show();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", charts.recolour);
const connections = {
    connecting: { mood: "busy", says: "Connecting" },
    live: { mood: "good", says: "Live" },
    lost: { mood: "bad", says: "Lost, trying again" },
    ended: { mood: "warn", says: "The gateway shuts down" },
    "needs-key": { mood: "off", says: "Signed out" },
    refused: { mood: "off", says: "Signed out" }
};
let stop;
const start = () => {
    stop?.();
    stop = Gateway.listen({
        status: (status) => {
            last = status;
            history.add(status);
            if (!document.hidden)
                show();
        },
        connection: (connection) => {
            const { mood, says } = connections[connection];
            say(byId("connection"), \`\${Words.shapes[mood]} \${says}\`);
            set(byId("connection"), "data-mood", mood);
            set(byId("sign-out"), "hidden", !Gateway.hasKey());
            if (connection === "needs-key" || connection === "refused") {
                askForKey(connection === "refused"
                    ? "This key is not one of an admin."
                    : Gateway.hasKey()
                        ? "The gateway does not know this key."
                        : "This gateway shows itself to its admins only.");
            }
        }
    });
};
const askForKey = (why) => {
    Gateway.signOut();
    last = undefined;
    set(byId("sign-out"), "hidden", true);
    set(byId("content"), "hidden", true);
    set(byId("sign-in"), "hidden", false);
    say(byId("sign-in-why"), why);
    byId("key").focus();
};
byId("sign-in-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const input = byId("key");
    Gateway.signIn(input.value);
    input.value = "";
    start();
});
byId("sign-out").addEventListener("click", () => {
    stop?.();
    Gateway.signOut();
    location.reload();
});
start();
`
  },
  {
    path: "/dashboard/overview.js",
    contentType: "text/javascript; charset=utf-8",
    text: `import * as Chart from "./chart.js";
import { byId, html, list, say, set } from "./element.js";
import * as History from "./history.js";
import * as Words from "./words.js";
const recent = 30;
const average = (history, read) => {
    const moments = history.moments().slice(-recent);
    if (moments.length === 0)
        return 0;
    let total = 0;
    for (const { samples } of moments)
        for (const sample of samples.values())
            total += read(sample);
    return total / moments.length;
};
const tilesOf = (status, history) => {
    const { backends } = status;
    const calls = average(history, (sample) => sample.calls);
    const errors = average(history, (sample) => History.sum(sample.errors));
    const retries = average(history, (sample) => History.sum(sample.retries));
    const waiting = backends.reduce((all, { queue }) => all + (queue?.waiting ?? 0), 0);
    const inFlight = backends.reduce((all, { queue }) => all + (queue?.inFlight ?? 0), 0);
    const oldest = Math.max(0, ...backends.map(({ queue }) => queue?.oldestWaitMillis ?? 0));
    const called = backends.filter(({ calls }) => calls !== undefined && calls.latencyMillis.p95 > 0);
    const slowest = called.toSorted((one, other) => other.calls.latencyMillis.p95 - one.calls.latencyMillis.p95)[0];
    const spend = backends.reduce((all, { spend }) => all + (spend?.microDollars ?? 0), 0);
    const troubled = backends.filter((backend) => ["bad", "warn"].includes(Words.stateOf(backend, status.at).mood));
    const errorShare = calls > 0 ? errors / calls : 0;
    return [
        { name: "Calls", value: \`\${Words.rate(calls)}/s\`, note: \`average of \${recent} s\` },
        { name: "In flight", value: Words.count(inFlight), note: \`for \${Words.count(status.inFlight)} callers\` },
        { name: "Waiting", value: Words.count(waiting), note: waiting > 0 ? \`the oldest for \${Words.millis(oldest)}\` : "nobody" },
        {
            name: "Errors",
            value: Words.percent(errorShare),
            note: "after all retries",
            ...(errorShare > 0.05 && { mood: "bad" })
        },
        { name: "Retries", value: \`\${Words.rate(retries)}/s\`, note: \`average of \${recent} s\` },
        {
            name: "Slowest p95",
            value: slowest === undefined ? "–" : Words.millis(slowest.calls.latencyMillis.p95),
            note: slowest?.backend ?? "no call yet"
        },
        { name: "Spent", value: Words.money(spend), note: \`in \${Words.span(status.uptimeMillis)}\` },
        {
            name: "In trouble",
            value: \`\${troubled.length} of \${backends.length}\`,
            note: troubled.length === 0 ? "all is well" : troubled.map(({ backend }) => backend).join(", "),
            ...(troubled.length > 0 && { mood: "warn" })
        }
    ];
};
export const tiles = (history) => {
    const show = list(byId("tiles"), ({ name }) => name, ({ name }) => {
        const value = html("dd", { class: "value" });
        const note = html("dd", { class: "quiet" });
        const node = html("div", {}, html("dt", {}, name), value, note);
        return {
            node,
            update: (tile) => {
                say(value, tile.mood === undefined ? tile.value : \`\${Words.shapes[tile.mood]} \${tile.value}\`);
                set(value, "data-mood", tile.mood);
                say(note, tile.note);
            }
        };
    });
    return (status) => show(tilesOf(status, history));
};
const everything = "";
const calm = 10;
export const charts = (history) => {
    const calls = Chart.make({ title: "Calls per second", note: \`that ended, average of \${calm} s\`, format: Words.rate });
    const latency = Chart.make({ title: "Latency", note: "of the last 1,024 calls that succeeded", format: Words.millis });
    const first = Chart.make({ title: "First token", note: "of the last 1,024 streams", format: Words.millis });
    const queue = Chart.make({ title: "Queue", note: "calls that wait, and calls under way", format: Words.count, isWhole: true });
    const errors = Chart.make({ title: "Errors per second", note: \`by reason, average of \${calm} s\`, format: Words.rate });
    const retries = Chart.make({ title: "Retries per second", note: \`by error, average of \${calm} s\`, format: Words.rate });
    const all = [calls, latency, first, queue, errors, retries];
    byId("charts").append(...all.map(({ node }) => node));
    const choice = byId("choice");
    const offer = list(choice, (name) => name, (name) => ({
        node: html("option", { value: name }, name === everything ? "all" : name),
        update: () => { }
    }));
    const lineOf = (name, backend, read) => ({
        name,
        values: history.moments().map(({ samples }) => {
            const sample = samples.get(backend);
            return sample === undefined ? null : read(sample);
        })
    });
    const smooth = ({ name, values }) => ({
        name,
        values: values.map((value, place) => {
            if (value === null)
                return null;
            const last = values.slice(Math.max(place - calm + 1, 0), place + 1).filter((value) => value !== null);
            return last.reduce((sum, value) => sum + value, 0) / last.length;
        })
    });
    const total = (name, backends, read) => ({
        name,
        values: history.moments().map(({ samples }) => backends.reduce((all, backend) => {
            const sample = samples.get(backend);
            return sample === undefined ? all : all + read(sample);
        }, 0))
    });
    const byReason = (backends, counts) => {
        const seen = new Map();
        for (const { samples } of history.moments()) {
            for (const backend of backends) {
                for (const [tag, rate] of Object.entries(samples.has(backend) ? counts(samples.get(backend)) : {})) {
                    seen.set(tag, (seen.get(tag) ?? 0) + rate);
                }
            }
        }
        return [...seen].filter(([, rate]) => rate > 0).toSorted(([, one], [, other]) => other - one).slice(0, Chart.most)
            .map(([tag]) => tag).toSorted()
            .map((tag) => smooth(total(Words.spoken(tag), backends, (sample) => counts(sample)[tag] ?? 0)));
    };
    const draw = (status) => {
        const names = status.backends.map(({ backend }) => backend).toSorted();
        offer([everything, ...names]);
        const chosen = choice.value;
        const backends = chosen === everything ? names : [chosen];
        const busiest = status.backends.filter(({ calls }) => (calls?.started ?? 0) > 0)
            .toSorted((one, other) => other.calls.started - one.calls.started)
            .slice(0, Chart.most).map(({ backend }) => backend).toSorted();
        const times = history.moments().map(({ at }) => at);
        const percentiles = (read) => chosen === everything
            ? busiest.map((backend) => lineOf(\`\${backend}, p95\`, backend, (sample) => read(sample)?.p95 ?? null))
                .filter(({ values }) => values.some((value) => value !== null))
            : ["p50", "p95", "p99"].map((name) => lineOf(name, chosen, (sample) => read(sample)?.[name] ?? null));
        calls.draw(times, (chosen === everything ? busiest : [chosen]).map((backend) => smooth(lineOf(backend, backend, (sample) => sample.calls))));
        latency.draw(times, percentiles((sample) => sample.latency));
        first.draw(times, percentiles((sample) => sample.firstPart));
        queue.draw(times, [
            total("waiting", backends, (sample) => sample.waiting),
            total("under way", backends, (sample) => sample.inFlight)
        ]);
        errors.draw(times, byReason(backends, (sample) => sample.errors));
        retries.draw(times, byReason(backends, (sample) => sample.retries));
    };
    return { draw, choice, recolour: () => all.forEach((chart) => chart.recolour()) };
};
`
  },
  {
    path: "/dashboard/spend.js",
    contentType: "text/javascript; charset=utf-8",
    text: `import { byId, fillTo, html, say, set } from "./element.js";
import { plain, table } from "./table.js";
import * as Words from "./words.js";
const toShares = (amounts) => {
    const totals = new Map();
    for (const [name, amount] of amounts)
        totals.set(name, (totals.get(name) ?? 0) + amount);
    const most = Math.max(1, ...totals.values());
    return [...totals].filter(([, amount]) => amount > 0).toSorted(([, one], [, other]) => other - one).slice(0, 10)
        .map(([name, microDollars]) => ({ name, microDollars, share: microDollars / most }));
};
const spent = (parent, by) => {
    const place = html("div", {});
    parent.append(place);
    return table(place, {
        caption: \`By \${by}\`,
        empty: \`Nothing is known of what was spent by \${by}.\`,
        keyOf: ({ name }) => name,
        columns: [
            plain(by.replace(/^./, (letter) => letter.toUpperCase()), ({ name }) => name === "" ? "nobody in particular" : name),
            {
                name: "Spent",
                isNumber: true,
                make: () => {
                    const bar = html("i");
                    const value = html("span");
                    return {
                        node: html("span", { class: "headroom" }, html("span", { class: "bar", "aria-hidden": "true" }, bar), value),
                        update: ({ microDollars, share }) => {
                            fillTo(bar, share);
                            say(value, Words.money(microDollars));
                        }
                    };
                }
            }
        ]
    });
};
const budgets = () => {
    const parent = byId("budgets");
    const show = table(parent, {
        caption: "Of each budget those who have spent the most",
        empty: "Nobody has spent anything yet.",
        keyOf: ({ account, limit }) => \`\${limit}\\n\${account}\`,
        columns: [
            plain("Budget", ({ limit }) => limit),
            plain("Whose", ({ account }) => account === "" ? "nobody in particular" : account),
            {
                name: "Spent",
                isNumber: true,
                make: () => {
                    const bar = html("i");
                    const value = html("span");
                    return {
                        node: html("span", { class: "headroom" }, html("span", { class: "bar", "aria-hidden": "true" }, bar), value),
                        update: ({ of, reserved, spent }) => {
                            fillTo(bar, (spent + reserved) / of);
                            set(bar, "data-full", spent + reserved >= of);
                            say(value, \`\${Words.money(spent)} of \${Words.money(of)}\`);
                        }
                    };
                }
            },
            plain("Under way", ({ reserved }) => Words.money(reserved), true),
            plain("Calls refused", ({ refused }) => Words.count(refused), true)
        ]
    });
    return ({ budgets = [] }) => {
        set(parent, "hidden", budgets.length === 0);
        show(budgets.flatMap(({ largest, limit, limitMicroDollars: of, refused }) => largest.slice(0, 10).map(({ account, reservedMicroDollars: reserved, spentMicroDollars: spent }) => ({ limit, account, spent, reserved, of, refused }))));
    };
};
export const spend = () => {
    const parent = byId("spend");
    const showBudgets = budgets();
    const [backend, model, tenant] = [spent(parent, "backend"), spent(parent, "model"), spent(parent, "tenant")];
    return (status) => {
        const { backends } = status;
        showBudgets(status);
        backend(toShares(backends.map(({ backend, spend }) => [backend, spend?.microDollars ?? 0])));
        model(toShares(backends.flatMap(({ spend }) => Object.entries(spend?.byModel ?? {}))));
        tenant(toShares(backends.flatMap(({ spend }) => Object.entries(spend?.byTenant ?? {}))));
    };
};
`
  },
  {
    path: "/dashboard/table.js",
    contentType: "text/javascript; charset=utf-8",
    text: `import { html, list, say, set } from "./element.js";
export const plain = (name, read, isNumber = false) => ({
    name,
    isNumber,
    make: () => {
        const node = html("span");
        return { node, update: (value) => say(node, read(value)) };
    }
});
export const table = (parent, options) => {
    const { caption, columns, empty, keyOf } = options;
    const body = html("tbody", { role: "rowgroup" });
    const node = html("table", { role: "table" }, html("caption", {}, caption), html("thead", { role: "rowgroup" }, html("tr", { role: "row" }, ...columns.map(({ isNumber = false, name }) => html("th", { role: "columnheader", scope: "col", class: isNumber && "number" }, name)))), body);
    const nothing = html("p", { class: "empty" }, empty);
    parent.append(node, nothing);
    const show = list(body, keyOf, (value) => {
        const cells = columns.map((column) => ({ column, shown: column.make(value) }));
        return {
            node: html("tr", { role: "row" }, ...cells.map(({ column, shown }, place) => html(place === 0 ? "th" : "td", {
                role: place === 0 ? "rowheader" : "cell",
                scope: place === 0 && "row",
                class: column.isNumber && "number",
                "data-label": column.name
            }, shown.node))),
            update: (value) => {
                for (const { shown } of cells)
                    shown.update(value);
            }
        };
    });
    return (values) => {
        set(node, "hidden", values.length === 0);
        set(nothing, "hidden", values.length > 0);
        show(values);
    };
};
`
  },
  {
    path: "/dashboard/words.js",
    contentType: "text/javascript; charset=utf-8",
    text: `const grouped = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });
export const count = (value) => value < 100_000 ? grouped.format(value) : short.format(value);
export const rate = (perSecond) => perSecond === 0 ? "0" : perSecond < 10 ? perSecond.toFixed(perSecond < 1 ? 2 : 1) : grouped.format(perSecond);
export const percent = (share) => share === 0 ? "0 %" : share < 0.0995 ? \`\${(share * 100).toFixed(1)} %\` : \`\${Math.round(share * 100)} %\`;
export const millis = (value) => value < 1 && value > 0
    ? "<1 ms"
    : value < 1000
        ? \`\${Math.round(value)} ms\`
        : value < 60_000
            ? \`\${(value / 1000).toFixed(value < 10_000 ? 2 : 1)} s\`
            : span(value);
export const both = (one, other) => other < 1000 ? \`\${Math.round(one)} / \${Math.round(other)} ms\` : \`\${(one / 1000).toFixed(2)} / \${(other / 1000).toFixed(2)} s\`;
export const span = (value) => {
    const seconds = Math.ceil(value / 1000);
    if (seconds < 60)
        return \`\${seconds} s\`;
    if (seconds < 3600)
        return seconds % 60 === 0 ? \`\${seconds / 60} min\` : \`\${Math.floor(seconds / 60)} min \${seconds % 60} s\`;
    const hours = Math.floor(seconds / 3600);
    return hours < 48
        ? \`\${hours} h \${Math.floor(seconds % 3600 / 60)} min\`
        : \`\${Math.floor(hours / 24)} d \${hours % 24} h\`;
};
export const money = (microDollars) => {
    const dollars = microDollars / 1_000_000;
    return \`$\${Number.isInteger(dollars) ? count(dollars) : dollars.toFixed(dollars < 0.001 ? 6 : dollars < 10 ? 4 : 2)}\`;
};
export const clock = (at) => new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
export const ago = (at, now) => at === undefined ? "never" : now - at < 1500 ? "now" : \`\${span(now - at)} ago\`;
export const spoken = (tag) => tag.replace(/(?<=[a-z])(?=[A-Z])/g, " ").toLowerCase();
export const shapes = { good: "●", busy: "◐", warn: "▲", bad: "■", off: "○" };
export const stateOf = ({ calls, circuit, keys, queue }, now) => {
    if (circuit?.state === "isolated")
        return { mood: "bad", says: "isolated" };
    if (circuit?.state === "open") {
        return {
            mood: "bad",
            says: circuit.openUntil === undefined
                ? "circuit open"
                : circuit.openUntil > now
                    ? \`circuit open, \${span(circuit.openUntil - now)} left\`
                    : "circuit open, next call probes"
        };
    }
    if (queue?.mode === "paused")
        return { mood: "warn", says: "paused" };
    if (queue?.mode === "draining" || queue?.mode === "shut")
        return { mood: "warn", says: "takes no calls" };
    if (keys !== undefined && keys.length > 0 && keys.every(({ state }) => state !== "ready")) {
        return keys.some(({ state }) => state === "cooling")
            ? { mood: "warn", says: "all keys cool" }
            : { mood: "bad", says: "no usable key" };
    }
    if (queue !== undefined && queue.waiting > 0 && queue.waiting >= queue.capacity)
        return { mood: "warn", says: "queue full" };
    if (circuit?.state === "half-open")
        return { mood: "busy", says: "probing" };
    if (circuit?.state === "disabled")
        return { mood: "off", says: "circuit disabled" };
    if (calls === undefined || calls.started === 0)
        return { mood: "off", says: "not called yet" };
    return { mood: "good", says: "serving" };
};
const keyMoods = {
    ready: "good",
    cooling: "warn",
    exhausted: "bad",
    retired: "bad",
    disabled: "off"
};
const keyWords = {
    ready: "ready",
    cooling: "cools",
    exhausted: "out of quota",
    retired: "not accepted",
    disabled: "disabled"
};
export const stateOfKey = ({ state, until }, now) => ({
    mood: keyMoods[state],
    says: until !== undefined && until > now ? \`\${keyWords[state]}, \${span(until - now)} left\` : keyWords[state]
});
export const circuitMoods = {
    closed: "good",
    open: "bad",
    "half-open": "busy",
    isolated: "bad",
    disabled: "off"
};
export const verdicts = {
    Retry: "ask again",
    RotateKey: "another key",
    Failover: "another backend",
    Never: "tell the caller"
};
export const reasons = {
    failures: "it failed",
    slowness: "it was slow",
    time: "its time was over",
    probes: "probes succeeded",
    hand: "by hand",
    snapshot: "as it was saved"
};
`
  },
  {
    path: "/dashboard/uplot.js",
    contentType: "text/javascript; charset=utf-8",
    text: `/*!
The MIT License (MIT)

Copyright (c) 2022 Leon Sorokin

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in
all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN
THE SOFTWARE.
*/
/*! https://github.com/leeoniya/uPlot (v1.6.32) */
var uPlot=function(){"use strict";const l="u-off",e="u-label",t="width",n="height",i="top",o="bottom",s="left",r="right",u="#000",a=u+"0",f="mousemove",c="mousedown",h="mouseup",d="mouseenter",p="mouseleave",m="dblclick",g="change",x="dppxchange",w="--",_="undefined"!=typeof window,b=_?document:null,v=_?window:null,k=_?navigator:null;let y,M;function S(l,e){if(null!=e){let t=l.classList;!t.contains(e)&&t.add(e)}}function T(l,e){let t=l.classList;t.contains(e)&&t.remove(e)}function E(l,e,t){l.style[e]=t+"px"}function z(l,e,t,n){let i=b.createElement(l);return null!=e&&S(i,e),null!=t&&t.insertBefore(i,n),i}function D(l,e){return z("div",l,e)}const P=new WeakMap;function A(e,t,n,i,o){let s="translate("+t+"px,"+n+"px)";s!=P.get(e)&&(e.style.transform=s,P.set(e,s),0>t||0>n||t>i||n>o?S(e,l):T(e,l))}const W=new WeakMap;function Y(l,e,t){let n=e+t;n!=W.get(l)&&(W.set(l,n),l.style.background=e,l.style.borderColor=t)}const C=new WeakMap;function H(l,e,t,n){let i=e+""+t;i!=C.get(l)&&(C.set(l,i),l.style.height=t+"px",l.style.width=e+"px",l.style.marginLeft=n?-e/2+"px":0,l.style.marginTop=n?-t/2+"px":0)}const F={passive:!0},R={...F,capture:!0};function G(l,e,t,n){e.addEventListener(l,t,n?R:F)}function I(l,e,t){e.removeEventListener(l,t,F)}function L(l,e,t,n){let i;t=t||0;let o=2147483647>=(n=n||e.length-1);for(;n-t>1;)i=o?t+n>>1:sl((t+n)/2),l>e[i]?t=i:n=i;return l-e[t]>e[n]-l?n:t}function O(l){return(e,t,n)=>{let i=-1,o=-1;for(let o=t;n>=o;o++)if(l(e[o])){i=o;break}for(let i=n;i>=t;i--)if(l(e[i])){o=i;break}return[i,o]}}_&&function l(){let e=devicePixelRatio;y!=e&&(y=e,M&&I(g,M,l),M=matchMedia(\`(min-resolution: \${y-.001}dppx) and (max-resolution: \${y+.001}dppx)\`),G(g,M,l),v.dispatchEvent(new CustomEvent(x)))}();const N=l=>null!=l,j=l=>null!=l&&l>0,U=O(N),V=O(j);function B(l,e,t,n){let i=hl(l),o=hl(e);l==e&&(-1==i?(l*=t,e/=t):(l/=t,e*=t));let s=10==t?dl:pl,r=1==o?ul:sl,u=(1==i?sl:ul)(s(ol(l))),a=r(s(ol(e))),f=cl(t,u),c=cl(t,a);return 10==t&&(0>u&&(f=Al(f,-u)),0>a&&(c=Al(c,-a))),n||2==t?(l=f*i,e=c*o):(l=Pl(l,f),e=Dl(e,c)),[l,e]}function $(l,e,t,n){let i=B(l,e,t,n);return 0==l&&(i[0]=0),0==e&&(i[1]=0),i}const J=.1,q={mode:3,pad:J},K={pad:0,soft:null,mode:0},X={min:K,max:K};function Z(l,e,t,n){return Ol(t)?ll(l,e,t):(K.pad=t,K.soft=n?0:null,K.mode=n?3:0,ll(l,e,X))}function Q(l,e){return null==l?e:l}function ll(l,e,t){let n=t.min,i=t.max,o=Q(n.pad,0),s=Q(i.pad,0),r=Q(n.hard,-gl),u=Q(i.hard,gl),a=Q(n.soft,gl),f=Q(i.soft,-gl),c=Q(n.mode,0),h=Q(i.mode,0),d=e-l,p=dl(d),m=fl(ol(l),ol(e)),g=dl(m),x=ol(g-p);(1e-24>d||x>10)&&(d=0,0!=l&&0!=e||(d=1e-24,2==c&&a!=gl&&(o=0),2==h&&f!=-gl&&(s=0)));let w=d||m||1e3,_=dl(w),b=cl(10,sl(_)),v=Al(Pl(l-w*(0==d?0==l?.1:1:o),b/10),24),k=a>l||1!=c&&(3!=c||v>a)&&(2!=c||a>v)?gl:a,y=fl(r,k>v&&l>=k?k:al(k,v)),M=Al(Dl(e+w*(0==d?0==e?.1:1:s),b/10),24),S=e>f||1!=h&&(3!=h||f>M)&&(2!=h||M>f)?-gl:f,T=al(u,M>S&&S>=e?S:fl(S,M));return y==T&&0==y&&(T=100),[y,T]}const el=new Intl.NumberFormat(_?k.language:"en-US"),tl=l=>el.format(l),nl=Math,il=nl.PI,ol=nl.abs,sl=nl.floor,rl=nl.round,ul=nl.ceil,al=nl.min,fl=nl.max,cl=nl.pow,hl=nl.sign,dl=nl.log10,pl=nl.log2,ml=(l,e=1)=>nl.asinh(l/e),gl=1/0;function xl(l){return 1+(0|dl((l^l>>31)-(l>>31)))}function wl(l,e,t){return al(fl(l,e),t)}function _l(l){return"function"==typeof l}function bl(l){return _l(l)?l:()=>l}const vl=l=>l,kl=(l,e)=>e,yl=()=>null,Ml=()=>!0,Sl=(l,e)=>l==e,Tl=/\\.\\d*?(?=9{6,}|0{6,})/gm,El=l=>{if(Il(l)||Wl.has(l))return l;const e=""+l,t=e.match(Tl);if(null==t)return l;let n=t[0].length-1;if(-1!=e.indexOf("e-")){let[l,t]=e.split("e");return+\`\${El(l)}e\${t}\`}return Al(l,n)};function zl(l,e){return El(Al(El(l/e))*e)}function Dl(l,e){return El(ul(El(l/e))*e)}function Pl(l,e){return El(sl(El(l/e))*e)}function Al(l,e=0){if(Il(l))return l;let t=10**e;return rl(l*t*(1+Number.EPSILON))/t}const Wl=new Map;function Yl(l){return((""+l).split(".")[1]||"").length}function Cl(l,e,t,n){let i=[],o=n.map(Yl);for(let s=e;t>s;s++){let e=ol(s),t=Al(cl(l,s),e);for(let r=0;n.length>r;r++){let u=10==l?+\`\${n[r]}e\${s}\`:n[r]*t,a=(0>s?e:0)+(o[r]>s?o[r]:0),f=10==l?u:Al(u,a);i.push(f),Wl.set(f,a)}}return i}const Hl={},Fl=[],Rl=[null,null],Gl=Array.isArray,Il=Number.isInteger;function Ll(l){return"string"==typeof l}function Ol(l){let e=!1;if(null!=l){let t=l.constructor;e=null==t||t==Object}return e}function Nl(l){return null!=l&&"object"==typeof l}const jl=Object.getPrototypeOf(Uint8Array),Ul="__proto__";function Vl(l,e=Ol){let t;if(Gl(l)){let n=l.find((l=>null!=l));if(Gl(n)||e(n)){t=Array(l.length);for(let n=0;l.length>n;n++)t[n]=Vl(l[n],e)}else t=l.slice()}else if(l instanceof jl)t=l.slice();else if(e(l)){t={};for(let n in l)n!=Ul&&(t[n]=Vl(l[n],e))}else t=l;return t}function Bl(l){let e=arguments;for(let t=1;e.length>t;t++){let n=e[t];for(let e in n)e!=Ul&&(Ol(l[e])?Bl(l[e],Vl(n[e])):l[e]=Vl(n[e]))}return l}function $l(l,e,t){for(let n,i=0,o=-1;e.length>i;i++){let s=e[i];if(s>o){for(n=s-1;n>=0&&null==l[n];)l[n--]=null;for(n=s+1;t>n&&null==l[n];)l[o=n++]=null}}}const Jl="undefined"==typeof queueMicrotask?l=>Promise.resolve().then(l):queueMicrotask,ql=["January","February","March","April","May","June","July","August","September","October","November","December"],Kl=["Sunday","Monday","Tuesday","Wednesday","Thursday","Friday","Saturday"];function Xl(l){return l.slice(0,3)}const Zl=Kl.map(Xl),Ql=ql.map(Xl),le={MMMM:ql,MMM:Ql,WWWW:Kl,WWW:Zl};function ee(l){return(10>l?"0":"")+l}const te={YYYY:l=>l.getFullYear(),YY:l=>(l.getFullYear()+"").slice(2),MMMM:(l,e)=>e.MMMM[l.getMonth()],MMM:(l,e)=>e.MMM[l.getMonth()],MM:l=>ee(l.getMonth()+1),M:l=>l.getMonth()+1,DD:l=>ee(l.getDate()),D:l=>l.getDate(),WWWW:(l,e)=>e.WWWW[l.getDay()],WWW:(l,e)=>e.WWW[l.getDay()],HH:l=>ee(l.getHours()),H:l=>l.getHours(),h:l=>{let e=l.getHours();return 0==e?12:e>12?e-12:e},AA:l=>12>l.getHours()?"AM":"PM",aa:l=>12>l.getHours()?"am":"pm",a:l=>12>l.getHours()?"a":"p",mm:l=>ee(l.getMinutes()),m:l=>l.getMinutes(),ss:l=>ee(l.getSeconds()),s:l=>l.getSeconds(),fff:l=>function(l){return(10>l?"00":100>l?"0":"")+l}(l.getMilliseconds())};function ne(l,e){e=e||le;let t,n=[],i=/\\{([a-z]+)\\}|[^{]+/gi;for(;t=i.exec(l);)n.push("{"==t[0][0]?te[t[1]]:t[0]);return l=>{let t="";for(let i=0;n.length>i;i++)t+="string"==typeof n[i]?n[i]:n[i](l,e);return t}}const ie=(new Intl.DateTimeFormat).resolvedOptions().timeZone,oe=l=>l%1==0,se=[1,2,2.5,5],re=Cl(10,-32,0,se),ue=Cl(10,0,32,se),ae=ue.filter(oe),fe=re.concat(ue),ce="{YYYY}",he="\\n"+ce,de="{M}/{D}",pe="\\n"+de,me=pe+"/{YY}",ge="{aa}",xe="{h}:{mm}"+ge,we="\\n"+xe,_e=":{ss}",be=null;function ve(l){let e=1e3*l,t=60*e,n=60*t,i=24*n,o=30*i,s=365*i;return[(1==l?Cl(10,0,3,se).filter(oe):Cl(10,-3,0,se)).concat([e,5*e,10*e,15*e,30*e,t,5*t,10*t,15*t,30*t,n,2*n,3*n,4*n,6*n,8*n,12*n,i,2*i,3*i,4*i,5*i,6*i,7*i,8*i,9*i,10*i,15*i,o,2*o,3*o,4*o,6*o,s,2*s,5*s,10*s,25*s,50*s,100*s]),[[s,ce,be,be,be,be,be,be,1],[28*i,"{MMM}",he,be,be,be,be,be,1],[i,de,he,be,be,be,be,be,1],[n,"{h}"+ge,me,be,pe,be,be,be,1],[t,xe,me,be,pe,be,be,be,1],[e,_e,me+" "+xe,be,pe+" "+xe,be,we,be,1],[l,_e+".{fff}",me+" "+xe,be,pe+" "+xe,be,we,be,1]],function(e){return(r,u,a,f,c,h)=>{let d=[],p=c>=s,m=c>=o&&s>c,g=e(a),x=Al(g*l,3),w=Pe(g.getFullYear(),p?0:g.getMonth(),m||p?1:g.getDate()),_=Al(w*l,3);if(m||p){let t=m?c/o:0,n=p?c/s:0,i=x==_?x:Al(Pe(w.getFullYear()+n,w.getMonth()+t,1)*l,3),r=new Date(rl(i/l)),u=r.getFullYear(),a=r.getMonth();for(let o=0;f>=i;o++){let s=Pe(u+n*o,a+t*o,1),r=s-e(Al(s*l,3));i=Al((+s+r)*l,3),i>f||d.push(i)}}else{let o=i>c?c:i,s=_+(sl(a)-sl(x))+Dl(x-_,o);d.push(s);let p=e(s),m=p.getHours()+p.getMinutes()/t+p.getSeconds()/n,g=c/n,w=h/r.axes[u]._space;for(;s=Al(s+c,1==l?0:3),f>=s;)if(g>1){let l=sl(Al(m+g,6))%24,t=e(s).getHours()-l;t>1&&(t=-1),s-=t*n,m=(m+g)%24,.7>Al((s-d[d.length-1])/c,3)*w||d.push(s)}else d.push(s)}return d}}]}const[ke,ye,Me]=ve(1),[Se,Te,Ee]=ve(.001);function ze(l,e){return l.map((l=>l.map(((t,n)=>0==n||8==n||null==t?t:e(1==n||0==l[8]?t:l[1]+t)))))}function De(l,e){return(t,n,i,o,s)=>{let r,u,a,f,c,h,d=e.find((l=>s>=l[0]))||e[e.length-1];return n.map((e=>{let t=l(e),n=t.getFullYear(),i=t.getMonth(),o=t.getDate(),s=t.getHours(),p=t.getMinutes(),m=t.getSeconds(),g=n!=r&&d[2]||i!=u&&d[3]||o!=a&&d[4]||s!=f&&d[5]||p!=c&&d[6]||m!=h&&d[7]||d[1];return r=n,u=i,a=o,f=s,c=p,h=m,g(t)}))}}function Pe(l,e,t){return new Date(l,e,t)}function Ae(l,e){return e(l)}function We(l,e){return(t,n,i,o)=>null==o?w:e(l(n))}Cl(2,-53,53,[1]);const Ye={show:!0,live:!0,isolate:!1,mount:()=>{},markers:{show:!0,width:2,stroke:function(l,e){let t=l.series[e];return t.width?t.stroke(l,e):t.points.width?t.points.stroke(l,e):null},fill:function(l,e){return l.series[e].fill(l,e)},dash:"solid"},idx:null,idxs:null,values:[]},Ce=[0,0];function He(l,e,t,n=!0){return l=>{0==l.button&&(!n||l.target==e)&&t(l)}}function Fe(l,e,t,n=!0){return l=>{(!n||l.target==e)&&t(l)}}const Re={show:!0,x:!0,y:!0,lock:!1,move:function(l,e,t){return Ce[0]=e,Ce[1]=t,Ce},points:{one:!1,show:function(l,e){let i=l.cursor.points,o=D(),s=i.size(l,e);E(o,t,s),E(o,n,s);let r=s/-2;E(o,"marginLeft",r),E(o,"marginTop",r);let u=i.width(l,e,s);return u&&E(o,"borderWidth",u),o},size:function(l,e){return l.series[e].points.size},width:0,stroke:function(l,e){let t=l.series[e].points;return t._stroke||t._fill},fill:function(l,e){let t=l.series[e].points;return t._fill||t._stroke}},bind:{mousedown:He,mouseup:He,click:He,dblclick:He,mousemove:Fe,mouseleave:Fe,mouseenter:Fe},drag:{setScale:!0,x:!0,y:!1,dist:0,uni:null,click:(l,e)=>{e.stopPropagation(),e.stopImmediatePropagation()},_x:!1,_y:!1},focus:{dist:(l,e,t,n,i)=>n-i,prox:-1,bias:0},hover:{skip:[void 0],prox:null,bias:0},left:-10,top:-10,idx:null,dataIdx:null,idxs:null,event:null},Ge={show:!0,stroke:"rgba(0,0,0,0.07)",width:2},Ie=Bl({},Ge,{filter:kl}),Le=Bl({},Ie,{size:10}),Oe=Bl({},Ge,{show:!1}),Ne='12px system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, "Noto Sans", sans-serif, "Apple Color Emoji", "Segoe UI Emoji", "Segoe UI Symbol", "Noto Color Emoji"',je="bold "+Ne,Ue={show:!0,scale:"x",stroke:u,space:50,gap:5,alignTo:1,size:50,labelGap:0,labelSize:30,labelFont:je,side:2,grid:Ie,ticks:Le,border:Oe,font:Ne,lineGap:1.5,rotate:0},Ve={show:!0,scale:"x",auto:!1,sorted:1,min:gl,max:-gl,idxs:[]};function Be(l,e){return e.map((l=>null==l?"":tl(l)))}function $e(l,e,t,n,i,o,s){let r=[],u=Wl.get(i)||0;for(let l=t=s?t:Al(Dl(t,i),u);n>=l;l=Al(l+i,u))r.push(Object.is(l,-0)?0:l);return r}function Je(l,e,t,n,i){const o=[],s=l.scales[l.axes[e].scale].log,r=sl((10==s?dl:pl)(t));i=cl(s,r),10==s&&(i=fe[L(i,fe)]);let u=t,a=i*s;10==s&&(a=fe[L(a,fe)]);do{o.push(u),u+=i,10!=s||Wl.has(u)||(u=Al(u,Wl.get(i))),a>u||(a=(i=u)*s,10==s&&(a=fe[L(a,fe)]))}while(n>=u);return o}function qe(l,e,t,n,i){let o=l.scales[l.axes[e].scale].asinh,s=n>o?Je(l,e,fl(o,t),n,i):[o],r=0>n||t>0?[]:[0];return(-o>t?Je(l,e,fl(o,-n),-t,i):[o]).reverse().map((l=>-l)).concat(r,s)}const Ke=/./,Xe=/[12357]/,Ze=/[125]/,Qe=/1/,lt=(l,e,t,n)=>l.map(((l,i)=>4==e&&0==l||i%n==0&&t.test(l.toExponential()[0>l?1:0])?l:null));function et(l,e,t){let n=l.axes[t],i=n.scale,o=l.scales[i],s=l.valToPos,r=n._space,u=s(10,i),a=s(9,i)-u<r?s(7,i)-u<r?s(5,i)-u<r?Qe:Ze:Xe:Ke;if(a==Qe){let l=ol(s(1,i)-u);if(r>l)return lt(e.slice().reverse(),o.distr,a,ul(r/l)).reverse()}return lt(e,o.distr,a,1)}function tt(l,e,t){let n=l.axes[t],i=n.scale,o=n._space,s=l.valToPos,r=ol(s(1,i)-s(2,i));return o>r?lt(e.slice().reverse(),3,Ke,ul(o/r)).reverse():e}function nt(l,e,t,n){return null==n?w:null==e?"":tl(e)}const it={show:!0,scale:"y",stroke:u,space:30,gap:5,alignTo:1,size:50,labelGap:0,labelSize:30,labelFont:je,side:3,grid:Ie,ticks:Le,border:Oe,font:Ne,lineGap:1.5,rotate:0},ot={scale:null,auto:!0,sorted:0,min:gl,max:-gl},st=(l,e,t,n,i)=>i,rt={show:!0,auto:!0,sorted:0,gaps:st,alpha:1,facets:[Bl({},ot,{scale:"x"}),Bl({},ot,{scale:"y"})]},ut={scale:"y",auto:!0,sorted:0,show:!0,spanGaps:!1,gaps:st,alpha:1,points:{show:function(l,e){let{scale:t,idxs:n}=l.series[0],i=l._data[0],o=l.valToPos(i[n[0]],t,!0),s=l.valToPos(i[n[1]],t,!0);return ol(s-o)/(l.series[e].points.space*y)>=n[1]-n[0]},filter:null},values:null,min:gl,max:-gl,idxs:[],path:null,clip:null};function at(l,e,t){return t/10}const ft={time:!0,auto:!0,distr:1,log:10,asinh:1,min:null,max:null,dir:1,ori:0},ct=Bl({},ft,{time:!1,ori:1}),ht={};function dt(l){let e=ht[l];return e||(e={key:l,plots:[],sub(l){e.plots.push(l)},unsub(l){e.plots=e.plots.filter((e=>e!=l))},pub(l,t,n,i,o,s,r){for(let u=0;e.plots.length>u;u++)e.plots[u]!=t&&e.plots[u].pub(l,t,n,i,o,s,r)}},null!=l&&(ht[l]=e)),e}function pt(l,e,t){const n=l.mode,i=l.series[e],o=2==n?l._data[e]:l._data,s=l.scales,r=l.bbox;let u=o[0],a=2==n?o[1]:o[e],f=2==n?s[i.facets[0].scale]:s[l.series[0].scale],c=2==n?s[i.facets[1].scale]:s[i.scale],h=r.left,d=r.top,p=r.width,m=r.height,g=l.valToPosH,x=l.valToPosV;return 0==f.ori?t(i,u,a,f,c,g,x,h,d,p,m,kt,Mt,Tt,zt,Pt):t(i,u,a,f,c,x,g,d,h,m,p,yt,St,Et,Dt,At)}function mt(l,e){let t=0,n=0,i=Q(l.bands,Fl);for(let l=0;i.length>l;l++){let o=i[l];o.series[0]==e?t=o.dir:o.series[1]==e&&(n|=1==o.dir?1:2)}return[t,1==n?-1:2==n?1:3==n?2:0]}function gt(l,e,t,n,i){let o=l.series[e],s=l.scales[2==l.mode?o.facets[1].scale:o.scale];return-1==i?s.min:1==i?s.max:3==s.distr?1==s.dir?s.min:s.max:0}function xt(l,e,t,n,i,o){return pt(l,e,((l,e,s,r,u,a,f,c,h,d,p)=>{let m=l.pxRound;const g=0==r.ori?Mt:St;let x,w;1==r.dir*(0==r.ori?1:-1)?(x=t,w=n):(x=n,w=t);let _=m(a(e[x],r,d,c)),b=m(f(s[x],u,p,h)),v=m(a(e[w],r,d,c)),k=m(f(1==o?u.max:u.min,u,p,h)),y=new Path2D(i);return g(y,v,k),g(y,_,k),g(y,_,b),y}))}function wt(l,e,t,n,i,o){let s=null;if(l.length>0){s=new Path2D;const r=0==e?Tt:Et;let u=t;for(let e=0;l.length>e;e++){let t=l[e];if(t[1]>t[0]){let l=t[0]-u;l>0&&r(s,u,n,l,n+o),u=t[1]}}let a=t+i-u,f=10;a>0&&r(s,u,n-f/2,a,n+o+f)}return s}function _t(l,e,t,n,i,o,s){let r=[],u=l.length;for(let a=1==i?t:n;a>=t&&n>=a;a+=i)if(null===e[a]){let f=a,c=a;if(1==i)for(;++a<=n&&null===e[a];)c=a;else for(;--a>=t&&null===e[a];)c=a;let h=o(l[f]),d=c==f?h:o(l[c]),p=f-i;h=s>0||0>p||p>=u?h:o(l[p]);let m=c+i;d=0>s||0>m||m>=u?d:o(l[m]),h>d||r.push([h,d])}return r}function bt(l){return 0==l?vl:1==l?rl:e=>zl(e,l)}function vt(l){let e=0==l?kt:yt,t=0==l?(l,e,t,n,i,o)=>{l.arcTo(e,t,n,i,o)}:(l,e,t,n,i,o)=>{l.arcTo(t,e,i,n,o)},n=0==l?(l,e,t,n,i)=>{l.rect(e,t,n,i)}:(l,e,t,n,i)=>{l.rect(t,e,i,n)};return(l,i,o,s,r,u=0,a=0)=>{0==u&&0==a?n(l,i,o,s,r):(u=al(u,s/2,r/2),a=al(a,s/2,r/2),e(l,i+u,o),t(l,i+s,o,i+s,o+r,u),t(l,i+s,o+r,i,o+r,a),t(l,i,o+r,i,o,a),t(l,i,o,i+s,o,u),l.closePath())}}const kt=(l,e,t)=>{l.moveTo(e,t)},yt=(l,e,t)=>{l.moveTo(t,e)},Mt=(l,e,t)=>{l.lineTo(e,t)},St=(l,e,t)=>{l.lineTo(t,e)},Tt=vt(0),Et=vt(1),zt=(l,e,t,n,i,o)=>{l.arc(e,t,n,i,o)},Dt=(l,e,t,n,i,o)=>{l.arc(t,e,n,i,o)},Pt=(l,e,t,n,i,o,s)=>{l.bezierCurveTo(e,t,n,i,o,s)},At=(l,e,t,n,i,o,s)=>{l.bezierCurveTo(t,e,i,n,s,o)};function Wt(){return(l,e,t,n,i)=>pt(l,e,((e,o,s,r,u,a,f,c,h,d,p)=>{let m,g,{pxRound:x,points:w}=e;0==r.ori?(m=kt,g=zt):(m=yt,g=Dt);const _=Al(w.width*y,3);let b=(w.size-w.width)/2*y,v=Al(2*b,3),k=new Path2D,M=new Path2D,{left:S,top:T,width:E,height:z}=l.bbox;Tt(M,S-v,T-v,E+2*v,z+2*v);const D=l=>{if(null!=s[l]){let e=x(a(o[l],r,d,c)),t=x(f(s[l],u,p,h));m(k,e+b,t),g(k,e,t,b,0,2*il)}};if(i)i.forEach(D);else for(let l=t;n>=l;l++)D(l);return{stroke:_>0?k:null,fill:k,clip:M,flags:3}}))}function Yt(l){return(e,t,n,i,o,s)=>{n!=i&&(o!=n&&s!=n&&l(e,t,n),o!=i&&s!=i&&l(e,t,i),l(e,t,s))}}const Ct=Yt(Mt),Ht=Yt(St);function Ft(l){const e=Q(l?.alignGaps,0);return(l,t,n,i)=>pt(l,t,((o,s,r,u,a,f,c,h,d,p,m)=>{[n,i]=U(r,n,i);let g,x,w=o.pxRound,_=l=>w(f(l,u,p,h)),b=l=>w(c(l,a,m,d));0==u.ori?(g=Mt,x=Ct):(g=St,x=Ht);const v=u.dir*(0==u.ori?1:-1),k={stroke:new Path2D,fill:null,clip:null,band:null,gaps:null,flags:1},y=k.stroke;let M=!1;if(i-n<4*p)for(let l=1==v?n:i;l>=n&&i>=l;l+=v){let e=r[l];null===e?M=!0:null!=e&&g(y,_(s[l]),b(e))}else{let e,t,o,a=e=>l.posToVal(e,u.key,!0),f=null,c=null,h=_(s[1==v?n:i]),d=_(s[n]),p=_(s[i]),m=a(1==v?d+1:p-1);for(let l=1==v?n:i;l>=n&&i>=l;l+=v){let n=s[l],i=(1==v?m>n:n>m)?h:_(n),o=r[l];i==h?null!=o?(t=o,null==f?(g(y,i,b(t)),e=f=c=t):f>t?f=t:t>c&&(c=t)):null===o&&(M=!0):(null!=f&&x(y,h,b(f),b(c),b(e),b(t)),null!=o?(t=o,g(y,i,b(t)),f=c=e=t):(f=c=null,null===o&&(M=!0)),h=i,m=a(h+v))}null!=f&&f!=c&&o!=h&&x(y,h,b(f),b(c),b(e),b(t))}let[S,T]=mt(l,t);if(null!=o.fill||0!=S){let e=k.fill=new Path2D(y),r=b(o.fillTo(l,t,o.min,o.max,S)),u=_(s[n]),a=_(s[i]);-1==v&&([a,u]=[u,a]),g(e,a,r),g(e,u,r)}if(!o.spanGaps){let a=[];M&&a.push(..._t(s,r,n,i,v,_,e)),k.gaps=a=o.gaps(l,t,n,i,a),k.clip=wt(a,u.ori,h,d,p,m)}return 0!=T&&(k.band=2==T?[xt(l,t,n,i,y,-1),xt(l,t,n,i,y,1)]:xt(l,t,n,i,y,T)),k}))}function Rt(l,e,t,n,i,o,s=gl){if(l.length>1){let r=null;for(let u=0,a=1/0;l.length>u;u++)if(void 0!==e[u]){if(null!=r){let e=ol(l[u]-l[r]);a>e&&(a=e,s=ol(t(l[u],n,i,o)-t(l[r],n,i,o)))}r=u}}return s}function Gt(l,e,t,n,i){const o=l.length;if(2>o)return null;const s=new Path2D;if(t(s,l[0],e[0]),2==o)n(s,l[1],e[1]);else{let t=Array(o),n=Array(o-1),r=Array(o-1),u=Array(o-1);for(let t=0;o-1>t;t++)r[t]=e[t+1]-e[t],u[t]=l[t+1]-l[t],n[t]=r[t]/u[t];t[0]=n[0];for(let l=1;o-1>l;l++)0===n[l]||0===n[l-1]||n[l-1]>0!=n[l]>0?t[l]=0:(t[l]=3*(u[l-1]+u[l])/((2*u[l]+u[l-1])/n[l-1]+(u[l]+2*u[l-1])/n[l]),isFinite(t[l])||(t[l]=0));t[o-1]=n[o-2];for(let n=0;o-1>n;n++)i(s,l[n]+u[n]/3,e[n]+t[n]*u[n]/3,l[n+1]-u[n]/3,e[n+1]-t[n+1]*u[n]/3,l[n+1],e[n+1])}return s}const It=new Set;function Lt(){for(let l of It)l.syncRect(!0)}_&&(G("resize",v,Lt),G("scroll",v,Lt,!0),G(x,v,(()=>{en.pxRatio=y})));const Ot=Ft(),Nt=Wt();function jt(l,e,t,n){return(n?[l[0],l[1]].concat(l.slice(2)):[l[0]].concat(l.slice(1))).map(((l,n)=>Ut(l,n,e,t)))}function Ut(l,e,t,n){return Bl({},0==e?t:n,l)}function Vt(l,e,t){return null==e?Rl:[e,t]}const Bt=Vt;function $t(l,e,t){return null==e?Rl:Z(e,t,J,!0)}function Jt(l,e,t,n){return null==e?Rl:B(e,t,l.scales[n].log,!1)}const qt=Jt;function Kt(l,e,t,n){return null==e?Rl:$(e,t,l.scales[n].log,!1)}const Xt=Kt;function Zt(l,e,t,n,i){let o=fl(xl(l),xl(e)),s=e-l,r=L(i/n*s,t);do{let l=t[r],e=n*l/s;if(e>=i&&17>=o+(5>l?Wl.get(l):0))return[l,e]}while(++r<t.length);return[0,0]}function Qt(l){let e,t;return[l=l.replace(/(\\d+)px/,((l,n)=>(e=rl((t=+n)*y))+"px")),e,t]}function ln(l){l.show&&[l.font,l.labelFont].forEach((l=>{let e=Al(l[2]*y,1);l[0]=l[0].replace(/[0-9.]+px/,e+"px"),l[1]=e}))}function en(u,g,_){const k={mode:Q(u.mode,1)},M=k.mode;function P(l,e,t,n){let i=e.valToPct(l);return n+t*(-1==e.dir?1-i:i)}function W(l,e,t,n){let i=e.valToPct(l);return n+t*(-1==e.dir?i:1-i)}function C(l,e,t,n){return 0==e.ori?P(l,e,t,n):W(l,e,t,n)}k.valToPosH=P,k.valToPosV=W;let F=!1;k.status=0;const R=k.root=D("uplot");null!=u.id&&(R.id=u.id),S(R,u.class),u.title&&(D("u-title",R).textContent=u.title);const O=z("canvas"),K=k.ctx=O.getContext("2d"),X=D("u-wrap",R);G("click",X,(l=>{l.target===el&&(Nn!=Gn||jn!=In)&&Zn.click(k,l)}),!0);const ll=k.under=D("u-under",X);X.appendChild(O);const el=k.over=D("u-over",X),tl=+Q((u=Vl(u)).pxAlign,1),sl=bt(tl);(u.plugins||[]).forEach((l=>{l.opts&&(u=l.opts(k,u)||u)}));const hl=u.ms||.001,pl=k.series=1==M?jt(u.series||[],Ve,ut,!1):function(l,e){return l.map(((l,t)=>0==t?{}:Bl({},e,l)))}(u.series||[null],rt),xl=k.axes=jt(u.axes||[],Ue,it,!0),vl=k.scales={},Tl=k.bands=u.bands||[];Tl.forEach((l=>{l.fill=bl(l.fill||null),l.dir=Q(l.dir,-1)}));const El=2==M?pl[1].facets[0].scale:pl[0].scale,Dl={axes:function(){for(let l=0;xl.length>l;l++){let e=xl[l];if(!e.show||!e._show)continue;let t,n,u=e.side,a=u%2,f=e.stroke(k,l),c=0==u||3==u?-1:1,[h,d]=e._found;if(null!=e.label){let s=rl((e._lpos+e.labelGap*c)*y);_n(e.labelFont[0],f,"center",2==u?i:o),K.save(),1==a?(t=n=0,K.translate(s,rl(lt+st/2)),K.rotate((3==u?-il:il)/2)):(t=rl(Qe+ot/2),n=s);let r=_l(e.label)?e.label(k,l,h,d):e.label;K.fillText(r,t,n),K.restore()}if(0==d)continue;let p=vl[e.scale],m=0==a?ot:st,g=0==a?Qe:lt,x=e._splits,w=2==p.distr?x.map((l=>pn[l])):x,_=2==p.distr?pn[x[1]]-pn[x[0]]:h,b=e.ticks,v=e.border,M=b.show?b.size:0,S=rl(M*y),T=rl((2==e.alignTo?e._size-M-e.gap:e.gap)*y),E=e._rotate*-il/180,z=sl(e._pos*y),D=z+(S+T)*c;n=0==a?D:0,t=1==a?D:0,_n(e.font[0],f,1==e.align?s:2==e.align?r:E>0?s:0>E?r:0==a?"center":3==u?r:s,E||1==a?"middle":2==u?i:o);let P=e.font[1]*e.lineGap,A=x.map((l=>sl(C(l,p,m,g)))),W=e._values;for(let l=0;W.length>l;l++){let e=W[l];if(null!=e){0==a?t=A[l]:n=A[l],e=""+e;let i=-1==e.indexOf("\\n")?[e]:e.split(/\\n/gm);for(let l=0;i.length>l;l++){let e=i[l];E?(K.save(),K.translate(t,n+l*P),K.rotate(E),K.fillText(e,0,0),K.restore()):K.fillText(e,t,n+l*P)}}}b.show&&zn(A,b.filter(k,w,l,d,_),a,u,z,S,Al(b.width*y,3),b.stroke(k,l),b.dash,b.cap);let Y=e.grid;Y.show&&zn(A,Y.filter(k,w,l,d,_),a,0==a?2:1,0==a?lt:Qe,0==a?st:ot,Al(Y.width*y,3),Y.stroke(k,l),Y.dash,Y.cap),v.show&&zn([z],[1],0==a?1:0,0==a?1:2,1==a?lt:Qe,1==a?st:ot,Al(v.width*y,3),v.stroke(k,l),v.dash,v.cap)}Ci("drawAxes")},series:function(){if(Gt>0){let l=pl.some((l=>l._focus))&&dn!=Tt.alpha;l&&(K.globalAlpha=dn=Tt.alpha),pl.forEach(((l,e)=>{if(e>0&&l.show&&(kn(e,!1),kn(e,!0),null==l._paths)){let t=dn;dn!=l.alpha&&(K.globalAlpha=dn=l.alpha);let n=2==M?[0,g[e][0].length-1]:function(l){let e=wl(Lt-1,0,Gt-1),t=wl(en+1,0,Gt-1);for(;null==l[e]&&e>0;)e--;for(;null==l[t]&&Gt-1>t;)t++;return[e,t]}(g[e]);l._paths=l.paths(k,e,n[0],n[1]),dn!=t&&(K.globalAlpha=dn=t)}})),pl.forEach(((l,e)=>{if(e>0&&l.show){let t=dn;dn!=l.alpha&&(K.globalAlpha=dn=l.alpha),null!=l._paths&&yn(e,!1);{let t=null!=l._paths?l._paths.gaps:null,n=l.points.show(k,e,Lt,en,t),i=l.points.filter(k,e,n,t);(n||i)&&(l.points._paths=l.points.paths(k,e,Lt,en,i),yn(e,!0))}dn!=t&&(K.globalAlpha=dn=t),Ci("drawSeries",e)}})),l&&(K.globalAlpha=dn=1)}}},Pl=(u.drawOrder||["axes","series"]).map((l=>Dl[l]));function Cl(l){const e=3==l.distr?e=>dl(e>0?e:l.clamp(k,e,l.min,l.max,l.key)):4==l.distr?e=>ml(e,l.asinh):100==l.distr?e=>l.fwd(e):l=>l;return t=>{let n=e(t),{_min:i,_max:o}=l;return(n-i)/(o-i)}}function Il(l){let e=vl[l];if(null==e){let t=(u.scales||Hl)[l]||Hl;if(null!=t.from){Il(t.from);let e=Bl({},vl[t.from],t,{key:l});e.valToPct=Cl(e),vl[l]=e}else{e=vl[l]=Bl({},l==El?ft:ct,t),e.key=l;let n=e.time,i=e.range,o=Gl(i);if((l!=El||2==M&&!n)&&(!o||null!=i[0]&&null!=i[1]||(i={min:null==i[0]?q:{mode:1,hard:i[0],soft:i[0]},max:null==i[1]?q:{mode:1,hard:i[1],soft:i[1]}},o=!1),!o&&Ol(i))){let l=i;i=(e,t,n)=>null==t?Rl:Z(t,n,l)}e.range=bl(i||(n?Bt:l==El?3==e.distr?qt:4==e.distr?Xt:Vt:3==e.distr?Jt:4==e.distr?Kt:$t)),e.auto=bl(!o&&e.auto),e.clamp=bl(e.clamp||at),e._min=e._max=null,e.valToPct=Cl(e)}}}Il("x"),Il("y"),1==M&&pl.forEach((l=>{Il(l.scale)})),xl.forEach((l=>{Il(l.scale)}));for(let l in u.scales)Il(l);const jl=vl[El],Ul=jl.distr;let $l,ql;0==jl.ori?(S(R,"u-hz"),$l=P,ql=W):(S(R,"u-vt"),$l=W,ql=P);const Kl={};for(let l in vl){let e=vl[l];null==e.min&&null==e.max||(Kl[l]={min:e.min,max:e.max},e.min=e.max=null)}const Xl=u.tzDate||(l=>new Date(rl(l/hl))),Zl=u.fmtDate||ne,Ql=1==hl?Me(Xl):Ee(Xl),le=De(Xl,ze(1==hl?ye:Te,Zl)),ee=We(Xl,Ae("{YYYY}-{MM}-{DD} {h}:{mm}{aa}",Zl)),te=[],ie=k.legend=Bl({},Ye,u.legend),oe=k.cursor=Bl({},Re,{drag:{y:2==M}},u.cursor),se=ie.show,re=oe.show,ue=ie.markers;let ce,he,de;ie.idxs=te,ue.width=bl(ue.width),ue.dash=bl(ue.dash),ue.stroke=bl(ue.stroke),ue.fill=bl(ue.fill);let pe,me=[],ge=[],xe=!1,we={};if(ie.live){const l=pl[1]?pl[1].values:null;xe=null!=l,pe=xe?l(k,1,0):{_:0};for(let l in pe)we[l]=w}if(se)if(ce=z("table","u-legend",R),de=z("tbody",null,ce),ie.mount(k,ce),xe){he=z("thead",null,ce,de);let l=z("tr",null,he);for(var _e in z("th",null,l),pe)z("th",e,l).textContent=_e}else S(ce,"u-inline"),ie.live&&S(ce,"u-live");const be={show:!0},ve={show:!1},Pe=new Map;function Ce(l,e,t,n=!0){const i=Pe.get(e)||{},o=oe.bind[l](k,e,t,n);o&&(G(l,e,i[l]=o),Pe.set(e,i))}function He(l,e){const t=Pe.get(e)||{};for(let n in t)null!=l&&n!=l||(I(n,e,t[n]),delete t[n]);null==l&&Pe.delete(e)}let Fe=0,Ge=0,Ie=0,Le=0,Oe=0,Ne=0,je=Oe,Ke=Ne,Xe=Ie,Ze=Le,Qe=0,lt=0,ot=0,st=0;k.bbox={};let ht=!1,pt=!1,mt=!1,xt=!1,wt=!1,_t=!1;function vt(l,e,t){(t||l!=k.width||e!=k.height)&&kt(l,e),An(!1),mt=!0,pt=!0,Jn()}function kt(l,e){k.width=Fe=Ie=l,k.height=Ge=Le=e,Oe=Ne=0,function(){let l=!1,e=!1,t=!1,n=!1;xl.forEach((i=>{if(i.show&&i._show){let{side:o,_size:s}=i,r=s+(null!=i.label?i.labelSize:0);r>0&&(o%2?(Ie-=r,3==o?(Oe+=r,n=!0):t=!0):(Le-=r,0==o?(Ne+=r,l=!0):e=!0))}})),Ct[0]=l,Ct[1]=t,Ct[2]=e,Ct[3]=n,Ie-=Rt[1]+Rt[3],Oe+=Rt[3],Le-=Rt[2]+Rt[0],Ne+=Rt[0]}(),function(){let l=Oe+Ie,e=Ne+Le,t=Oe,n=Ne;function i(i,o){switch(i){case 1:return l+=o,l-o;case 2:return e+=o,e-o;case 3:return t-=o,t+o;case 0:return n-=o,n+o}}xl.forEach((l=>{if(l.show&&l._show){let e=l.side;l._pos=i(e,l._size),null!=l.label&&(l._lpos=i(e,l.labelSize))}}))}();let t=k.bbox;Qe=t.left=zl(Oe*y,.5),lt=t.top=zl(Ne*y,.5),ot=t.width=zl(Ie*y,.5),st=t.height=zl(Le*y,.5)}const yt=3;if(k.setSize=function({width:l,height:e}){vt(l,e)},null==oe.dataIdx){let l=oe.hover,e=l.skip=new Set(l.skip??[]);e.add(void 0);let t=l.prox=bl(l.prox),n=l.bias??=0;oe.dataIdx=(l,i,o,s)=>{if(0==i)return o;let r=o,u=t(l,i,o,s)??gl,a=u>=0&&gl>u,f=0==jl.ori?Ie:Le,c=oe.left,h=g[0],d=g[i];if(e.has(d[o])){r=null;let l,t=null,i=null;if(0==n||-1==n)for(l=o;null==t&&l-- >0;)e.has(d[l])||(t=l);if(0==n||1==n)for(l=o;null==i&&l++<d.length;)e.has(d[l])||(i=l);if(null!=t||null!=i)if(a){let l=c-(null==t?-1/0:$l(h[t],jl,f,0)),e=(null==i?1/0:$l(h[i],jl,f,0))-c;l>e?e>u||(r=i):l>u||(r=t)}else r=null==i?t:null==t||o-t>i-o?i:t}else a&&ol(c-$l(h[o],jl,f,0))>u&&(r=null);return r}}const Mt=l=>{oe.event=l};oe.idxs=te,oe._lock=!1;let St=oe.points;St.show=bl(St.show),St.size=bl(St.size),St.stroke=bl(St.stroke),St.width=bl(St.width),St.fill=bl(St.fill);const Tt=k.focus=Bl({},u.focus||{alpha:.3},oe.focus),Et=Tt.prox>=0,zt=Et&&St.one;let Dt=[],Pt=[],At=[];function Wt(l,e){let t=St.show(k,e);if(t instanceof HTMLElement)return S(t,"u-cursor-pt"),S(t,l.class),A(t,-10,-10,Ie,Le),el.insertBefore(t,Dt[e]),t}function Yt(t,n){if(1==M||n>0){let l=1==M&&vl[t.scale].time,e=t.value;t.value=l?Ll(e)?We(Xl,Ae(e,Zl)):e||ee:e||nt,t.label=t.label||(l?"Time":"Value")}if(zt||n>0){t.width=null==t.width?1:t.width,t.paths=t.paths||Ot||yl,t.fillTo=bl(t.fillTo||gt),t.pxAlign=+Q(t.pxAlign,tl),t.pxRound=bt(t.pxAlign),t.stroke=bl(t.stroke||null),t.fill=bl(t.fill||null),t._stroke=t._fill=t._paths=t._focus=null;let l=function(l){return Al(1*(3+2*(l||1)),3)}(fl(1,t.width)),e=t.points=Bl({},{size:l,width:fl(1,.2*l),stroke:t.stroke,space:2*l,paths:Nt,_stroke:null,_fill:null},t.points);e.show=bl(e.show),e.filter=bl(e.filter),e.fill=bl(e.fill),e.stroke=bl(e.stroke),e.paths=bl(e.paths),e.pxAlign=t.pxAlign}if(se){let i=function(t,n){if(0==n&&(xe||!ie.live||2==M))return Rl;let i=[],o=z("tr","u-series",de,de.childNodes[n]);S(o,t.class),t.show||S(o,l);let s=z("th",null,o);if(ue.show){let l=D("u-marker",s);if(n>0){let e=ue.width(k,n);e&&(l.style.border=e+"px "+ue.dash(k,n)+" "+ue.stroke(k,n)),l.style.background=ue.fill(k,n)}}let r=D(e,s);for(var u in t.label instanceof HTMLElement?r.appendChild(t.label):r.textContent=t.label,n>0&&(ue.show||(r.style.color=t.width>0?ue.stroke(k,n):ue.fill(k,n)),Ce("click",s,(l=>{if(oe._lock)return;Mt(l);let e=pl.indexOf(t);if((l.ctrlKey||l.metaKey)!=ie.isolate){let l=pl.some(((l,t)=>t>0&&t!=e&&l.show));pl.forEach(((t,n)=>{n>0&&oi(n,l?n==e?be:ve:be,!0,Fi.setSeries)}))}else oi(e,{show:!t.show},!0,Fi.setSeries)}),!1),Et&&Ce(d,s,(l=>{oe._lock||(Mt(l),oi(pl.indexOf(t),ai,!0,Fi.setSeries))}),!1)),pe){let l=z("td","u-value",o);l.textContent="--",i.push(l)}return[o,i]}(t,n);me.splice(n,0,i[0]),ge.splice(n,0,i[1]),ie.values.push(null)}if(re){te.splice(n,0,null);let l=null;zt?0==n&&(l=Wt(t,n)):n>0&&(l=Wt(t,n)),Dt.splice(n,0,l),Pt.splice(n,0,0),At.splice(n,0,0)}Ci("addSeries",n)}k.addSeries=function(l,e){e=null==e?pl.length:e,l=1==M?Ut(l,e,Ve,ut):Ut(l,e,{},rt),pl.splice(e,0,l),Yt(pl[e],e)},k.delSeries=function(l){if(pl.splice(l,1),se){ie.values.splice(l,1),ge.splice(l,1);let e=me.splice(l,1)[0];He(null,e.firstChild),e.remove()}re&&(te.splice(l,1),Dt.splice(l,1)[0].remove(),Pt.splice(l,1),At.splice(l,1)),Ci("delSeries",l)};const Ct=[!1,!1,!1,!1];function Ht(l,e,t){let[n,i,o,s]=t,r=e%2,u=0;return 0==r&&(s||i)&&(u=0==e&&!n||2==e&&!o?rl(Ue.size/3):0),1==r&&(n||o)&&(u=1==e&&!i||3==e&&!s?rl(it.size/2):0),u}const Ft=k.padding=(u.padding||[Ht,Ht,Ht,Ht]).map((l=>bl(Q(l,Ht)))),Rt=k._padding=Ft.map(((l,e)=>l(k,e,Ct,0)));let Gt,Lt=null,en=null;const tn=1==M?pl[0].idxs:null;let nn,on,sn,rn,un,an,fn,cn,hn,dn,pn=null,mn=!1;function gn(l,e){if(k.data=k._data=g=null==l?[]:l,2==M){Gt=0;for(let l=1;pl.length>l;l++)Gt+=g[l][0].length}else{0==g.length&&(k.data=k._data=g=[[]]),pn=g[0],Gt=pn.length;let l=g;if(2==Ul){l=g.slice();let e=l[0]=Array(Gt);for(let l=0;Gt>l;l++)e[l]=l}k._data=g=l}if(An(!0),Ci("setData"),2==Ul&&(mt=!0),!1!==e){let l=jl;l.auto(k,mn)?xn():ii(El,l.min,l.max),xt=xt||oe.left>=0,_t=!0,Jn()}}function xn(){let l,e;mn=!0,1==M&&(Gt>0?(Lt=tn[0]=0,en=tn[1]=Gt-1,l=g[0][Lt],e=g[0][en],2==Ul?(l=Lt,e=en):l==e&&(3==Ul?[l,e]=B(l,l,jl.log,!1):4==Ul?[l,e]=$(l,l,jl.log,!1):jl.time?e=l+rl(86400/hl):[l,e]=Z(l,e,J,!0))):(Lt=tn[0]=l=null,en=tn[1]=e=null)),ii(El,l,e)}function wn(l,e,t,n,i,o){l??=a,t??=Fl,n??="butt",i??=a,o??="round",l!=nn&&(K.strokeStyle=nn=l),i!=on&&(K.fillStyle=on=i),e!=sn&&(K.lineWidth=sn=e),o!=un&&(K.lineJoin=un=o),n!=an&&(K.lineCap=an=n),t!=rn&&K.setLineDash(rn=t)}function _n(l,e,t,n){e!=on&&(K.fillStyle=on=e),l!=fn&&(K.font=fn=l),t!=cn&&(K.textAlign=cn=t),n!=hn&&(K.textBaseline=hn=n)}function bn(l,e,t,n,i=0){if(n.length>0&&l.auto(k,mn)&&(null==e||null==e.min)){let e=Q(Lt,0),o=Q(en,n.length-1),s=null==t.min?function(l,e,t,n=0,i=!1){let o=i?V:U,s=i?j:N;[e,t]=o(l,e,t);let r=l[e],u=l[e];if(e>-1)if(1==n)r=l[e],u=l[t];else if(-1==n)r=l[t],u=l[e];else for(let n=e;t>=n;n++){let e=l[n];s(e)&&(r>e?r=e:e>u&&(u=e))}return[r??gl,u??-gl]}(n,e,o,i,3==l.distr):[t.min,t.max];l.min=al(l.min,t.min=s[0]),l.max=fl(l.max,t.max=s[1])}}k.setData=gn;const vn={min:null,max:null};function kn(l,e){let t=e?pl[l].points:pl[l];t._stroke=t.stroke(k,l),t._fill=t.fill(k,l)}function yn(l,e){let t=e?pl[l].points:pl[l],{stroke:n,fill:i,clip:o,flags:s,_stroke:r=t._stroke,_fill:u=t._fill,_width:a=t.width}=t._paths;a=Al(a*y,3);let f=null,c=a%2/2;e&&null==u&&(u=a>0?"#fff":r);let h=1==t.pxAlign&&c>0;if(h&&K.translate(c,c),!e){let l=Qe-a/2,e=lt-a/2,t=ot+a,n=st+a;f=new Path2D,f.rect(l,e,t,n)}e?Sn(r,a,t.dash,t.cap,u,n,i,s,o):function(l,e,t,n,i,o,s,r,u,a,f){let c=!1;0!=u&&Tl.forEach(((h,d)=>{if(h.series[0]==l){let l,p=pl[h.series[1]],m=g[h.series[1]],x=(p._paths||Hl).band;Gl(x)&&(x=1==h.dir?x[0]:x[1]);let w=null;p.show&&x&&function(l,e,t){for(e=Q(e,0),t=Q(t,l.length-1);t>=e;){if(null!=l[e])return!0;e++}return!1}(m,Lt,en)?(w=h.fill(k,d)||o,l=p._paths.clip):x=null,Sn(e,t,n,i,w,s,r,u,a,f,l,x),c=!0}})),c||Sn(e,t,n,i,o,s,r,u,a,f)}(l,r,a,t.dash,t.cap,u,n,i,s,f,o),h&&K.translate(-c,-c)}const Mn=3;function Sn(l,e,t,n,i,o,s,r,u,a,f,c){wn(l,e,t,n,i),(u||a||c)&&(K.save(),u&&K.clip(u),a&&K.clip(a)),c?(r&Mn)==Mn?(K.clip(c),f&&K.clip(f),En(i,s),Tn(l,o,e)):2&r?(En(i,s),K.clip(c),Tn(l,o,e)):1&r&&(K.save(),K.clip(c),f&&K.clip(f),En(i,s),K.restore(),Tn(l,o,e)):(En(i,s),Tn(l,o,e)),(u||a||c)&&K.restore()}function Tn(l,e,t){t>0&&(e instanceof Map?e.forEach(((l,e)=>{K.strokeStyle=nn=e,K.stroke(l)})):null!=e&&l&&K.stroke(e))}function En(l,e){e instanceof Map?e.forEach(((l,e)=>{K.fillStyle=on=e,K.fill(l)})):null!=e&&l&&K.fill(e)}function zn(l,e,t,n,i,o,s,r,u,a){let f=s%2/2;1==tl&&K.translate(f,f),wn(r,s,u,a,r),K.beginPath();let c,h,d,p,m=i+(0==n||3==n?-o:o);0==t?(h=i,p=m):(c=i,d=m);for(let n=0;l.length>n;n++)null!=e[n]&&(0==t?c=d=l[n]:h=p=l[n],K.moveTo(c,h),K.lineTo(d,p));K.stroke(),1==tl&&K.translate(-f,-f)}function Dn(l){let e=!0;return xl.forEach(((t,n)=>{if(!t.show)return;let i=vl[t.scale];if(null==i.min)return void(t._show&&(e=!1,t._show=!1,An(!1)));t._show||(e=!1,t._show=!0,An(!1));let o=t.side,s=o%2,{min:r,max:u}=i,[a,f]=function(l,e,t,n){let i,o=xl[l];if(n>0){let s=o._space=o.space(k,l,e,t,n);i=Zt(e,t,o._incrs=o.incrs(k,l,e,t,n,s),n,s)}else i=[0,0];return o._found=i}(n,r,u,0==s?Ie:Le);if(0==f)return;let c=t._splits=t.splits(k,n,r,u,a,f,2==i.distr),h=2==i.distr?c.map((l=>pn[l])):c,d=2==i.distr?pn[c[1]]-pn[c[0]]:a,p=t._values=t.values(k,t.filter(k,h,n,f,d),n,f,d);t._rotate=2==o?t.rotate(k,p,n,f):0;let m=t._size;t._size=ul(t.size(k,p,n,l)),null!=m&&t._size!=m&&(e=!1)})),e}function Pn(l){let e=!0;return Ft.forEach(((t,n)=>{let i=t(k,n,Ct,l);i!=Rt[n]&&(e=!1),Rt[n]=i})),e}function An(l){pl.forEach(((e,t)=>{t>0&&(e._paths=null,l&&(1==M?(e.min=null,e.max=null):e.facets.forEach((l=>{l.min=null,l.max=null}))))}))}let Wn,Yn,Cn,Hn,Fn,Rn,Gn,In,Ln,On,Nn,jn,Un=!1,Vn=!1,Bn=[];function $n(){Vn=!1;for(let l=0;Bn.length>l;l++)Ci(...Bn[l]);Bn.length=0}function Jn(){Un||(Jl(qn),Un=!0)}function qn(){if(ht&&(function(){for(let l in vl){let e=vl[l];null==Kl[l]&&(null==e.min||null!=Kl[El]&&e.auto(k,mn))&&(Kl[l]=vn)}for(let l in vl){let e=vl[l];null==Kl[l]&&null!=e.from&&null!=Kl[e.from]&&(Kl[l]=vn)}null!=Kl[El]&&An(!0);let l={};for(let e in Kl){let t=Kl[e];if(null!=t){let n=l[e]=Vl(vl[e],Nl);if(null!=t.min)Bl(n,t);else if(e!=El||2==M)if(0==Gt&&null==n.from){let l=n.range(k,null,null,e);n.min=l[0],n.max=l[1]}else n.min=gl,n.max=-gl}}if(Gt>0){pl.forEach(((e,t)=>{if(1==M){let n=e.scale,i=Kl[n];if(null==i)return;let o=l[n];if(0==t){let l=o.range(k,o.min,o.max,n);o.min=l[0],o.max=l[1],Lt=L(o.min,g[0]),en=L(o.max,g[0]),en-Lt>1&&(o.min>g[0][Lt]&&Lt++,g[0][en]>o.max&&en--),e.min=pn[Lt],e.max=pn[en]}else e.show&&e.auto&&bn(o,i,e,g[t],e.sorted);e.idxs[0]=Lt,e.idxs[1]=en}else if(t>0&&e.show&&e.auto){let[n,i]=e.facets,o=n.scale,s=i.scale,[r,u]=g[t],a=l[o],f=l[s];null!=a&&bn(a,Kl[o],n,r,n.sorted),null!=f&&bn(f,Kl[s],i,u,i.sorted),e.min=i.min,e.max=i.max}}));for(let e in l){let t=l[e],n=Kl[e];if(null==t.from&&(null==n||null==n.min)){let l=t.range(k,t.min==gl?null:t.min,t.max==-gl?null:t.max,e);t.min=l[0],t.max=l[1]}}}for(let e in l){let t=l[e];if(null!=t.from){let n=l[t.from];if(null==n.min)t.min=t.max=null;else{let l=t.range(k,n.min,n.max,e);t.min=l[0],t.max=l[1]}}}let e={},t=!1;for(let n in l){let i=l[n],o=vl[n];if(o.min!=i.min||o.max!=i.max){o.min=i.min,o.max=i.max;let l=o.distr;o._min=3==l?dl(o.min):4==l?ml(o.min,o.asinh):100==l?o.fwd(o.min):o.min,o._max=3==l?dl(o.max):4==l?ml(o.max,o.asinh):100==l?o.fwd(o.max):o.max,e[n]=t=!0}}if(t){pl.forEach(((l,t)=>{2==M?t>0&&e.y&&(l._paths=null):e[l.scale]&&(l._paths=null)}));for(let l in e)mt=!0,Ci("setScale",l);re&&oe.left>=0&&(xt=_t=!0)}for(let l in Kl)Kl[l]=null}(),ht=!1),mt&&(function(){let l=!1,e=0;for(;!l;){e++;let t=Dn(e),n=Pn(e);l=e==yt||t&&n,l||(kt(k.width,k.height),pt=!0)}}(),mt=!1),pt){if(E(ll,s,Oe),E(ll,i,Ne),E(ll,t,Ie),E(ll,n,Le),E(el,s,Oe),E(el,i,Ne),E(el,t,Ie),E(el,n,Le),E(X,t,Fe),E(X,n,Ge),O.width=rl(Fe*y),O.height=rl(Ge*y),xl.forEach((({_el:e,_show:t,_size:n,_pos:i,side:o})=>{if(null!=e)if(t){let t=o%2==1;E(e,t?"left":"top",i-(3===o||0===o?n:0)),E(e,t?"width":"height",n),E(e,t?"top":"left",t?Ne:Oe),E(e,t?"height":"width",t?Le:Ie),T(e,l)}else S(e,l)})),nn=on=sn=un=an=fn=cn=hn=rn=null,dn=1,_i(!0),Oe!=je||Ne!=Ke||Ie!=Xe||Le!=Ze){An(!1);let l=Ie/Xe,e=Le/Ze;if(re&&!xt&&oe.left>=0){oe.left*=l,oe.top*=e,Cn&&A(Cn,rl(oe.left),0,Ie,Le),Hn&&A(Hn,0,rl(oe.top),Ie,Le);for(let t=0;Dt.length>t;t++){let n=Dt[t];null!=n&&(Pt[t]*=l,At[t]*=e,A(n,ul(Pt[t]),ul(At[t]),Ie,Le))}}if(ei.show&&!wt&&ei.left>=0&&ei.width>0){ei.left*=l,ei.width*=l,ei.top*=e,ei.height*=e;for(let l in ki)E(ti,l,ei[l])}je=Oe,Ke=Ne,Xe=Ie,Ze=Le}Ci("setSize"),pt=!1}Fe>0&&Ge>0&&(K.clearRect(0,0,O.width,O.height),Ci("drawClear"),Pl.forEach((l=>l())),Ci("draw")),ei.show&&wt&&(ni(ei),wt=!1),re&&xt&&(xi(null,!0,!1),xt=!1),ie.show&&ie.live&&_t&&(mi(),_t=!1),F||(F=!0,k.status=1,Ci("ready")),mn=!1,Un=!1}function Kn(l,e){let t=vl[l];if(null==t.from){if(0==Gt){let n=t.range(k,e.min,e.max,l);e.min=n[0],e.max=n[1]}if(e.min>e.max){let l=e.min;e.min=e.max,e.max=l}if(Gt>1&&null!=e.min&&null!=e.max&&1e-16>e.max-e.min)return;l==El&&2==t.distr&&Gt>0&&(e.min=L(e.min,g[0]),e.max=L(e.max,g[0]),e.min==e.max&&e.max++),Kl[l]=e,ht=!0,Jn()}}k.batch=function(l,e=!1){Un=!0,Vn=e,l(k),qn(),e&&Bn.length>0&&queueMicrotask($n)},k.redraw=(l,e)=>{mt=e||!1,!1!==l?ii(El,jl.min,jl.max):Jn()},k.setScale=Kn;let Xn=!1;const Zn=oe.drag;let Qn=Zn.x,li=Zn.y;re&&(oe.x&&(Wn=D("u-cursor-x",el)),oe.y&&(Yn=D("u-cursor-y",el)),0==jl.ori?(Cn=Wn,Hn=Yn):(Cn=Yn,Hn=Wn),Nn=oe.left,jn=oe.top);const ei=k.select=Bl({show:!0,over:!0,left:0,width:0,top:0,height:0},u.select),ti=ei.show?D("u-select",ei.over?el:ll):null;function ni(l,e){if(ei.show){for(let e in l)ei[e]=l[e],e in ki&&E(ti,e,l[e]);!1!==e&&Ci("setSelect")}}function ii(l,e,t){Kn(l,{min:e,max:t})}function oi(e,t,n,i){null!=t.focus&&function(l){if(l!=ui){let e=null==l,t=1!=Tt.alpha;pl.forEach(((n,i)=>{if(1==M||i>0){let o=e||0==i||i==l;n._focus=e?null:o,t&&function(l,e){pl[l].alpha=e,re&&null!=Dt[l]&&(Dt[l].style.opacity=e),se&&me[l]&&(me[l].style.opacity=e)}(i,o?1:Tt.alpha)}})),ui=l,t&&Jn()}}(e),null!=t.show&&pl.forEach(((n,i)=>{0>=i||e!=i&&null!=e||(n.show=t.show,function(e){if(pl[e].show)se&&T(me[e],l);else if(se&&S(me[e],l),re){let l=zt?Dt[0]:Dt[e];null!=l&&A(l,-10,-10,Ie,Le)}}(i),2==M?(ii(n.facets[0].scale,null,null),ii(n.facets[1].scale,null,null)):ii(n.scale,null,null),Jn())})),!1!==n&&Ci("setSeries",e,t),i&&Ii("setSeries",k,e,t)}let si,ri,ui;k.setSelect=ni,k.setSeries=oi,k.addBand=function(l,e){l.fill=bl(l.fill||null),l.dir=Q(l.dir,-1),Tl.splice(e=null==e?Tl.length:e,0,l)},k.setBand=function(l,e){Bl(Tl[l],e)},k.delBand=function(l){null==l?Tl.length=0:Tl.splice(l,1)};const ai={focus:!0};function fi(l,e,t){let n=vl[e];t&&(l=l/y-(1==n.ori?Ne:Oe));let i=Ie;1==n.ori&&(i=Le,l=i-l),-1==n.dir&&(l=i-l);let o=n._min,s=o+l/i*(n._max-o),r=n.distr;return 3==r?cl(10,s):4==r?((l,e=1)=>nl.sinh(l)*e)(s,n.asinh):100==r?n.bwd(s):s}function ci(l,e){E(ti,s,ei.left=l),E(ti,t,ei.width=e)}function hi(l,e){E(ti,i,ei.top=l),E(ti,n,ei.height=e)}se&&Et&&Ce(p,ce,(l=>{oe._lock||(Mt(l),null!=ui&&oi(null,ai,!0,Fi.setSeries))})),k.valToIdx=l=>L(l,g[0]),k.posToIdx=function(l,e){return L(fi(l,El,e),g[0],Lt,en)},k.posToVal=fi,k.valToPos=(l,e,t)=>0==vl[e].ori?P(l,vl[e],t?ot:Ie,t?Qe:0):W(l,vl[e],t?st:Le,t?lt:0),k.setCursor=(l,e,t)=>{Nn=l.left,jn=l.top,xi(null,e,t)};let di=0==jl.ori?ci:hi,pi=1==jl.ori?ci:hi;function mi(l,e){if(null!=l&&(l.idxs?l.idxs.forEach(((l,e)=>{te[e]=l})):(l=>void 0===l)(l.idx)||te.fill(l.idx),ie.idx=te[0]),se&&ie.live){for(let l=0;pl.length>l;l++)(l>0||1==M&&!xe)&&gi(l,te[l]);!function(){if(se&&ie.live)for(let l=2==M?1:0;pl.length>l;l++){if(0==l&&xe)continue;let e=ie.values[l],t=0;for(let n in e)ge[l][t++].firstChild.nodeValue=e[n]}}()}_t=!1,!1!==e&&Ci("setLegend")}function gi(l,e){let t,n=pl[l],i=0==l&&2==Ul?pn:g[l];xe?t=n.values(k,l,e)??we:(t=n.value(k,null==e?null:i[e],l,e),t=null==t?we:{_:t}),ie.values[l]=t}function xi(l,e,t){let n;Ln=Nn,On=jn,[Nn,jn]=oe.move(k,Nn,jn),oe.left=Nn,oe.top=jn,re&&(Cn&&A(Cn,rl(Nn),0,Ie,Le),Hn&&A(Hn,0,rl(jn),Ie,Le)),si=gl,ri=null;let i=0==jl.ori?Ie:Le,o=1==jl.ori?Ie:Le;if(0>Nn||0==Gt||Lt>en){n=oe.idx=null;for(let l=0;pl.length>l;l++){let e=Dt[l];null!=e&&A(e,-10,-10,Ie,Le)}Et&&oi(null,ai,!0,null==l&&Fi.setSeries),ie.live&&(te.fill(n),_t=!0)}else{let l,e,t;1==M&&(l=0==jl.ori?Nn:jn,e=fi(l,El),n=oe.idx=L(e,g[0],Lt,en),t=$l(g[0][n],jl,i,0));let s=-10,r=-10,u=0,a=0,f=!0,c="",h="";for(let l=2==M?1:0;pl.length>l;l++){let d=pl[l],p=te[l],m=null==p?null:1==M?g[l][p]:g[l][1][p],x=oe.dataIdx(k,l,n,e),w=null==x?null:1==M?g[l][x]:g[l][1][x];if(_t=_t||w!=m||x!=p,te[l]=x,l>0&&d.show){let e=null==x?-10:x==n?t:$l(1==M?g[0][x]:g[l][0][x],jl,i,0),p=null==w?-10:ql(w,1==M?vl[d.scale]:vl[d.facets[1].scale],o,0);if(Et&&null!=w){let e=1==jl.ori?Nn:jn,t=ol(Tt.dist(k,l,x,p,e));if(si>t){let n=Tt.bias;if(0!=n){let i=fi(e,d.scale),o=0>i?-1:1;o!=(0>w?-1:1)||(1==o?1==n?i>w:w>i:1==n?w>i:i>w)||(si=t,ri=l)}else si=t,ri=l}}if(_t||zt){let t,n;0==jl.ori?(t=e,n=p):(t=p,n=e);let i,o,d,m,g,x,w=!0,_=St.bbox;if(null!=_){w=!1;let e=_(k,l);d=e.left,m=e.top,i=e.width,o=e.height}else d=t,m=n,i=o=St.size(k,l);if(x=St.fill(k,l),g=St.stroke(k,l),zt)l!=ri||si>Tt.prox||(s=d,r=m,u=i,a=o,f=w,c=x,h=g);else{let e=Dt[l];null!=e&&(Pt[l]=d,At[l]=m,H(e,i,o,w),Y(e,x,g),A(e,ul(d),ul(m),Ie,Le))}}}}if(zt){let l=Tt.prox;if(_t||(null==ui?l>=si:si>l||ri!=ui)){let l=Dt[0];null!=l&&(Pt[0]=s,At[0]=r,H(l,u,a,f),Y(l,c,h),A(l,ul(s),ul(r),Ie,Le))}}}if(ei.show&&Xn)if(null!=l){let[e,t]=Fi.scales,[n,s]=Fi.match,[r,u]=l.cursor.sync.scales,a=l.cursor.drag;if(Qn=a._x,li=a._y,Qn||li){let a,f,c,h,d,{left:p,top:m,width:g,height:x}=l.select,w=l.scales[r].ori,_=l.posToVal,b=null!=e&&n(e,r),v=null!=t&&s(t,u);b&&Qn?(0==w?(a=p,f=g):(a=m,f=x),c=vl[e],h=$l(_(a,r),c,i,0),d=$l(_(a+f,r),c,i,0),di(al(h,d),ol(d-h))):di(0,i),v&&li?(1==w?(a=p,f=g):(a=m,f=x),c=vl[t],h=ql(_(a,u),c,o,0),d=ql(_(a+f,u),c,o,0),pi(al(h,d),ol(d-h))):pi(0,o)}else yi()}else{let l=ol(Ln-Fn),e=ol(On-Rn);if(1==jl.ori){let t=l;l=e,e=t}Qn=Zn.x&&l>=Zn.dist,li=Zn.y&&e>=Zn.dist;let t,n,s=Zn.uni;null!=s?Qn&&li&&(Qn=l>=s,li=e>=s,Qn||li||(e>l?li=!0:Qn=!0)):Zn.x&&Zn.y&&(Qn||li)&&(Qn=li=!0),Qn&&(0==jl.ori?(t=Gn,n=Nn):(t=In,n=jn),di(al(t,n),ol(n-t)),li||pi(0,o)),li&&(1==jl.ori?(t=Gn,n=Nn):(t=In,n=jn),pi(al(t,n),ol(n-t)),Qn||di(0,i)),Qn||li||(di(0,0),pi(0,0))}if(Zn._x=Qn,Zn._y=li,null==l){if(t){if(null!=Ri){let[l,e]=Fi.scales;Fi.values[0]=null!=l?fi(0==jl.ori?Nn:jn,l):null,Fi.values[1]=null!=e?fi(1==jl.ori?Nn:jn,e):null}Ii(f,k,Nn,jn,Ie,Le,n)}if(Et){let l=t&&Fi.setSeries,e=Tt.prox;null==ui?si>e||oi(ri,ai,!0,l):si>e?oi(null,ai,!0,l):ri!=ui&&oi(ri,ai,!0,l)}}_t&&(ie.idx=n,mi()),!1!==e&&Ci("setCursor")}k.setLegend=mi;let wi=null;function _i(l=!1){l?wi=null:(wi=el.getBoundingClientRect(),Ci("syncRect",wi))}function bi(l,e,t,n,i,o){oe._lock||Xn&&null!=l&&0==l.movementX&&0==l.movementY||(vi(l,e,t,n,i,o,0,!1,null!=l),null!=l?xi(null,!0,!0):xi(e,!0,!1))}function vi(l,e,t,n,i,o,s,r,u){if(null==wi&&_i(!1),Mt(l),null!=l)t=l.clientX-wi.left,n=l.clientY-wi.top;else{if(0>t||0>n)return Nn=-10,void(jn=-10);let[l,s]=Fi.scales,r=e.cursor.sync,[u,a]=r.values,[f,c]=r.scales,[h,d]=Fi.match,p=e.axes[0].side%2==1,m=0==jl.ori?Ie:Le,g=1==jl.ori?Ie:Le,x=p?o:i,w=p?i:o,_=p?n:t,b=p?t:n;if(t=null!=f?h(l,f)?C(u,vl[l],m,0):-10:m*(_/x),n=null!=c?d(s,c)?C(a,vl[s],g,0):-10:g*(b/w),1==jl.ori){let l=t;t=n,n=l}}!u||null!=e&&e.cursor.event.type!=f||(t>1&&Ie-1>t||(t=zl(t,Ie)),n>1&&Le-1>n||(n=zl(n,Le))),r?(Fn=t,Rn=n,[Gn,In]=oe.move(k,t,n)):(Nn=t,jn=n)}Object.defineProperty(k,"rect",{get:()=>(null==wi&&_i(!1),wi)});const ki={width:0,height:0,left:0,top:0};function yi(){ni(ki,!1)}let Mi,Si,Ti,Ei;function zi(l,e,t,n,i,o){Xn=!0,Qn=li=Zn._x=Zn._y=!1,vi(l,e,t,n,i,o,0,!0,!1),null!=l&&(Ce(h,b,Di,!1),Ii(c,k,Gn,In,Ie,Le,null));let{left:s,top:r,width:u,height:a}=ei;Mi=s,Si=r,Ti=u,Ei=a}function Di(l,e,t,n,i,o){Xn=Zn._x=Zn._y=!1,vi(l,e,t,n,i,o,0,!1,!0);let{left:s,top:r,width:u,height:a}=ei,f=u>0||a>0,c=Mi!=s||Si!=r||Ti!=u||Ei!=a;if(f&&c&&ni(ei),Zn.setScale&&f&&c){let l=s,e=u,t=r,n=a;if(1==jl.ori&&(l=r,e=a,t=s,n=u),Qn&&ii(El,fi(l,El),fi(l+e,El)),li)for(let l in vl){let e=vl[l];l!=El&&null==e.from&&e.min!=gl&&ii(l,fi(t+n,l),fi(t,l))}yi()}else oe.lock&&(oe._lock=!oe._lock,xi(e,!0,null!=l));null!=l&&(He(h,b),Ii(h,k,Nn,jn,Ie,Le,null))}function Pi(l){oe._lock||(Mt(l),xn(),yi(),null!=l&&Ii(m,k,Nn,jn,Ie,Le,null))}function Ai(){xl.forEach(ln),vt(k.width,k.height,!0)}G(x,v,Ai);const Wi={};Wi.mousedown=zi,Wi.mousemove=bi,Wi.mouseup=Di,Wi.dblclick=Pi,Wi.setSeries=(l,e,t,n)=>{-1!=(t=(0,Fi.match[2])(k,e,t))&&oi(t,n,!0,!1)},re&&(Ce(c,el,zi),Ce(f,el,bi),Ce(d,el,(l=>{Mt(l),_i(!1)})),Ce(p,el,(function(l){if(oe._lock)return;Mt(l);let e=Xn;if(Xn){let l,e,t=!0,n=!0,i=10;0==jl.ori?(l=Qn,e=li):(l=li,e=Qn),l&&e&&(t=i>=Nn||Nn>=Ie-i,n=i>=jn||jn>=Le-i),l&&t&&(Nn=Gn>Nn?0:Ie),e&&n&&(jn=In>jn?0:Le),xi(null,!0,!0),Xn=!1}Nn=-10,jn=-10,te.fill(null),xi(null,!0,!0),e&&(Xn=e)})),Ce(m,el,Pi),It.add(k),k.syncRect=_i);const Yi=k.hooks=u.hooks||{};function Ci(l,e,t){Vn?Bn.push([l,e,t]):l in Yi&&Yi[l].forEach((l=>{l.call(null,k,e,t)}))}(u.plugins||[]).forEach((l=>{for(let e in l.hooks)Yi[e]=(Yi[e]||[]).concat(l.hooks[e])}));const Hi=(l,e,t)=>t,Fi=Bl({key:null,setSeries:!1,filters:{pub:Ml,sub:Ml},scales:[El,pl[1]?pl[1].scale:null],match:[Sl,Sl,Hi],values:[null,null]},oe.sync);2==Fi.match.length&&Fi.match.push(Hi),oe.sync=Fi;const Ri=Fi.key,Gi=dt(Ri);function Ii(l,e,t,n,i,o,s){Fi.filters.pub(l,e,t,n,i,o,s)&&Gi.pub(l,e,t,n,i,o,s)}function Li(){Ci("init",u,g),gn(g||u.data,!1),Kl[El]?Kn(El,Kl[El]):xn(),wt=ei.show&&(ei.width>0||ei.height>0),xt=_t=!0,vt(u.width,u.height)}return Gi.sub(k),k.pub=function(l,e,t,n,i,o,s){Fi.filters.sub(l,e,t,n,i,o,s)&&Wi[l](null,e,t,n,i,o,s)},k.destroy=function(){Gi.unsub(k),It.delete(k),Pe.clear(),I(x,v,Ai),R.remove(),ce?.remove(),Ci("destroy")},pl.forEach(Yt),xl.forEach((function(l,e){if(l._show=l.show,l.show){let t=vl[l.scale];null==t&&(l.scale=l.side%2?pl[1].scale:El,t=vl[l.scale]);let n=t.time;l.size=bl(l.size),l.space=bl(l.space),l.rotate=bl(l.rotate),Gl(l.incrs)&&l.incrs.forEach((l=>{!Wl.has(l)&&Wl.set(l,Yl(l))})),l.incrs=bl(l.incrs||(2==t.distr?ae:n?1==hl?ke:Se:fe)),l.splits=bl(l.splits||(n&&1==t.distr?Ql:3==t.distr?Je:4==t.distr?qe:$e)),l.stroke=bl(l.stroke),l.grid.stroke=bl(l.grid.stroke),l.ticks.stroke=bl(l.ticks.stroke),l.border.stroke=bl(l.border.stroke);let i=l.values;l.values=Gl(i)&&!Gl(i[0])?bl(i):n?Gl(i)?De(Xl,ze(i,Zl)):Ll(i)?function(l,e){let t=ne(e);return(e,n)=>n.map((e=>t(l(e))))}(Xl,i):i||le:i||Be,l.filter=bl(l.filter||(3>t.distr||10!=t.log?3==t.distr&&2==t.log?tt:kl:et)),l.font=Qt(l.font),l.labelFont=Qt(l.labelFont),l._size=l.size(k,null,e,0),l._space=l._rotate=l._incrs=l._found=l._splits=l._values=null,l._size>0&&(Ct[e]=!0,l._el=D("u-axis",X))}})),_?_ instanceof HTMLElement?(_.appendChild(R),Li()):_(k,Li):Li(),k}en.assign=Bl,en.fmtNum=tl,en.rangeNum=Z,en.rangeLog=B,en.rangeAsinh=$,en.orient=pt,en.pxRatio=y,en.join=function(l,e){if(function(l){let e=l[0][0],t=e.length;for(let n=1;l.length>n;n++){let i=l[n][0];if(i.length!=t)return!1;if(i!=e)for(let l=0;t>l;l++)if(i[l]!=e[l])return!1}return!0}(l)){let e=l[0].slice();for(let t=1;l.length>t;t++)e.push(...l[t].slice(1));return function(l,e=100){const t=l.length;if(1>=t)return!0;let n=0,i=t-1;for(;i>=n&&null==l[n];)n++;for(;i>=n&&null==l[i];)i--;if(n>=i)return!0;const o=fl(1,sl((i-n+1)/e));for(let e=l[n],t=n+o;i>=t;t+=o){const n=l[t];if(null!=n){if(e>=n)return!1;e=n}}return!0}(e[0])||(e=function(l){let e=l[0],t=e.length,n=Array(t);for(let l=0;n.length>l;l++)n[l]=l;n.sort(((l,t)=>e[l]-e[t]));let i=[];for(let e=0;l.length>e;e++){let o=l[e],s=Array(t);for(let l=0;t>l;l++)s[l]=o[n[l]];i.push(s)}return i}(e)),e}let t=new Set;for(let e=0;l.length>e;e++){let n=l[e][0],i=n.length;for(let l=0;i>l;l++)t.add(n[l])}let n=[Array.from(t).sort(((l,e)=>l-e))],i=n[0].length,o=new Map;for(let l=0;i>l;l++)o.set(n[0][l],l);for(let t=0;l.length>t;t++){let s=l[t],r=s[0];for(let l=1;s.length>l;l++){let u=s[l],a=Array(i).fill(void 0),f=e?e[t][l]:1,c=[];for(let l=0;u.length>l;l++){let e=u[l],t=o.get(r[l]);null===e?0!=f&&(a[t]=e,2==f&&c.push(t)):a[t]=e}$l(a,c,i),n.push(a)}}return n},en.fmtDate=ne,en.tzDate=function(l,e){let t;return"UTC"==e||"Etc/UTC"==e?t=new Date(+l+6e4*l.getTimezoneOffset()):e==ie?t=l:(t=new Date(l.toLocaleString("en-US",{timeZone:e})),t.setMilliseconds(l.getMilliseconds())),t},en.sync=dt;{en.addGap=function(l,e,t){let n=l[l.length-1];n&&n[0]==e?n[1]=t:l.push([e,t])},en.clipGaps=wt;let l=en.paths={points:Wt};l.linear=Ft,l.stepped=function(l){const e=Q(l.align,1),t=Q(l.ascDesc,!1),n=Q(l.alignGaps,0),i=Q(l.extend,!1);return(l,o,s,r)=>pt(l,o,((u,a,f,c,h,d,p,m,g,x,w)=>{[s,r]=U(f,s,r);let _=u.pxRound,{left:b,width:v}=l.bbox,k=l=>_(d(l,c,x,m)),M=l=>_(p(l,h,w,g)),S=0==c.ori?Mt:St;const T={stroke:new Path2D,fill:null,clip:null,band:null,gaps:null,flags:1},E=T.stroke,z=c.dir*(0==c.ori?1:-1);let D=M(f[1==z?s:r]),P=k(a[1==z?s:r]),A=P,W=P;i&&-1==e&&(W=b,S(E,W,D)),S(E,P,D);for(let l=1==z?s:r;l>=s&&r>=l;l+=z){let t=f[l];if(null==t)continue;let n=k(a[l]),i=M(t);1==e?S(E,n,D):S(E,A,i),S(E,n,i),D=i,A=n}let Y=A;i&&1==e&&(Y=b+v,S(E,Y,D));let[C,H]=mt(l,o);if(null!=u.fill||0!=C){let e=T.fill=new Path2D(E),t=M(u.fillTo(l,o,u.min,u.max,C));S(e,Y,t),S(e,W,t)}if(!u.spanGaps){let i=[];i.push(..._t(a,f,s,r,z,k,n));let h=u.width*y/2,d=t||1==e?h:-h,p=t||-1==e?-h:h;i.forEach((l=>{l[0]+=d,l[1]+=p})),T.gaps=i=u.gaps(l,o,s,r,i),T.clip=wt(i,c.ori,m,g,x,w)}return 0!=H&&(T.band=2==H?[xt(l,o,s,r,E,-1),xt(l,o,s,r,E,1)]:xt(l,o,s,r,E,H)),T}))},l.bars=function(l){const e=Q((l=l||Hl).size,[.6,gl,1]),t=l.align||0,n=l.gap||0;let i=l.radius;i=null==i?[0,0]:"number"==typeof i?[i,0]:i;const o=bl(i),s=1-e[0],r=Q(e[1],gl),u=Q(e[2],1),a=Q(l.disp,Hl),f=Q(l.each,(()=>{})),{fill:c,stroke:h}=a;return(l,e,i,d)=>pt(l,e,((p,m,g,x,w,_,b,v,k,M,S)=>{let T,E,z=p.pxRound,D=t,P=n*y,A=r*y,W=u*y;0==x.ori?[T,E]=o(l,e):[E,T]=o(l,e);const Y=x.dir*(0==x.ori?1:-1);let C,H,F,R=0==x.ori?Tt:Et,G=0==x.ori?f:(l,e,t,n,i,o,s)=>{f(l,e,t,i,n,s,o)},I=Q(l.bands,Fl).find((l=>l.series[0]==e)),L=p.fillTo(l,e,p.min,p.max,null!=I?I.dir:0),O=z(b(L,w,S,k)),N=M,j=z(p.width*y),U=!1,V=null,B=null,$=null,J=null;null==c||0!=j&&null==h||(U=!0,V=c.values(l,e,i,d),B=new Map,new Set(V).forEach((l=>{null!=l&&B.set(l,new Path2D)})),j>0&&($=h.values(l,e,i,d),J=new Map,new Set($).forEach((l=>{null!=l&&J.set(l,new Path2D)}))));let{x0:q,size:K}=a;if(null!=q&&null!=K){D=1,m=q.values(l,e,i,d),2==q.unit&&(m=m.map((e=>l.posToVal(v+e*M,x.key,!0))));let t=K.values(l,e,i,d);H=2==K.unit?t[0]*M:_(t[0],x,M,v)-_(0,x,M,v),N=Rt(m,g,_,x,M,v,N),F=N-H+P}else N=Rt(m,g,_,x,M,v,N),F=N*s+P,H=N-F;1>F&&(F=0),H/2>j||(j=0),5>F&&(z=vl);let X=F>0;H=z(wl(N-F-(X?j:0),W,A)),C=(0==D?H/2:D==Y?0:H)-D*Y*((0==D?P/2:0)+(X?j/2:0));const Z={stroke:null,fill:null,clip:null,band:null,gaps:null,flags:0},ll=U?null:new Path2D;let el=null;if(null!=I)el=l.data[I.series[1]];else{let{y0:t,y1:n}=a;null!=t&&null!=n&&(g=n.values(l,e,i,d),el=t.values(l,e,i,d))}let tl=T*H,nl=E*H;for(let t=1==Y?i:d;t>=i&&d>=t;t+=Y){let n=g[t];if(null==n)continue;if(null!=el){let l=el[t]??0;if(n-l==0)continue;O=b(l,w,S,k)}let i=_(2!=x.distr||null!=a?m[t]:t,x,M,v),o=b(Q(n,L),w,S,k),s=z(i-C),r=z(fl(o,O)),u=z(al(o,O)),f=r-u;if(null!=n){let i=0>n?nl:tl,o=0>n?tl:nl;U?(j>0&&null!=$[t]&&R(J.get($[t]),s,u+sl(j/2),H,fl(0,f-j),i,o),null!=V[t]&&R(B.get(V[t]),s,u+sl(j/2),H,fl(0,f-j),i,o)):R(ll,s,u+sl(j/2),H,fl(0,f-j),i,o),G(l,e,t,s-j/2,u,H+j,f)}}return j>0?Z.stroke=U?J:ll:U||(Z._fill=0==p.width?p._fill:p._stroke??p._fill,Z.width=0),Z.fill=U?B:ll,Z}))},l.spline=function(l){return function(l,e){const t=Q(e?.alignGaps,0);return(e,n,i,o)=>pt(e,n,((s,r,u,a,f,c,h,d,p,m,g)=>{[i,o]=U(u,i,o);let x,w,_,b=s.pxRound,v=l=>b(c(l,a,m,d)),k=l=>b(h(l,f,g,p));0==a.ori?(x=kt,_=Mt,w=Pt):(x=yt,_=St,w=At);const y=a.dir*(0==a.ori?1:-1);let M=v(r[1==y?i:o]),S=M,T=[],E=[];for(let l=1==y?i:o;l>=i&&o>=l;l+=y)if(null!=u[l]){let e=v(r[l]);T.push(S=e),E.push(k(u[l]))}const z={stroke:l(T,E,x,_,w,b),fill:null,clip:null,band:null,gaps:null,flags:1},D=z.stroke;let[P,A]=mt(e,n);if(null!=s.fill||0!=P){let l=z.fill=new Path2D(D),t=k(s.fillTo(e,n,s.min,s.max,P));_(l,S,t),_(l,M,t)}if(!s.spanGaps){let l=[];l.push(..._t(r,u,i,o,y,v,t)),z.gaps=l=s.gaps(e,n,i,o,l),z.clip=wt(l,a.ori,d,p,m,g)}return 0!=A&&(z.band=2==A?[xt(e,n,i,o,D,-1),xt(e,n,i,o,D,1)]:xt(e,n,i,o,D,A)),z}))}(Gt,l)}}return en}();
`
  },
  {
    path: "/dashboard/uplot.css",
    contentType: "text/css; charset=utf-8",
    text: `.uplot, .uplot *, .uplot *::before, .uplot *::after {box-sizing: border-box;}.uplot {font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, "Noto Sans", sans-serif, "Apple Color Emoji", "Segoe UI Emoji", "Segoe UI Symbol", "Noto Color Emoji";line-height: 1.5;width: min-content;}.u-title {text-align: center;font-size: 18px;font-weight: bold;}.u-wrap {position: relative;user-select: none;}.u-over, .u-under {position: absolute;}.u-under {overflow: hidden;}.uplot canvas {display: block;position: relative;width: 100%;height: 100%;}.u-axis {position: absolute;}.u-legend {font-size: 14px;margin: auto;text-align: center;}.u-inline {display: block;}.u-inline * {display: inline-block;}.u-inline tr {margin-right: 16px;}.u-legend th {font-weight: 600;}.u-legend th > * {vertical-align: middle;display: inline-block;}.u-legend .u-marker {width: 1em;height: 1em;margin-right: 4px;background-clip: padding-box !important;}.u-inline.u-live th::after {content: ":";vertical-align: middle;}.u-inline:not(.u-live) .u-value {display: none;}.u-series > * {padding: 4px;}.u-series th {cursor: pointer;}.u-legend .u-off > * {opacity: 0.3;}.u-select {background: rgba(0,0,0,0.07);position: absolute;pointer-events: none;}.u-cursor-x, .u-cursor-y {position: absolute;left: 0;top: 0;pointer-events: none;will-change: transform;}.u-hz .u-cursor-x, .u-vt .u-cursor-y {height: 100%;border-right: 1px dashed #607D8B;}.u-hz .u-cursor-y, .u-vt .u-cursor-x {width: 100%;border-bottom: 1px dashed #607D8B;}.u-cursor-pt {position: absolute;top: 0;left: 0;border-radius: 50%;border: 0 solid;pointer-events: none;will-change: transform;/*this has to be !important since we set inline "background" shorthand */background-clip: padding-box !important;}.u-axis.u-off, .u-select.u-off, .u-cursor-x.u-off, .u-cursor-y.u-off, .u-cursor-pt.u-off {display: none;}`
  }
]
