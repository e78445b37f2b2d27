// Conversations that people have, or that wait for one: read them, answer, hand back, resolve.

import { element, find, say, showError } from "./dom.js";
import { Log } from "./log.js";
import { storedNode } from "./message.js";
import { traceNode } from "./trace.js";

const LISTED = 50;
// What comes at once is looked up once: a person has 100 requests a minute.
const LIST_AFTER_MS = 1500, READ_AFTER_MS = 250;
const STATUS = {
  active: "The machine answers", waiting_for_person: "Waiting for a person", with_person: "With a person",
  resolved: "Resolved", reopened: "Reopened: the machine answers",
};
const NOTHING = {
  true: "Choose a conversation to read it and answer.",
  false: "A conversation waits here when its customer asks for a person, or its agent hands over.",
};
const REASONS = {
  unsupported: "The documents did not bear the answer out", customer_asked: "The customer asked for a person", handed_back: "Handed back", resolved: "", customer_wrote: "The customer wrote again",
};

export class Inbox {
  // `follow` takes the id of the conversation that is read, or null.
  constructor(session, { follow }) {
    this.session = session;
    this.follow = follow;
    this.shown = null;
    this.refusal = null;   // why the last thing that a person did was not done: it stays until they do another
    this.soon = new Map();
    this.log = new Log(find("inbox-log"), { session, draw: (message) => this.node(message) });
    find("inbox-reply").addEventListener("submit", (event) => { event.preventDefault(); this.write(); });
    find("inbox-text").addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.write();
    });
    find("inbox-note").addEventListener("change", () => this.showButton());
  }

  get mayAnswer() { return this.session.user?.role !== "viewer"; }

  open() { this.showReader(); return this.load(); }

  close() {
    this.soon.forEach(clearTimeout);
    this.soon.clear();
    this.shown = null;
    this.follow(null);
    this.forget();
    find("inbox-list").replaceChildren();
    find("inbox-log").replaceChildren();
    this.count(0);
  }

  // Any frame of the socket. Messages are read back, so that their sources and traces come along.
  heard(frame) {
    if (frame.type === "welcome" || frame.type === "conversation.updated") this.later("list", LIST_AFTER_MS, () => this.load());
    if (frame.type === "welcome" && this.shown) this.later("shown", READ_AFTER_MS, () => this.read());
    if (!this.shown || frame.conversation_id !== this.shown.id) return;
    if (frame.type === "conversation.updated") {
      this.shown = { ...this.shown, status: frame.status, reason: frame.reason, assignee: frame.assignee };
      this.showReader();
      // Something may have been written while the line was away.
      this.later("shown", READ_AFTER_MS, () => this.read());
    }
    const id = frame.type === "message.created" ? frame.message.id : frame.type === "message.completed" ? frame.message_id : null;
    if (id) this.later("shown", READ_AFTER_MS, () => { if (!this.has(id)) this.read(); });
  }

  has(id) { return find("inbox-log").querySelector(`[data-id="${id}"]`) !== null; }

  later(what, wait, act) {
    clearTimeout(this.soon.get(what));
    this.soon.set(what, setTimeout(() => { this.soon.delete(what); act(); }, wait));
  }

  // ---- the list ------------------------------------------------------------------------------------------------

  async load() {
    const path = (status) => `/api/conversations?status=${status}&limit=${LISTED}`;
    try {
      const [waiting, taken] = await Promise.all(["waiting_for_person", "with_person"].map((status) => this.session.ask("GET", path(status))));
      const items = [...waiting.items, ...taken.items];
      find("inbox-list").replaceChildren(...items.map((conversation) => this.item(conversation)));
      find("inbox-empty").hidden = items.length > 0;
      find("inbox-nothing").textContent = NOTHING[items.length > 0];
      this.count(waiting.items.length);
      showError("inbox-error", this.refusal);
    } catch (error) {
      showError("inbox-error", error);
    }
  }

  count(number) {
    find("inbox-count").textContent = number >= LISTED ? `${LISTED}+` : String(number);
    find("inbox-count").hidden = number === 0;
    find("tab-inbox").setAttribute("aria-label", number ? `Inbox, ${number} waiting` : "Inbox");
  }

  item(conversation) {
    const isWaiting = conversation.status === "waiting_for_person";
    const whose = conversation.assignee === this.session.user?.id ? "yours" : "a colleague's";
    return element("li", {}, element("button", {
      type: "button", "aria-current": conversation.id === this.shown?.id ? "true" : null, on: { click: () => this.show(conversation) },
    }, element("span", { className: "recent-title", text: conversation.title || "Conversation" }),
    element("small", { className: isWaiting ? "waiting" : "quiet", text: isWaiting ? "waiting" : whose })));
  }

  // ---- one conversation ----------------------------------------------------------------------------------------

  // What was begun for one customer is never sent to another.
  forget() {
    find("inbox-text").value = "";
    find("inbox-note").checked = false;
    this.key = null;
    this.refuse(null);
  }

  refuse(error) {
    this.refusal = error;
    showError("inbox-error", error);
  }

  async show(conversation) {
    if (conversation.id !== this.shown?.id) this.forget();
    this.shown = conversation;
    this.follow(conversation.id);
    find("inbox-log").replaceChildren();
    this.showReader();
    await Promise.all([this.load(), this.read()]);
    find("inbox-text").focus();
  }

  async read() {
    if (!this.shown) return;
    const { id } = this.shown;
    const turn = this.reading = (this.reading ?? 0) + 1;
    try {
      const found = await this.log.newest(id);
      if (this.shown?.id !== id || this.reading !== turn) return;
      const log = find("inbox-log");
      const isAtEnd = this.log.isAtEnd();
      this.log.fillIn(found);
      if (isAtEnd) log.scrollTop = log.scrollHeight;
      this.showReader();
      showError("inbox-error", this.refusal);
    } catch (error) {
      showError("inbox-error", error);
    }
  }

  node(message) {
    const node = storedNode(message, message.person === this.session.user?.id ? "You" : "A colleague");
    if (message.author === "machine" && message.model && this.mayAnswer) {
      node.append(traceNode(() => this.session.ask("GET", `/api/conversations/${message.conversation_id}/messages/${message.id}/trace`)));
    }
    return node;
  }

  showReader() {
    const { shown } = this;
    find("inbox-nothing").hidden = Boolean(shown);
    find("inbox-log").hidden = !shown;
    find("inbox-head").hidden = !shown;
    find("inbox-reply").hidden = !shown || !this.mayAnswer;
    if (!shown) return;
    find("inbox-title").textContent = shown.title || "Conversation";
    const reason = REASONS[shown.reason] ?? shown.reason;
    find("inbox-status").textContent = [STATUS[shown.status], reason].filter(Boolean).join(" · ");
    const isMine = shown.assignee === this.session.user?.id;
    const isPeoples = ["waiting_for_person", "with_person"].includes(shown.status);
    // What ends a person's part is decided over what they have read.
    const seen = find("inbox-log").lastElementChild?.dataset.id;
    const offered = this.mayAnswer ? [
      isMine ? null : [shown.assignee ? "Take over" : "Take it", () => this.command("assign", shown.assignee ? { take_over: true } : {})],
      seen && isPeoples ? ["Hand back", () => this.command("hand-back", { seen })] : null,
      seen && shown.status !== "resolved" ? ["Resolve", () => this.command("resolve", { seen })] : null,
    ] : [];
    find("inbox-actions").replaceChildren(...offered.filter(Boolean).map(([text, click]) => element("button", {
      type: "button", className: "plain", text, on: { click },
    })));
    this.showButton();
  }

  showButton() { find("inbox-send").textContent = find("inbox-note").checked ? "Keep note" : "Send"; }

  // ---- what a person does --------------------------------------------------------------------------------------

  async command(name, body = {}) {
    const { id } = this.shown;
    this.refuse(null);
    try {
      const found = await this.session.ask("POST", `/api/conversations/${id}/${name}`, { body });
      say(STATUS[found.status]);
      this.load();
      // Another one may have been opened meanwhile.
      if (this.shown?.id !== id) return;
      this.shown = found;
      this.showReader();
    } catch (error) {
      if (this.shown?.id === id) this.refuse(error);
      if (error.code === "unseen_message") await this.read();
    }
  }

  async write() {
    const field = find("inbox-text");
    const content = field.value.trim();
    if (!content || !this.shown || field.disabled) return;
    const body = { content, author: "person", internal: find("inbox-note").checked };
    field.disabled = true;
    try {
      // The key is kept until it was taken: sending the same words again after a break writes them once.
      this.key ??= crypto.randomUUID();
      const { id } = this.shown;
      await this.session.ask("POST", `/api/conversations/${id}/messages`, { body, key: this.key });
      if (this.shown?.id !== id) return;
      this.forget();
      await this.read();
    } catch (error) {
      if (error.code === "idempotency_conflict") this.key = null;
      this.refuse(error);
    } finally {
      field.disabled = false;
      field.focus();
    }
  }
}
