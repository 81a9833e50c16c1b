"use strict";

/* The search, step by step: what was written, where the model looks, what could come next. */

function decodingView(scene) {
  const { search } = scene.pair;
  const last = search.steps.length - 1;
  const path = bestPath(search);
  const slider = el("input", {
    type: "range", min: 0, max: last, value: scene.step, "aria-label": "Step", oninput: () => go(Number(slider.value)),
  });
  const back = el("button", { type: "button", onclick: () => go(Number(slider.value) - 1) }, "← Back");
  const next = el("button", { type: "button", onclick: () => go(Number(slider.value) + 1) }, "Next →");
  const count = el("output", {});
  const body = el("div", { class: "step" });

  function go(step) {
    const at = Math.min(last, Math.max(0, step));
    slider.value = at;
    back.disabled = at === 0;
    next.disabled = at === last;
    count.textContent = `step ${at + 1} of ${last + 1}`;
    slider.setAttribute("aria-valuetext", count.textContent);
    scene.chooseStep(at);
    body.replaceChildren(
      el("div", { class: "sofar" }, written(search, at), looking(scene, at)),
      el("div", { class: "boxes" }, continuations(scene.pair, search, path, at), beamTable(search, path, at)));
  }
  go(scene.step);
  return el("div", { class: "decoding" }, el("div", { class: "stepper" }, back, slider, next, count), body);
}

function textOf(ids) {
  return ids.filter((id) => id !== data.model.eos).map((id) => data.pieces[id]).join("").replaceAll("▁", " ").trim();
}

/* The rows of the beam that became the translation: path[step] is a row of that step. */
function bestPath(search) {
  const path = [0];
  search.steps.forEach((step, t) => {
    const alive = step.chosen.filter((c) => c.id !== data.model.eos);
    path.push(alive.findIndex((c) => c.row === path[t] && c.id === search.ids[t]));
  });
  return path;
}

/* The ids of row `row` before step `step`. */
function prefix(search, step, row) {
  const ids = [];
  for (let t = step - 1, r = row; t >= 0; t--) {
    const from = search.steps[t].chosen.filter((c) => c.id !== data.model.eos)[r];
    ids.unshift(from.id);
    r = from.row;
  }
  return ids;
}

function written(search, step) {
  const before = textOf(search.ids.slice(0, step));
  const whole = textOf(search.ids.slice(0, step + 1));
  const fresh = search.ids[step] === data.model.eos ? END : whole.slice(before.length);
  return el("p", { class: "written" }, el("span", { class: "label" }, "Written so far"),
    el("span", { class: "text" }, before || START, el("mark", {}, before || search.ids[step] === data.model.eos ? fresh : ` ${fresh}`)));
}

/* What this step looks at: the source, or what was written; each a way to its arithmetic. */
function looking(scene, step) {
  const { kind, choice } = scene.options;
  const shares = stepShares(scene, step);
  const tokens = shares.labels.map((label, i) => {
    const made = el("button", {
      type: "button", class: special(label) ? "token special" : "token", onclick: () => choose(i), title: "Its arithmetic",
    }, el("span", { class: "text" }, label), " ", el("span", { class: "share" }, percent(shares.values[i])));
    shade(made, shares.values[i]);
    return made;
  });
  const press = (chosen) => tokens.forEach((token, i) => token.setAttribute("aria-pressed", String(i === chosen)));
  const choose = (i) => {
    press(i);
    scene.pick(step, shares.strongest[i]);
  };
  press(shares.of[scene.cellNow().column]);
  return el("div", { class: "looking" },
    el("span", { class: "label" }, `Where it looks${kind === "decoder" ? " in what it has read" : ""} (${nameOf(choice)})`),
    el("div", { class: "source" }, tokens));
}

/* One row of pieces over the labels, and the piece of each label that has most of it. */
function stepShares(scene, step) {
  const { matrix: m, options, pair, words } = scene;
  const side = SIDES[options.kind].key;
  const columns = axis(pair, side, words ? "words" : "pieces");
  const labels = options.kind === "decoder" ? columns.labels.slice(0, step + 1) : columns.labels;
  const values = labels.map(() => 0);
  const strongest = labels.map(() => null);
  columns.of.forEach((column, k) => {
    if (column < labels.length) {
      values[column] += m.at(step, k);
      strongest[column] = strongest[column] === null || m.at(step, k) > m.at(step, strongest[column]) ? k : strongest[column];
    }
  });
  return { labels, values, strongest, of: columns.of };
}

function continuations(pair, search, path, step) {
  const written = search.ids[step];
  const list = search.steps[step].continuations[path[step]];
  const outside = list.some(([id]) => id === written) ? [] : [[written, scoreOf(search, path, step), true]];
  return el("section", { class: "box" }, el("h3", {}, "Best continuations"),
    el("table", { class: "bars" },
      el("thead", { class: "hidden" }, el("tr", {}, ["piece", "probability"].map((t) => el("th", { scope: "col" }, t)))),
      el("tbody", {}, [...list, ...outside].map(([id, logp]) => {
        const p = Math.exp(logp);
        const bar = el("td", { class: "bar" }, el("span", {}), el("b", {}, p < 0.001 ? "< 0.1 %" : `${(100 * p).toFixed(1)} %`));
        bar.style.setProperty("--w", p);
        return el("tr", { class: id === written ? "chosen" : "" },
          el("th", { scope: "row" }, id === data.model.eos ? END : data.pieces[id]), bar);
      }))),
    el("p", { class: "note" }, "p(piece | source, what is written): the softmax over all ", String(data.model.vocab_size),
      " pieces. ▁ begins a word."));
}

/* log p of what was written, where it is not among the best. */
function scoreOf(search, path, step) {
  const found = search.steps[step].chosen.find((c) => c.row === path[step] && c.id === search.ids[step]);
  return found ? found.log_probability : -Infinity;
}

function beamTable(search, path, step) {
  if (search.given) {
    return el("section", { class: "box" }, el("h3", {}, "Beam"),
      el("p", { class: "note" }, "The translation was given, so nothing was searched: the model is shown its words one by one."));
  }
  const ended = search.steps.slice(0, step).flatMap((s, t) => s.chosen.filter((c) => c.id === data.model.eos)
    .map((c) => ({ text: textOf(prefix(search, t, c.row)), c, earlier: true })));
  const now = search.steps[step].chosen.map((c) => ({
    text: textOf([...prefix(search, step, c.row), c.id]), c, best: c.row === path[step] && c.id === search.ids[step],
  }));
  const line = ({ text, c, best, earlier }) => el("tr", { class: best ? "chosen" : earlier ? "earlier" : "" },
    el("td", {}, text, c.id === data.model.eos ? el("span", { class: "ended" }, ` ${END}`) : ""),
    el("td", { class: "figure" }, fixed(c.score)),
    el("td", { class: "figure" }, c.id === data.model.eos ? fixed(c.normalised_score) : ""));
  return el("section", { class: "box" }, el("h3", {}, `Beam after this step (width ${search.beam})`),
    el("div", { class: "scroll" }, el("table", { class: "beam" },
      el("thead", {}, el("tr", {}, ["hypothesis", "log p", "ranked by"].map((t) => el("th", { scope: "col" }, t)))),
      el("tbody", {}, [...now, ...ended].map(line)))),
    el("p", { class: "note" }, "The bold one becomes the translation. Hypotheses that end leave the beam, which narrows; log p divided by ",
      search.length_penalty === 1 ? "the number of pieces" : ["the number of pieces to the power of ", String(search.length_penalty)], " ranks them."));
}
