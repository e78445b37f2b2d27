// The documents: upload with progress, watch them become ready, tag, delete, read again.

import { askWith, confirmWith, element, find, say, showError } from "./dom.js";
import { Uploads } from "./uploads.js";

const LOOK_MS = 2500;
const SETTLED = new Set(["ready", "failed"]);
const WORDS = {
  received: "Waiting", parsing: "Reading", chunking: "Cutting into passages", embedding: "Learning",
  ready: "Ready", failed: "Not usable", deleting: "Being deleted",
};

export class Documents {
  constructor(session) {
    this.session = session;
    this.known = new Map();
    this.uploads = new Uploads(session, { changed: () => this.show(), taken: (...told) => this.taken(...told) });
    this.cursor = null;
    this.tag = null;
    this.isRead = false;
    this.refusal = null;   // why the last thing that a person did was not done: it stays until they do another
    this.listen();
  }

  listen() {
    const input = find("file");
    const drop = find("drop");
    input.addEventListener("change", () => { this.uploads.add([...input.files]); input.value = ""; });
    for (const name of ["dragenter", "dragover"]) {
      drop.addEventListener(name, (event) => { event.preventDefault(); drop.classList.add("over"); });
    }
    for (const name of ["dragleave", "drop"]) drop.addEventListener(name, () => drop.classList.remove("over"));
    drop.addEventListener("drop", (event) => { event.preventDefault(); this.uploads.add([...event.dataTransfer.files]); });
    find("address").addEventListener("submit", (event) => { event.preventDefault(); this.takeAddress(); });
    find("more-files").addEventListener("click", () => this.load(this.cursor));
    find("all-tags").addEventListener("click", () => this.only(null));
  }

  async open() { await this.load(); }

  close() {
    clearTimeout(this.timer);
    this.known.clear();
    this.uploads.clear();
    this.cursor = null;
    this.tag = null;
    this.isRead = false;
    this.refuse(null);
    find("files").replaceChildren();
  }

  // Those with one tag, or all of them.
  async only(tag) {
    this.tag = tag;
    this.known.clear();
    this.cursor = null;
    await this.load();
  }

  async load(cursor = null) {
    try {
      const asked = new URLSearchParams({ limit: 50, ...(cursor && { cursor }), ...(this.tag && { tag: this.tag }) });
      const { tag } = this;
      const page = await this.session.ask("GET", `/api/documents?${asked}`);
      if (tag === this.tag) this.merge(page, cursor);
      this.isRead = true;
      showError("documents-error", this.refusal);
    } catch (error) {
      showError("documents-error", error);
    }
    this.show();
    this.watch();
  }

  // A first page is also what tells that something newer than its last item is gone.
  merge({ items, next_cursor: next }, cursor) {
    const oldest = next ? items.at(-1).created_at : "";
    if (!cursor) {
      for (const known of [...this.known.values()]) if (known.created_at >= oldest) this.known.delete(known.id);
    }
    items.forEach((document) => this.known.set(document.id, document));
    if (cursor || this.cursor === null) this.cursor = next;
  }

  // Documents on their way are looked at until they have settled; the socket's word comes sooner when it comes.
  watch() {
    clearTimeout(this.timer);
    const isMoving = [...this.known.values()].some((document) => !SETTLED.has(document.state));
    if (isMoving && this.session.user) this.timer = setTimeout(() => this.load(), LOOK_MS);
  }

  heard(frame) {
    const document = this.known.get(frame.document_id);
    if (!document) return;
    const { state, progress, error = null, eta_s: eta = null } = frame;
    this.known.set(document.id, { ...document, state, progress, error, eta_s: eta });
    this.show();
    if (SETTLED.has(frame.state)) this.load();
  }

  // ---- doing ---------------------------------------------------------------------------------------------------

  taken(document, file) {
    this.known.set(document.id, document);
    say(`${file.name} was uploaded.`);
    this.show();
    this.watch();
  }

  async takeAddress() {
    const field = find("address-url");
    this.refuse(null);
    try {
      const body = { url: field.value, depth: Number(find("address-depth").value) };
      const document = await this.session.ask("POST", "/api/documents", { body });
      field.value = "";
      this.known.set(document.id, document);
      say(`${document.title} will be read.`);
    } catch (error) {
      this.refuse(error);
    }
    this.show();
    this.watch();
  }

  async remove(document) {
    const ledTo = document.url ? await this.ledTo(document) : 0;
    if (ledTo === null) return;
    const pages = ledTo === 1 ? "the page" : `the ${ledTo} pages`;
    const [text, names] = ledTo
      ? [`Your agents will not answer from it any more. ${ledTo === 1 ? "One page" : `${ledTo} pages`} came in by this address.`,
        { yes: "Delete this page only", all: `Delete it with ${pages} it led to` }]
      : ["Your agents will not answer from it any more.", {}];
    const answer = await confirmWith(`Delete ${document.title}?`, text, names);
    if (!answer) return;
    const isDone = await this.change("DELETE", `/api/documents/${document.id}${answer === "all" ? "?pages=true" : ""}`);
    if (isDone) say(answer === "all" ? `${document.title} was deleted with ${pages} it led to.` : `${document.title} was deleted.`);
  }

  // How many pages came in by its address; null when that cannot be told.
  async ledTo({ id }) {
    try {
      return (await this.session.ask("GET", `/api/documents/${id}`)).led_to || 0;
    } catch (error) {
      this.refuse(error);
      return null;
    }
  }

  async changeTags(document) {
    const given = await askWith(`Tags of ${document.title}`, (document.tags || []).join(", "));
    if (given === null) return;
    const tags = given.split(",").map((tag) => tag.trim()).filter(Boolean);
    await this.change("PATCH", `/api/documents/${document.id}`, { tags });
  }

  async readAgain(document) {
    await this.change("POST", `/api/documents/${document.id}/reprocess`);
  }

  // Tells whether it was done.
  async change(method, path, body) {
    this.refuse(null);
    try {
      await this.session.ask(method, path, { body });
      await this.load();
      return true;
    } catch (error) {
      this.refuse(error);
      return false;
    }
  }

  refuse(error) {
    this.refusal = error;
    showError("documents-error", error);
  }

  // ---- showing -------------------------------------------------------------------------------------------------

  show() {
    const newest = [...this.known.values()].sort((a, b) => (a.created_at < b.created_at ? 1 : -1));
    find("files").replaceChildren(
      ...[...this.uploads.files].map(([key, sending]) => this.uploadRow(key, sending)),
      ...newest.map((document) => this.row(document)),
    );
    find("no-files").hidden = !this.isRead || this.known.size + this.uploads.files.size > 0;
    find("more-files").hidden = !this.cursor;
    find("tag-shown").hidden = !this.tag;
    find("tag-name").textContent = this.tag || "";
  }

  uploadRow(key, { file, state, progress, error }) {
    const button = (text, act) => element("button", {
      type: "button", className: "plain", text, "aria-label": `${text}: ${file.name}`, on: { click: act },
    });
    const word = { waiting: "Waiting to be sent", sending: "Uploading", refused: "Not taken" }[state];
    return element("li", { className: "file" },
      element("div", { className: "file-name" }, element("strong", { text: file.name }),
        element("small", { className: "quiet", text: size(file.size) })),
      element("span", { className: error ? "badge bad" : "badge moving", text: word }),
      error ? element("div", { className: "file-actions" },
        isLasting(error) ? null : button("Try again", () => this.uploads.again(key)), button("Dismiss", () => this.uploads.dismiss(key)))
        : bar(progress, `Uploading ${file.name}`),
      error ? element("small", { className: "error file-error", text: error.detail }) : null);
  }

  row(document) {
    const isSettled = SETTLED.has(document.state);
    const kind = document.state === "ready" ? "good" : document.state === "failed" ? "bad" : "moving";
    const facts = document.url ? [document.url] : [size(document.size_bytes)];
    const isArchive = document.media_type === "application/zip" && document.state === "ready";
    if (isArchive) facts.push(`${document.pages} ${document.pages === 1 ? "file, now a document" : "files, each a document now"}`);
    else if (document.pages > 1) facts.push(`${document.pages} pages`);
    if (document.state === "ready" && !isArchive) facts.push(`${document.passages} ${document.passages === 1 ? "passage" : "passages"}`);
    return element("li", { className: "file" },
      element("div", { className: "file-name" }, element("strong", { text: document.title }),
        element("small", { className: "quiet", text: facts.join(" · ") }),
        document.tags?.length ? this.tags(document) : null,
        document.notes?.length ? this.notes(document) : null),
      element("span", { className: `badge ${kind}`, text: WORDS[document.state] }),
      isSettled ? this.actions(document) : document.state === "deleting" ? null : this.way(document),
      document.error ? element("small", { className: "error file-error", text: trouble(document) }) : null);
  }

  // How far it is, and how long it will take where that is known.
  way({ state, title, progress, eta_s: eta }) {
    return element("div", { className: "file-way" }, bar(progress, `${WORDS[state]}: ${title}`),
      eta ? element("small", { className: "quiet", text: left(eta) }) : null);
  }

  tags({ tags }) {
    const chips = tags.map((tag) => element("button", {
      type: "button", className: "tag", text: tag, "aria-label": `Only documents tagged ${tag}`, on: { click: () => this.only(tag) },
    }));
    return element("div", { className: "tags" }, ...chips);
  }

  notes({ notes }) {
    const told = notes.map(({ page, reason }) => element("li", { text: page ? `Page ${page}: ${reason}` : reason }));
    return element("details", { className: "quiet" },
      element("summary", { text: notes.length === 1 ? "1 note on the reading" : `${notes.length} notes on the reading` }),
      element("ul", {}, ...told));
  }

  actions(document) {
    const button = (text, label, act) => element("button", {
      type: "button", className: "plain", text, "aria-label": `${label} ${document.title}`, on: { click: act },
    });
    return element("div", { className: "file-actions" },
      document.error ? button("Read again", "Read again", () => this.readAgain(document)) : null,
      document.state === "ready" ? button("Tags", "Tags of", () => this.changeTags(document)) : null,
      button("Delete", "Delete", () => this.remove(document)));
  }
}

// The same file would be refused again.
function isLasting({ status }) { return status >= 400 && status < 500; }

// A document that is ready in spite of an error is found as it was before its last reading.
function trouble({ state, error }) {
  return state === "ready" ? `The newest reading failed, the one before is used. ${error.detail}` : error.detail;
}

function bar(value, label) {
  return element("progress", { max: 1, value, "aria-label": label });
}

function left(seconds) {
  if (seconds < 45) return "less than a minute left";
  if (seconds < 90 * 60) return `about ${Math.round(seconds / 60)} min left`;
  return `about ${Math.round(seconds / 3600)} h left`;
}

function size(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 * 1024) return `${Math.round(bytes / 1024)} KB`;
  return `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}
