"use strict";

/* Runs in a copy of a page, behind its own scripts: uses it as a reader would, compares its numbers
 * with those of `tolk align --json --all-heads`, or of `tolk translate` where the translation is the
 * model's own, and leaves lines `ok NAME` and `not ok NAME: WHY`. */

const CLOSE = 5e-5; /* the page's weights are rounded to 16 bits */
const lines = [];

function check(name, test) {
  try {
    const why = test();
    lines.push(why ? `not ok page ${name}: ${why}` : `ok page ${name}`);
  } catch (error) {
    lines.push(`not ok page ${name}: ${error}`);
  }
}

const all = (selector) => [...document.querySelectorAll(selector)];
const tab = (name) => all("#tabs [role=tab]").find((t) => t.textContent === name);
const radio = (name, value) => document.querySelector(`input[name=${name}][value="${value}"]`);
const { hard: expected, soft } = JSON.parse(document.getElementById("expected").textContent);
const units = expected.unit;
const press = (element, key) => element.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
const isSeen = (element) => element.offsetParent !== null && element.getBoundingClientRect().height > 0;
const numberIn = (text) => Number(text.replace("−", "-"));
const clicks = { kinds: ["cross", "encoder", "decoder"], units: ["words", "pieces"] };

/* Cells of the drawn matrix, without the labels. */
function differs(got, wanted) {
  for (let r = 0; r < wanted.length; r++) {
    for (let c = 0; c < wanted[r].length; c++) {
      if (Math.abs(got.at(r, c) - wanted[r][c]) > CLOSE) {
        return `row ${r}, column ${c}: ${got.at(r, c)}, not ${wanted[r][c]}`;
      }
    }
  }
  return "";
}

check("holds_the_attention_of_every_head", () => {
  const kinds = { cross: "cross_attentions", encoder: "encoder_attentions", decoder: "decoder_attentions" };
  for (const [kind, key] of Object.entries(kinds)) {
    if (kind === "decoder" && units === "words") {
      continue; /* the page joins the rows of a word that was read, the JSON those of one written */
    }
    for (let layer = 0; layer < expected[key].length; layer++) {
      for (let head = 0; head < expected[key][layer].length; head++) {
        const m = matrix(data.pairs[0], { kind, choice: { layer, head }, units, shift: false });
        const why = differs(m, expected[key][layer][head]);
        if (why) {
          return `${kind} layer ${layer} head ${head} ${why}`;
        }
      }
    }
  }
  return "";
});

check("holds_the_alignment", () => {
  const why = differs(matrix(data.pairs[0], { kind: "cross", choice: { layer: "alignment" }, units, shift: data.alignment.shift }), soft.attention);
  if (why || units !== "words") {
    return why;
  }
  const links = linksOf(data.pairs[0], { choice: { layer: "alignment" }, shift: data.alignment.shift });
  const got = links.map((l) => [l.source, l.target]);
  return JSON.stringify(got) === JSON.stringify(expected.alignment) ? "" : `${JSON.stringify(got)}, not ${JSON.stringify(expected.alignment)}`;
});

check("draws_the_numbers_that_it_holds", () => {
  tab("Matrix").click();
  radio("kind", "cross").click();
  radio("units", units).click();
  all("#picker input[name=head]")[0].click(); /* the alignment */
  const rows = all("#view .matrix tbody tr").map((tr) => [...tr.querySelectorAll("[role=gridcell]")]);
  for (let r = 0; r < rows.length; r++) {
    for (let c = 0; c < rows[r].length; c++) {
      const drawn = Number(rows[r][c].textContent);
      if (Math.abs(drawn - 100 * soft.attention[r][c]) > 0.51) {
        return `row ${r}, column ${c}: ${drawn} %, not ${soft.attention[r][c]}`;
      }
      if (!rows[r][c].getAttribute("aria-label").includes("looks at")) {
        return "a cell does not tell a screen reader what it is";
      }
    }
  }
  const labels = all("#view .matrix tbody th").map((th) => th.textContent).slice(0, -1);
  const wanted = units === "words" ? expected.words : expected.pieces;
  return JSON.stringify(labels) === JSON.stringify(wanted) && rows.length === soft.attention.length ? "" : labels.join(" ");
});

check("every_view_kind_unit_and_head_can_be_clicked", () => {
  let clicked = 0;
  for (const view of all("#tabs [role=tab]").map((t) => t.textContent)) {
    tab(view).click();
    if (tab(view).getAttribute("aria-selected") !== "true") {
      return `${view} was not selected`;
    }
    for (const kind of clicks.kinds) {
      radio("kind", kind).click();
      for (const units of clicks.units) {
        radio("units", units).click();
        for (let i = 0; i < all("#picker input[name=head]").length; i++) {
          all("#picker input[name=head]")[i].click();
          clicked++;
        }
        if (document.getElementById("view").childElementCount === 0) {
          return `${view}, ${kind}, ${units}: nothing is drawn`;
        }
      }
    }
  }
  return clicked > 20 ? "" : `only ${clicked} heads`;
});

check("a_cell_shows_its_arithmetic", () => {
  radio("kind", "cross").click();
  radio("units", "words").click();
  tab("Matrix").click();
  all("#picker input[name=head]").at(0).click();
  const cells = all("#view td button, #view td[tabindex], #view [role=gridcell], #view rect[tabindex]");
  if (cells.length === 0) {
    return "the matrix has no cells to click";
  }
  cells[1].dispatchEvent(new MouseEvent("click", { bubbles: true }));
  const titles = all("#arithmetic h3").map((h) => h.textContent);
  if (!document.getElementById("told").textContent.includes("its arithmetic")) {
    return "the line below the matrix does not say where to look";
  }
  return titles.length === 5 && isSeen(all("#arithmetic h3")[0]) ? "" : `steps: ${titles.join("; ")}`;
});

check("the_arithmetic_shown_is_of_the_cell", () => {
  tab("Matrix").click();
  radio("kind", "cross").click();
  radio("units", "pieces").click();
  const head = all("#picker .heads input[name=head]")[0]; /* layer 0, head 0 */
  head.click();
  if (data.alignment.shift) {
    all(".checks input")[0].click(); /* rows are read where they are written */
  }
  const columns = all("#view .matrix thead th").length;
  all("#view [role=gridcell]")[columns + 1].click(); /* row 1, column 1 */
  const wanted = weight(block(data.pairs[0], "cross"), 0, 0, 1, 1);
  const shown = all("#arithmetic .softmax tr.chosen .bar b")[0];
  const figure = shown.querySelector("sup") ? 0 : numberIn(shown.textContent);
  const lead = all("#arithmetic .lead").at(-1).textContent;
  if (Math.abs(figure - wanted) > 1e-3 || all("#arithmetic .softmax tbody tr").findIndex((tr) => tr.className === "chosen") !== 1) {
    return `${shown.textContent} is shown, not ${wanted}`;
  }
  return lead.includes("layer 0, head 0") ? "" : lead;
});

check("a_word_shows_where_it_looks", () => {
  tab("Lines").click();
  radio("kind", "cross").click();
  radio("units", "words").click();
  const word = all("#view .queries .word")[0];
  const told = document.getElementById("told");
  word.dispatchEvent(new PointerEvent("pointerenter"));
  if (!told.textContent.startsWith(`${word.querySelector(".text").textContent} looks at `) || all("#view .lines .on").length === 0) {
    return `hovered: ${told.textContent}`;
  }
  if (told.querySelector("a")) {
    return "a link would go away with the pointer";
  }
  word.dispatchEvent(new PointerEvent("pointerleave"));
  word.click();
  const picked = all("#arithmetic .lead").at(-1).querySelector("q").textContent;
  if (picked !== word.querySelector(".text").textContent) {
    return `the arithmetic is of ${picked}`;
  }
  const link = told.querySelector("a");
  word.dispatchEvent(new FocusEvent("blur"));
  if (told.querySelector("a") !== link) {
    return "the link goes away with the focus";
  }
  told.querySelector("a").click();
  const lead = all("#arithmetic .lead").at(-1).textContent;
  return word.getAttribute("aria-pressed") === "true" && lead.includes(word.querySelector(".text").textContent) ? "" : lead;
});

check("the_keyboard_moves_between_words_and_cells", () => {
  tab("Lines").click();
  const keys = all("#view .keys .word");
  keys[0].focus();
  press(keys[0], "ArrowDown");
  if (document.activeElement !== keys[1]) {
    return "the arrow key does not move down the source";
  }
  press(keys[1], "ArrowRight");
  if (!document.activeElement.closest(".queries")) {
    return "the arrow key does not cross to the translation";
  }
  tab("Matrix").click();
  const cells = all("#view [role=gridcell]");
  const chosen = cells.find((cell) => cell.getAttribute("aria-selected") === "true");
  const next = cells[cells.indexOf(chosen) + (chosen.nextElementSibling ? 1 : -1)];
  chosen.focus();
  press(chosen, chosen.nextElementSibling ? "ArrowRight" : "ArrowLeft");
  if (document.activeElement !== next || all("#view [role=gridcell][tabindex='0']").length !== 1) {
    return "the arrow key does not move between cells";
  }
  press(next, "Enter");
  return next.getAttribute("aria-selected") === "true" ? "" : "Enter does not choose a cell";
});

check("a_step_of_the_decoder_shows_its_arithmetic", () => {
  tab("Decoding").click();
  for (const kind of ["cross", "decoder"]) {
    radio("kind", kind).click();
    for (const unit of clicks.units) {
      radio("units", unit).click();
      all("#view .stepper button").at(-1).click(); /* a step on, so that there are tokens to choose from */
      const token = all("#view .token").findLast((t) => t.getAttribute("aria-pressed") === "false");
      token.click();
      const text = token.querySelector(".text").textContent;
      const lead = all("#arithmetic .lead").at(-1);
      if (token.getAttribute("aria-pressed") !== "true" || !isSeen(lead)) {
        return `${kind}, ${unit}: nothing is shown of ${text}`;
      }
      if ((unit === "pieces" || kind === "decoder") && lead.querySelectorAll("q")[1].textContent !== text) {
        return `${kind}, ${unit}: ${lead.textContent}`;
      }
    }
  }
  radio("kind", "cross").click();
  return radio("kind", "encoder").disabled ? "" : "the encoder takes no step";
});

check("each_step_has_its_continuations", () => {
  const { search } = data.pairs[0];
  for (let t = 0; t < search.ids.length; t++) {
    const found = search.steps[t].chosen.find((c) => c.id === search.ids[t]);
    const given = t < expected.piece_scores.length ? expected.piece_scores[t] : NaN;
    const row = bestPath(search)[t];
    if (!found || Math.abs(search.steps[t].chosen.find((c) => c.id === search.ids[t] && c.row === row).log_probability - given) > 1e-3) {
      return `step ${t}: not ${given}`;
    }
    const list = search.steps[t].continuations[row].map(([, p]) => p);
    if (list.some((p, i) => p > 0 || (i > 0 && p > list[i - 1])) || list.map(Math.exp).reduce((a, b) => a + b) > 1 + 1e-5) {
      return `step ${t}: ${list.join(" ")} are no probabilities in order`;
    }
  }
  tab("Decoding").click();
  const beam = all("#view .beam tbody tr").length;
  return search.given ? "" : beam >= 1 && beam <= search.beam + search.steps.length ? "" : `${beam} hypotheses`;
});

check("the_arithmetic_gives_the_weight", () => {
  const pair = data.pairs[0];
  for (const kind of clicks.kinds) {
    for (let layer = 0; layer < data.model.layers[kind]; layer++) {
      for (let head = 0; head < data.model.heads[kind]; head++) {
        const vectors = vectorsOf(pair, kind, layer, head);
        const from = block(pair, kind);
        for (let q = 0; vectors && q < from.queries; q++) {
          const seen = kind === "decoder" ? q + 1 : from.keys;
          const { weights } = softmaxRow(vectors.q[q], vectors.k, seen);
          for (let k = 0; k < from.keys; k++) {
            if (Math.abs(weights[k] - weight(from, layer, head, q, k)) > 5e-3) {
              return `${kind} layer ${layer} head ${head}, ${q} to ${k}: ${weights[k]}, not ${weight(from, layer, head, q, k)}`;
            }
          }
        }
      }
    }
  }
  return "";
});

check("decoding_steps_to_its_end", () => {
  if (!tab("Decoding")) {
    return "there is no such view";
  }
  tab("Decoding").click();
  const [back, next] = all("#view .stepper button");
  while (!back.disabled) {
    back.click();
  }
  let steps = 1;
  while (!next.disabled && steps < 200) {
    next.click();
    steps++;
  }
  const wanted = expected.pieces.length + 1;
  return steps === wanted ? "" : `${steps} steps, not ${wanted}`;
});

check("the_keyboard_moves_between_views", () => {
  tab("Lines").click();
  tab("Lines").dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true }));
  return tab("Matrix").getAttribute("aria-selected") === "true" ? "" : "the arrow key does nothing";
});

check("everything_that_can_be_clicked_has_a_name", () => {
  const nameless = all("button, input, select, a").filter((e) => !(e.textContent.trim() || e.getAttribute("aria-label")
    || (e.labels && e.labels.length > 0 && e.labels[0].textContent.trim()) || e.title));
  return nameless.length === 0 ? "" : nameless[0].outerHTML;
});

check("has_a_light_and_a_dark_theme", () => {
  const colour = () => getComputedStyle(document.body).backgroundColor;
  radio("theme", "light").click();
  const light = colour();
  radio("theme", "dark").click();
  const dark = colour();
  return light !== dark ? "" : `both are ${light}`;
});

check("the_text_of_the_user_stays_text", () => {
  const scripts = document.scripts.length; /* data, the page's, and three of this test */
  const title = document.getElementById("sentence").textContent;
  if (window.wasRun) {
    return "a script in the sentence was run";
  }
  return title.includes(expected.source) && scripts === 5 ? "" : `${scripts} scripts, title ${title}`;
});

check("asks_nothing_of_the_network", () => {
  const asked = performance.getEntriesByType("resource").map((e) => e.name);
  return asked.length === 0 ? "" : asked.join(" ");
});

check("throws_nothing", () => (window.thrown.length === 0 ? "" : window.thrown.join("; ")));

document.body.append(Object.assign(document.createElement("pre"), { id: "findings", textContent: lines.join("\n") }));
