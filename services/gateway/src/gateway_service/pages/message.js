// How messages look: a question, an answer with its citations, and what is to be said about how it ended.

import { element, find } from "./dom.js";

const ENDINGS = { stopped: "Stopped.", length: "Cut off: the answer reached its longest length.", handed_over: "Passed on to a person." };
const FAILURES = {
  rate_limited: "Too many questions in a short time.",
  too_many_turns: "Too many answers are being written at the moment.",
  model_unreachable: "The model cannot be reached.",
  model_overloaded: "The model is overloaded.",
  model_stalled: "The model stopped answering.",
  model_broken: "The model's answer broke off.",
  model_rejected: "The model refused to answer, or the agent names one that does not exist.",
  not_found: "This conversation or agent does not exist any more.",
};

export function questionNode(text, createdAt = new Date()) {
  return element("article", { className: "message customer", "aria-label": "You" },
    element("div", { className: "body", text }), time(createdAt));
}

export function answerNode() {
  return element("article", { className: "message machine", "aria-label": "Answer" },
    element("div", { className: "body" }), element("div", { className: "sources" }), element("div", { className: "state" }));
}

// What a person wrote: to the customer, or as a note to other people.
function personNode(message, by) {
  const kind = message.internal ? "note-of-people" : "person";
  const label = message.internal ? "Note, for people only" : by;
  return element("article", { className: `message ${kind}`, "aria-label": label },
    element("div", { className: "body", text: message.content }),
    element("div", { className: "state" }, element("span", { text: label }), time(new Date(message.created_at))));
}

// `by` says who the person is that wrote it.
export function storedNode(message, by = "A person") {
  const node = nodeOf(message, by);
  node.dataset.id = message.id;
  return node;
}

function nodeOf(message, by) {
  if (message.author === "person") return personNode(message, by);
  if (message.author === "customer") return questionNode(message.content, new Date(message.created_at));
  const node = answerNode();
  const [body, sources, state] = node.children;
  fill(body, message.content, message.sources);
  list(sources, cited(message.content, message.sources));
  state.append(...ending(message.finish_reason), time(new Date(message.created_at)));
  return node;
}

// Draw an answer anew; `retry` is called when the person wants to try again.
export function draw(node, answer, { isConnected, retry }) {
  const [body, sources, state] = node.children;
  node.setAttribute("aria-busy", String(!answer.isOver));
  node.classList.toggle("streaming", !answer.isOver);
  if (answer.text) fill(body, answer.text, answer.sources);
  else body.replaceChildren(...(answer.isOver ? [] : [thinking(isConnected)]));
  list(sources, answer.isOver ? cited(answer.text, answer.sources) : []);
  state.replaceChildren(...states(answer, retry));
}

function states(answer, retry) {
  if (answer.state === "failed") return answer.isRetryable ? [failure(answer), again(retry)] : [failure(answer)];
  if (!answer.isOver) return [];
  const words = answer.state === "blocked" ? [element("span", { text: "Held back by your moderation policy." })] : ending(answer.finishReason);
  return [...words, time(answer.endedAt)];
}

function failure(answer) {
  const words = FAILURES[answer.code] || answer.detail || "No answer could be written.";
  return element("span", { className: "error", text: words });
}

function again(retry) {
  return element("button", { type: "button", className: "plain", text: "Try again", on: { click: retry } });
}

function ending(reason) {
  return ENDINGS[reason] ? [element("span", { text: ENDINGS[reason] })] : [];
}

function thinking(isConnected) {
  const words = isConnected ? "Looking it up" : "Waiting for the connection";
  return element("span", { className: "thinking" }, element("span", { className: "unseen", text: words }),
    element("i"), element("i"), element("i"));
}

// Text stays text; only `[n]` that names a source becomes a button.
function fill(body, text, sources) {
  const known = new Map(sources.map((source) => [String(source.n), source]));
  const parts = text.split(/(\[\d+\])/).filter((part) => part !== "");
  body.replaceChildren(...parts.map((part) => {
    const source = /^\[\d+\]$/.test(part) ? known.get(part.slice(1, -1)) : undefined;
    return source ? citation(source) : part;
  }));
}

function citation(source) {
  return element("button", {
    type: "button", className: "cite", text: source.n, title: source.title,
    "aria-label": `Source ${source.n}: ${source.title}`, on: { click: () => openSource(source) },
  });
}

// The sources that the text names; all of them when it names none would only distract.
function cited(text, sources) {
  return sources.filter((source) => text.includes(`[${source.n}]`));
}

function list(place, sources) {
  place.replaceChildren(...sources.map((source) => element("button", {
    type: "button", className: "chip", on: { click: () => openSource(source) },
  }, element("b", { text: source.n }), element("span", { text: source.title }))));
}

export function openSource(source) {
  find("source-title").textContent = source.title;
  find("source-place").textContent = source.page ? `Page ${source.page}` : "";
  // The words that bear the answer out, when it is complete and they do.
  // A line that was only wrapped in the file goes on; lists, tables and paragraphs keep their breaks.
  find("source-snippet").textContent = (source.quote || source.snippet).replace(/([^\n])\n(?![\n|#>*+-]|\d+[.)])/g, "$1 ");
  find("source").showModal();
}

function time(at) {
  return element("time", {
    dateTime: at.toISOString(), text: at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }),
  });
}
