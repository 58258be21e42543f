// Keeps an open page of the console up to date, and makes its forms work without leaving it.

import { attachKeys } from "./keys.js";
import { attend } from "./attention.js";

const token = document.body.dataset.formToken;
const news = document.getElementById("news");
const RETRY_MS = 2000;
const TYPING_MS = 6000;
let typing;

attend();
attachKeys();
const queue = document.getElementById("queue");
const room = document.getElementById("case");
if (queue) follow(queue, queue, () => location.search);
if (room) {
  follow(room, document.getElementById("live"), () => "");
  openRoom();
}

/** Listen to the page's stream, and put what changed in its place. */
function follow(element, place, search) {
  let isBusy = false;
  let isStale = false;
  const refresh = async () => {
    if (isBusy) return void (isStale = true);
    isBusy = true;
    try {
      do {
        isStale = false;
        const answer = await fetch(element.dataset.live + search(), { headers: { "X-Part": "1" } });
        if (answer.redirected || answer.status === 401) return void location.reload();
        if (answer.ok) show(place, await answer.text());
      } while (isStale);
    } finally {
      isBusy = false;
    }
  };
  const listen = () => {
    const stream = new EventSource(element.dataset.stream);
    stream.addEventListener("changed", refresh);
    stream.addEventListener("over", () => location.reload());
    stream.addEventListener("here", (event) => showOthers(JSON.parse(event.data).here));
    stream.addEventListener("typing", showTyping);
    stream.onopen = refresh; // whatever happened while the stream was away
    stream.onerror = () => {
      if (stream.readyState !== EventSource.CLOSED) return;
      setTimeout(listen, RETRY_MS);
    };
  };
  listen();
}

function show(place, html) {
  const log = place.querySelector(".transcript");
  const wasAtEnd = !log || log.scrollHeight - log.scrollTop - log.clientHeight < 80;
  const top = log?.scrollTop ?? 0;
  const focused = document.activeElement?.id;
  const translations = keepTranslations(place);
  place.innerHTML = html; // our own server rendered it, with everything escaped
  for (const [id, node] of translations) place.querySelector(`[data-entry="${id}"]`)?.append(node);
  document.getElementById("typing")?.replaceChildren();
  const fresh = place.querySelector(".transcript");
  if (fresh) fresh.scrollTop = wasAtEnd ? fresh.scrollHeight : top;
  if (focused && place.querySelector(`#${CSS.escape(focused)}`)) document.getElementById(focused).focus();
  const waiting = place.querySelector("[data-waiting]");
  if (waiting) document.dispatchEvent(new CustomEvent("waiting", { detail: Number(waiting.dataset.waiting) }));
  const facts = place.querySelector(".facts");
  if (facts) showTools(facts.dataset.mine === "1" && facts.dataset.status === "claimed");
}

function keepTranslations(place) {
  return [...place.querySelectorAll(".translated")].map((node) => [node.dataset.of, node]);
}

function showTools(isMine) {
  for (const id of ["answering", "ending"]) {
    const tools = document.getElementById(id);
    if (tools) tools.hidden = !isMine;
  }
}

function showOthers(names) {
  const here = document.getElementById("here");
  if (!here) return;
  const others = names.filter((name) => name !== here.dataset.me);
  here.textContent = others.length ? here.dataset.others + others.join(", ") : "";
}

/** Say for a few seconds that the person is writing; their page says so again while they go on. */
function showTyping() {
  const line = document.getElementById("typing");
  if (!line) return;
  clearTimeout(typing);
  line.textContent = line.dataset.text;
  typing = setTimeout(() => (line.textContent = ""), TYPING_MS);
}

// -- one case -------------------------------------------------------------------------------------------------------

function openRoom() {
  const log = document.querySelector(".transcript");
  if (log) log.scrollTop = log.scrollHeight;
  const reply = document.getElementById("reply");
  const text = document.getElementById("text");
  reply?.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!text.value.trim()) return;
    if (await send(reply)) {
      text.value = "";
      delete reply.dataset.isSending;
    }
  });
  text?.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) reply.requestSubmit();
  });
  let toldTyping = 0;
  text?.addEventListener("input", () => {
    if (Date.now() - toldTyping < 4000) return;
    toldTyping = Date.now();
    post(room.dataset.typing, new FormData()).catch(() => {});
  });
  for (const form of document.querySelectorAll("form.insert")) {
    const look = async () => {
      const name = form.elements.name.value;
      const preview = document.getElementById("preview");
      if (!name) return void preview.replaceChildren();
      const answer = await fetch(form.dataset.preview + encodeURIComponent(name));
      preview.innerHTML = await answer.text(); // rendered by our own server
      preview.querySelector("form")?.addEventListener("submit", async (submitted) => {
        submitted.preventDefault();
        if (await send(submitted.target)) preview.replaceChildren();
      });
    };
    form.elements.name.addEventListener("change", look);
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      await look();
      document.getElementById("preview").focus();
    });
  }
  document.getElementById("live").addEventListener("click", (event) => {
    if (event.target.matches(".translate")) translateEntry(event.target);
  });
  document.getElementById("translate-draft")?.addEventListener("click", async (event) => {
    const { source, target } = event.target.dataset;
    const translated = await translate(text.value, source, target);
    if (translated !== null) text.value = translated;
  });
}

/** Send a form in the background; a second press while it travels does nothing. */
async function send(form) {
  if (form.dataset.isSending) return false;
  form.dataset.isSending = "1";
  try {
    const answer = await post(form.action, new FormData(form));
    if (answer.ok) return true;
    const problem = await answer.json().catch(() => ({ message: String(answer.status) }));
    say(problem.message);
    return false;
  } catch {
    say("✗");
    return false;
  } finally {
    delete form.dataset.isSending;
  }
}

function post(address, form) {
  form.set("form_token", token);
  return fetch(address, { method: "POST", body: new URLSearchParams(form), headers: { Accept: "application/json" } });
}

async function translate(text, source, target) {
  const form = new FormData();
  form.set("text", text);
  form.set("source", source);
  form.set("target", target);
  const answer = await post(room.dataset.translate, form);
  const content = await answer.json();
  if (!answer.ok) say(content.message);
  return answer.ok ? content.text : null;
}

async function translateEntry(button) {
  const entry = button.closest("li");
  const translated = await translate(entry.querySelector(".said").textContent, button.dataset.source, button.dataset.target);
  if (translated === null) return;
  const line = document.createElement("p");
  line.className = "translated";
  line.dataset.of = entry.dataset.entry;
  line.textContent = room.dataset.machine + translated;
  entry.append(line);
  button.hidden = true;
}

function say(text) {
  news.textContent = text;
  const preview = document.createElement("p");
  preview.className = "problem";
  preview.textContent = text;
  (document.getElementById("answering") ?? document.getElementById("main")).prepend(preview);
  setTimeout(() => preview.remove(), 8000);
}
