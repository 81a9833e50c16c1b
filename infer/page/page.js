"use strict";

/* What is shown, and what happens when that changes. */

const VIEWS = { corpus: "Corpus", lines: "Lines", matrix: "Matrix", decoding: "Decoding" };
const KIND_NAMES = { cross: "Cross", encoder: "Encoder", decoder: "Decoder" };
const KIND_TITLES = { cross: "Cross-attention", encoder: "Self-attention of the encoder", decoder: "Self-attention of the decoder" };

const state = {
  pair: 0,
  view: data.corpus ? "corpus" : "lines",
  kind: "cross",
  units: "words",
  shift: data.alignment.shift,
  choices: {
    cross: { layer: "alignment" },
    encoder: { layer: data.model.layers.encoder - 1, head: "mean" },
    decoder: { layer: data.model.layers.decoder - 1, head: "mean" },
  },
  showHard: true,
  showGold: true,
  cell: null, /* whose arithmetic is shown; null: where a reader begins */
  part: 0,
  step: 0,
};

let heads = null; /* the picker on the page */

function current() {
  return data.pairs[state.pair];
}

/* A step of the decoder is a row of pieces, and it has nothing to do with the encoder's. */
function options() {
  const decoding = state.view === "decoding";
  const kind = decoding && state.kind === "encoder" ? "cross" : state.kind;
  return { kind, choice: state.choices[kind], units: decoding ? "pieces" : state.units, shift: !decoding && state.shift };
}

function change(changes) {
  const before = options();
  Object.assign(state, changes);
  const moved = "pair" in changes || options().kind !== before.kind || options().units !== before.units;
  if (moved) {
    state.cell = null;
  }
  if (moved || "choices" in changes || "shift" in changes) {
    state.part = 0;
  }
  if ("pair" in changes) {
    state.step = 0;
  }
  if (moved) {
    heads = null;
  }
  if ("pair" in changes || "view" in changes) {
    drawHeader();
  }
  draw();
}

function draw() {
  const pair = current();
  if (!pair.weights[state.kind]) {
    state.kind = "cross";
  }
  if (state.view === "decoding" && !pair.search) {
    state.view = "lines";
  }
  const scene = makeScene(pair);
  drawTabs(pair);
  drawControls(pair);
  drawPicker(scene);
  drawView(scene);
  drawArithmetic(scene);
}

function makeScene(pair) {
  const wanted = options();
  const linked = wanted.kind === "cross" && wanted.units === "words";
  const gold = pair.gold === null ? [] : parseLinks(pair.gold);
  const m = matrix(pair, wanted);
  state.cell = state.cell || (state.view === "decoding" ? greatestOfRow(m, state.step) : firstCell(m));
  return {
    pair, options: wanted, matrix: m, cell: state.cell, part: state.part, step: state.step, hasGold: pair.gold !== null,
    hard: linked ? linksOf(pair, wanted) : [],
    links: linked && state.showHard ? linksOf(pair, wanted) : [],
    gold: linked && state.showGold ? gold : [],
    name: `${KIND_TITLES[wanted.kind]}, ${nameOf(wanted.choice)}`,
    titles: titles(wanted.kind),
    words: state.units === "words" && wanted.kind === "cross",
    tell: (at, kept) => tell(pair, m, at, kept),
    pick,
    pickStrongest,
    choosePart: (part) => change({ part }),
    chooseStep,
    cellNow: () => state.cell,
  };
}

function pick(row, column) {
  state.cell = { row, column };
  state.part = 0;
  const scene = makeScene(current());
  drawArithmetic(scene);
  if (state.view === "matrix") {
    tellCell(scene);
  }
}

/* A word's strongest tie: what it looks at most, or who looks at it most. */
function pickStrongest({ side, index }) {
  const m = matrix(current(), options());
  if (side === "query") {
    pick(index, greatestOfRow(m, index).column);
    return;
  }
  pick(range(m.rows.length).reduce((best, r) => (m.at(r, index) > m.at(best, index) ? r : best), 0), index);
}

function chooseStep(step) {
  if (step !== state.step) {
    Object.assign(state, { step, cell: null, part: 0 });
  }
  drawArithmetic(makeScene(current()));
}

function greatestOfRow(m, row) {
  const column = range(m.columns.length).reduce((best, c) => (m.at(row, c) > m.at(row, best) ? c : best), 0);
  return { row, column };
}

/* Where a reader begins: the largest weight between two words. */
function firstCell(m) {
  let best = { row: 0, column: 0 };
  m.rows.forEach((from, row) => m.columns.forEach((to, column) => {
    if (!special(from) && !special(to) && m.at(row, column) > m.at(best.row, best.column)) {
      best = { row, column };
    }
  }));
  return best;
}

function titles(kind) {
  return {
    cross: { key: "Source", query: "Translation" },
    encoder: { key: "Looked at", query: "Looking" },
    decoder: { key: "Looked at", query: "Looking" },
  }[kind];
}

/* ---- the parts of the page ---- */

function drawHeader() {
  const pair = current();
  const { model, corpus } = data;
  const whole = state.view === "corpus";
  const title = whole ? corpus.name : pair.source.text;
  const below = whole ? `${counted(corpus.pairs, "pair")}, ${corpus.gold === corpus.pairs ? "all with" : corpus.gold === 0 ? "without" : `${corpus.gold} with`} gold links` : pair.target.text;
  document.title = `${title} · tolk`;
  byId("sentence").className = title.length > LONG_TITLE ? "long" : "";
  byId("sentence").replaceChildren(el("span", {}, title), el("span", { class: "to" }, below));
  const facts = [
    model.name, `${model.layers.encoder} + ${model.layers.decoder} layers`, `${model.heads.cross} heads`,
    `d_model ${model.d_model}`, `d_k ${model.d_model / model.heads.cross}`, !whole && pair.given ? "the translation was given" : null,
    whole ? null : `log p ${fixed(pair.score)}`,
  ].filter(Boolean);
  byId("facts").replaceChildren(facts.join(" · "), !whole && data.pairs.length > 1 ? turner() : "");
}

const LONG_TITLE = 70; /* characters */

function counted(count, name) {
  return `${count} ${name}${count === 1 ? "" : "s"}`;
}

function turner() {
  const count = data.pairs.length;
  const turn = (by) => {
    change({ pair: (state.pair + by + count) % count });
    document.querySelector(`.turner button${by < 0 ? "" : ":last-child"}`).focus();
  };
  return el("span", { class: "turner" }, el("button", { type: "button", onclick: () => turn(-1), "aria-label": "Pair before" }, "←"),
    ` pair ${state.pair + 1} of ${count} `, el("button", { type: "button", onclick: () => turn(1), "aria-label": "Next pair" }, "→"));
}

function drawTabs(pair) {
  const shown = Object.keys(VIEWS).filter((view) => (view !== "corpus" || data.corpus) && (view !== "decoding" || pair.search));
  const bar = byId("tabs");
  if (bar.childElementCount !== shown.length) {
    const tabs = shown.map((view) => el("button", {
      type: "button", role: "tab", id: `tab-${view}`, "aria-controls": "view", onclick: () => change({ view }),
      onfocus: () => state.view === view || change({ view }),
    }, VIEWS[view]));
    bar.replaceChildren(...tabs);
    rove(tabs, shown.indexOf(state.view), (key, i) => alongList(key, i, tabs.length));
  }
  shown.forEach((view) => {
    byId(`tab-${view}`).setAttribute("aria-selected", String(view === state.view));
    byId(`tab-${view}`).tabIndex = view === state.view ? 0 : -1;
  });
  byId("view").setAttribute("aria-labelledby", `tab-${state.view}`);
  document.body.dataset.view = state.view;
}

function drawControls(pair) {
  const form = byId("controls");
  if (form.childElementCount === 0) {
    form.addEventListener("submit", (event) => event.preventDefault());
    form.append(
      radios("kind", "Attention", KINDS.map((kind) => [kind, KIND_NAMES[kind]]), state.kind, (kind) => change({ kind })),
      radios("units", "Units", [["words", "Words"], ["pieces", "Pieces"]], state.units, (units) => change({ units })),
      el("div", { class: "checks" },
        checkbox("Shift", state.shift, (shift) => change({ shift })),
        checkbox("Hard links", state.showHard, (showHard) => change({ showHard }), "hard"),
        checkbox("Gold links", state.showGold, (showGold) => change({ showGold }), "gold")),
      el("p", { id: "agreement", class: "agreement" }));
  }
  form.querySelectorAll("[name=kind]").forEach((input) => {
    input.checked = input.value === options().kind;
    input.disabled = !pair.weights[input.value] || (input.value === "encoder" && state.view === "decoding");
  });
  form.querySelectorAll("[name=units]").forEach((input) => { input.checked = input.value === state.units; });
  const [shift, hard, gold] = form.querySelectorAll(".check");
  shift.title = "Read a word at the step where it is the decoder’s input, not its output (Chen et al. 2020)";
  shift.querySelector("input").checked = state.shift;
  shift.hidden = state.kind !== "cross" || state.view === "decoding" || isPosterior(state.choices.cross);
  hard.hidden = state.kind !== "cross" || state.units !== "words" || state.view === "decoding";
  gold.hidden = hard.hidden || pair.gold === null;
  byId("agreement").textContent = agreement(pair);
}

/* The hard links of what is shown, against gold. */
function agreement(pair) {
  if (pair.gold === null || options().kind !== "cross" || options().units !== "words") {
    return "";
  }
  const found = errorRate(linksOf(pair, options()), parseLinks(pair.gold));
  return `AER ${fixed(found.aer, 3)} (precision ${fixed(found.precision)}, recall ${fixed(found.recall)}) of ${nameOf(options().choice)}`;
}

function drawPicker(scene) {
  if (heads === null) {
    heads = picker(scene, (choice) => change({ choices: { ...state.choices, [options().kind]: choice } }));
    byId("picker").replaceChildren(heads.element);
  }
  const scored = scene.pair.gold !== null && scene.options.kind === "cross" && scene.options.units === "words";
  const gold = scored ? parseLinks(scene.pair.gold) : null;
  heads.draw(scene.options, (choice) => (scored ? fixed(errorRate(linksOf(scene.pair, { ...scene.options, choice }), gold).aer) : ""));
}

function drawView(scene) {
  const views = {
    corpus: () => corpusView((pair) => change({ pair, view: "lines" })),
    lines: () => linesView(scene),
    matrix: () => matrixView(scene),
    decoding: () => decodingView(scene),
  };
  byId("view").replaceChildren(views[state.view]());
  tell(scene.pair, scene.matrix, null);
}

function drawArithmetic(scene) {
  byId("arithmetic").replaceChildren(...(scene.pair.vectors ? arithmeticView(scene) : [
    el("p", { class: "note" }, "Self-attention, the search and the arithmetic of each weight are in the page of one pair alone: ",
      el("code", {}, `tolk inspect --html FILE --given TRANSLATION ${data.model.name} SENTENCE`), "."),
  ]));
}

/* Below the view, and to a screen reader: what a word looks at, each a way to its arithmetic. */
const TOLD_SHARES = 5;

let said = { at: null, kept: false };

function tell(pair, m, at, kept = false) {
  const line = byId("told");
  if (at !== null && at === said.at && kept === said.kept) {
    return; /* a link in it may be about to have the focus */
  }
  said = { at, kept };
  if (at === null) {
    const texts = {
      lines: "Point at a word, or move to it with Tab and the arrow keys, to see where it looks. Click it, or press Enter, to keep it.",
      matrix: "Click a cell, or move to it with the arrow keys and press Enter, to see its arithmetic below.",
    };
    line.replaceChildren(texts[state.view] || "");
    return;
  }
  const asks = at.side === "query";
  const shares = (asks ? m.columns : m.rows).map((text, i) => ({
    text, row: asks ? at.index : i, column: asks ? i : at.index, share: asks ? m.at(at.index, i) : m.at(i, at.index),
  })).sort((a, b) => b.share - a.share).slice(0, TOLD_SHARES).filter((s) => s.share >= 0.005);
  line.replaceChildren(el("b", {}, (asks ? m.rows : m.columns)[at.index]), asks ? " looks at " : " is looked at by ",
    ...shares.flatMap((s, i) => [i > 0 ? ", " : "", toArithmetic(kept && pair.vectors, s, `${s.text} ${percent(s.share)}`)]), ".");
}

function toArithmetic(possible, { row, column }, text) {
  return possible
    ? el("a", { href: "#arithmetic", title: "Its arithmetic", onclick: () => pick(row, column) }, text)
    : text;
}

function tellCell({ pair, matrix: m, cell }) {
  byId("told").replaceChildren(el("b", {}, m.rows[cell.row]), ` looks at ${m.columns[cell.column]} with ${percent(m.at(cell.row, cell.column))}`,
    ...(pair.vectors ? [": ", toArithmetic(true, cell, "its arithmetic"), "."] : ["."]));
}

function drawTheme() {
  const choose = (theme) => {
    if (theme === "auto") {
      delete document.documentElement.dataset.theme;
    } else {
      document.documentElement.dataset.theme = theme;
    }
    if (heads !== null) {
      drawPicker(makeScene(current()));
    }
  };
  const made = radios("theme", "Colours", [["auto", "Auto"], ["light", "Light"], ["dark", "Dark"]], "auto", choose);
  byId("theme").replaceWith(fill(made, { id: "theme" }, []));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => choose("auto"));
}

drawTheme();
drawHeader();
draw();
