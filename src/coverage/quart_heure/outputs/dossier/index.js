// Makes the headings of the table buttons that sort it. Without this script the table reads as it is.
"use strict";
{
  const table = document.getElementById("compare");
  const body = table.tBodies[0];
  const headings = [...table.tHead.rows[0].cells];
  const value = (row, column) => Number(row.cells[column].dataset.value);

  const sort = (column) => {
    const heading = headings[column];
    const now = heading.getAttribute("aria-sort");
    // Figures are read from the largest, names from the first.
    const first = column === 0 ? "ascending" : "descending";
    const other = first === "ascending" ? "descending" : "ascending";
    const order = now === first ? other : first;
    const sign = order === "ascending" ? 1 : -1;
    const rows = [...body.rows];
    rows.sort((a, b) => {
      const [x, y] = [value(a, column), value(b, column)];
      // What is not known comes last either way; equal figures keep the order of the districts.
      if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) - Number.isNaN(y);
      return sign * (x - y) || value(a, 0) - value(b, 0);
    });
    body.append(...rows);
    for (const each of headings) each.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", order);
  };

  headings.forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    button.addEventListener("click", () => sort(column));
    heading.append(button);
  });
}
