"use strict";

/* A corpus: which heads align, which words are certain, and its pairs. */

function corpusView(open) {
  const { corpus } = data;
  const list = el("div", { class: "pairs" });
  let filter = null;

  function fillList() {
    const pairs = range(data.pairs.length).filter((i) => filter === null || filter.examples.includes(i));
    list.replaceChildren(el("h3", {}, filter === null ? "Pairs" : "Pairs with “", filter === null ? "" : filter.text, filter === null ? "" : "”"),
      el("p", { class: "note" }, pairsNote(),
        filter === null ? null : el("button", { type: "button", class: "plain", onclick: () => narrow(null) }, "Show all again")),
      el("ol", {}, pairs.map((i) => pairLine(i, open))));
  }
  function narrow(word) {
    filter = word;
    fillList();
  }
  fillList();
  return el("div", { class: "corpus" },
    el("div", { class: "boxes" }, headTable(corpus), wordTables(corpus, narrow)), list);
}

function pairsNote() {
  const { corpus } = data;
  return corpus.pairs > data.pairs.length
    ? `The figures are of all ${corpus.pairs} pairs; the first ${data.pairs.length} are in this page. `
    : `All ${corpus.pairs} are in this page. `;
}

function pairLine(i, open) {
  const pair = data.pairs[i];
  const gold = pair.gold === null ? null : errorRate(linksOf(pair, { choice: { layer: "alignment" }, shift: data.alignment.shift }), parseLinks(pair.gold));
  return el("li", { value: i }, el("button", { type: "button", onclick: () => open(i) },
    el("span", { class: "from" }, pair.source.text), el("span", { class: "to" }, pair.target.text),
    el("span", { class: "figure" }, gold === null ? "" : `AER ${fixed(gold.aer)}`)));
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
    el("caption", {}, name === "output" ? "read where a word is the output" : "read where it is the input (shift)"),
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
    el("p", { class: "lead" }, `${nameOf({ layer: "alignment" })}${data.alignment.shift ? ", shifted" : ""}: AER `, el("b", {}, fixed(alignment, 3)),
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
      "p: the geometric mean of its probability."),
    el("div", { class: "words-tables" }, orders.map(([title, order]) => el("table", { class: "words" },
      el("caption", {}, title),
      el("thead", {}, el("tr", {}, ["word", "times", "bits", "p"].map((t) => el("th", { scope: "col" }, t)))),
      el("tbody", {}, corpus.words.slice().sort(order).slice(0, corpus.listed).map((word) => el("tr", {},
        el("th", { scope: "row" }, el("button", { type: "button", class: "plain", disabled: word.examples.length === 0, onclick: () => narrow(word) }, word.text)),
        el("td", { class: "figure" }, String(word.count)), el("td", { class: "figure" }, fixed(word.entropy)),
        el("td", { class: "figure" }, fixed(word.probability)))))))));
}
