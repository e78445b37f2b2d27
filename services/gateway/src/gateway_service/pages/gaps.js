// What customers asked in vain: an answer written here becomes a document.

import { element, find, say, showError } from "./dom.js";

const REASONS = {
  nothing_found: "nothing was found", not_answered: "the documents did not say", unsupported: "the answer was not borne out",
};

// So many are shown above the documents until somebody asks for the rest.
const FIRST = 3;

export class Gaps {
  constructor(session, { onResolved }) {
    this.session = session;
    this.onResolved = onResolved;
    this.isWhole = false;
    find("gaps-more").addEventListener("click", () => this.showAll());
    find("gaps-undo").addEventListener("click", () => this.undo());
  }

  async open() {
    try {
      const { items } = await this.session.ask("GET", "/api/knowledge/gaps?limit=20");
      // What is being written is not thrown away by a fresh look.
      const writing = find("gaps-list").querySelector("textarea:focus") !== null;
      if (!writing) {
        find("gaps-list").replaceChildren(...items.map((gap) => this.row(gap)));
        this.fold();
      }
      find("gaps").hidden = items.length === 0;
      showError("gaps-error", null);
    } catch (error) {
      // That the platform is away is said by the documents.
      showError("gaps-error", error.code === "away" ? null : error);
    }
  }

  close() {
    find("gaps-list").replaceChildren();
    find("gaps").hidden = true;
    this.isWhole = false;
    this.offerUndo(null);
  }

  fold() {
    const rows = [...find("gaps-list").children];
    rows.forEach((row, place) => { row.hidden = !this.isWhole && place >= FIRST; });
    find("gaps-more").hidden = this.isWhole || rows.length <= FIRST;
    find("gaps-more").textContent = `Show all ${rows.length}`;
  }

  showAll() {
    this.isWhole = true;
    this.fold();
    find("gaps-list").children[FIRST].querySelector("button").focus();
  }

  async resolve(gap, answer) {
    try {
      await this.session.ask("POST", `/api/knowledge/gaps/${gap.id}/resolve`, { body: answer ? { answer } : {} });
      say(answer ? "The answer was added to your documents." : "The question was dismissed.");
      this.offerUndo(answer ? null : gap);
      document.activeElement?.blur();
      await this.open();
      if (answer) this.onResolved();
    } catch (error) {
      showError("gaps-error", error);
    }
  }

  // What was dismissed last can be had back.
  offerUndo(gap) {
    this.dismissed = gap;
    find("gaps-dismissed").hidden = !gap;
    find("gaps-dismissed").firstElementChild.textContent = gap ? `“${gap.question}” was dismissed.` : "";
  }

  async undo() {
    try {
      await this.session.ask("POST", `/api/knowledge/gaps/${this.dismissed.id}/reopen`);
      this.offerUndo(null);
      await this.open();
    } catch (error) {
      showError("gaps-error", error);
    }
  }

  row(gap) {
    const field = element("textarea", { rows: 2, maxLength: 20000, placeholder: "The answer, as your agents may quote it", "aria-label": `Answer to: ${gap.question}`, hidden: true });
    const add = () => {
      if (field.value.trim()) return this.resolve(gap, field.value.trim());
      field.hidden = false;
      button.textContent = "Add answer";
      field.focus();
    };
    const button = element("button", { type: "button", className: "plain", text: "Answer", on: { click: add } });
    const asked = `asked ${gap.count === 1 ? "once" : `${gap.count} times`} · ${REASONS[gap.examples[0]?.reason] || ""}`;
    return element("li", { className: "gap" },
      element("div", { className: "file-name" }, element("strong", { text: gap.question }),
        element("small", { className: "quiet", text: asked })),
      field,
      element("div", { className: "file-actions" },
        button,
        element("button", { type: "button", className: "plain", text: "Dismiss", "aria-label": `Dismiss: ${gap.question}`,
          on: { click: () => this.resolve(gap, "") } })));
  }
}
