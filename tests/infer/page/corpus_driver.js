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

check("is_headed_by_the_corpus", () => {
  const title = document.getElementById("sentence").textContent;
  return title.includes(data.corpus.name) && title.includes(`${data.corpus.pairs} pairs`) ? "" : title;
});

check("every_word_that_is_listed_has_a_pair", () => {
  const dead = all("#view table.words button").filter((b) => b.disabled);
  const wrong = data.corpus.words.find((word) => word.examples.some((i) => !data.pairs[i].target.words.includes(word.text)));
  return dead.length > 0 ? dead[0].textContent : wrong ? `${wrong.text} is not in its pairs` : "";
});

check("pairs_can_be_sorted", () => {
  const before = all("#view .pairs li").length;
  document.querySelector("input[name=order][value=aer]").click();
  const rates = all("#view .pairs li .figure:nth-child(3)").map((f) => Number(f.textContent.slice(4)));
  document.querySelector("input[name=order][value=line]").click();
  return rates.length === before && rates.every((r, i) => i === 0 || r <= rates[i - 1]) ? "" : rates.join(" ");
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
