// Asking before something is done, and saying what came of it.

import { h, render } from "./dom.js";

export function toast(text, kind = "good") {
  const place = document.getElementById("toasts");
  const note = document.createElement("p");
  note.className = `toast ${kind}`;
  note.textContent = text;
  place.append(note);
  setTimeout(() => note.remove(), kind === "bad" ? 12000 : 5000);
}

// Asks for a confirmation; `run` gets what was entered in the fields, and its refusal is shown without closing.
export function confirm({ title, text, fields = [], verb, danger = false, run }) {
  const dialog = document.createElement("dialog");
  const values = Object.fromEntries(fields.map((field) => [field.name, field.value ?? ""]));
  let problem = null, busy = false;
  const show = () =>
    render(
      dialog,
      h("form", { method: "dialog", onsubmit: submit },
        h("h2", { id: "dialog-title" }, title),
        h("p", { class: "muted" }, text),
        fields.map((field) =>
          h("label", { class: "field" }, field.label,
            h("input", { value: values[field.name], name: field.name, placeholder: field.placeholder, required: field.required, autocomplete: "off",
              oninput: (event) => (values[field.name] = event.target.value) }))),
        problem && h("p", { class: "problem", role: "alert" }, problem),
        h("div", { class: "dialog-buttons" },
          h("button", { type: "button", class: "button", onclick: () => dialog.close() }, "Cancel"),
          h("button", { type: "submit", class: danger ? "button danger" : "button primary", disabled: busy }, busy ? "Working…" : verb))));
  async function submit(event) {
    event.preventDefault();
    busy = true;
    problem = null;
    show();
    try {
      toast(await run(values));
      dialog.close();
    } catch (error) {
      problem = [error.message, error.hint].filter(Boolean).join(" — ");
      busy = false;
      show();
    }
  }
  dialog.setAttribute("aria-labelledby", "dialog-title");
  dialog.addEventListener("close", () => dialog.remove());
  show();
  document.body.append(dialog);
  dialog.showModal();
}
