"use strict";

/* The numbers as tolk wrote them, and what follows from them. Nothing here touches the page. */

const data = JSON.parse(document.getElementById("data").textContent);
const KINDS = ["cross", "encoder", "decoder"];
const END = "⟨end⟩";
const START = "⟨start⟩";

/* Base64 of little-endian numbers of 16 bits. */
function decode(base64, signed) {
  const text = atob(base64);
  const view = new DataView(new ArrayBuffer(text.length));
  for (let i = 0; i < text.length; i++) {
    view.setUint8(i, text.charCodeAt(i));
  }
  return Float64Array.from({ length: text.length / 2 }, (_, i) =>
    signed ? view.getInt16(2 * i, true) : view.getUint16(2 * i, true));
}

const decoded = new WeakMap();

function remember(object, key, make) {
  if (!decoded.has(object)) {
    decoded.set(object, new Map());
  }
  const made = decoded.get(object);
  if (!made.has(key)) {
    made.set(key, make());
  }
  return made.get(key);
}

/* ---- the two sides of a kind of attention ---- */

/* The side that asks (rows) and the side that is looked at (columns). The decoder reads what was
 * written before, so the rows of its self-attention are its inputs. */
const SIDES = {
  cross: { query: "target", key: "source" },
  encoder: { query: "source", key: "source" },
  decoder: { query: "input", key: "input" },
};

/* Labels, and for each row of the model the label it belongs to. */
function axis(pair, side, units) {
  const sentence = side === "source" ? pair.source : pair.target;
  const words = units === "words";
  const labels = (words ? sentence.words : sentence.pieces).slice();
  const of = sentence.pieces.map((_, i) => words ? sentence.word_of_piece[i] : i);
  if (side === "input") {
    return { labels: [START, ...labels], of: [0, ...of.map((i) => i + 1)] };
  }
  return { labels: [...labels, END], of: [...of, labels.length] };
}

/* The weights of one kind: [layers, heads, queries, keys]. */
function block(pair, kind) {
  return remember(pair.weights, kind, () => {
    const rows = (side) => axis(pair, side, "pieces").of.length;
    const values = decode(pair.weights[kind], false).map((x) => x / 65535);
    return {
      layers: data.model.layers[kind],
      heads: data.model.heads[kind],
      queries: rows(SIDES[kind].query),
      keys: rows(SIDES[kind].key),
      values,
    };
  });
}

function weight(from, layer, head, query, key) {
  return from.values[((layer * from.heads + head) * from.queries + query) * from.keys + key];
}

/* ---- which heads: a layer or "mean", a head or "mean", or the alignment's ---- */

function range(count) {
  return Array.from({ length: count }, (_, i) => i);
}

/* What `tolk align` reads may be the posterior attention of some heads; their mean is its prior. */
function resolve(choice) {
  return choice.layer === "alignment" && data.alignment.posterior ? { layer: "posterior" } : choice;
}

function isPosterior(choice) {
  return resolve(choice).layer === "posterior";
}

/* The heads that are averaged: [[layer, head], …]. */
function members(kind, choice) {
  if (isPosterior(choice) || choice.layer === "prior") {
    return data.alignment.posterior_heads;
  }
  if (choice.layer === "alignment") {
    return data.alignment.heads.map((head) => [data.alignment.layer, head]);
  }
  const layers = choice.layer === "mean" ? range(data.model.layers[kind]) : [choice.layer];
  const heads = choice.head === "mean" ? range(data.model.heads[kind]) : [choice.head];
  return layers.flatMap((layer) => heads.map((head) => [layer, head]));
}

function nameOf(choice) {
  if (isPosterior(choice)) {
    const count = data.alignment.posterior_heads.length;
    return `${choice.layer === "alignment" ? "the alignment: " : ""}posterior attention of ${count} heads`;
  }
  if (choice.layer === "alignment") {
    const heads = data.alignment.heads;
    return `the alignment: layer ${data.alignment.layer}, head${heads.length > 1 ? "s" : ""} ${heads.join(", ")}`;
  }
  const layer = choice.layer === "mean" ? "mean of all layers" : `layer ${choice.layer}`;
  const head = choice.head === "mean" ? "mean of all heads" : `head ${choice.head}`;
  return `${layer}, ${head}`;
}

function isAlignmentHead(layer, head) {
  if (data.alignment.posterior) {
    return data.alignment.posterior_heads.some(([l, h]) => l === layer && h === head);
  }
  return layer === data.alignment.layer && data.alignment.heads.includes(head);
}

/* ---- from pieces to words ---- */

/* The decoder step at which a target row is read: where it is the output, or (shift) the input. */
function stepOf(kind, shift, row, queries) {
  return kind === "cross" && shift && row < queries - 1 ? row + 1 : row;
}

/* Weights of source pieces add up, rows of target pieces are averaged, so that rows sum to 1. */
function matrix(pair, { kind, choice, units, shift }) {
  if (kind === "cross" && isPosterior(choice)) {
    return posteriorMatrix(pair, units);
  }
  const from = block(pair, kind);
  const rows = axis(pair, SIDES[kind].query, units);
  const columns = axis(pair, SIDES[kind].key, units);
  const heads = members(kind, choice);
  const width = columns.labels.length;
  const values = new Float64Array(rows.labels.length * width);
  const counts = new Float64Array(rows.labels.length);
  rows.of.forEach((row) => { counts[row] += heads.length; });
  for (const [layer, head] of heads) {
    rows.of.forEach((row, q) => {
      const step = stepOf(kind, shift, q, from.queries);
      columns.of.forEach((column, k) => {
        values[row * width + column] += weight(from, layer, head, step, k) / counts[row];
      });
    });
  }
  return { rows: rows.labels, columns: columns.labels, values, at: (r, c) => values[r * width + c] };
}

/* P(source | target piece), joined as the weights are. It has no heads, and the known piece is its output. */
function posteriorMatrix(pair, units) {
  const rows = axis(pair, "target", units);
  const columns = axis(pair, "source", units);
  const numbers = remember(pair.weights, "posterior", () => decode(pair.weights.posterior, false).map((x) => x / 65535));
  const width = columns.labels.length;
  const values = new Float64Array(rows.labels.length * width);
  const counts = new Float64Array(rows.labels.length);
  rows.of.forEach((row) => { counts[row] += 1; });
  rows.of.forEach((row, q) => columns.of.forEach((column, k) => {
    values[row * width + column] += numbers[q * columns.of.length + k] / counts[row];
  }));
  return { rows: rows.labels, columns: columns.labels, values, at: (r, c) => values[r * width + c] };
}

/* What an entry of a matrix is made of: pieces of both words in each head, the largest first. */
function parts(pair, { kind, choice, units, shift }, row, column) {
  const from = block(pair, kind);
  const rows = axis(pair, SIDES[kind].query, units).of;
  const columns = axis(pair, SIDES[kind].key, units).of;
  const found = [];
  for (const [layer, head] of members(kind, choice)) {
    rows.forEach((r, q) => columns.forEach((c, key) => {
      if (r === row && c === column) {
        const query = stepOf(kind, shift, q, from.queries);
        found.push({ layer, head, query, key, weight: weight(from, layer, head, query, key) });
      }
    }));
  }
  return found.sort((a, b) => b.weight - a.weight);
}

/* ---- links and their error rate ---- */

/* "0-0 1p2" as [{source, target, possible}]. */
function parseLinks(text) {
  return text.split(" ").filter(Boolean).map((link) => {
    const [, source, mark, target] = /^(\d+)([-p])(\d+)$/.exec(link);
    return { source: Number(source), target: Number(target), possible: mark === "p" };
  });
}

/* The hard links of a choice of heads: tables [layer, then mean][head, then mean] for both
 * readings. */
function linksOf(pair, { choice, shift }) {
  if (isPosterior(choice)) {
    return parseLinks(pair.links.posterior);
  }
  const table = pair.links[shift ? "input" : "output"];
  if (choice.layer === "alignment") {
    return parseLinks(table.alignment);
  }
  const layer = choice.layer === "mean" ? data.model.layers.cross : choice.layer;
  const head = choice.head === "mean" ? data.model.heads.cross : choice.head;
  return parseLinks(table.heads[layer][head]);
}

/* 1 − (|A∩S| + |A∩P|) / (|A| + |S|) (Och & Ney 2003). */
function errorRate(links, gold) {
  const sure = new Set();
  const possible = new Set();
  for (const { source, target, possible: only } of gold) {
    possible.add(`${source} ${target}`);
    if (!only) {
      sure.add(`${source} ${target}`);
    }
  }
  let sureFound = 0;
  let possibleFound = 0;
  for (const { source, target } of links) {
    sureFound += sure.has(`${source} ${target}`) ? 1 : 0;
    possibleFound += possible.has(`${source} ${target}`) ? 1 : 0;
  }
  const all = links.length + sure.size;
  return {
    aer: all === 0 ? 0 : 1 - (sureFound + possibleFound) / all,
    precision: links.length === 0 ? 1 : possibleFound / links.length,
    recall: sure.size === 0 ? 1 : sureFound / sure.size,
  };
}

/* ---- the vectors of one head ---- */

/* q, k and v of a head as rows of d_k numbers, or null where the page leaves them out. */
function vectorsOf(pair, kind, layer, head) {
  const of = pair.vectors && pair.vectors[kind] && pair.vectors[kind][layer];
  if (!of) {
    return null;
  }
  return remember(of, head, () => {
    const made = {};
    for (const name of ["q", "k", "v"]) {
      const all = remember(of, name, () => decode(of[name].values, true));
      const width = data.model.d_model / data.model.heads[kind];
      const rows = all.length / (data.model.heads[kind] * width);
      const scale = of[name].scale;
      made[name] = range(rows).map((row) =>
        Array.from(all.subarray((head * rows + row) * width, (head * rows + row + 1) * width), (x) => x * scale));
    }
    return made;
  });
}

function dot(a, b) {
  return a.reduce((sum, x, i) => sum + x * b[i], 0);
}

/* softmax(q Kᵀ / √d_k) of one row; `seen` keys stand before what is masked. */
function softmaxRow(q, keys, seen) {
  const scores = keys.map((k, i) => (i < seen ? dot(q, k) / Math.sqrt(q.length) : -Infinity));
  const largest = Math.max(...scores);
  const powers = scores.map((s) => Math.exp(s - largest));
  const sum = powers.reduce((a, b) => a + b, 0);
  return { scores, largest, powers, sum, weights: powers.map((p) => p / sum) };
}
