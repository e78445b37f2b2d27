// One of the conversations that the chat lists.

import { element } from "./dom.js";

export function recentItem(conversation, { agents, isOpen, open }) {
  const at = new Date(conversation.updated_at);
  const isToday = at.toDateString() === new Date().toDateString();
  const when = isToday ? at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })
    : at.toLocaleDateString([], { day: "numeric", month: "short" });
  const agent = agents.find((known) => known.id === conversation.agent_id);
  const count = conversation.message_count;
  const facts = [when, `${count} ${count === 1 ? "message" : "messages"}`];
  if (agent && agents.length > 1) facts.push(agent.name);
  return element("li", {}, element("button", { type: "button", "aria-current": isOpen ? "true" : null, on: { click: open } },
    element("span", { className: "recent-title", text: conversation.title || agent?.name || "Conversation" }),
    element("small", { className: "quiet", text: facts.join(" · ") })));
}
