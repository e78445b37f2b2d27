// The page: who is not signed in is welcomed, who is gets the chat and the documents.

import { Chat } from "./chat.js";
import { Documents } from "./documents.js";
import { find, showError } from "./dom.js";
import { Gaps } from "./gaps.js";
import { Inbox } from "./inbox.js";
import { Session } from "./session.js";

const session = new Session();
const documents = new Documents(session);
const gaps = new Gaps(session, { onResolved: () => documents.open() });
const chat = new Chat(session, { onDocument: (frame) => documents.heard(frame), onFrame: heard });
const inbox = new Inbox(session, { follow: (id) => chat.follows.set("inbox", id) });
const LEAST_PASSWORD = 10;
const TABS = ["chat", "inbox", "documents"];
let isRegistering = false;

session.onEnd = leave;

find("sign-in").addEventListener("submit", async (event) => {
  event.preventDefault();
  const fields = Object.fromEntries(new FormData(event.target));
  const button = event.target.querySelector("button");
  button.disabled = true;
  try {
    if (isRegistering) await session.register(fields);
    else await session.signIn(fields.email, fields.password);
    event.target.reset();
    showError("sign-in-error", null);
    enter();
  } catch (error) {
    showError("sign-in-error", error);
  } finally {
    button.disabled = false;
  }
});

find("other-way").addEventListener("click", () => welcome(!isRegistering));

function welcome(toRegister) {
  isRegistering = toRegister;
  const { company_name: company, password } = find("sign-in").elements;
  find("company-field").hidden = !isRegistering;
  company.required = isRegistering;
  password.minLength = isRegistering ? LEAST_PASSWORD : 0;
  find("password-hint").hidden = !isRegistering;
  find("welcome-text").textContent = isRegistering ? "Set up your business." : "Sign in to talk to your agents.";
  find("sign-in").querySelector("button").textContent = isRegistering ? "Register" : "Sign in";
  password.autocomplete = isRegistering ? "new-password" : "current-password";
  find("other-way").textContent = isRegistering ? "Registered already? Sign in" : "New here? Register your business";
  showError("sign-in-error", null);
}

find("sign-out").addEventListener("click", async () => {
  await session.signOut();
  leave();
});

for (const name of TABS) {
  const tab = find(`tab-${name}`);
  tab.addEventListener("click", () => choose(name));
  tab.addEventListener("keydown", (event) => {
    if (!["ArrowLeft", "ArrowRight"].includes(event.key)) return;
    const step = event.key === "ArrowRight" ? 1 : TABS.length - 1;
    const other = TABS[(TABS.indexOf(name) + step) % TABS.length];
    choose(other);
    find(`tab-${other}`).focus();
  });
}

function choose(name) {
  for (const other of TABS) {
    const isChosen = other === name;
    find(other).hidden = !isChosen;
    find(`tab-${other}`).setAttribute("aria-selected", String(isChosen));
    find(`tab-${other}`).tabIndex = isChosen ? 0 : -1;
  }
  if (name === "inbox") inbox.open();
  if (name === "documents") openDocuments();
}

function openDocuments() {
  documents.open();
  gaps.open();
}

// Any frame of the socket. What could not be read while the line was away is read when it is back.
function heard(frame) {
  inbox.heard(frame);
  if (frame.type === "welcome" && !find("documents").hidden) openDocuments();
}

function enter() {
  find("welcome").hidden = true;
  find("house").hidden = false;
  find("business").textContent = session.user.business.name;
  document.title = `${session.user.business.name} · Lumora`;
  choose("chat");
  chat.open();
}

function leave() {
  chat.close();
  documents.close();
  gaps.close();
  inbox.close();
  document.title = "Lumora";
  welcome(false);
  find("house").hidden = true;
  find("welcome").hidden = false;
  find("sign-in").elements.email.focus();
}

async function begin() {
  if (!session.isKept) { leave(); return; }
  try {
    await session.token();
    enter();
  } catch (error) {
    leave();
    if (error.status !== 401) showError("sign-in-error", error);
  }
}

begin();
