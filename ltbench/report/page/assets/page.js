// Sorting and filtering of tables, copying of listings. Without this script tables are complete, in
// original order.
"use strict";
{
  const COLLATOR = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
  const NO_VALUE = "–";
  const MIN_FILTERED_ROWS = 5;
  const MAX_SHOWN_ROWS = 200; // the layout of thousands of rows takes seconds

  /** Returns a new element with attributes and children. */
  function element(tag, attributes, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  }

  /** Returns the text of a cell, with minus signs as typed on a keyboard. */
  const textOf = (cell) => cell.textContent.replaceAll("−", "-");

  /** Returns the first number in a text, so that "< 0.001" is sorted as 0.001; NaN without one. */
  const numberIn = (text) =>
    parseFloat(text.replaceAll(",", "").match(/-?[\d.]+(e[+-]?\d+)?/i)?.[0]);

  /** Returns rows sorted by a column; rows without a value are last in both directions. */
  function sorted(rows, column, isNumber, descending) {
    const sign = descending ? -1 : 1;
    const keyed = rows.map((row) => {
      const text = row.texts[column];
      const key = isNumber ? numberIn(text) : text;
      return { row, key, empty: text === NO_VALUE || Number.isNaN(key) };
    });
    const compare = isNumber ? (a, b) => a - b : COLLATOR.compare;
    keyed.sort((a, b) =>
      a.empty || b.empty ? a.empty - b.empty : sign * compare(a.key, b.key),
    );
    return keyed.map(({ row }) => row);
  }

  /** Turns the heads of a table's columns into buttons, and adds filters above the table. */
  function enhance(figure) {
    const table = figure.querySelector("table");
    const body = table.tBodies[0];
    const titles = [...table.tHead.rows[0].cells];
    let rows = [...body.rows].map((row) => {
      const texts = [...row.cells].map(textOf);
      return { row, texts, searched: texts.join("\n").toLowerCase() };
    });

    function sortBy(column) {
      const title = titles[column];
      const descending = title.getAttribute("aria-sort") === "ascending";
      for (const other of titles) other.setAttribute("aria-sort", "none");
      title.setAttribute("aria-sort", descending ? "descending" : "ascending");
      rows = sorted(rows, column, title.classList.contains("number"), descending);
      body.remove(); // moving rows is faster while the body is detached
      for (const { row } of rows) body.append(row);
      show();
      table.append(body);
    }

    for (const [column, title] of titles.entries()) {
      const button = element("button", { type: "button" }, ...title.childNodes);
      button.addEventListener("click", () => sortBy(column));
      title.append(button);
      title.setAttribute("aria-sort", "none");
    }

    const search = element("input", { type: "search", autocomplete: "off", spellcheck: "false" });
    const everything = element("input", { type: "checkbox" });
    const count = element("output", { "aria-live": "polite" });
    const choices = titles.flatMap((title, column) => {
      if (!("filtered" in title.dataset)) return [];
      const words = [...new Set(rows.map(({ texts }) => texts[column]))].sort(COLLATOR.compare);
      const options = words.map((word) => new Option(word));
      return [{ column, select: element("select", {}, new Option("all", ""), ...options) }];
    });

    /** Shows the rows that match the filters, up to a maximum number. */
    function show() {
      const terms = search.value.toLowerCase().split(/\s+/);
      const most = everything.checked ? Infinity : MAX_SHOWN_ROWS;
      let matching = 0;
      for (const { row, texts, searched } of rows) {
        const matches =
          terms.every((term) => searched.includes(term)) &&
          choices.every(({ column, select }) => !select.value || texts[column] === select.value);
        matching += matches;
        row.hidden = !matches || matching > most;
      }
      const first = matching > most ? `, the first ${most} shown` : "";
      count.value = `${matching} of ${rows.length} rows${first}`;
      count.classList.toggle("partial", matching < rows.length || first !== "");
    }

    const controls = element(
      "div",
      { class: "controls" },
      element("label", {}, "Filter rows", search),
      ...choices.map(({ column, select }) =>
        element("label", {}, titles[column].textContent, select),
      ),
      ...(rows.length > MAX_SHOWN_ROWS ? [element("label", {}, "Show all", everything)] : []),
      count,
    );
    controls.addEventListener("input", show);
    if (rows.length >= MIN_FILTERED_ROWS || choices.length > 0) {
      table.closest(".scroll").before(controls);
    }
    show();
  }

  /** Adds a button that copies a listing; the text is selected where the clipboard is closed. */
  function addCopyButton(figure) {
    const code = figure.querySelector("code");
    const button = element("button", { type: "button" }, "Copy");
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(code.textContent);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(code);
        button.textContent = "Selected: copy it";
      }
    });
    button.setAttribute("aria-live", "polite");
    figure.querySelector("figcaption").append(button);
  }

  for (const figure of document.querySelectorAll("figure.table")) enhance(figure);
  for (const figure of document.querySelectorAll("figure.listing")) addCopyButton(figure);
}
