import { date, relative, upTo } from "./format.js";
import { describe } from "./words.js";

/* The list of notifications, newest first, with unread marks. Rows are kept by cursor; a row is drawn once. */

const $ = (id) => document.getElementById(id);

/** Called once. `context()` gives {now, metric, currency} for the words; `onReadAll(cursor)` is called with the newest cursor. */
export function openInbox({ context, onReadAll, onOlder }) {
  const rows = new Map();
  const ids = new Set();
  let older = null;

  function add(note, { fresh }) {
    if (ids.has(note.id)) return false;
    ids.add(note.id);
    const element = draw(note, context());
    element.classList.toggle("fresh", fresh);
    const row = { note, element, read: note.read === true };
    element.classList.toggle("unread", !row.read);
    // Live notes come in rising order and go first; a page of older ones goes last.
    const before = [...rows.values()].find((other) => upTo(other.note.cursor, note.cursor));
    $("notes").insertBefore(element, before?.element ?? null);
    rows.set(note.id, row);
    if (before !== undefined) resort();
    return true;
  }

  function resort() {
    const sorted = [...rows].toSorted(([, a], [, b]) => (upTo(a.note.cursor, b.note.cursor) ? 1 : -1));
    rows.clear();
    for (const [id, row] of sorted) rows.set(id, row);
  }

  function readUpTo(cursor) {
    for (const row of rows.values()) {
      if (row.read || !upTo(row.note.cursor, cursor)) continue;
      row.read = true;
      row.element.classList.remove("unread");
    }
    refresh();
  }

  function refresh() {
    const unread = [...rows.values()].filter((row) => !row.read).length;
    $("unread").hidden = unread === 0;
    $("unread").textContent = unread === 0 ? "" : `${unread} new`;
    $("read-all").disabled = unread === 0;
    $("notes-none").hidden = rows.size > 0;
    $("older").hidden = older === null;
    document.title = unread === 0 ? "Perkstream" : `(${unread}) Perkstream`;
  }

  /** Drawn rows keep their words but for the times. */
  function tick() {
    const { now } = context();
    for (const { note, element } of rows.values()) {
      element.querySelector("time").textContent = relative(Date.parse(note.at), now);
    }
  }

  async function showOlder() {
    $("older").disabled = true;
    await onOlder(older);
    $("older").disabled = false;
  }

  $("read-all").addEventListener("click", () => {
    const newest = rows.values().next().value;
    if (newest === undefined) return;
    readUpTo(newest.note.cursor);
    onReadAll(newest.note.cursor);
  });
  $("older").addEventListener("click", () => void showOlder());
  $("notes").replaceChildren();
  refresh();

  return {
    /** A page of the merchant API. */
    addPage(page) {
      for (const note of page.data) add(note, { fresh: false });
      older = page.nextCursor;
      refresh();
    },
    /** A push; false when it was there already. */
    addLive(note) {
      const isNew = add(note, { fresh: true });
      refresh();
      return isNew;
    },
    readUpTo,
    tick,
  };
}

function draw(note, context) {
  const words = describe(note, context);
  const element = $("note-template").content.firstElementChild.cloneNode(true);
  element.dataset.tone = words.tone;
  element.dataset.type = note.type;
  element.dataset.id = note.id;
  element.dataset.cursor = note.cursor;
  element.querySelector("use").setAttribute("href", `#i-${words.icon}`);
  element.querySelector(".note-title").textContent = words.title;
  element.querySelector(".note-detail").textContent = words.detail;
  const time = element.querySelector("time");
  const at = Date.parse(note.at);
  time.dateTime = note.at;
  time.title = `${date(at, context.now)}, ${new Date(at).toLocaleTimeString()}`;
  time.textContent = relative(at, context.now);
  return element;
}
