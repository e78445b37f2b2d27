// Building and finding elements. Text is set as text, never as markup: whatever a model says stays words.

export const find = (id) => document.getElementById(id);

export function element(name, options = {}, ...children) {
  const made = document.createElement(name);
  const { text, on = {}, ...rest } = options;
  if (text !== undefined) made.textContent = text;
  for (const [key, value] of Object.entries(rest)) {
    if (value === undefined || value === null || value === false) continue;
    if (key in made && key !== "role") made[key] = value;
    else made.setAttribute(key, value === true ? "" : value);
  }
  for (const [event, react] of Object.entries(on)) made.addEventListener(event, react);
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

export function say(text) {
  // Screen readers hear a change; the same words twice need a pause between them.
  const announcer = find("announcer");
  announcer.textContent = "";
  setTimeout(() => { announcer.textContent = text; }, 50);
}

export function showError(id, error) {
  const place = find(id);
  place.textContent = error ? sentence(error) : "";
  place.hidden = !error;
}

export function sentence(error) {
  const words = String(error.detail || error.message || error);
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export function confirmWith(title, text, { yes = "Delete", all = null } = {}) {
  const dialog = find("confirm");
  find("confirm-title").textContent = title;
  find("confirm-text").textContent = text;
  find("confirm-yes").textContent = yes;
  find("confirm-all").textContent = all || "";
  find("confirm-all").hidden = !all;
  return new Promise((resolve) => {
    const done = (answer) => () => { dialog.close(); resolve(answer); };
    find("confirm-yes").onclick = done(true);
    find("confirm-all").onclick = done("all");
    find("confirm-no").onclick = done(false);
    dialog.oncancel = () => resolve(false);
    dialog.showModal();
  });
}

// One line of text; null when nothing is to be changed.
export function askWith(title, value) {
  const dialog = find("ask");
  const field = find("ask-value");
  find("ask-title").textContent = title;
  field.value = value;
  return new Promise((resolve) => {
    const done = (answer) => { dialog.close(); resolve(answer); };
    find("ask-form").onsubmit = (event) => { event.preventDefault(); done(field.value); };
    find("ask-no").onclick = () => done(null);
    dialog.oncancel = () => resolve(null);
    dialog.showModal();
  });
}
