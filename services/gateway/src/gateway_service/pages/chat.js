// The chat: choose an agent, ask, watch the answer come, stop it, read older conversations.

import { Answer } from "./answer.js";
import { element, find, say, sentence } from "./dom.js";
import { Follows } from "./follows.js";
import { Hands } from "./hands.js";
import { Log, name } from "./log.js";
import { answerNode, draw, questionNode, storedNode } from "./message.js";
import { recentItem } from "./recent.js";
import { Socket } from "./socket.js";

const STATES = { connecting: "Connecting", open: "Connected", away: "Reconnecting" };
const RECENT = 20;
// What comes at once is looked up once: a person has 100 requests a minute.
const READ_AFTER_MS = 250, READ_AGAIN_MS = 5000;

export class Chat {
  constructor(session, { onDocument, onFrame }) {
    this.session = session;
    this.onDocument = onDocument;
    this.onFrame = onFrame;
    this.agents = null;   // until they were read
    this.answers = new Map();   // by client_message_id: { answer, question, node, shown }
    this.conversationId = null;
    this.isConnected = false;
    this.dirty = new Set();
    this.log = new Log(find("log"), { session, isShown: (message) => !message.internal });
    this.socket = new Socket({
      session,
      resume: () => this.unfinished().map(({ answer }) => answer.resumePoint).filter(Boolean),
      onFrame: (frame) => this.heard(frame),
      onState: (state) => this.showConnection(state),
    });
    this.hands = new Hands(session, { onError: (error) => this.note(sentence(error)) });
    this.follows = new Follows((frame) => this.socket.send(frame));
    this.listen();
  }

  listen() {
    const question = find("question");
    find("composer").addEventListener("submit", (event) => { event.preventDefault(); this.submit(); });
    question.addEventListener("input", () => grow(question));
    question.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.submit();
    });
    find("stop").addEventListener("click", () => this.stop());
    find("new-conversation").addEventListener("click", () => this.begin());
    find("agent").addEventListener("change", () => this.begin());
    find("source-close").addEventListener("click", () => find("source").close());
  }

  async open() {
    this.socket.open();
    this.begin();
    const [error] = await Promise.all([this.loadAgents().catch((failed) => failed), this.loadRecent()]);
    this.begin();
    if (error) this.note(sentence(error));
  }

  close() {
    clearTimeout(this.soon);
    this.socket.close();
    this.answers.clear();
    this.conversationId = null;
    this.agents = null;
    find("log").replaceChildren();
    find("recent").replaceChildren();
  }

  // ---- agents and conversations --------------------------------------------------------------------------------

  async loadAgents() {
    this.agents = (await this.session.ask("GET", "/api/agents?limit=100")).items;
    const chosen = this.agents.find((agent) => agent.is_default) || this.agents[0];
    find("agent").replaceChildren(...this.agents.map((agent) => element("option", { value: agent.id, text: agent.name })));
    find("agent").value = chosen ? chosen.id : "";
  }

  async loadRecent() {
    const found = await this.session.ask("GET", `/api/conversations?limit=${RECENT}`).catch(() => null);
    if (!found) return;
    find("recent").replaceChildren(...found.items.map((conversation) => recentItem(conversation, {
      agents: this.agents ?? [], isOpen: conversation.id === this.conversationId, open: () => this.show(conversation),
    })));
  }

  begin() {
    this.conversationId = null;
    this.follows.set("chat", null);
    this.shown = Symbol("new");
    find("log").replaceChildren(this.greeting());
    this.hands.show(null, null);
    this.loadRecent();
    this.showComposer();
    find("question").focus();
  }

  greeting() {
    const chosen = this.agents?.find((agent) => agent.id === find("agent").value);
    if (this.agents && !chosen) return this.noAgent();
    return element("div", { className: "greeting" },
      element("img", { src: "/assets/icon.svg", alt: "", width: 56, height: 56 }),
      element("h1", { text: chosen ? `Ask ${chosen.name}` : "Ask a question" }),
      element("p", { className: "quiet", text: "Answers come from your documents. Numbers in an answer open the passage behind it." }));
  }

  noAgent() {
    const create = async () => {
      try {
        await this.session.ask("POST", "/api/agent/create", { body: { name: "Assistant" }, key: crypto.randomUUID() });
        await this.loadAgents();
        this.begin();
      } catch (error) {
        this.note(sentence(error));
      }
    };
    return element("div", { className: "greeting" },
      element("h1", { text: "No agent yet" }),
      element("p", { className: "quiet", text: "An agent answers in your business's voice, from your documents." }),
      element("button", { type: "button", className: "primary", text: "Create an agent", on: { click: create } }));
  }

  async show(conversation) {
    const shown = this.shown = this.loading = Symbol(conversation.id);
    this.conversationId = conversation.id;
    this.follows.set("chat", conversation.id);
    this.hands.show(conversation.id, conversation.status);
    this.loadRecent();
    const log = find("log");
    try {
      const found = await this.log.page(conversation.id);
      if (this.shown !== shown) return;
      log.replaceChildren();
      this.log.fillIn(found);
      this.putBack(found.messages);
      if ([...find("agent").options].some((option) => option.value === conversation.agent_id)) {
        find("agent").value = conversation.agent_id;
      }
      log.scrollTop = log.scrollHeight;
    } catch (error) {
      if (this.shown !== shown) return;
      log.replaceChildren();
      this.note(sentence(error));
    } finally {
      if (this.loading === shown) this.loading = null;
    }
    this.showComposer();
  }

  // What is not stored yet of the conversation that is shown again.
  putBack(messages) {
    const stored = new Set(messages.map((message) => message.id));
    for (const entry of this.unfinished()) {
      if (entry.answer.conversationId !== this.conversationId || stored.has(entry.answer.messageId)) continue;
      entry.shown = this.shown;
      find("log").append(...(entry.answer.messageId ? [entry.node] : [entry.question, entry.node]));
      if (entry.answer.messageId) name(find("log"), entry.node, entry.answer.messageId);
    }
  }

  // Something may have been said unheard: the line was away, here or behind the gateway.
  readSoon(wait = READ_AFTER_MS) {
    clearTimeout(this.soon);
    this.soon = setTimeout(() => this.readBack(), wait);
  }

  async readBack() {
    const { conversationId: id, shown } = this;
    if (!id) return;
    if (this.loading) { this.readSoon(); return; }
    try {
      const found = await this.log.newest(id);
      if (this.shown !== shown || this.loading) return;
      const log = find("log");
      const isAtEnd = this.log.isAtEnd();
      const news = this.log.fillIn(found).filter((message) => message.author === "person");
      if (isAtEnd) log.scrollTop = log.scrollHeight;
      if (news.length) say(news.map((message) => message.content).join(" "));
    } catch (error) {
      if (this.shown === shown && ![403, 404].includes(error.status)) this.readSoon(READ_AGAIN_MS);
    }
  }

  // ---- asking --------------------------------------------------------------------------------------------------

  submit() {
    const field = find("question");
    const content = field.value.trim();
    if (!content || this.running()) return;
    field.value = "";
    grow(field);
    this.ask(content);
  }

  ask(content) {
    const answer = new Answer({ clientMessageId: crypto.randomUUID(), content });
    answer.conversationId = this.conversationId;
    answer.agentId = find("agent").value || undefined;
    const question = questionNode(content), node = answerNode();
    this.answers.set(answer.clientMessageId, { answer, question, node, shown: this.shown });
    const log = find("log");
    log.querySelector(".greeting")?.remove();
    log.append(question, node);
    log.scrollTop = log.scrollHeight;
    this.redraw(answer.clientMessageId);
    this.send(answer);
    this.showComposer();
  }

  // The same client_message_id is the same message: sending it again after a break is safe.
  send(answer) {
    this.socket.send({
      type: "message.send", client_message_id: answer.clientMessageId, content: answer.question,
      ...(answer.conversationId ? { conversation_id: answer.conversationId } : { agent_id: answer.agentId }),
    });
  }

  stop() {
    const running = this.running();
    if (running?.answer.messageId) this.socket.send({ type: "message.stop", message_id: running.answer.messageId });
  }

  retry(entry) {
    this.answers.delete(entry.answer.clientMessageId);
    entry.question.remove();
    entry.node.remove();
    this.ask(entry.answer.question);
  }

  unfinished() { return [...this.answers.values()].filter(({ answer }) => !answer.isOver); }

  running() { return this.unfinished().find(({ shown }) => shown === this.shown); }

  // ---- hearing -------------------------------------------------------------------------------------------------

  heard(frame) {
    this.onFrame(frame);
    if (frame.type === "welcome") {
      this.follows.again();
      for (const { answer } of this.unfinished()) if (answer.state === "waiting") this.send(answer);
      this.readSoon();
      return;
    }
    if (frame.type === "document.progress") { this.onDocument(frame); return; }
    if (frame.type === "message.created") { this.written(frame); return; }
    if (frame.type === "conversation.updated") { this.handed(frame); return; }
    if (frame.type === "error") { this.refused(frame); return; }
    const entry = this.entryOf(frame);
    if (!entry || !entry.answer.take(frame)) return;
    if (frame.type === "message.accepted" && entry.shown === this.shown) {
      name(find("log"), entry.question, frame.customer_message_id);
      name(find("log"), entry.node, frame.message_id);
      this.conversationId = frame.conversation_id;
      this.follows.set("chat", frame.conversation_id);
    }
    this.redraw(entry.answer.clientMessageId);
    if (frame.type === "message.accepted") this.showComposer();
    if (entry.answer.isOver) this.ended(entry);
  }

  // What somebody else wrote in the conversation that is shown: a person, or another device.
  written({ conversation_id: id, message }) {
    if (id !== this.conversationId || [...this.answers.values()].some(({ answer }) => answer.messageId === message.id)) return;
    if (find("log").querySelector(`[data-id="${message.id}"]`)) return;
    // An answer's sources do not come with it.
    if (message.author === "machine") { this.readSoon(); return; }
    const node = storedNode({ ...message, sources: [] });
    find("log").append(node);
    node.scrollIntoView({ block: "end" });
    say(message.content);
  }

  handed({ conversation_id: id, status }) {
    if (id !== this.conversationId) return;
    this.hands.show(id, status);
    this.readSoon();
  }

  entryOf(frame) {
    if (frame.client_message_id) return this.answers.get(frame.client_message_id);
    return [...this.answers.values()].find(({ answer }) => answer.messageId === frame.message_id);
  }

  refused(frame) {
    this.follows.refused(frame);
    const entry = this.answers.get(frame.in_reply_to) || this.entryOf({ message_id: frame.in_reply_to });
    if (!entry) return;
    const isRetryable = !["not_found", "forbidden", "invalid_request", "not_supported"].includes(frame.code);
    entry.answer.end("failed", { code: frame.code, detail: frame.detail, isRetryable });
    this.redraw(entry.answer.clientMessageId);
    this.ended(entry);
  }

  ended({ answer }) {
    this.showComposer();
    this.loadRecent();
    say(answer.state === "failed" ? "No answer could be written." : answer.text);
  }

  // ---- showing -------------------------------------------------------------------------------------------------

  redraw(id) {
    if (this.dirty.size === 0) requestAnimationFrame(() => this.drawAll());
    this.dirty.add(id);
  }

  drawAll() {
    const log = find("log");
    const isAtEnd = this.log.isAtEnd();
    for (const id of this.dirty) {
      const entry = this.answers.get(id);
      if (entry) draw(entry.node, entry.answer, { isConnected: this.isConnected, retry: () => this.retry(entry) });
    }
    this.dirty.clear();
    if (isAtEnd) log.scrollTop = log.scrollHeight;
  }

  showConnection(state) {
    this.isConnected = state === "open";
    const place = find("connection");
    place.dataset.state = state;
    place.lastElementChild.textContent = STATES[state];
    for (const { answer } of this.unfinished()) this.redraw(answer.clientMessageId);
  }

  showComposer() {
    const running = this.running();
    find("question").disabled = find("send").disabled = this.agents?.length === 0 && !this.conversationId;
    find("send").hidden = Boolean(running);
    find("stop").hidden = !running;
    find("stop").disabled = !running?.answer.messageId;
  }

  note(text) {
    find("log").append(element("p", { className: "note error", role: "alert", text }));
  }
}

function grow(field) {
  field.style.height = "auto";
  field.style.height = `${Math.min(field.scrollHeight, 200)}px`;
}
