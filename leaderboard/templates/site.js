// Sort a table by a click on its header. Without this script the tables stand as they are.
"use strict";
function sortTable(table, column, direction) {
  const value = (row) => {
    const cell = row.cells[column];
    const given = cell.dataset.v;
    if (given === undefined) return cell.firstChild ? cell.textContent.trim() : null;
    return given === "" ? null : Number(given);
  };
  const order = (a, b) => (typeof a === "number" ? a - b : a.localeCompare(b));
  const sign = direction === "ascending" ? 1 : -1;
  const heads = table.tHead.rows[0].cells;
  for (const other of heads) other.removeAttribute("aria-sort");
  heads[column].setAttribute("aria-sort", direction);
  const rows = [...table.tBodies[0].rows].map((row) => [value(row), row]);
  // What has no number stays at the end, whatever the direction.
  rows.sort(([a], [b]) => (a === null || b === null ? (a === null) - (b === null) : sign * order(a, b)));
  table.tBodies[0].append(...rows.map(([, row]) => row));
}
for (const table of document.querySelectorAll("table.sortable")) {
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    if ("nosort" in head.dataset) return;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const before = head.getAttribute("aria-sort");
      const first = head.classList.contains("num") && !("ascends" in head.dataset) ? "descending" : "ascending";
      const next = before === null ? first : before === "ascending" ? "descending" : "ascending";
      sortTable(table, column, next);
      table.dispatchEvent(new CustomEvent("sorted", { detail: { key: head.dataset.key, direction: next } }));
    });
  });
}
