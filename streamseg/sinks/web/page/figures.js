// The figures beside the picture: charts, facts and the head-up display.

import { Chart } from "./chart.js";

const LAG_MS = 5000;
const AGE_MS = 1000;
const DROPS_S = 2;

const byId = (id) => document.getElementById(id);

export class Figures {
  #charts = {
    fps: new Chart(byId("fps-chart"), "frames a second", 10),
    age: new Chart(byId("age-chart"), "milliseconds", 50),
    drops: new Chart(byId("drops-chart"), "frames a second", 5),
  };
  #lag = new Lately(LAG_MS);
  #age = new Lately(AGE_MS);
  #states = [];

  // lag, age: of a picture that was just shown, milliseconds or null.
  shown(lag, age) {
    if (lag !== null) this.#lag.add(lag);
    if (age !== null) this.#age.add(age);
  }

  // Forget what the next message would be compared with.
  restart() {
    this.#states = [];
  }

  // moving: whether new pictures are to be expected, so that the one that is there grows old.
  update(state, moving) {
    const drops = this.#dropRate(state);
    const age = moving ? this.#age.middle() ?? this.#age.grown() : null;
    this.#charts.fps.add(state.fps);
    this.#charts.age.add(age);
    this.#charts.drops.add(drops);
    byId("fps").textContent = state.fps.toFixed(1);
    byId("age").textContent = age === null ? "–" : age.toFixed(0);
    byId("drops").textContent = drops === null ? "–" : drops.toFixed(1);
    this.#tellFacts(state, this.#lag.middle());
    byId("hud").textContent = hudLines(state, age).join("\n");
  }

  // Frames a second over the last moments, by the server's clock: messages may come in heaps.
  #dropRate(state) {
    const isRecent = ({ uptime_s }) => uptime_s < state.uptime_s && uptime_s >= state.uptime_s - DROPS_S;
    this.#states = this.#states.filter(isRecent);
    const [before] = this.#states;
    this.#states.push(state);
    return before ? (state.dropped - before.dropped) / (state.uptime_s - before.uptime_s) : null;
  }

  #tellFacts(state, lag) {
    byId("lag").textContent = lag === null ? "–" : `${lag.toFixed(0)} ms`;
    byId("model").textContent = state.model;
    byId("device").textContent = state.device;
    byId("slowest").textContent = slowest(state) ?? "–";
    byId("size").textContent = state.source.size ? state.source.size.join("×") : "–";
    byId("viewers").textContent = String(state.viewers);
    byId("more").replaceChildren(...Object.entries(state.figures).map(([name, value]) => fact(name, value)));
  }
}

function fact(name, value) {
  const [row, term, told] = ["div", "dt", "dd"].map((tag) => document.createElement(tag));
  term.textContent = `${name[0].toUpperCase()}${name.slice(1).replaceAll("_", " ")}`;
  told.textContent = String(Number(value.toPrecision(3)));
  row.append(term, told);
  return row;
}

function hudLines(state, age) {
  return [
    `${state.fps.toFixed(1)} fps on ${state.device}`,
    `age ${age === null ? "–" : age.toFixed(0)} ms, dropped ${state.dropped}`,
    `slowest: ${slowest(state) ?? "–"}`,
  ];
}

function slowest({ slowest: name, stages }) {
  return name && stages[name] ? `${name} ${stages[name].mean.toFixed(1)} ms` : null;
}

// Values of the last moments.
class Lately {
  #span;
  #values = [];
  #newest = null;

  constructor(span) {
    this.#span = span;
  }

  add(value) {
    this.#newest = { value, time: performance.now() };
    this.#values.push(this.#newest);
  }

  // The median; null where none came lately.
  middle() {
    const now = performance.now();
    this.#values = this.#values.filter(({ time }) => now - time < this.#span);
    const sorted = this.#values.map(({ value }) => value).sort((a, b) => a - b);
    return sorted[sorted.length >> 1] ?? null;
  }

  // What the newest value has become, of a thing that grows as time goes by; null before the first.
  grown() {
    return this.#newest && this.#newest.value + performance.now() - this.#newest.time;
  }
}
