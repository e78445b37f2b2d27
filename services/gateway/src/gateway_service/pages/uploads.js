// Files on their way: two at a time, again when the platform asks for patience, and by hand after anything else.

import { upload } from "./api.js";

const AT_ONCE = 2;
const BUSY = new Set([429, 503]);
const LEAST_PAUSE_S = 2;

export class Uploads {
  // `changed` is called whenever there is something else to show, `taken` with each file's document.
  constructor(session, { changed, taken }) {
    this.session = session;
    this.changed = changed;
    this.taken = taken;
    this.files = new Map();
    this.sending = 0;
  }

  // `replaces`: the document whose new version it is.
  add(files, replaces = null) {
    for (const file of files) {
      const abort = new AbortController();
      this.files.set(crypto.randomUUID(), { file, replaces, state: "waiting", progress: 0, error: null, abort });
    }
    this.next();
  }

  again(key) {
    Object.assign(this.files.get(key), { state: "waiting", progress: 0, error: null });
    this.next();
  }

  dismiss(key) {
    this.files.delete(key);
    this.changed();
  }

  clear() {
    clearTimeout(this.timer);
    this.timer = null;
    const given = [...this.files.values()];
    this.files.clear();
    for (const { abort } of given) abort.abort();
  }

  next() {
    for (const [key, upload] of this.files) {
      if (this.sending >= AT_ONCE || this.timer) break;
      if (upload.state === "waiting") this.send(key, upload);
    }
    this.changed();
  }

  // Each try has the same key, so that a file whose answer was lost is not taken twice.
  async send(key, sent) {
    this.sending += 1;
    sent.state = "sending";
    try {
      const token = await this.session.token();
      if (!this.files.has(key)) return;
      const onProgress = (progress) => { sent.progress = progress; this.changed(); };
      const { file, replaces, abort } = sent;
      const document = await upload(file, { token, key, replaces, signal: abort.signal, onProgress });
      if (this.files.delete(key)) this.taken(document, sent.file);
    } catch (error) {
      if (!this.files.has(key)) return;
      if (BUSY.has(error.status)) this.rest(sent, error);
      else Object.assign(sent, { state: "refused", error });
    } finally {
      this.sending -= 1;
      this.next();
    }
  }

  // Nothing is sent for as long as the platform asks for.
  rest(sent, error) {
    Object.assign(sent, { state: "waiting", progress: 0 });
    if (this.timer) return;
    this.timer = setTimeout(() => { this.timer = null; this.next(); }, Math.max(error.retryAfter, LEAST_PAUSE_S) * 1000);
  }
}
