// The way to the service: one conversation, messages that are sent until they arrive, events that resume.
// A message keeps its id over every attempt, so the service takes it once.

const UNSENT = "zorgbrug.unsent";
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 8000;
const MOST_FAULTS = 5;
const TYPING_EVERY_MS = 4000;

export class Connection {
  /** @param {{onReply, onTyping, onState, onOnline, onResume, onLanguage}} handlers what the page does with what happens */
  constructor(handlers) {
    this.handlers = handlers;
    this.unsent = readUnsent();
    this.lastEvent = 0;
    this.isSending = false;
    this.source = null;
    this.hadBreak = false;
    this.lang = null;
    this.toldTyping = 0;
  }

  /** The conversation so far, or null when there is none (any more). */
  async history() {
    const answer = await fetch("/api/history");
    if (answer.status === 401) return null;
    if (!answer.ok) throw new Error(`history: ${answer.status}`);
    return answer.json();
  }

  /** Listen to replies; after a break the browser itself asks for what was missed. */
  listen() {
    if (this.source) return;
    this.source = new EventSource(`/api/events?after=${this.lastEvent}`);
    this.source.addEventListener("open", () => {
      this.handlers.onOnline(true);
      if (this.hadBreak) this.handlers.onResume();
      this.hadBreak = false;
      this.flush();
    });
    this.source.addEventListener("reply", (event) => {
      const reply = JSON.parse(event.data);
      this.lastEvent = Math.max(this.lastEvent, reply.id);
      this.handlers.onReply(reply);
    });
    this.source.addEventListener("typing", () => this.handlers.onTyping());
    this.source.addEventListener("error", () => this.onBreak());
  }

  onBreak() {
    this.hadBreak = true;
    this.handlers.onOnline(false);
    if (this.source && this.source.readyState !== EventSource.CLOSED) return; // the browser reconnects by itself
    this.hangUp();
    setTimeout(() => this.resume(), LONGEST_PAUSE_MS / 2);
  }

  async resume() {
    try {
      if (await this.history()) this.listen();
      else this.handlers.onOnline(true); // nothing to listen to until the person writes again
    } catch {
      setTimeout(() => this.resume(), LONGEST_PAUSE_MS);
    }
  }

  hangUp() {
    this.source?.close();
    this.source = null;
  }

  /** Forget everything on this device; the next message begins a new conversation. */
  forget() {
    this.hangUp();
    this.unsent = [];
    this.lastEvent = 0;
    this.save();
  }

  /** Send a message now or as soon as there is a connection: {text}, {payload} or {location}. */
  send(content) {
    const message = { id: newId(), ...content };
    this.unsent.push(message);
    this.save();
    this.flush();
    return message;
  }

  async flush() {
    if (this.isSending) return;
    this.isSending = true;
    let pause = FIRST_PAUSE_MS;
    while (this.unsent.length) {
      const message = this.unsent[0];
      const outcome = await this.post(message);
      if (outcome === "later") {
        this.handlers.onState(message.id, "waiting");
        await new Promise((resolve) => setTimeout(resolve, pause));
        pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
        continue;
      }
      pause = FIRST_PAUSE_MS;
      this.unsent = this.unsent.filter((item) => item.id !== message.id);
      this.save();
      this.handlers.onState(message.id, outcome);
    }
    this.isSending = false;
  }

  /** Tell who answers that the person is writing; nobody misses it when it gets lost. */
  tellTyping() {
    if (Date.now() - this.toldTyping < TYPING_EVERY_MS) return;
    this.toldTyping = Date.now();
    fetch("/api/typing", { method: "POST" }).catch(() => {});
  }

  /** Send a photo at once; it is too large to be kept here for later. */
  async sendPhoto(id, file) {
    try {
      const answer = await fetch(`/api/photos?id=${encodeURIComponent(id)}`, { method: "POST", body: file });
      return answer.ok ? "sent" : "refused";
    } catch {
      return "refused";
    }
  }

  async post(message) {
    try {
      let answer = await postJson("/api/messages", bare(message));
      if (answer.status === 401) {
        const begun = await postJson("/api/conversations", this.lang ? { lang: this.lang } : {});
        if (!begun.ok) return "later";
        this.hangUp();
        this.lastEvent = 0;
        answer = await postJson("/api/messages", bare(message));
      }
      if (answer.ok) {
        if (message.text) this.handlers.onLanguage((await answer.json()).lang);
        this.listen();
        return "sent";
      }
      // A fault of ours that comes again and again is this message's; the ones behind it must not wait for ever.
      message.faults = answer.status === 500 ? (message.faults ?? 0) + 1 : 0;
      const isOver = answer.status === 413 || answer.status === 400 || message.faults >= MOST_FAULTS;
      return isOver ? "refused" : "later";
    } catch {
      return "later";
    }
  }

  save() {
    try {
      sessionStorage.setItem(UNSENT, JSON.stringify(this.unsent));
    } catch {
      // No storage in this browser: a reload then loses what was not sent yet.
    }
  }
}

/** The message without what only this page counts. */
function bare({ faults, ...message }) {
  return message;
}

function postJson(url, body) {
  return fetch(url, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
}

function readUnsent() {
  try {
    return JSON.parse(sessionStorage.getItem(UNSENT) ?? "[]");
  } catch {
    return [];
  }
}

export function newId() {
  if (crypto.randomUUID) return crypto.randomUUID(); // only there in a secure context
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
