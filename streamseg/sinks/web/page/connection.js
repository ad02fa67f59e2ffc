// The WebSocket to the server: opened again when it is lost, with both clocks compared all the while.
// What goes over it is listed in messages.py beside this folder.

import { ServerClock } from "./clock.js";

const PICTURE_HEADER_BYTES = 20;
const CAMERA_HEADER_BYTES = 8;
const PING_MS = 1000;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 8000;

// Dispatches "open", "lost", "picture", and an event for each kind of text message, all with `detail`.
export class Connection extends EventTarget {
  #socket = null;
  #wait = FIRST_WAIT_MS;
  #over = false;
  #pings = 0;
  clock = new ServerClock();

  open() {
    const secure = location.protocol === "https:";
    const socket = new WebSocket(`${secure ? "wss" : "ws"}://${location.host}/live`);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.#opened(socket);
    socket.onmessage = ({ data }) => this.#received(data);
    socket.onclose = () => this.#closed();
    this.#socket = socket;
  }

  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  send(message) {
    if (this.isOpen) this.#socket.send(JSON.stringify(message));
  }

  // jpeg: ArrayBuffer. captured: when, in milliseconds of performance.now().
  async sendCameraPicture(jpeg, captured) {
    const header = new DataView(new ArrayBuffer(CAMERA_HEADER_BYTES));
    header.setFloat64(0, this.clock.fromPage(captured), true);
    this.#socket.send(await new Blob([header, jpeg]).arrayBuffer());
  }

  #opened(socket) {
    this.#wait = FIRST_WAIT_MS;
    this.clock = new ServerClock();
    const ping = () => socket.send(JSON.stringify({ type: "ping", sent: performance.now() }));
    ping();
    this.#pings = setInterval(ping, PING_MS);
    this.#tell("open");
  }

  #closed() {
    clearInterval(this.#pings);
    if (this.#over) return;
    this.#tell("lost", { again: this.#wait });
    setTimeout(() => this.open(), this.#wait);
    this.#wait = Math.min(2 * this.#wait, LONGEST_WAIT_MS);
  }

  #received(data) {
    const received = performance.now();
    if (data instanceof ArrayBuffer) {
      const header = new DataView(data);
      this.#tell("picture", {
        number: header.getUint32(0, true),
        captured: header.getFloat64(4, true),
        sent: header.getFloat64(12, true),
        jpeg: new Blob([new Uint8Array(data, PICTURE_HEADER_BYTES)], { type: "image/jpeg" }),
      });
      return;
    }
    const message = JSON.parse(data);
    if (message.type === "pong") this.clock.compare(message.sent, message.server, received);
    if (message.type === "state") this.send({ type: "heard" });
    if (message.type === "ended") this.#over = true;
    this.#tell(message.type, message);
  }

  #tell(kind, detail = {}) {
    this.dispatchEvent(new CustomEvent(kind, { detail }));
  }
}
