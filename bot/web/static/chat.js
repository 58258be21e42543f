// The chat page: wires the connection to what is shown.

import { Connection, newId } from "./connection.js";
import { deskParts, direction, markThumb, renderMine, renderReply } from "./render.js";

const LANGUAGE = "zorgbrug.lang";
const TYPING_AFTER_MS = 250;
const TYPING_AT_MOST_MS = 30000;
const NEAR_THE_END_PX = 160;
const MARGIN_PX = 12;

const byId = (id) => document.getElementById(id);
const log = byId("log");
const scroller = byId("scroller");
const input = byId("input");
const desk = byId("desk");

let shownLanguage = "";
const uis = new Map(); // what the service gave for the page, by language
let isOnline = true;
const payloads = new Map(); // what was tapped, by the id of our message
const shownReplies = new Set();
const timers = {};

/** The page's own words: those of a reply in its language, the rest in that of the page. */
const wordsOf = (lang) => (key, values = {}) => {
  const ui = uis.get(lang) ?? uis.get(shownLanguage);
  return (ui?.strings[key] ?? "").replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
};
const t = (key, values) => wordsOf(shownLanguage)(key, values);

const connection = new Connection({
  onReply: (reply) => showReply(reply, { isLive: true }),
  onTyping: showTyping,
  onState: showState,
  onOnline: showOnline,
  onResume: () => restore().catch(() => {}),
  onLanguage: (lang) => {
    if (recall(LANGUAGE) === null) follow(lang);
  },
});

const actions = {
  tap: (payload, title) => say({ payload }, title),
  rate: (id, way) => {
    const message = connection.send({ payload: `thumb:${way}:${id}` });
    payloads.set(message.id, "thumb");
    markThumb(log, id, way);
  },
  showDesk,
};

// -- what is shown --------------------------------------------------------------------------------------------------

function say(content, text) {
  const message = connection.send(content);
  if (content.payload) payloads.set(message.id, content.payload);
  showMine(message, text);
  scrollToEnd();
}

function showMine(message, text) {
  byId("welcome").hidden = true;
  if (!log.querySelector(`[data-message="${CSS.escape(message.id)}"]`)) log.append(renderMine(message, text, t));
}

function showReply(reply, { isLive }) {
  if (shownReplies.has(reply.id)) return;
  shownReplies.add(reply.id);
  connection.lastEvent = Math.max(connection.lastEvent, reply.id);
  if (isLive) hideTyping();
  if (reply.effect === "erase" && isLive) forget(reply);
  byId("welcome").hidden = true;
  const isDesk = (payloads.get(reply.reply_to) ?? "").startsWith("desk:");
  const element = renderReply(reply, wordsOf(reply.lang), actions, { isDesk });
  const wasAtEnd = isAtEnd();
  log.append(element);
  const offered = reply.buttons.map((button) => button.payload);
  if (offered.includes("bot")) byId("photo").hidden = false;
  if (offered.some((payload) => payload.startsWith("helped:"))) byId("photo").hidden = true;
  if (!isLive) return;
  if (reply.kind === "emergency") element.setAttribute("role", "alert");
  if (wasAtEnd || reply.kind === "emergency") scrollTo(element);
  else byId("newest").hidden = false;
  if (isDesk) showDesk(reply);
  if (reply.kind === "language_set") follow(reply.lang);
}

function forget(reply) {
  connection.forget();
  log.replaceChildren();
  payloads.clear();
  shownReplies.clear();
  shownReplies.add(reply.id);
  connection.lastEvent = 0;
  remember(LANGUAGE, null);
}

function showState(id, state) {
  const element = log.querySelector(`[data-message="${CSS.escape(id)}"]`);
  if (state !== "sent") hideTyping();
  if (!element) return;
  element.classList.toggle("waiting", state === "waiting");
  element.classList.toggle("refused", state === "refused");
  element.querySelector(".state").textContent = state === "sent" ? "" : t(state);
  if (state === "waiting") showOnline(false);
  if (state === "sent") showOnline(true);
}

function showOnline(online) {
  clearTimeout(timers.offline);
  isOnline = online;
  const show = () => {
    byId("notice").textContent = t("offline");
    byId("notice").hidden = isOnline;
  };
  // A short break is nobody's worry.
  if (online) show();
  else timers.offline = setTimeout(show, 1500);
}

function showTyping() {
  clearTimeout(timers.typing);
  timers.typing = setTimeout(() => {
    const wasAtEnd = isAtEnd();
    byId("typing").hidden = false;
    if (wasAtEnd) scrollToEnd();
    timers.typing = setTimeout(hideTyping, TYPING_AT_MOST_MS);
  }, TYPING_AFTER_MS);
}

function hideTyping() {
  clearTimeout(timers.typing);
  byId("typing").hidden = true;
}

function showDesk(reply) {
  const { intro, sentence, notes } = deskParts(reply);
  byId("desk-intro").textContent = intro;
  byId("desk-text").textContent = sentence;
  byId("desk-notes").textContent = notes;
  desk.dir = direction(reply.lang);
  desk.showModal();
}

function isAtEnd() {
  return scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_THE_END_PX;
}

/** Show the whole message, or its beginning when it is longer than the screen. */
function scrollTo(element) {
  if (element.offsetHeight > scroller.clientHeight - MARGIN_PX) scroller.scrollTop = element.offsetTop - MARGIN_PX;
  else scrollToEnd();
}

function scrollToEnd() {
  scroller.scrollTop = scroller.scrollHeight;
  byId("newest").hidden = true;
}

// -- languages ------------------------------------------------------------------------------------------------------

async function loadUi(lang) {
  if (!uis.has(lang)) {
    const answer = await fetch(`/api/ui/${encodeURIComponent(lang)}`);
    const ui = await answer.json();
    uis.set(lang, ui).set(ui.lang, ui);
  }
  return uis.get(lang);
}

/** Have the other languages at hand, so that a reply in one of them is labelled in it at once. */
async function loadOtherLanguages() {
  for (const { code } of uis.get(shownLanguage).languages) await loadUi(code);
}

async function speak(lang) {
  const ui = await loadUi(lang);
  shownLanguage = connection.lang = ui.lang;
  document.documentElement.lang = ui.lang;
  document.documentElement.dir = ui.direction;
  document.title = t("title");
  for (const element of document.querySelectorAll("[data-text]")) element.textContent = t(element.dataset.text);
  for (const element of document.querySelectorAll("[data-title]")) element.title = t(element.dataset.title);
  for (const element of document.querySelectorAll("[data-placeholder]")) element.placeholder = t(element.dataset.placeholder);
  for (const element of document.querySelectorAll("[data-label]")) element.setAttribute("aria-label", t(element.dataset.label));
  for (const element of document.querySelectorAll("[data-example]")) element.textContent = t(element.dataset.example);
  const options = ui.languages.map((item) => {
    const option = new Option(item.name, item.code, false, item.code === ui.lang);
    option.lang = item.code;
    return option;
  });
  byId("language").replaceChildren(...options);
}

/** Have the page speak the language of the conversation, when it has it. */
function follow(lang) {
  const isServed = [...byId("language").options].some((option) => option.value === lang);
  if (isServed && lang !== shownLanguage) speak(lang).catch(() => {});
}

// -- beginning ------------------------------------------------------------------------------------------------------

/** Show the conversation so far; what is on the page already is left alone. */
async function restore() {
  const history = await connection.history();
  if (!history) return null;
  log.setAttribute("aria-live", "off"); // what was said before is not news
  const titles = new Map();
  for (const item of history.messages) {
    if (item.from === "bot") {
      for (const button of item.buttons) titles.set(button.payload, button.title);
      showReply(item, { isLive: false });
    } else if (item.kind === "payload") {
      restorePayload(item, titles);
    } else if (item.kind === "photo") {
      showMine(item, `📷 ${t("photo")}`);
    } else if (item.text || item.kind === "place") {
      showMine(item, item.text ?? item.place);
    }
  }
  requestAnimationFrame(() => log.setAttribute("aria-live", "polite"));
  return history;
}

function restorePayload(item, titles) {
  payloads.set(item.id, item.payload ?? "");
  const [name, way, id] = (item.payload ?? "").split(":");
  if (name === "thumb") markThumb(log, id, way);
  else if (item.payload) showMine(item, titles.get(item.payload) ?? menuTitle(item.payload));
}

function menuTitle(payload) {
  const language = [...byId("language").options].find((option) => `lang:${option.value}` === payload);
  return language?.text || t(`menu_${payload}`) || "•";
}

function shareLocation() {
  navigator.geolocation.getCurrentPosition(
    // A town is all we need: two decimals are about a kilometre.
    ({ coords }) => say({ location: { lat: round(coords.latitude), lon: round(coords.longitude) } }, t("location_sent")),
    () => {
      byId("notice").textContent = t("location_failed");
      byId("notice").hidden = false;
    },
    { timeout: 10000, maximumAge: 600000 },
  );
}

/** Send a photo to the member of the staff who has the conversation; nobody else would look at it. */
async function sendPhoto() {
  const [file] = byId("photo-file").files;
  byId("photo-file").value = "";
  if (!file) return;
  const message = { id: newId() };
  showMine(message, `📷 ${t("photo")}`);
  scrollToEnd();
  showState(message.id, await connection.sendPhoto(message.id, file));
}

function submit() {
  const text = input.value.trim();
  if (!text) return;
  say({ text }, text);
  input.value = "";
  grow();
}

function grow() {
  input.style.height = "auto";
  input.style.height = `${input.scrollHeight + 2}px`;
}

const round = (degrees) => Math.round(degrees * 100) / 100;

function remember(key, value) {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    // No storage in this browser: the choice then lasts until the page is closed.
  }
}

function recall(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

byId("form").addEventListener("submit", (event) => {
  event.preventDefault();
  submit();
  input.focus();
});
input.addEventListener("input", () => {
  grow();
  if (!byId("photo").hidden) connection.tellTyping(); // a person has the conversation
});
input.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  submit();
});
byId("examples").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button) say({ text: button.textContent }, button.textContent);
});
byId("language").addEventListener("change", async (event) => {
  const { value, selectedOptions } = event.target;
  remember(LANGUAGE, value);
  say({ payload: `lang:${value}` }, selectedOptions[0].text);
  await speak(value);
});
byId("menu").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  byId("menu").open = false;
  say({ payload: button.dataset.payload }, button.textContent);
});
document.addEventListener("click", (event) => {
  if (!byId("menu").contains(event.target)) byId("menu").open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && byId("menu").open) {
    byId("menu").open = false;
    byId("menu").querySelector("summary").focus();
  }
});
byId("newest").addEventListener("click", () => {
  scrollToEnd();
  input.focus();
});
scroller.addEventListener("scroll", () => {
  if (isAtEnd()) byId("newest").hidden = true;
});
byId("desk-close").addEventListener("click", () => desk.close());
byId("location").addEventListener("click", shareLocation);
byId("photo").addEventListener("click", () => byId("photo-file").click());
byId("photo-file").addEventListener("change", sendPhoto);
byId("location").hidden = !("geolocation" in navigator) || !window.isSecureContext;
window.addEventListener("online", () => connection.flush());
window.addEventListener("offline", () => showOnline(false));

async function begin() {
  await speak(recall(LANGUAGE) ?? navigator.language);
  try {
    const history = await restore();
    if (history?.lang && history.lang !== shownLanguage && recall(LANGUAGE) === null) await speak(history.lang);
    if (history) connection.listen();
  } catch {
    connection.onBreak();
  }
  for (const message of connection.unsent) {
    if (message.text) showMine(message, message.text);
    else if (message.payload && !message.payload.startsWith("thumb:")) showMine(message, menuTitle(message.payload));
  }
  connection.flush();
  if (byId("welcome").hidden) scrollToEnd();
  document.documentElement.dataset.ready = "yes";
  loadOtherLanguages().catch(() => {}); // they are tried again when needed
}

begin();
