// Shows pictures as they come, and measures how old they are when they are shown.

export class PictureView {
  #context;
  #connection;
  #newest = 0;

  // shown: called with lag (from sending until shown) and age (from capture until shown), milliseconds or null.
  constructor(canvas, connection, shown) {
    this.#context = canvas.getContext("bitmaprenderer");
    this.#connection = connection;
    connection.addEventListener("open", () => (this.#newest = 0)); // the numbers begin again
    connection.addEventListener("picture", ({ detail }) => this.#show(detail, shown));
  }

  async #show({ number, captured, sent, jpeg }, shown) {
    let lag = null;
    let age = null;
    try {
      const bitmap = await createImageBitmap(jpeg);
      if (number < this.#newest) return; // a later one was decoded sooner
      this.#newest = number;
      this.#fit(bitmap);
      this.#context.transferFromImageBitmap(bitmap);
      const now = this.#connection.clock.fromPage(performance.now());
      lag = known(now - sent);
      age = known(now - captured);
    } finally {
      const rtt_ms = this.#connection.clock.thereAndBack;
      this.#connection.send({ type: "shown", number, lag_ms: lag, age_ms: age, rtt_ms });
    }
    shown(lag, age);
  }

  // The canvas keeps its own size otherwise, and so would the layout.
  #fit({ width, height }) {
    const canvas = this.#context.canvas;
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  }
}

// The clocks are compared to half of the way there and back, so what is nearly nothing may come out below it.
function known(milliseconds) {
  return Number.isFinite(milliseconds) ? Math.max(0, milliseconds) : null;
}
