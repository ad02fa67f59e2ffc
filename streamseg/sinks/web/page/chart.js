// A line over the last minute, with its scale. Colours are those of the style sheet.

const SPAN_MS = 60_000;
const GAP_MS = 3_000;
const STEPS = [1, 2, 5];

export class Chart {
  #canvas;
  #unit;
  #floor;
  #points = [];

  // floor: the scale never ends below this, so that nearly nothing does not look like much.
  constructor(canvas, unit, floor) {
    this.#canvas = canvas;
    this.#unit = unit;
    this.#floor = floor;
  }

  // value: null for none at the moment; where none was for long, the line has a gap.
  add(value) {
    const now = performance.now();
    if (value !== null) this.#points.push({ time: now, value });
    this.#points = this.#points.filter(({ time }) => time >= now - SPAN_MS);
    this.#draw(now);
  }

  #draw(now) {
    const canvas = this.#canvas;
    const { clientWidth: width, clientHeight: height } = canvas;
    const scale = devicePixelRatio;
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    const context = canvas.getContext("2d");
    context.scale(scale, scale);
    const style = getComputedStyle(canvas);
    const values = this.#points.map(({ value }) => value);
    const top = roundedUp(Math.max(this.#floor, ...values));
    const x = (time) => width - ((now - time) / SPAN_MS) * width;
    const y = (value) => height - 3 - (value / top) * (height - 6);
    this.#drawScale(context, style, width, top, y);
    context.strokeStyle = style.color;
    for (const line of lines(this.#points)) drawLine(context, line, x, y, height);
    this.#describe(values);
  }

  #drawScale(context, style, width, top, y) {
    context.font = `11px ${style.fontFamily}`;
    context.fillStyle = style.getPropertyValue("--soft");
    context.strokeStyle = style.getPropertyValue("--line");
    for (const value of [0, top]) {
      context.beginPath();
      context.moveTo(0, Math.round(y(value)) + 0.5);
      context.lineTo(width, Math.round(y(value)) + 0.5);
      context.stroke();
    }
    context.fillText(String(top), 2, y(top) + 12);
  }

  #describe(values) {
    const newest = values.at(-1);
    const told = newest === undefined ? "nothing yet" : `${newest.toFixed(1)} ${this.#unit} now`;
    const range = values.length ? `, ${Math.min(...values).toFixed(1)} to ${Math.max(...values).toFixed(1)}` : "";
    const name = this.#canvas.dataset.name ?? (this.#canvas.dataset.name = this.#canvas.ariaLabel);
    this.#canvas.ariaLabel = `${name}: ${told}${range} in the last minute`;
  }
}

// The points in stretches without a gap.
function lines(points) {
  const stretches = [];
  for (const point of points) {
    const last = stretches.at(-1);
    if (last && point.time - last.at(-1).time < GAP_MS) last.push(point);
    else stretches.push([point]);
  }
  return stretches;
}

function drawLine(context, points, x, y, height) {
  const path = new Path2D();
  for (const { time, value } of points) path.lineTo(x(time), y(value));
  const area = new Path2D(path);
  area.lineTo(x(points.at(-1).time), height - 3);
  area.lineTo(x(points[0].time), height - 3);
  context.lineWidth = 1.8;
  context.lineJoin = "round";
  context.stroke(path);
  context.save();
  context.globalAlpha = 0.14;
  context.fillStyle = context.strokeStyle;
  context.fill(area);
  context.restore();
}

// 1, 2 or 5 times a power of ten.
function roundedUp(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [...STEPS, 10].map((step) => step * power).find((candidate) => candidate >= value - 1e-9);
}
