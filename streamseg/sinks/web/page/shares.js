// The legend, with how much of the picture each class covers.

export class Shares {
  #list;
  #rows = new Map();

  constructor(list) {
    this.#list = list;
  }

  // classes: [{name, color: [red, green, blue]}].
  begin(classes) {
    this.#rows = new Map(classes.map(({ name, color }) => [name, makeRow(name, `rgb(${color.join(" ")})`)]));
    this.#list.replaceChildren(...[...this.#rows.values()].map(({ item }) => item));
  }

  // shares: from 0 to 1, by name.
  update(shares) {
    for (const [name, { item, bar, text }] of this.#rows) {
      const share = shares[name] ?? 0;
      bar.style.transform = `scaleX(${share})`;
      text.textContent = `${(100 * share).toFixed(1)} %`;
      item.toggleAttribute("data-absent", share < 0.0005);
    }
  }
}

function makeRow(name, color) {
  const [item, patch, label, track, bar, text] = ["li", "span", "span", "span", "i", "span"].map((tag) =>
    document.createElement(tag),
  );
  for (const [element, kind] of [[patch, "color"], [label, "name"], [track, "bar"], [text, "share"]]) {
    element.className = kind;
  }
  patch.style.background = bar.style.background = color;
  label.textContent = name;
  track.append(bar);
  item.append(patch, label, track, text);
  return { item, bar, text };
}
