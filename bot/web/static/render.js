// Turns messages and replies into elements. Text is only ever set as text: nothing in it can become markup.

const RIGHT_TO_LEFT = new Set(["ar", "fa", "he", "ur"]);
const STEP = /^(\d+)\. (.*)$/;
const THUMB_ICON = "M2 21h4V9H2v12Zm20-11a2 2 0 0 0-2-2h-6.3l1-4.6v-.3c0-.4-.2-.8-.4-1.1L13.2 1 6.6 7.6C6.2 8 6 8.5 6 9v10a2 2 0 0 0 2 2h9c.8 0 1.5-.5 1.8-1.2l3-7.1c.1-.2.2-.5.2-.7v-2Z";
const PHONE_ICON =
  "M6.6 10.8a15 15 0 0 0 6.6 6.6l2.2-2.2a1 1 0 0 1 1-.25 11.4 11.4 0 0 0 3.6.57 1 1 0 0 1 1 1V20a1 1 0 0 1-1 1A17 17 0 0 1 3 4a1 1 0 0 1 1-1h3.5a1 1 0 0 1 1 1c0 1.25.2 2.45.57 3.6a1 1 0 0 1-.25 1Z";

export function direction(lang) {
  return RIGHT_TO_LEFT.has((lang ?? "").split("-")[0]) ? "rtl" : "ltr";
}

/** What the person said. */
export function renderMine(message, text, t) {
  const element = make("article", "message mine");
  element.dataset.message = message.id;
  const bubble = make("div", "bubble", text);
  bubble.dir = "auto";
  element.append(make("span", "hidden", `${t("you")}: `), bubble, make("span", "state"));
  return element;
}

/** What the bot said. `actions.tap(payload, title)`, `actions.rate(id, way)`, `actions.showDesk(reply)` are called on taps. */
export function renderReply(reply, t, actions, { isDesk = false } = {}) {
  const element = make("article", `message reply ${reply.kind}`);
  element.dataset.reply = reply.id;
  element.lang = reply.lang;
  element.dir = direction(reply.lang);
  const isEmergency = reply.kind === "emergency";
  const bubble = make("div", "bubble");
  bubble.append(...blocks(reply.text));
  const calls = reply.links.filter((link) => link.url.startsWith("tel:"));
  const pages = reply.links.filter((link) => !link.url.startsWith("tel:"));
  if (calls.length && isEmergency) bubble.firstElementChild.after(callLinks(calls, isEmergency, t)); // seen without scrolling
  else if (calls.length) bubble.append(callLinks(calls, isEmergency, t));
  if (pages.length) bubble.append(sourceLinks(pages, t));
  if (reply.footer) bubble.append(make("p", "foot", reply.footer));
  if (reply.author) {
    element.classList.add("person");
    element.append(make("p", "author", reply.author), make("span", "hidden", `${t("person")}: `), bubble);
  } else {
    element.append(make("span", "hidden", "Zorgbrug: "), bubble);
  }
  const buttons = reply.buttons.map((button) => choice(button.title, () => actions.tap(button.payload, button.title)));
  if (isDesk) buttons.unshift(choice(t("show_large"), () => actions.showDesk(reply)));
  if (buttons.length) {
    const choices = make("div", "choices");
    choices.append(...buttons);
    element.append(choices);
  }
  if (reply.feedback) element.append(thumbs(reply, t, actions));
  return element;
}

/** The parts of a reply for the desk: what to do with it, the Dutch sentence, and how it sounds and what it means. */
export function deskParts(reply) {
  const [intro, ...rest] = reply.text.split(/\n\s*\n/);
  return rest.length ? { intro, sentence: rest[0], notes: rest.slice(1).join("\n") } : { intro: "", sentence: intro, notes: "" };
}

export function markThumb(log, replyId, way) {
  for (const button of log.querySelectorAll(`[data-reply="${Number(replyId)}"] .thumbs button`)) {
    button.setAttribute("aria-pressed", String(button.dataset.way === way));
  }
}

function blocks(text) {
  const elements = [];
  let list = null;
  let paragraph = null;
  for (const line of text.split("\n")) {
    const step = STEP.exec(line);
    if (step) {
      if (!list) elements.push((list = make("ol")));
      const item = make("li", "step");
      item.dataset.number = step[1];
      item.append(make("span", "", step[2]));
      list.append(item);
      paragraph = null;
    } else if (!line.trim()) {
      paragraph = null;
      list = null;
    } else if (list) {
      list.lastElementChild.lastElementChild.append(` ${line.trim()}`);
    } else if (paragraph) {
      paragraph.append(document.createElement("br"), line);
    } else {
      elements.push((paragraph = make("p", "", line)));
    }
  }
  return elements;
}

function callLinks(links, isEmergency, t) {
  const group = make("div", "calls");
  for (const link of links) {
    const anchor = make("a");
    anchor.href = link.url;
    anchor.append(icon(PHONE_ICON), make("span", "", isEmergency ? t("call", { number: link.title }) : link.title));
    group.append(anchor);
  }
  return group;
}

function sourceLinks(links, t) {
  const box = make("div", "sources");
  const list = make("ul");
  for (const link of links) {
    const item = make("li");
    const anchor = make("a", "", link.title);
    anchor.href = link.url;
    anchor.target = "_blank";
    anchor.rel = "noopener noreferrer";
    item.append(anchor);
    list.append(item);
  }
  box.append(make("span", "", t("sources")), list);
  return box;
}

function thumbs(reply, t, actions) {
  const group = make("div", "thumbs");
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", t("thumbs"));
  group.append(make("span", "", t("thumbs")));
  for (const way of ["up", "down"]) {
    const button = make("button");
    button.append(icon(THUMB_ICON));
    button.type = "button";
    button.dataset.way = way;
    button.setAttribute("aria-pressed", "false");
    button.setAttribute("aria-label", t(`thumb_${way}`));
    button.addEventListener("click", () => actions.rate(reply.id, way));
    group.append(button);
  }
  return group;
}

function choice(title, onTap) {
  const button = make("button", "", title);
  button.type = "button";
  button.addEventListener("click", () => {
    button.classList.add("chosen");
    onTap();
  });
  return button;
}

function icon(shape) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("width", "22");
  svg.setAttribute("height", "22");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", shape);
  svg.append(path);
  return svg;
}

function make(tag, className = "", text = "") {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text) element.textContent = text;
  return element;
}
