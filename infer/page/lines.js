"use strict";

/* Two columns of words facing each other, lines between them as wide as the attention. */

const PITCH = 36; /* from word to word, in pixels */
const WIDEST_LINE = 15;
const THINNEST_WEIGHT = 0.02;
const GOLD_OFFSET = 4; /* beside the hard link of the same words */

function linesView(scene) {
  const { matrix: m } = scene;
  const height = PITCH * Math.max(m.rows.length, m.columns.length);
  const middle = (i, count) => (height - PITCH * count) / 2 + PITCH * (i + 0.5);
  const lines = [];

  const drawing = svg("svg", {
    class: "lines", viewBox: `0 0 100 ${height}`, height, preserveAspectRatio: "none", "aria-hidden": "true",
  });
  const between = (column, line, attributes, offset = 0) => {
    const from = middle(column, m.columns.length) + offset;
    const to = middle(line, m.rows.length) + offset;
    return svg("path", { d: `M 0 ${from} C 45 ${from} 55 ${to} 100 ${to}`, ...attributes });
  };
  m.rows.forEach((_, r) => m.columns.forEach((__, c) => {
    const w = m.at(r, c);
    if (w >= THINNEST_WEIGHT) {
      const path = between(c, r, { class: "attention", "stroke-width": (WIDEST_LINE * w).toFixed(2) });
      path.style.setProperty("--w", w);
      lines.push({ row: r, column: c, path });
      drawing.append(path);
    }
  }));
  for (const [links, name, offset] of [[scene.gold, "gold", GOLD_OFFSET], [scene.links, "hard", 0]]) {
    for (const { source, target, possible } of links) {
      const path = between(source, target, { class: `${name}${possible ? " possible" : ""}` }, offset);
      lines.push({ row: target, column: source, path });
      drawing.append(path);
    }
  }

  const keys = m.columns.map((text, i) => word(text, i, "key"));
  const queries = m.rows.map((text, i) => word(text, i, "query"));
  let pinned = null;

  function word(text, index, side) {
    const here = { side, index };
    return el("button", {
      type: "button", class: text === END || text === START ? "word special" : "word", "aria-pressed": "false",
      onpointerenter: () => show(here), onpointerleave: () => show(pinned), onfocus: () => show(here),
      onblur: () => show(pinned), onclick: () => pin(here),
    }, el("span", { class: "heat", "aria-hidden": "true" }), el("span", { class: "text" }, text),
    el("span", { class: "share", "aria-hidden": "true" }));
  }

  function pin(here) {
    pinned = pinned && pinned.side === here.side && pinned.index === here.index ? null : here;
    queries.forEach((b, i) => b.setAttribute("aria-pressed", String(isAt(pinned, "query", i))));
    keys.forEach((b, i) => b.setAttribute("aria-pressed", String(isAt(pinned, "key", i))));
    show(here);
    scene.pickStrongest(here);
  }

  /* What one word looks at, or who looks at it. */
  function show(at) {
    whole.classList.toggle("focused", at !== null);
    const touched = (r, c) => at !== null && (at.side === "query" ? r === at.index : c === at.index);
    lines.forEach(({ row: r, column: c, path }) => path.classList.toggle("on", touched(r, c)));
    keys.forEach((button, c) => heat(button, at && at.side === "query" ? m.at(at.index, c) : null, isAt(at, "key", c)));
    queries.forEach((button, r) => heat(button, at && at.side === "key" ? m.at(r, at.index) : null, isAt(at, "query", r)));
    scene.tell(at, at !== null && at === pinned);
  }

  rove(keys, 0, (key, i) => (key === "ArrowRight" ? null : alongList(key, i, keys.length)));
  rove(queries, 0, (key, i) => (key === "ArrowLeft" ? null : alongList(key, i, queries.length)));
  keys.forEach((b) => b.addEventListener("keydown", (event) => across(event, "ArrowRight", queries)));
  queries.forEach((b) => b.addEventListener("keydown", (event) => across(event, "ArrowLeft", keys)));

  const column = (title, buttons, name) => el("div", { class: `side ${name}` },
    el("h2", {}, title), el("div", { class: "words", role: "group", "aria-label": title }, buttons));
  const whole = el("div", { class: "facing" },
    column(scene.titles.key, keys, "keys"), el("div", { class: "between" }, drawing),
    column(scene.titles.query, queries, "queries"));
  return whole;
}

function isAt(at, side, index) {
  return at !== null && at.side === side && at.index === index;
}

/* A word's share of the attention behind it, and as a number. */
function heat(button, share, chosen) {
  button.classList.toggle("chosen", chosen);
  button.classList.toggle("lit", share !== null && share >= 0.005);
  shade(button, share === null ? 0 : share);
  button.querySelector(".share").textContent = share !== null && share >= 0.005 ? percent(share) : "";
}

/* The left and the right column are neighbours for the arrow keys. */
function across(event, key, others) {
  if (event.key === key) {
    event.preventDefault();
    others.find((other) => other.tabIndex === 0).focus();
  }
}
