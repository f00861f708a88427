import { describe } from "./words.js";

/* Pushes as they arrive. A burst (what was missed while away) becomes one toast, so that nobody has to watch a parade. */

const showMs = 7_000;
const leaveMs = 300;
const gatherMs = 150;
const atOnce = 3;

const region = () => document.getElementById("toasts");

export function openToasts(context) {
  let burst = [];

  function flush() {
    const notes = burst;
    burst = [];
    if (notes.length <= atOnce) for (const note of notes) show({ ...describe(note, context()), type: note.type });
    else show({ icon: "bell", tone: "plain", title: `${notes.length} new notifications`, detail: "", type: "many" });
  }

  return {
    push(note) {
      if (burst.push(note) === 1) setTimeout(flush, gatherMs);
    },
  };
}

function show({ icon, tone, title, detail, type }) {
  while (region().childElementCount >= atOnce) region().firstElementChild.remove();
  const toast = document.createElement("div");
  toast.className = "toast";
  toast.dataset.tone = tone;
  toast.dataset.type = type;
  const text = document.createElement("div");
  text.className = "note-text";
  text.append(paragraph("note-title", title), paragraph("note-detail", detail));
  const close = document.createElement("button");
  close.type = "button";
  close.className = "toast-close";
  close.setAttribute("aria-label", "Dismiss");
  close.append(drawIcon("close"));
  const holder = document.createElement("span");
  holder.className = "note-icon";
  holder.setAttribute("aria-hidden", "true");
  holder.append(drawIcon(icon));
  toast.append(holder, text, close);
  region().append(toast);
  leaveLater(toast, close);
}

/** Goes after a while, but not while somebody reads it with the pointer or the focus on it. */
function leaveLater(toast, close) {
  let timer;
  const leave = () => {
    toast.classList.add("leaving");
    setTimeout(() => toast.remove(), leaveMs);
  };
  const start = () => {
    clearTimeout(timer);
    timer = setTimeout(leave, showMs);
  };
  const hold = () => clearTimeout(timer);
  toast.addEventListener("pointerenter", hold);
  toast.addEventListener("pointerleave", start);
  toast.addEventListener("focusin", hold);
  toast.addEventListener("focusout", start);
  close.addEventListener("click", () => {
    hold();
    leave();
  });
  start();
}

function paragraph(className, text) {
  const element = document.createElement("p");
  element.className = className;
  element.textContent = text;
  return element;
}

function drawIcon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#i-${name}`);
  svg.setAttribute("aria-hidden", "true");
  svg.append(use);
  return svg;
}
