// Why an answer was given, sentence by sentence.

import { element, sentence } from "./dom.js";

const REASONS = {
  quoted: "quoted from a document", alike: "borne out by a document", number: "a number or date differs", denial: "one side denies it",
  name: "a name, code or address differs", language: "the document is in another language: only numbers and names were compared",
  unlike: "the documents say something else", no_passage: "no document to hold it against",
};
const ACTIONS = { hedged: "shown with a caveat", removed: "not shown", handed_over: "not shown: passed on to a person" };

// A fold that asks for the trace when it is opened.
export function traceNode(ask) {
  const place = element("ul", { className: "trace" });
  const fold = element("details", {}, element("summary", { text: "Why this answer?" }), place);
  fold.addEventListener("toggle", async () => {
    if (!fold.open || place.childElementCount) return;
    try {
      place.replaceChildren(...lines(await ask()));
    } catch (error) {
      place.replaceChildren(element("li", { className: "error", text: error.status === 404 ? "It was not kept." : sentence(error) }));
    }
  });
  return fold;
}

function lines(trace) {
  const claims = trace.sentences.filter((one) => one.verdict !== "no_claim");
  const found = claims.length ? claims.map(line) : [element("li", { className: "quiet", text: "It claims nothing that a document must bear out." })];
  return [...found, element("li", { className: "quiet", text: `Searched for “${trace.query}”: ${trace.hits.length} passages found.` })];
}

function line(one) {
  const said = one.text || "A sentence whose words were not kept";
  const why = [REASONS[one.reason], ACTIONS[one.action]].filter(Boolean).join(" · ");
  return element("li", { className: one.verdict },
    element("span", { text: said }), element("small", { className: "quiet", text: why }),
    one.quote ? element("q", { className: "quiet", text: one.quote }) : null);
}
