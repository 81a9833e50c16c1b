"use strict";

/* Every layer and head as a small matrix; the chosen one is what the views show. */

const LARGEST_THUMBNAIL = 64; /* pixels of the canvas; the page scales it */

function picker(scene, choose) {
  const { kind } = scene.options;
  const layers = data.model.layers[kind];
  const heads = data.model.heads[kind];
  const drawings = [];

  const option = (choice, title, marked) => {
    const canvas = el("canvas", { "aria-hidden": "true" });
    const number = el("span", { class: "number" });
    drawings.push({ choice, canvas, number });
    return el("label", { class: marked ? "head marked" : "head", title },
      el("input", {
        type: "radio", name: "head", "aria-label": title,
        checked: choice.layer === scene.options.choice.layer && choice.head === scene.options.choice.head,
        onchange: () => choose(choice),
      }), canvas, number);
  };

  const cellOf = (layer, head) => {
    const choice = { layer, head };
    const marked = kind === "cross" && isAlignmentHead(layer, head);
    return el("td", { class: layer === "mean" || head === "mean" ? "mean" : "" },
      option(choice, nameOf(choice) + (marked ? " (an alignment head)" : ""), marked));
  };

  const columns = [...range(heads), "mean"];
  const table = el("table", { class: "heads" },
    el("thead", {}, el("tr", {}, el("td", {}), columns.map((h) => el("th", { scope: "col" }, h === "mean" ? "mean" : `head ${h}`)))),
    el("tbody", {}, [...range(layers), "mean"].map((layer) => el("tr", {},
      el("th", { scope: "row" }, layer === "mean" ? "mean" : `layer ${layer}`), columns.map((head) => cellOf(layer, head))))));
  /* Above the table, what is no single head. */
  const tile = (choice, name, text) => el("div", { class: "own" },
    option(choice, nameOf(choice), choice.layer === "alignment"), el("p", {}, el("strong", {}, name), el("br"), text));
  const own = [];
  if (kind === "cross") {
    const plain = `layer ${data.alignment.layer}, head${data.alignment.heads.length > 1 ? "s" : ""} ${data.alignment.heads.join(", ")}`;
    own.push(tile({ layer: "alignment" }, "The alignment", data.alignment.posterior ? nameOf({ layer: "posterior" }) : plain));
    if (!data.alignment.posterior && scene.pair.weights.posterior) {
      own.push(tile({ layer: "posterior" }, "Posterior", "what each source word added to the word written"));
    }
  }

  const whole = el("div", {}, el("h2", {}, kind === "cross" ? "Layers and heads" : `Layers and heads of the ${kind}`), ...own, table,
    kind === "cross" ? el("p", { class: "note" }, el("i", { class: "dot" }), " an alignment head: what ",
      el("code", {}, "tolk align"), " reads.",
      scene.hasGold && scene.options.units === "words" ? el("span", { class: "of-pair" }, " Numbers: AER of this pair.") : null) : null);
  return { element: whole, draw: (options, numberOf) => drawings.forEach((d) => thumbnail(d, scene.pair, options, numberOf)) };
}

function thumbnail({ choice, canvas, number }, pair, options, numberOf) {
  const m = matrix(pair, { ...options, choice });
  const cell = Math.max(1, Math.floor(LARGEST_THUMBNAIL / Math.max(m.rows.length, m.columns.length)));
  canvas.width = cell * m.columns.length;
  canvas.height = cell * m.rows.length;
  const context = canvas.getContext("2d");
  context.fillStyle = getComputedStyle(canvas).color;
  m.rows.forEach((_, r) => m.columns.forEach((__, c) => {
    context.globalAlpha = Math.min(1, m.at(r, c));
    context.fillRect(c * cell, r * cell, cell, cell);
  }));
  number.textContent = numberOf(choice);
}
