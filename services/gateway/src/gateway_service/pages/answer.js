// One answer as it arrives: tokens in order, once; a higher attempt starts over, an older one is not heard any more.

export class Answer {
  constructor({ clientMessageId, content }) {
    this.clientMessageId = clientMessageId;
    this.question = content;
    this.conversationId = null;
    this.messageId = null;
    this.attempt = null;
    this.seq = -1;
    this.text = "";
    this.sources = [];
    this.model = "";
    this.state = "waiting";   // waiting, accepted, streaming, completed, blocked, failed
    this.finishReason = null;
    this.endedAt = null;
    this.code = null;
    this.isRetryable = false;
  }

  get isOver() { return ["completed", "blocked", "failed"].includes(this.state); }

  // What the platform is to send again after a break; null when nothing was accepted yet.
  get resumePoint() {
    if (!this.messageId || this.isOver) return null;
    return { conversation_id: this.conversationId, message_id: this.messageId, attempt: this.attempt, after_seq: this.seq };
  }

  // Take a frame; true when something changed.
  take(frame) {
    switch (frame.type) {
      case "message.accepted": return this.accepted(frame);
      case "message.started": return this.started(frame);
      case "token": return this.token(frame);
      case "message.completed": return this.completed(frame);
      case "message.blocked": return this.end("blocked", { text: frame.text, finishReason: "blocked" });
      case "message.failed": return this.end("failed", { code: frame.code, isRetryable: frame.retryable });
      default: return false;
    }
  }

  accepted(frame) {
    this.conversationId = frame.conversation_id;
    this.messageId = frame.message_id;
    if (this.state === "waiting") this.state = "accepted";
    return true;
  }

  started(frame) {
    if (this.isOver || (this.attempt !== null && frame.attempt <= this.attempt)) return false;
    Object.assign(this, { attempt: frame.attempt, seq: -1, text: "", sources: frame.sources, model: frame.model });
    this.state = "streaming";
    return true;
  }

  token(frame) {
    if (this.isOver || frame.attempt !== this.attempt) return false;
    if ((frame.from_seq ?? frame.seq) !== this.seq + 1) return false;
    this.seq = frame.seq;
    this.text += frame.text;
    return true;
  }

  completed(frame) {
    this.conversationId = frame.conversation_id;
    return this.end("completed", { text: frame.content, sources: frame.sources, finishReason: frame.finish_reason });
  }

  end(state, facts) {
    if (this.isOver) return false;
    Object.assign(this, facts, { state, endedAt: new Date() });
    return true;
  }
}
