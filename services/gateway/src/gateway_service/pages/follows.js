// Which conversations this page follows on its socket: each part of the page one, and none is left while another part needs it.

const AGAIN_MS = 5000;
const FOR_GOOD = ["not_found", "forbidden", "invalid_request"];

export class Follows {
  constructor(send) {
    this.send = send;
    this.shown = new Map();   // by part: conversation id
  }

  set(part, id) {
    const before = this.shown.get(part);
    if (before === id) return;
    const isNew = Boolean(id) && !this.ids().includes(id);
    if (id) this.shown.set(part, id);
    else this.shown.delete(part);
    if (before && !this.ids().includes(before)) this.send({ type: "conversation.unsubscribe", conversation_id: before });
    if (isNew) this.subscribe(id);
  }

  // A new socket knows of nothing.
  again() { new Set(this.ids()).forEach((id) => this.subscribe(id)); }

  // What could not be followed now is asked for again, as long as it is wanted.
  refused({ in_reply_to: id, code }) {
    if (!FOR_GOOD.includes(code) && this.ids().includes(id)) setTimeout(() => { if (this.ids().includes(id)) this.subscribe(id); }, AGAIN_MS);
  }

  ids() { return [...this.shown.values()]; }

  subscribe(id) { this.send({ type: "conversation.subscribe", conversation_id: id }); }
}
