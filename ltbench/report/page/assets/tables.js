// Sorting and filtering of tables. Without this script tables are in original order.
"use strict";
{
  const COLLATOR = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
  const NO_VALUE = "–";
  const MIN_FILTERED_ROWS = 10;
  const MAX_SHOWN_ROWS = 200; // the layout of thousands of rows takes seconds

  /** Returns a new element with attributes and children. */
  function element(tag, attributes, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  }

  /** Returns a text with minus signs as typed on a keyboard. */
  const plain = (text) => text.replaceAll("−", "-");

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

  /** Returns what a cell shows: a text, or a link. */
  const contentOf = (cell) =>
    cell.address === undefined ? cell : element("a", { href: cell.address }, cell.text);

  /** Returns a row of a table: its texts or links, and its element, which is made when it is shown. */
  function rowOf(texts, element) {
    const compared = texts.map((text) => plain(text.text ?? text));
    return { element, shown: texts, texts: compared, searched: compared.join("\n").toLowerCase() };
  }

  /** Turns the heads of a table's columns into buttons, and adds filters above the table. */
  function enhance(figure) {
    const table = figure.querySelector("table");
    const body = table.tBodies[0];
    const titles = [...table.tHead.rows[0].cells];
    const rest = figure.querySelector("script.rest");
    let rows = [...body.rows].map((row) =>
      rowOf([...row.cells].map((cell) => cell.textContent), row),
    );
    rows.push(...JSON.parse(rest?.textContent ?? "[]").map((texts) => rowOf(texts, null)));

    /** Returns the element of a row. */
    function elementOf(row) {
      row.element ??= element(
        "tr",
        {},
        ...row.shown.map((text, column) => {
          const isName = titles[column].classList.contains("name");
          const cell = element(isName ? "th" : "td", isName ? { scope: "row" } : {}, contentOf(text));
          if (titles[column].className) cell.className = titles[column].className;
          return cell;
        }),
      );
      return row.element;
    }

    function sortBy(column) {
      const title = titles[column];
      const descending = title.getAttribute("aria-sort") === "ascending";
      for (const other of titles) other.setAttribute("aria-sort", "none");
      title.setAttribute("aria-sort", descending ? "descending" : "ascending");
      rows = sorted(rows, column, title.classList.contains("number"), descending);
      show();
    }

    for (const [column, title] of titles.entries()) {
      const button = element("button", { type: "button" }, ...title.childNodes);
      if (title.title) button.dataset.tip = title.title;
      title.removeAttribute("title");
      button.addEventListener("click", () => sortBy(column));
      title.append(button);
      title.setAttribute("aria-sort", "none");
    }

    const search = element("input", { type: "search", autocomplete: "off", spellcheck: "false" });
    const everything = element("input", { type: "checkbox", autocomplete: "off" });
    const count = element("output", { "aria-live": "polite" });
    const choices = titles.flatMap((title, column) => {
      if (!("filtered" in title.dataset)) return [];
      const words = [...new Set(rows.map(({ texts }) => texts[column]))].sort(COLLATOR.compare);
      if (words.length < 2) return [];
      const options = words.map((word) => new Option(word));
      const classes = title.classList.contains("more") ? "choice more" : "choice";
      return [{ column, classes, select: element("select", {}, new Option("all", ""), ...options) }];
    });

    /** Shows the rows that match the filters, up to a maximum number. */
    function show() {
      const terms = search.value.toLowerCase().split(/\s+/);
      const most = everything.checked ? Infinity : MAX_SHOWN_ROWS;
      const matching = rows.filter(
        ({ texts, searched }) =>
          terms.every((term) => searched.includes(term)) &&
          choices.every(({ column, select }) => !select.value || texts[column] === select.value),
      );
      body.replaceChildren(...matching.slice(0, most).map(elementOf));
      const first = matching.length > most ? `, the first ${most} shown` : "";
      count.value = `${matching.length} of ${rows.length} rows${first}`;
      count.classList.toggle("partial", matching.length < rows.length || first !== "");
    }

    const controls = figure.querySelector(".controls");
    if (rows.length >= MIN_FILTERED_ROWS || choices.length > 0) {
      controls.prepend(
        element("label", {}, "Filter rows", search),
        ...choices.map(({ column, classes, select }) =>
          element("label", { class: classes }, titles[column].textContent, select),
        ),
      );
      if (rows.length > MAX_SHOWN_ROWS) {
        controls.append(element("label", { class: "switch" }, everything, "Show all"));
      }
      controls.append(count);
    }
    controls.addEventListener("input", show);
    show();
  }

  for (const figure of document.querySelectorAll("figure.table")) {
    const folded = figure.querySelector(":scope > details.fold");
    if (folded && !folded.open) {
      folded.addEventListener("toggle", () => enhance(figure), { once: true });
    } else {
      enhance(figure);
    }
  }
}
