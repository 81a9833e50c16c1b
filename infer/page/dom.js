"use strict";

/* Making elements. Text becomes text nodes, never markup. */

const NAMESPACES = {
  svg: "http://www.w3.org/2000/svg",
  math: "http://www.w3.org/1998/Math/MathML",
};

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) {
      node.addEventListener(name.slice(2), value);
    } else if (name.startsWith("--")) {
      node.style.setProperty(name, value);
    } else if (value !== false && value !== null && value !== undefined) {
      node.setAttribute(name, value === true ? "" : value);
    }
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

function el(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(NAMESPACES.svg, tag), attributes, children);
}

function byId(id) {
  return document.getElementById(id);
}

/* ---- numbers as text ---- */

function percent(x) {
  return x > 0 && x < 0.005 ? "< 1 %" : `${Math.round(100 * x)} %`;
}

/* With a true minus sign. */
function fixed(x, digits = 2) {
  const text = Math.abs(x) < 0.5 * 10 ** -digits ? (0).toFixed(digits) : x.toFixed(digits);
  return text.replace("-", "−");
}

/* Numbers from 0 to 1 that a softmax makes: what three digits would call 0 is told by its power of ten. */
const SMALLEST_FIXED = 0.0005;

function share(x) {
  if (x >= SMALLEST_FIXED || x === 0) {
    return [fixed(x, 3)];
  }
  const [digits, exponent] = x.toExponential(1).split("e-");
  return [`${digits}·10`, el("sup", {}, `−${exponent}`)];
}

function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/* ---- formulas ---- */

function math(tag, ...children) {
  const node = document.createElementNS(NAMESPACES.math, tag);
  node.append(...children.flat());
  return node;
}

const mi = (name) => math("mi", name);
const mn = (number) => math("mn", typeof number === "number" ? fixed(number) : number);
const mo = (sign) => {
  const node = math("mo", sign);
  node.setAttribute("stretchy", "false");
  return node;
};
const sub = (base, index) => math("msub", mi(base), index);
const row = (...children) => math("mrow", ...children);
const root = (...children) => math("msqrt", ...children);
const fraction = (above, below) => math("mfrac", above, below);

function vector(name) {
  const node = mi(name);
  node.setAttribute("mathvariant", "normal");
  node.setAttribute("class", "vector");
  return node;
}

/* W with Q above it, as the paper writes its matrices. */
function power(base, above) {
  return math("msup", typeof base === "string" ? mi(base) : base, typeof above === "string" ? mi(above) : above);
}

function formula(...children) {
  const whole = math("math", row(...children));
  whole.setAttribute("displaystyle", "true");
  return el("span", { class: "formula" }, whole);
}

/* ---- groups of radio buttons ---- */

function radios(name, legend, options, chosen, choose) {
  return el("fieldset", { class: "choice" }, el("legend", {}, legend), options.map(([value, text]) =>
    el("label", {}, el("input", {
      type: "radio", name, value, checked: value === chosen, onchange: () => choose(value),
    }), el("span", {}, text))));
}

function checkbox(text, checked, choose, sample = null) {
  return el("label", { class: "check" }, el("input", {
    type: "checkbox", checked, onchange: (event) => choose(event.target.checked),
  }), el("span", {}, text), sample && el("i", { class: `sample ${sample}`, "aria-hidden": "true" }));
}

/* Arrow keys move the focus among elements of which one is in the tab order. */
function rove(elements, start, move) {
  elements.forEach((element, i) => { element.tabIndex = i === start ? 0 : -1; });
  elements.forEach((element, i) => element.addEventListener("keydown", (event) => {
    const next = move(event.key, i);
    if (next !== null && next >= 0 && next < elements.length) {
      event.preventDefault();
      elements.forEach((other) => { other.tabIndex = -1; });
      elements[next].tabIndex = 0;
      elements[next].focus();
    }
  }));
}

function alongList(key, i, count) {
  const moves = { ArrowDown: i + 1, ArrowUp: i - 1, ArrowRight: i + 1, ArrowLeft: i - 1, Home: 0, End: count - 1 };
  return key in moves ? moves[key] : null;
}
