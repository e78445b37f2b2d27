// The messages of a conversation in the order in which they were stored, among what is only on the screen yet.

import { element, sentence } from "./dom.js";
import { storedNode } from "./message.js";

const PAGE = 200;
const NEAR_END_PX = 120;

// How a conversation fills a place on the screen: the newest messages, and earlier ones for whoever asks for them.
export class Log {
  // `isShown` tells which messages are, `draw` makes the node of one.
  constructor(place, { session, isShown = () => true, draw = storedNode }) {
    Object.assign(this, { place, session, isShown, draw });
  }

  // A page of the newest messages, or as many as there are back to one that is there already; `id` is the conversation.
  async newest(id) {
    const known = this.known();
    let page = await this.page(id);
    const messages = page.messages;
    while (page.earlier && known.size && !page.messages.some((message) => known.has(message.id))) {
      page = await this.page(id, page.earlier);
      messages.unshift(...page.messages);
    }
    return { ...page, messages };
  }

  // Oldest first, as they are read; `earlier` leads on from the oldest.
  async page(id, cursor = null) {
    const asked = new URLSearchParams({ order: "desc", limit: PAGE, ...(cursor && { cursor }) });
    const { items, next_cursor: earlier } = await this.session.ask("GET", `/api/conversations/${id}/messages?${asked}`);
    return { id, messages: items.filter(this.isShown).reverse(), earlier };
  }

  isAtEnd() { return this.place.scrollHeight - this.place.scrollTop - this.place.clientHeight < NEAR_END_PX; }

  known() {
    return new Map([...this.place.children].filter((node) => node.dataset.id).map((node) => [node.dataset.id, node]));
  }

  // Put in what is missing; returns the messages that were. Nothing is taken away or drawn anew: an answer may be unfinished, a fold may be open.
  fillIn({ id, messages, earlier }) {
    const there = this.known();
    const stored = new Set(messages.map((message) => message.id));
    const missing = messages.filter((message) => !there.has(message.id));
    if (!there.size) this.offerEarlier(id, earlier);
    let last = this.place.querySelector(":scope > .earlier");
    for (const message of messages) {
      const known = there.get(message.id);
      const node = known ?? this.draw(message);
      if (!known && last) end(last, stored).after(node);
      else if (!known) this.place.prepend(node);
      // An answer that was unfinished may stand before what was stored before it.
      if (!last || !(last.compareDocumentPosition(node) & Node.DOCUMENT_POSITION_PRECEDING)) last = node;
    }
    return missing;
  }

  offerEarlier(id, cursor) {
    this.place.querySelector(":scope > .earlier")?.remove();
    if (!cursor) return;
    const button = element("button", { type: "button", className: "plain", text: "Show earlier messages" });
    const place = element("div", { className: "earlier" }, button, element("p", { className: "error", role: "alert" }));
    button.addEventListener("click", async () => {
      button.disabled = true;
      try {
        const page = await this.page(id, cursor);
        if (!place.isConnected) return;
        // What is being read stays where it is.
        const below = this.place.scrollHeight - this.place.scrollTop;
        const known = this.known();
        place.after(...page.messages.filter((message) => !known.has(message.id)).map((message) => this.draw(message)));
        place.lastElementChild.textContent = "";
        cursor = page.earlier;
        if (!cursor) place.remove();
        this.place.scrollTop = this.place.scrollHeight - below;
      } catch (error) {
        place.lastElementChild.textContent = sentence(error);
      } finally {
        button.disabled = false;
      }
    });
    this.place.prepend(place);
  }
}

// An answer that is not stored yet stays with its question.
function end(node, stored) {
  const id = node.nextElementSibling?.dataset.id;
  return id && !stored.has(id) ? end(node.nextElementSibling, stored) : node;
}

// A node on the screen turns out to be a stored message, which may have been read back before that was known.
export function name(log, node, id) {
  for (const other of log.querySelectorAll(`[data-id="${id}"]`)) if (other !== node) other.remove();
  node.dataset.id = id;
}
