"use strict";

/* A row for each word that looks, a column for each that is looked at. */

/* How dark a cell is, and with it which ink is read on it best (in either theme). */
const MIDDLE_INK = 0.57;
const STRONG_INK = 0.8;
const MANY_COLUMNS = 14;

function shade(element, share) {
  element.style.setProperty("--w", share.toFixed(4));
  element.dataset.ink = share < MIDDLE_INK ? "weak" : share < STRONG_INK ? "middle" : "strong";
}

function matrixView(scene) {
  const { matrix: m } = scene;
  const cells = [];
  const marks = new Map();
  const mark = (links, name) => links.forEach(({ source, target, possible }) => {
    const key = `${target} ${source}`;
    marks.set(key, [...(marks.get(key) || []), possible ? `${name} possible` : name]);
  });
  mark(scene.gold, "gold");
  mark(scene.links, "hard");

  const cell = (r, c) => {
    const share = m.at(r, c);
    const found = marks.get(`${r} ${c}`) || [];
    const told = `${m.rows[r]} looks at ${m.columns[c]}: ${percent(share)}${found.map((f) => `, ${f} link`).join("")}`;
    const made = el("td", {
      role: "gridcell", "aria-label": told, title: told, "aria-selected": "false",
      onclick: () => choose(r, c), onfocus: () => cross(r, c), onpointerenter: () => cross(r, c),
      onkeydown: (event) => {
        if (event.key === "Enter" || event.key === " ") {
          event.preventDefault();
          choose(r, c);
        }
      },
    }, share >= 0.005 ? String(Math.round(100 * share)) : "", found.map((f) => el("i", { class: f })));
    shade(made, share);
    cells.push(made);
    return made;
  };

  const heads = m.columns.map((text) => el("th", { scope: "col", class: special(text) }, el("span", {}, text)));
  const sides = m.rows.map((text) => el("th", { scope: "row", class: special(text) }, text));
  const table = el("table", {
    class: m.columns.length > MANY_COLUMNS ? "matrix small" : "matrix", role: "grid", "aria-label": `${scene.name}, percent`,
  },
    el("thead", {}, el("tr", {}, el("td", { class: "corner" }), heads)),
    el("tbody", {}, m.rows.map((_, r) => el("tr", {}, sides[r], m.columns.map((__, c) => cell(r, c))))));

  function cross(r, c) {
    heads.forEach((head, i) => head.classList.toggle("on", i === c));
    sides.forEach((side, i) => side.classList.toggle("on", i === r));
  }

  function choose(r, c) {
    select(r, c);
    scene.pick(r, c);
  }

  function select(r, c) {
    cells.forEach((other, i) => {
      const chosen = i === r * m.columns.length + c;
      other.setAttribute("aria-selected", String(chosen));
      other.tabIndex = chosen ? 0 : -1;
    });
  }

  const width = m.columns.length;
  const moves = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: width, ArrowUp: -width };
  rove(cells, 0, (key, i) => {
    const to = i + (moves[key] || 0);
    const wraps = Math.abs(moves[key]) === 1 && Math.floor(to / width) !== Math.floor(i / width);
    return key in moves && !wraps ? to : null;
  });
  select(scene.cell.row, scene.cell.column);
  cross(scene.cell.row, scene.cell.column);
  return el("div", {},
    el("p", { class: "note matrix-note" }, `${capital(scene.name)}. Rows look, columns are looked at; percent of each row.`
      + (scene.options.kind === "decoder" ? ` A row is the step that has just read its ${scene.options.units === "words" ? "word" : "piece"}.` : "")),
    el("div", { class: "scroll" }, table));
}

function special(text) {
  return text === END || text === START ? "special" : "";
}
