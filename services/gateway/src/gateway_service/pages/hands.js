// Who answers the conversation that the chat shows, and the customer's way to a person.

import { find } from "./dom.js";

const MACHINE = "You are talking to an AI. Enter sends, Shift+Enter makes a new line.";
const PEOPLE = {
  waiting_for_person: "A person will answer here. What you write is kept for them.",
  with_person: "You are talking to a person.",
};

export class Hands {
  constructor(session, { onError }) {
    this.session = session;
    this.onError = onError;
    this.id = null;
    find("ask-person").addEventListener("click", () => this.ask());
  }

  // An id of null is a conversation that has not begun: nobody can be asked for in it yet.
  show(id, status) {
    this.id = id;
    find("composer-hint").textContent = PEOPLE[status] ?? MACHINE;
    find("ask-person").hidden = !id || status in PEOPLE;
  }

  async ask() {
    const { id } = this, button = find("ask-person");
    button.disabled = true;
    try {
      const found = await this.session.ask("POST", `/api/conversations/${id}/escalate`, { body: { reason: "customer_asked" } });
      if (this.id === id) this.show(id, found.status);
    } catch (error) {
      if (this.id === id) this.onError(error);
    } finally {
      button.disabled = false;
    }
  }
}
