
// Sorts and filters the tables of this page. Everything else works without it.
// The text of others reaches the page as text nodes only.
"use strict";
(() => {
  // The most rows of single users at once. A longer table would be slow to open, and no person reads it.
  const MOST = 200;
  // Tables with fewer rows need no filter.
  const FEW = 20;

  const create = (tag, text, names) => {
    const element = document.createElement(tag);
    if (text) element.textContent = text;
    if (names) element.className = names;
    return element;
  };

  const labelled = (text, field) => {
    const label = create("label", text);
    label.append(field);
    return label;
  };

  // Numbers by size, `<5` before 5, and everything else by letters.
  const compare = (one, other) => {
    const numbers = [one, other].map((text) => (text === "<5" ? 1 : Number(text || NaN)));
    if (!numbers.some(Number.isNaN)) return numbers[0] - numbers[1];
    return one < other ? -1 : one > other ? 1 : 0;
  };

  // Puts a button into each column head. `sort` gets the place of the column and the direction.
  const sortable = (heads, sort) => {
    heads.forEach((head, place) => {
      const button = create("button", head.textContent);
      button.type = "button";
      button.addEventListener("click", () => {
        const falls = head.getAttribute("aria-sort") === "ascending";
        heads.forEach((each) => each.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", falls ? "descending" : "ascending");
        sort(place, falls ? -1 : 1);
      });
      head.replaceChildren(button);
    });
  };

  const words = (text) => text.toLowerCase().split(/\s+/).filter((word) => word);

  // A search field, and a line that says how many rows are shown.
  const search = (caption, changed) => {
    const field = create("input");
    field.type = "search";
    field.addEventListener("input", changed);
    const filters = create("div", "", "filters");
    filters.append(labelled(`Filter: ${caption}`, field));
    const shown = create("p", "", "shown");
    shown.setAttribute("role", "status");
    return { field, filters, shown };
  };

  const prepare = (table) => {
    const body = table.tBodies[0];
    const rows = Array.from(body.rows);
    const heads = Array.from(table.tHead.rows[0].cells);
    if (rows.length > 1) {
      sortable(heads, (place, direction) => {
        const text = (row) => row.cells[place].textContent.trim();
        const sorted = rows.slice().sort((a, b) => direction * compare(text(a), text(b)));
        body.append(...sorted);
      });
    }
    if (rows.length <= FEW) return;
    const update = () => {
      const wanted = words(parts.field.value);
      let number = 0;
      for (const row of rows) {
        const text = row.textContent.toLowerCase();
        row.hidden = !wanted.every((word) => text.includes(word));
        if (!row.hidden) number += 1;
      }
      parts.shown.textContent = `${number} of ${rows.length} rows`;
    };
    const parts = search(table.caption.textContent, update);
    update();
    table.parentElement.before(parts.filters, parts.shown);
  };

  // The cell of one value. A posture has a dot in its colour.
  const cell = (column, text, place) => {
    if (place === 0) {
      const head = create("th");
      head.scope = "row";
      head.append(create("code", text));
      return head;
    }
    const data = create("td");
    if (column.kind === "posture" && /^[a-z]+$/.test(text)) {
      const posture = create("span", "", "posture");
      const dot = create("span", "", `dot ${text}`);
      dot.setAttribute("aria-hidden", "true");
      posture.append(dot, text);
      data.append(posture);
    } else if (column.kind === "list") {
      data.className = "list";
      data.append(...text.split("; ").map((part) => create("div", part)));
    } else {
      data.textContent = text;
    }
    return data;
  };

  const choices = (column, values, changed) => {
    const select = create("select");
    select.append(new Option("all", ""));
    for (const value of values) select.append(new Option(value || "(none)", `=${value}`));
    select.addEventListener("change", changed);
    return labelled(column.title, select);
  };

  const people = (place, data) => {
    const { columns, words: texts, rows } = data;
    const text = (row, column) => (column === 0 ? row[0] : texts[row[column]]);
    const caption = place.closest("section").querySelector("h2").firstChild.textContent.trim();
    const searched = new Array(rows.length);
    // The text of a row is joined when it is first searched.
    const whole = (index) => {
      searched[index] ??= columns.map((_, column) => text(rows[index], column)).join("\n").toLowerCase();
      return searched[index];
    };
    let order = rows.map((_, index) => index);

    const table = create("table");
    table.append(create("caption", caption));
    const line = table.createTHead().insertRow();
    for (const column of columns) {
      const head = create("th", column.title);
      head.scope = "col";
      line.append(head);
    }
    const body = table.createTBody();

    const chosen = new Map();
    const update = () => {
      const wanted = words(parts.field.value);
      const wants = (index) =>
        Array.from(chosen).every(([column, select]) => !select.value || `=${text(rows[index], column)}` === select.value) &&
        (!wanted.length || wanted.every((word) => whole(index).includes(word)));
      const found = order.filter(wants);
      const shown = found.slice(0, MOST).map((index) => {
        const row = create("tr");
        row.append(...columns.map((column, at) => cell(column, text(rows[index], at), at)));
        return row;
      });
      body.replaceChildren(...shown);
      const more = found.length - shown.length;
      const rest = more > 0 ? `; and ${more} more: narrow the filter` : "";
      parts.shown.textContent = `${shown.length} of ${rows.length} users${rest}`;
    };
    const parts = search(caption, update);
    columns.forEach((column, at) => {
      if (column.kind !== "posture" && column.kind !== "choice") return;
      const seen = Array.from(new Set(rows.map((row) => row[at]))).map((word) => texts[word]).sort();
      if (seen.length < 2) return;
      const label = choices(column, seen, update);
      chosen.set(at, label.querySelector("select"));
      parts.filters.append(label);
    });
    sortable(Array.from(line.cells), (column, direction) => {
      const keys = rows.map((row) => text(row, column).toLowerCase());
      order = order.slice().sort((a, b) => direction * compare(keys[a], keys[b]));
      update();
    });
    update();
    const frame = create("div", "", "table");
    frame.append(table);
    place.append(parts.filters, parts.shown, frame);
  };

  document.querySelectorAll("main table").forEach(prepare);
  const place = document.getElementById("people");
  const data = document.getElementById("people-data");
  if (place && data) people(place, JSON.parse(data.textContent));
  // A table that is wider than the window can be scrolled with the keyboard.
  document.querySelectorAll(".table").forEach((frame) => {
    if (frame.scrollWidth > frame.clientWidth) {
      frame.tabIndex = 0;
      frame.setAttribute("role", "group");
      frame.setAttribute("aria-label", frame.querySelector("caption").textContent);
    }
  });
})();
