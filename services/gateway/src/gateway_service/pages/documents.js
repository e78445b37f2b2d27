// The documents: upload with progress, watch them become ready, tag, replace, delete, read again; what came of which.

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
    this.within = null;    // `tag`, or the `origin` of which they came
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
    find("all-documents").addEventListener("click", () => this.narrow(null));
    find("version").addEventListener("change", (event) => {
      this.uploads.add([...event.target.files], this.replaced);
      event.target.value = "";
    });
  }

  async open() { await this.load(); }

  close() {
    clearTimeout(this.timer);
    this.known.clear();
    this.uploads.clear();
    this.cursor = null;
    this.within = null;
    this.isRead = false;
    this.refuse(null);
    find("files").replaceChildren();
  }

  // Those with one tag, what came of one document, or all of them.
  async narrow(within) {
    this.within = within;
    this.known.clear();
    this.cursor = null;
    await this.load();
  }

  async load(cursor = null) {
    try {
      const { within } = this;
      const narrowing = within && (within.tag ? { tag: within.tag } : { came_of: within.origin.id });
      const asked = new URLSearchParams({ limit: 50, ...(cursor && { cursor }), ...narrowing });
      const origin = within?.origin && this.session.ask("GET", `/api/documents/${within.origin.id}`).catch(() => within.origin);
      const page = await this.session.ask("GET", `/api/documents?${asked}`);
      if (within === this.within) {
        if (origin) within.origin = await origin;
        this.merge(page, cursor);
      }
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
    this.timer = null;
    if (!this.session.user || !this.isMoving()) return;
    // an origin is a question of its own, and they count against the rate limit
    const pause = this.within?.origin ? 2 * LOOK_MS : LOOK_MS;
    this.timer = setTimeout(() => { this.timer = null; this.load(); }, pause);
  }

  isMoving() {
    const origin = this.within?.origin;
    return [origin, ...this.known.values()].some((document) => document?.state && !SETTLED.has(document.state))
      || Boolean(origin && atRest(origin) < origin.led_to);
  }

  heard(frame) {
    const document = this.known.get(frame.document_id);
    if (!document) return;
    const { state, progress, error = null, eta_s: eta = null } = frame;
    this.known.set(document.id, { ...document, state, progress, error, eta_s: eta });
    this.show();
    // of many that settle one after the other the last is worth a question, the others have their turn
    if (SETTLED.has(frame.state) && !this.isMoving()) this.load();
    else if (!this.timer) this.watch();
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
    const ledTo = await this.ledTo(document);
    if (ledTo === null) return;
    const [it, all] = ledTo === 1 ? ["One document", "the one document"] : [`${ledTo} documents`, `the ${ledTo} documents`];
    const [text, names] = ledTo
      ? [`${it} came of it. Your agents will not answer any more from what you delete.`,
        { yes: "Delete it alone", all: `Delete it with ${all} that came of it` }]
      : ["Your agents will not answer from it any more.", {}];
    const answer = await confirmWith(`Delete ${document.title}?`, text, names);
    if (!answer) return;
    const isDone = await this.change("DELETE", `/api/documents/${document.id}${answer === "all" ? "?led_to=true" : ""}`);
    if (isDone) say(answer === "all" ? `${document.title} was deleted with ${all} that came of it.` : `${document.title} was deleted.`);
  }

  // The file is chosen after this; a choice that is given up leaves no trace.
  replace(document) {
    this.replaced = document;
    find("version").click();
  }

  // How many documents came of it; null when that cannot be told.
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
    this.origins = new Set([...this.known.values()].map(({ came_of: origin }) => origin));
    const newest = [...this.known.values()].sort((a, b) => (a.created_at < b.created_at ? 1 : -1));
    find("files").replaceChildren(
      ...[...this.uploads.files].map(([key, sending]) => this.uploadRow(key, sending)),
      ...newest.map((document) => this.row(document)),
    );
    find("no-files").hidden = !this.isRead || Boolean(this.within) || this.known.size + this.uploads.files.size > 0;
    find("more-files").hidden = !this.cursor;
    this.showNarrowed();
  }

  showNarrowed() {
    const { tag, origin } = this.within || {};
    find("narrowed").hidden = !this.within;
    find("narrowed-by").textContent = tag ? "Only those tagged" : "What came of";
    find("narrowed-to").textContent = tag || origin?.title || "";
    const failed = origin?.led_to_failed ? `, ${origin.led_to_failed} not usable` : "";
    const ready = origin?.led_to ? `: ${origin.led_to_ready} of ${origin.led_to} ready${failed}` : "";
    find("narrowed-state").textContent = origin?.led_to === 0 ? ": nothing that is still there" : ready;
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
    const facts = document.url ? [document.url] : [...(document.path ? [document.path] : []), size(document.size_bytes)];
    if (isArchive(document)) facts.push(`${document.pages} ${document.pages === 1 ? "file, now a document" : "files, each a document now"}`);
    else if (document.pages > 1) facts.push(`${document.pages} pages`);
    if (document.state === "ready" && !isArchive(document)) facts.push(`${document.passages} ${document.passages === 1 ? "passage" : "passages"}`);
    return element("li", { className: "file" },
      element("div", { className: "file-name" }, element("strong", { text: document.title }),
        element("small", { className: "quiet", text: facts.join(" · ") }),
        document.tags?.length || this.isElsewhere(document) ? this.chips(document) : null,
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

  chips(document) {
    const chip = (text, label, within) => element("button", {
      type: "button", className: "tag", text, "aria-label": label, on: { click: () => this.narrow(within) },
    });
    const chips = (document.tags || []).map((tag) => chip(tag, `Only documents tagged ${tag}`, { tag }));
    if (this.isElsewhere(document)) {
      const origin = this.known.get(document.came_of) || { id: document.came_of, title: document.path ? "its archive" : "its site" };
      chips.push(chip(`from ${origin.title}`, `All that came of ${origin.title}`, { origin }));
    }
    return element("div", { className: "tags" }, ...chips);
  }

  // It came of a document that is not the one shown already.
  isElsewhere({ came_of: origin }) {
    return origin && origin !== this.within?.origin?.id;
  }

  hasLedTo(document) {
    return isArchive(document) || this.origins.has(document.id);
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
      this.hasLedTo(document)
        ? button(document.url ? "Pages" : "Files", "What came of", () => this.narrow({ origin: document })) : null,
      document.state === "ready" ? button("Tags", "Tags of", () => this.changeTags(document)) : null,
      document.url ? null : button("New version", "New version of", () => this.replace(document)),
      button("Delete", "Delete", () => this.remove(document)));
  }
}

// The same file would be refused again.
function isLasting({ status }) { return status >= 400 && status < 500; }

// A document that is ready in spite of an error is found as it was before its last reading.
function trouble({ state, error }) {
  const of = error.filename ? ` of ${error.filename}` : "";
  return state === "ready" ? `The newest reading${of} failed, the one before is used. ${error.detail}` : error.detail;
}

function isArchive({ media_type: kind, state }) {
  return kind === "application/zip" && state === "ready";
}

function atRest({ led_to_ready: ready, led_to_failed: failed }) {
  return ready + failed;
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
