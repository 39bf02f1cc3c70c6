// All of it is an improvement only: without it the form searches and the headings sort, by asking the server.
(() => {
  const table = document.querySelector("table.fleet");
  const form = document.querySelector("form.search");
  if (!table || !form) return;
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const search = form.elements.q;
  const shown = document.querySelector(".shown");
  const whole = table.dataset.whole === "true";
  const before = shown.textContent;
  const filter = () => {
    const text = search.value.trim().toLowerCase();
    let count = 0;
    for (const row of rows) {
      row.hidden = !row.dataset.text.includes(text);
      if (!row.hidden) count += 1;
    }
    shown.textContent = text === search.defaultValue.toLowerCase() ? before : count + " of " + rows.length + " on this page" + (whole ? "" : ", Find looks at all");
  };
  search.addEventListener("input", filter);
  if (!whole) return;
  form.addEventListener("submit", (event) => event.preventDefault());
  const key = (row, column) => row.cells[column].dataset.key;
  for (const link of table.tHead.querySelectorAll("a")) {
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      const head = link.closest("th");
      const down = head.getAttribute("aria-sort") === "ascending";
      for (const other of table.tHead.querySelectorAll("th[aria-sort]")) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const column = head.cellIndex;
      rows.sort((a, b) => (key(a, column) < key(b, column) ? -1 : key(a, column) > key(b, column) ? 1 : 0));
      if (down) rows.reverse();
      body.append(...rows);
    });
  }
})();
