"use strict";

/* One weight worked out: Attention(Q, K, V) = softmax(Q Kᵀ / √d_k) V with the numbers of this model. */

const STRIP_HEIGHT = 44;
const SHOWN_NUMBERS = 4;

function arithmeticView(scene) {
  const all = parts(scene.pair, priorOf(scene.options), scene.cell.row, scene.cell.column);
  const part = all[Math.min(scene.part, all.length - 1)];
  const { kind } = scene.options;
  const vectors = vectorsOf(scene.pair, kind, part.layer, part.head);
  const names = {
    query: stepName(scene.pair, kind, part.query),
    key: axis(scene.pair, SIDES[kind].key, "pieces").labels[part.key],
    keys: axis(scene.pair, SIDES[kind].key, "pieces").labels,
  };
  return [
    el("header", {}, el("h2", {}, "The arithmetic of one weight"), attentionFormula()),
    ...(kind === "cross" && isPosterior(scene.options.choice) ? posteriorNote(scene) : []),
    composition(scene, all, part),
    vectors ? worked(scene, part, vectors, names) : el("p", { class: "note" },
      "The vectors of this layer were left out to keep the page small; other layers have theirs."),
  ];
}

/* What is worked out: posterior attention weighs the attention of its heads, at the step of the word. */
function priorOf(options) {
  return isPosterior(options.choice) ? { ...options, choice: { layer: "prior" }, shift: false } : options;
}

/* Posterior attention has no vectors of its own: it weighs those of its heads once the word is known. */
function posteriorNote(scene) {
  const { matrix: m, cell } = scene;
  return [
    el("p", { class: "lead" }, "Now that ", quoted(m.rows[cell.row]), " is written, ", el("b", {}, percent(m.at(cell.row, cell.column))),
      " of it is put down to ", quoted(m.columns[cell.column]), " (posterior attention, Shankar & Sarawagi 2019): ",
      formula(mi("P"), mo("("), mi("s"), mo("|"), mi("y"), mo(")"), mo("∝"), mi("a"), mo("·"), power("e", "c")), "."),
    el("p", { class: "note" }, "a is the mean attention of its heads, worked out below; c is what those heads would add to the score of the written "
      + "piece if all of them looked at this position alone."),
  ];
}

function attentionFormula() {
  return formula(mi("Attention"), mo("("), mi("Q"), mo(","), mi("K"), mo(","), mi("V"), mo(")"), mo("="), mi("softmax"), mo("("),
    fraction(row(mi("Q"), power("K", "T")), root(sub("d", mi("k")))), mo(")"), mi("V"));
}

/* What a row of the model stands for: the decoder's is a step, between its input and its output. */
function stepName(pair, kind, query) {
  if (kind === "encoder") {
    return axis(pair, "source", "pieces").labels[query];
  }
  const input = axis(pair, "input", "pieces").labels[query];
  const output = axis(pair, "target", "pieces").labels[query];
  return `${input} → ${output}`;
}

/* An entry of a matrix of words or means is made of several weights: choose one. */
function composition(scene, all, part) {
  const { cell } = scene;
  const m = matrix(scene.pair, priorOf(scene.options));
  const asks = m.rows[cell.row];
  const asked = m.columns[cell.column];
  const sentence = el("p", { class: "lead" }, quoted(asks), " looks at ", quoted(asked), " with ",
    el("b", {}, share(m.at(cell.row, cell.column))), all.length === 1 ? ` (layer ${part.layer}, head ${part.head}).` : ". ");
  if (all.length === 1) {
    return sentence;
  }
  const heads = new Set(all.map((p) => `${p.layer} ${p.head}`)).size;
  const queries = new Set(all.map((p) => p.query)).size;
  const keys = new Set(all.map((p) => p.key)).size;
  const made = [heads > 1 ? `the mean of ${heads} heads` : "", queries > 1 ? `the mean of ${queries} rows` : "",
    keys > 1 ? `the sum of ${keys} columns` : ""].filter(Boolean);
  const select = el("select", { "aria-label": "Which of them", onchange: () => scene.choosePart(select.selectedIndex) },
    all.map((p, i) => el("option", { selected: p === part, value: i },
      `${fixed(p.weight, 3)}  layer ${p.layer}, head ${p.head}: ${stepName(scene.pair, scene.options.kind, p.query)} at `
      + axis(scene.pair, SIDES[scene.options.kind].key, "pieces").labels[p.key])));
  sentence.append(`That is ${made.join(" and ")}. One of these weights: `, select);
  return sentence;
}

function quoted(text) {
  return el("q", {}, text);
}

function worked(scene, part, vectors, names) {
  const { kind } = scene.options;
  const q = vectors.q[part.query];
  const k = vectors.k[part.key];
  const v = vectors.v[part.key];
  const products = q.map((x, i) => x * k[i]);
  const width = q.length;
  const seen = kind === "decoder" ? part.query + 1 : vectors.k.length;
  const softmax = softmaxRow(q, vectors.k, seen);
  const product = dot(q, k);
  const sums = q.map((_, i) => softmax.weights.reduce((sum, w, j) => sum + w * vectors.v[j][i], 0));
  const weighted = v.map((x) => softmax.weights[part.key] * x);
  const dk = sub("d", mi("k"));
  const { d_model: size } = data.model;
  const heads = data.model.heads[kind];
  return el("ol", { class: "work" },
    step("Two vectors", [projection("q", "x", "Q"), projection("k", "y", "K")],
      el("p", {}, whence(kind, names), ` W has ${size} × ${width} numbers of this head’s own, b is its bias, which the paper leaves out; d`,
        el("sub", {}, "k"), ` = d`, el("sub", {}, "model"), ` / h = ${size} / ${heads} = ${width}.`),
      strip("q", names.query, q), strip("k", names.key, k), commandLine(scene.pair, kind, part)),
    step("Their product", [formula(vector("q"), mo("·"), vector("k"), mo("="), math("msub", mo("∑"), mi("i")), sub("q", mi("i")), sub("k", mi("i")))],
      strip("q ∘ k", "number by number", products),
      result(vector("q"), mo("·"), vector("k"), mo("="), mn(products[0]), signed(products[1]), signed(products[2]), mo("+"), mi("…"), mo("="), mn(product)),
      everyNumber({ q, k, "q · k": products })),
    step("The scale", [formula(mi("s"), mo("="), fraction(row(vector("q"), mo("·"), vector("k")), root(dk)))],
      result(mi("s"), mo("="), fraction(mn(product), root(mn(String(width)))), mo("="), fraction(mn(product), mn(Math.sqrt(width))), mo("="),
        mn(softmax.scores[part.key]))),
    step("The softmax over the row", [formula(sub("w", mi("j")), mo("="), fraction(
      power("e", sub("s", mi("j"))), row(math("msub", mo("∑"), mi("l")), power("e", sub("s", mi("l"))))))],
      softmaxTable(softmax, names, part.key, seen)),
    step("The weighted sum of the values", [projection("v", "y", "V"),
      formula(vector("z"), mo("="), math("msub", mo("∑"), mi("j")), sub("w", mi("j")), math("msub", vector("v"), mi("j")))],
      strip("v", names.key, v), strip(`${fixed(softmax.weights[part.key], 3)} · v`, "what it gives to z", weighted, v),
      strip("z", "sum over the row", sums),
      everyNumber({ v, [`${fixed(softmax.weights[part.key], 3)} · v`]: weighted, z: sums }),
      el("p", {}, "The paper calls z head", el("sub", {}, "i"), `. All ${heads} heads of the layer, side by side, make what it adds to each position: `),
      result(mi("MultiHead"), mo("="), mi("Concat"), mo("("), sub("head", mn("0")), mo(","), mi("…"), mo(","), sub("head", mn(String(heads - 1))), mo(")"),
        power("W", "O"))));
}

/* q = x W^Q + b^Q, and the others so. */
function projection(vectorName, from, name) {
  return formula(vector(vectorName), mo("="), vector(from), power("W", name), mo("+"), power(vector("b"), name));
}

/* The same in the terminal, where x, W and the bias have their numbers too. */
function commandLine(pair, kind, part) {
  const quote = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  return el("details", {}, el("summary", {}, "x, W and b in the terminal"), el("pre", { class: "scroll" },
    `tolk inspect --steps --kind ${kind} --layer ${part.layer} --head ${part.head} --no-shift --pieces --word ${part.query} \\\n    `
    + `--given ${quote(pair.target.text)} ${data.model.name} ${quote(pair.source.text)}`));
}

function step(title, symbols, ...body) {
  return el("li", {}, el("div", { class: "title" }, el("h3", {}, title), symbols), el("div", { class: "body" }, body));
}

function result(...children) {
  return el("p", { class: "result" }, formula(...children));
}

function signed(x) {
  return x < 0 ? [mo("−"), mn(-x)] : [mo("+"), mn(x)];
}

function whence(kind, { query, key }) {
  const texts = {
    cross: `x is what this layer of the decoder has at the step ${query}, y what the encoder made of ${key}.`,
    encoder: `x is what comes into this layer for ${query}, y what comes in for ${key}.`,
    decoder: `x is what comes into this layer at the step ${query}, y at the step whose input is ${key}. Steps that come later are masked.`,
  };
  return texts[kind];
}

/* Numbers as bars above and below a line. `like` gives the scale, so that strips can be compared. */
function strip(name, of, numbers, like = numbers) {
  const largest = Math.max(...like.map(Math.abs), 1e-9);
  const half = STRIP_HEIGHT / 2;
  const bars = numbers.map((x, i) => {
    const height = (Math.abs(x) / largest) * (half - 1);
    return svg("rect", {
      class: x < 0 ? "below" : "above", x: i + 0.12, width: 0.76, y: x < 0 ? half : half - height, height,
    });
  });
  const first = numbers.slice(0, SHOWN_NUMBERS).map((x) => fixed(x)).join(", ");
  return el("figure", { class: "strip" },
    el("figcaption", {}, el("b", {}, name), " ", el("span", {}, of)),
    svg("svg", {
      viewBox: `0 0 ${numbers.length} ${STRIP_HEIGHT}`, preserveAspectRatio: "none", height: STRIP_HEIGHT, role: "img",
      "aria-label": `${name}: ${numbers.length} numbers from ${fixed(Math.min(...numbers))} to ${fixed(Math.max(...numbers))}`,
    }, svg("line", { x1: 0, x2: numbers.length, y1: half, y2: half }), bars),
    el("span", { class: "first" }, `(${first}, …)`));
}

function everyNumber(columns) {
  const names = Object.keys(columns);
  const details = el("details", {}, el("summary", {}, `All ${columns[names[0]].length} numbers`));
  details.addEventListener("toggle", () => {
    if (details.open && details.children.length === 1) {
      details.append(el("div", { class: "scroll numbers" }, el("table", {},
        el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "i"), names.map((n) => el("th", { scope: "col" }, n)))),
        el("tbody", {}, columns[names[0]].map((_, i) => el("tr", {}, el("th", { scope: "row" }, String(i)),
          names.map((n) => el("td", {}, fixed(columns[n][i], 4)))))))));
    }
  });
  return details;
}

/* As `share`, in a formula. */
function figure(x) {
  const [digits, above] = share(x);
  return above ? math("msup", mn(digits), mn(above.textContent)) : mn(digits);
}

function softmaxTable(softmax, names, chosen, seen) {
  return el("div", {}, el("div", { class: "scroll" }, el("table", { class: "softmax bars" },
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "key"), el("th", { scope: "col" }, "s = q·k / √d", el("sub", {}, "k")),
      el("th", { scope: "col" }, "e", el("sup", {}, "s − max")), el("th", { scope: "col" }, "w"))),
    el("tbody", {}, names.keys.map((name, j) => {
      const bar = el("td", { class: "bar" }, el("span", {}), el("b", {}, share(softmax.weights[j])));
      bar.style.setProperty("--w", softmax.weights[j]);
      return el("tr", { class: j === chosen ? "chosen" : "" }, el("th", { scope: "row" }, name),
        el("td", { class: "figure" }, j < seen ? fixed(softmax.scores[j]) : "masked, −∞"),
        el("td", { class: "figure" }, share(softmax.powers[j])), bar);
    })))),
  result(sub("w", mi("j")), mo("="), fraction(figure(softmax.powers[chosen]), figure(softmax.sum)), mo("="), figure(softmax.weights[chosen])),
  el("p", { class: "note" }, `The largest score, ${fixed(softmax.largest)}, is subtracted from all: the quotient stays, and no power is too large.`));
}
