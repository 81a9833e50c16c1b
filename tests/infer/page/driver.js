"use strict";

/* Runs in a copy of a page, behind its own scripts: uses it as a reader would, compares its numbers
 * with those of `tolk align --json --all-heads`, and leaves lines `ok NAME` and `not ok NAME: WHY`. */

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
const expected = JSON.parse(document.getElementById("expected").textContent);
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
    const units = expected.unit;
    if (kind === "decoder") {
      continue; /* its rows are inputs in the page, outputs in the JSON */
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
  const links = linksOf(data.pairs[0], { choice: { layer: "alignment" }, shift: data.alignment.shift });
  const got = links.map((l) => [l.source, l.target]);
  return JSON.stringify(got) === JSON.stringify(expected.alignment) ? "" : `${JSON.stringify(got)}, not ${JSON.stringify(expected.alignment)}`;
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
        if (view !== "Decoding" && document.getElementById("view").childElementCount === 0) {
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
  return titles.length === 5 ? "" : `steps: ${titles.join("; ")}`;
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
  const next = all("#view button").find((b) => b.textContent.startsWith("Next"));
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
