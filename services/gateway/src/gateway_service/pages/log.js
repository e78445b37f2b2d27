// The messages of a conversation in the order in which they were stored, among what is only on the screen yet.

import { storedNode } from "./message.js";

const PAGES = 10;

// Every message of a conversation, oldest first; as many as a page can show.
export async function messagesOf(session, id) {
  const found = [];
  let cursor = "";
  for (let page = 0; page < PAGES; page += 1) {
    const more = cursor ? `&cursor=${encodeURIComponent(cursor)}` : "";
    const answer = await session.ask("GET", `/api/conversations/${id}/messages?limit=200${more}`);
    found.push(...answer.items);
    cursor = answer.next_cursor;
    if (!cursor) break;
  }
  return found;
}

// Put in what is missing; returns the messages that were. Nothing is taken away or drawn anew: an answer may be unfinished, a fold may be open.
export function fillIn(log, messages) {
  const there = new Map([...log.children].map((node) => [node.dataset.id, node]));
  const stored = new Set(messages.map((message) => message.id));
  const missing = messages.filter((message) => !there.has(message.id));
  let last = null;
  for (const message of messages) {
    const known = there.get(message.id);
    const node = known ?? storedNode(message);
    if (!known && last) end(last, stored).after(node);
    else if (!known) log.prepend(node);
    last = node;
  }
  return missing;
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
