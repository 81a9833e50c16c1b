"use strict";

/* What is shown, and what happens when that changes. */

const VIEWS = { corpus: "Corpus", lines: "Lines", matrix: "Matrix", decoding: "Decoding" };
const KIND_NAMES = { cross: "Cross", encoder: "Encoder", decoder: "Decoder" };

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
  cell: null,
  part: 0,
  step: 0,
};

let heads = null; /* the picker on the page */

function current() {
  return data.pairs[state.pair];
}

function options() {
  return { kind: state.kind, choice: state.choices[state.kind], units: state.units, shift: state.shift };
}

function change(changes) {
  Object.assign(state, changes);
  const moved = ["pair", "kind", "units"].some((name) => name in changes);
  if (moved) {
    state.cell = null;
  }
  if (moved || "choices" in changes || "shift" in changes) {
    state.part = 0;
  }
  if ("pair" in changes) {
    state.step = 0;
    drawHeader();
  }
  if (moved) {
    heads = null;
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
  state.cell = state.cell || firstCell(m);
  return {
    pair, options: wanted, matrix: m, cell: state.cell, part: state.part, step: state.step, hasGold: pair.gold !== null,
    hard: linked ? linksOf(pair, wanted) : [],
    links: linked && state.showHard ? linksOf(pair, wanted) : [],
    gold: linked && state.showGold ? gold : [],
    name: `${KIND_NAMES[wanted.kind]}-attention, ${nameOf(wanted.choice)}`,
    titles: titles(wanted.kind),
    tell: (at) => tell(pair, m, at),
    pick,
    pickStep: (step, column) => {
      state.kind = "cross";
      state.shift = false;
      state.units = "pieces";
      state.step = step;
      const piece = axis(pair, "source", wanted.units).of.indexOf(column);
      state.cell = { row: step, column: piece };
      heads = null;
      draw();
    },
    choosePart: (part) => change({ part }),
    chooseStep: (step) => { state.step = step; },
  };
}

function pick(row, column) {
  state.cell = { row, column };
  state.part = 0;
  drawArithmetic(makeScene(current()));
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
    encoder: { key: "is looked at", query: "looks" },
    decoder: { key: "is looked at", query: "looks" },
  }[kind];
}

/* ---- the parts of the page ---- */

function drawHeader() {
  const pair = current();
  const { model } = data;
  document.title = `${pair.source.text} · tolk`;
  byId("sentence").replaceChildren(el("span", { lang: data.languages ? data.languages.source : null }, pair.source.text),
    el("span", { class: "to" }, pair.target.text));
  const facts = [
    model.name, `${model.layers.encoder} + ${model.layers.decoder} layers`, `${model.heads.cross} heads`,
    `d_model ${model.d_model}`, `d_k ${model.d_model / model.heads.cross}`, pair.given ? "the translation was given" : null,
    pair.score === null ? null : `log p ${fixed(pair.score)}`,
  ].filter(Boolean);
  byId("facts").replaceChildren(facts.join(" · "), data.pairs.length > 1 ? turner() : "");
}

function turner() {
  const count = data.pairs.length;
  const turn = (by) => change({ pair: (state.pair + by + count) % count, view: state.view === "corpus" ? "lines" : state.view });
  return el("span", { class: "turner" }, el("button", { type: "button", onclick: () => turn(-1), "aria-label": "Pair before" }, "←"),
    ` pair ${state.pair} of ${count} `, el("button", { type: "button", onclick: () => turn(1), "aria-label": "Next pair" }, "→"));
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
        checkbox("Hard links", state.showHard, (showHard) => change({ showHard })),
        checkbox("Gold links", state.showGold, (showGold) => change({ showGold }))),
      el("p", { id: "agreement", class: "agreement" }));
  }
  form.querySelectorAll("[name=kind]").forEach((input) => {
    input.checked = input.value === state.kind;
    input.disabled = !pair.weights[input.value];
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
  if (pair.gold === null || state.kind !== "cross" || state.units !== "words") {
    return "";
  }
  const found = errorRate(linksOf(pair, options()), parseLinks(pair.gold));
  return `AER ${fixed(found.aer, 3)} (precision ${fixed(found.precision)}, recall ${fixed(found.recall)}) of ${nameOf(options().choice)}`;
}

function drawPicker(scene) {
  if (heads === null) {
    heads = picker(scene, (choice) => change({ choices: { ...state.choices, [state.kind]: choice } }));
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
  byId("arithmetic").replaceChildren(...(scene.pair.vectors ? arithmeticView(scene) : []));
}

/* Below the view, and to a screen reader: what a word looks at, each a way to its arithmetic. */
const TOLD_SHARES = 5;

function tell(pair, m, at) {
  const line = byId("told");
  if (at === null) {
    line.replaceChildren(state.view === "lines" ? "Point at a word, or move to it with Tab and the arrow keys, to see where it looks." : "");
    return;
  }
  const asks = at.side === "query";
  const shares = (asks ? m.columns : m.rows).map((text, i) => ({
    text, row: asks ? at.index : i, column: asks ? i : at.index, share: asks ? m.at(at.index, i) : m.at(i, at.index),
  })).sort((a, b) => b.share - a.share).slice(0, TOLD_SHARES).filter((s) => s.share >= 0.005);
  line.replaceChildren(el("b", {}, (asks ? m.rows : m.columns)[at.index]), asks ? " looks at " : " is looked at by ",
    ...shares.flatMap((s, i) => [i > 0 ? ", " : "", `${s.text} ${percent(s.share)}`]), ".");
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
