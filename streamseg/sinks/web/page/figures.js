// The figures beside the picture: charts, facts and the head-up display.

import { Chart } from "./chart.js";

const LATELY_MS = 1000;
const WHILE_MS = 5000;

const byId = (id) => document.getElementById(id);

export class Figures {
  #charts = {
    fps: new Chart(byId("fps-chart"), "frames a second", 10),
    age: new Chart(byId("age-chart"), "milliseconds", 50),
    drops: new Chart(byId("drops-chart"), "frames a second", 5),
  };
  #lag = new Lately();
  #age = new Lately();
  #before = null;

  // lag, age: of a picture that was just shown, milliseconds or null.
  shown(lag, age) {
    if (lag !== null) this.#lag.add(lag);
    if (age !== null) this.#age.add(age);
  }

  // Forget what the next message would be compared with.
  restart() {
    this.#before = null;
  }

  update(state) {
    const seconds = state.uptime_s - this.#before?.uptime_s; // by the server's clock: messages may come in heaps
    const drops = seconds > 0 ? (state.dropped - this.#before.dropped) / seconds : null;
    const age = this.#age.middle();
    const lag = this.#lag.middle();
    this.#before = state;
    this.#charts.fps.add(state.fps);
    this.#charts.age.add(age);
    this.#charts.drops.add(drops);
    byId("fps").textContent = state.fps.toFixed(1);
    byId("age").textContent = age === null ? "–" : age.toFixed(0);
    byId("drops").textContent = drops === null ? "–" : drops.toFixed(1);
    this.#tellFacts(state, lag);
    byId("hud").textContent = hudLines(state, age).join("\n");
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
  #values = [];

  add(value) {
    this.#values.push({ value, time: performance.now() });
  }

  // The median of the last second; where nothing came in it, the last value of a while; null after that.
  middle() {
    const now = performance.now();
    const [newest] = this.#values.slice(-1);
    this.#values = this.#values.filter(({ time }) => now - time < LATELY_MS);
    const sorted = this.#values.map(({ value }) => value).sort((a, b) => a - b);
    if (sorted.length) return sorted[sorted.length >> 1];
    if (!newest || now - newest.time > WHILE_MS) return null;
    this.#values = [newest];
    return newest.value;
  }
}
