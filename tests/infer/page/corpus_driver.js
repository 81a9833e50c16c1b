"use strict";

/* As driver.js, for a page of `--corpus`: the table of heads, the words, the pairs. */

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

check("shows_the_aer_of_every_head", () => {
  const cells = all("#view table.heads td").filter((td) => /^\d\.\d{3}$/.test(td.textContent)).length;
  const wanted = 2 * (data.model.layers.cross + 1) * (data.model.heads.cross + 1);
  return cells === wanted ? "" : `${cells} figures, not ${wanted}`;
});

check("the_table_is_that_of_evaluate", () => {
  const expected = JSON.parse(document.getElementById("expected").textContent);
  const got = data.alignment.posterior ? data.corpus.aer.posterior : data.corpus.aer[data.alignment.shift ? "input" : "output"].alignment;
  return Math.abs(got - expected.aer) < 1e-4 ? "" : `AER ${got}, not ${expected.aer}`;
});

check("a_word_narrows_the_pairs", () => {
  const before = all("#view .pairs li").length;
  all("#view table.words button").find((b) => !b.disabled).click();
  const after = all("#view .pairs li").length;
  return after > 0 && after <= before ? "" : `${before} pairs, then ${after}`;
});

check("a_pair_opens", () => {
  const button = all("#view .pairs li button")[0];
  const text = button.querySelector(".from").textContent;
  button.click();
  const title = document.getElementById("sentence").textContent;
  return title.includes(text) && tab("Lines").getAttribute("aria-selected") === "true" ? "" : title;
});

check("one_can_turn_to_the_next_pair", () => {
  const before = document.getElementById("sentence").textContent;
  all("[aria-label='Next pair']")[0].click();
  return document.getElementById("sentence").textContent !== before ? "" : "the same pair";
});

check("asks_nothing_of_the_network", () => performance.getEntriesByType("resource").map((e) => e.name).join(" "));
check("throws_nothing", () => window.thrown.join("; "));

document.body.append(Object.assign(document.createElement("pre"), { id: "findings", textContent: lines.join("\n") }));
