/** The workspace: what the service tells goes to the desk, what the desk knows goes to the page. */

import { button, el } from "/widget/dom.js";
import { Texts } from "/widget/texts.js";
import { Api } from "./api.js";
import { Aside } from "./aside.js";
import { Desk } from "./desk.js";
import { Dialogs, sentence } from "./dialogs.js";
import { installKeys } from "./keys.js";
import { Lists } from "./lists.js";
import { byId } from "./nodes.js";
import { Panes } from "./panes.js";
import { Replies } from "./replies.js";
import { Signals } from "./signals.js";
import { Strip } from "./strip.js";

const SIDE_BY_SIDE = "stadtbot-desk-side-by-side";
const SAYING_MS = 20_000;
const SAYINGS = 3;

/** @type {import("./types.js").Given} */
const given = JSON.parse(byId("given").textContent ?? "{}");
const texts = new Texts();
texts.learn(given.texts, {});
const say = texts.get;

const csrf = document.querySelector('meta[name="csrf"]')?.getAttribute("content") ?? "";
const desk = new Desk(new Api("/mitarbeit/api", given.account, csrf));
const signals = new Signals(say, (text) => tell(text, "bad"));
const dialogs = new Dialogs(desk, say, (text) => tell(text));
const strip = new Strip(desk, dialogs, say, (text) => tell(text, "bad"));
const panes = new Panes(desk, {
  say,
  limit: given.max_length,
  extension: () => desk.board?.me.extension ?? "",
  openReplies: () => replies.pick(),
  transfer: (pane) => dialogs.transfer(pane.conversation),
  finish: (pane) => dialogs.finish(pane.conversation),
});
const replies = new Replies(desk, given, () => panes.active, (text) => aside.insert(text));
const aside = new Aside(desk, panes, replies, given, say);
const lists = new Lists(desk, say, {
  claim: (waiting) => claim(waiting),
  decline: (waiting) => attempt(desk.decline(waiting.handover)),
  open: (conversation) => panes.open(conversation, { focus: true }),
  isShown: (conversation) => panes.isShown(conversation),
});

/** @param {import("./types.js").Waiting} waiting */
async function claim(waiting) {
  const conversation = await attempt(desk.claim(waiting.handover));
  if (conversation) panes.open(conversation, { focus: true });
}

/**
 * @template Result
 * @param {Promise<Result>} act
 * @returns {Promise<Result | null>} nothing where it did not work, which is said
 */
async function attempt(act) {
  try {
    return await act;
  } catch (error) {
    tell(sentence(error, say), "bad");
    return null;
  }
}

/**
 * Say something at the top of the page.
 * @param {string} text
 * @param {"good" | "bad"} [kind]
 */
function tell(text, kind = "good") {
  const close = button("×", () => saying.remove(), { class: "quiet", "aria-label": say("dismiss") });
  const saying = el("div", { class: `notice ${kind}`, role: kind === "bad" ? "alert" : "status" }, el("p", {}, text), close);
  const place = byId("sayings");
  for (const other of [...place.children]) if (other.firstElementChild?.textContent === text) other.remove();
  place.append(saying);
  while (place.children.length > SAYINGS) place.firstElementChild?.remove();
  if (kind === "good") setTimeout(() => saying.remove(), SAYING_MS);
}

function show() {
  strip.show();
  lists.show();
  panes.show();
  aside.show();
  dialogs.showTargets();
  count();
}

function count() {
  const waiting = desk.board?.waiting.filter((one) => one.claimable).length ?? 0;
  signals.count(desk.unread + waiting);
}

function tick() {
  lists.show();
  panes.look();
  count();
}

/** @param {boolean} sideBySide */
function arrange(sideBySide) {
  byId("side-by-side").setAttribute("aria-pressed", String(sideBySide));
  localStorage.setItem(SIDE_BY_SIDE, sideBySide ? "on" : "off");
  panes.arrange(sideBySide);
}

desk.addEventListener("board", show);
desk.addEventListener("conversation", show);
desk.addEventListener("offered", (event) => signals.offered(/** @type {CustomEvent} */ (event).detail));
desk.addEventListener("told", (event) => tell(say(`told.${/** @type {CustomEvent} */ (event).detail}`), "bad"));
desk.addEventListener("message", (event) => {
  const { conversation, message } = /** @type {CustomEvent} */ (event).detail;
  signals.message(desk.mine.indexOf(conversation) + 1, message.text);
  lists.show();
  count();
});
panes.addEventListener("change", () => lists.show());
byId("side-by-side").addEventListener("click", () => arrange(!panes.sideBySide));
document.addEventListener("visibilitychange", tick);
addEventListener("focus", tick);
setInterval(tick, 1000);

installKeys({
  conversation: (number) => {
    const conversation = desk.mine[number - 1];
    if (conversation) panes.open(conversation, { focus: true });
  },
  claim: () => {
    const first = desk.board?.waiting.find((one) => one.claimable);
    if (first) claim(first);
  },
  message: () => panes.active?.focus(),
  answers: () => aside.searchAnswers(),
  finish: () => {
    if (panes.active?.conversation.mine) dialogs.finish(panes.active.conversation);
  },
  help: () => dialogs.help(),
});
arrange(localStorage.getItem(SIDE_BY_SIDE) === "on");
replies.load();
desk.start();
