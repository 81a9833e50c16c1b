"use strict";

/* A corpus: which heads align, which words are certain, and its pairs. */

function corpusView(open) {
  const { corpus } = data;
  const lines = range(data.pairs.length).map(measured);
  const head = el("h3", { tabindex: "-1" });
  const again = el("button", { type: "button", class: "plain", onclick: () => narrow(null) }, "Show all again");
  const list = el("ol", {});
  let filter = null;
  let order = "line";

  function fillList() {
    head.replaceChildren(filter === null ? "Pairs" : `Pairs with “${filter.text}”`);
    again.hidden = filter === null;
    list.replaceChildren(...lines.filter(({ i }) => filter === null || filter.examples.includes(i))
      .sort(ORDERS[order]).map((line) => pairLine(line, open)));
  }
  function narrow(word) {
    filter = word;
    fillList();
    head.focus();
  }
  const orders = [["line", "As in the file"], ["aer", "Highest AER first"], ["expected", "Least expected first"]]
    .filter(([name]) => name !== "aer" || corpus.gold > 0);
  fillList();
  return el("div", { class: "corpus" },
    el("div", { class: "boxes" }, headTable(corpus), wordTables(corpus, narrow)),
    el("section", { class: "pairs" }, head, el("p", { class: "note" }, pairsNote(), again),
      radios("order", "Order of the pairs", orders, order, (chosen) => { order = chosen; fillList(); }), list));
}

const ORDERS = {
  line: (a, b) => a.i - b.i,
  aer: (a, b) => (b.aer ?? -1) - (a.aer ?? -1) || a.i - b.i,
  expected: (a, b) => a.expected - b.expected || a.i - b.i,
};

/* A pair's AER, and how much the model expected its translation: log p for each piece. */
function measured(i) {
  const pair = data.pairs[i];
  const links = linksOf(pair, { choice: { layer: "alignment" }, shift: data.alignment.shift });
  return {
    i, pair, aer: pair.gold === null ? null : errorRate(links, parseLinks(pair.gold)).aer,
    expected: pair.score / (pair.target.pieces.length + 1),
  };
}

function pairsNote() {
  const { corpus } = data;
  return corpus.pairs > data.pairs.length
    ? `The figures are of all ${corpus.pairs} pairs. ${data.pairs.length} of them are in this page: where the words above stand, those with the highest AER, and the first. `
    : `All ${corpus.pairs} are in this page. `;
}

function pairLine({ i, pair, aer, expected }, open) {
  return el("li", {}, el("button", { type: "button", onclick: () => open(i) },
    el("span", { class: "from" }, pair.source.text), el("span", { class: "to" }, pair.target.text),
    el("span", { class: "figure" }, aer === null ? "" : `AER ${fixed(aer)}`),
    el("span", { class: "figure" }, `p ${fixed(Math.exp(expected))}`)));
}

/* AER of each head; the best has a mark, the alignment's its dot. */
function headTable(corpus) {
  if (corpus.gold === 0) {
    return el("section", { class: "box" }, el("h3", {}, "Heads"), el("p", { class: "note" },
      "No pair has gold links, so the heads have no alignment error rate: give them in the third column, or with --gold."));
  }
  const shift = data.alignment.shift ? "input" : "output";
  const tables = { output: corpus.aer.output.heads, input: corpus.aer.input.heads };
  const alignment = data.alignment.posterior ? corpus.aer.posterior : corpus.aer[shift].alignment;
  const best = Math.min(...Object.values(tables).flat(2));
  const columns = [...range(data.model.heads.cross), "mean"];
  const draw = (name) => el("table", { class: "heads figures" },
    el("caption", {}, name === "output" ? "Read where a word is the output" : "Read where it is the input (shift)"),
    el("thead", {}, el("tr", {}, el("td", {}), columns.map((h) => el("th", { scope: "col" }, h === "mean" ? "mean" : `head ${h}`)))),
    el("tbody", {}, tables[name].map((rates, layer) => el("tr", {},
      el("th", { scope: "row" }, layer === data.model.layers.cross ? "mean" : `layer ${layer}`),
      rates.map((rate, head) => {
        const marked = name === (data.alignment.posterior ? "output" : shift) && isAlignmentHead(layer, head);
        const made = el("td", { class: `${rate === best ? "best" : ""} ${marked ? "marked" : ""}` }, fixed(rate, 3));
        shade(made, 0.75 * (1 - rate));
        return made;
      })))));
  return el("section", { class: "box" }, el("h3", {}, "AER of each head"),
    el("p", { class: "lead" }, `${capital(nameOf({ layer: "alignment" }))}${data.alignment.shift ? ", shifted" : ""}. AER `, el("b", {}, fixed(alignment, 3)),
      ` over ${corpus.gold} pair${corpus.gold === 1 ? "" : "s"} with gold links.`),
    draw("output"), draw("input"),
    el("p", { class: "note" }, "The lower the better; bold is the lowest, a dot is an alignment head."));
}

function wordTables(corpus, narrow) {
  const orders = [
    ["Look most certainly", (a, b) => a.entropy - b.entropy],
    ["Look least certainly", (a, b) => b.entropy - a.entropy],
    ["Were expected most", (a, b) => b.probability - a.probability],
    ["Were expected least", (a, b) => a.probability - b.probability],
  ];
  return el("section", { class: "box" }, el("h3", {}, "Words"),
    el("p", { class: "note" }, `Target words that come at least ${corpus.least} times. Bits: the entropy of the word’s attention, 0 where it looks at one word only. `,
      "p: the geometric mean of its probability. Click a word to see its pairs."),
    el("div", { class: "words-tables" }, orders.map(([title, order]) => el("table", { class: "words" },
      el("caption", {}, title),
      el("thead", {}, el("tr", {}, ["word", "times", "bits", "p"].map((t) => el("th", { scope: "col" }, t)))),
      el("tbody", {}, corpus.words.slice().sort(order).slice(0, corpus.listed).map((word) => el("tr", {},
        el("th", { scope: "row" }, el("button", { type: "button", class: "plain", disabled: word.examples.length === 0, onclick: () => narrow(word) }, word.text)),
        el("td", { class: "figure" }, String(word.count)), el("td", { class: "figure" }, fixed(word.entropy)),
        el("td", { class: "figure" }, fixed(word.probability)))))))));
}
