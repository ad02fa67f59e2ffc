// Buttons and keys. What concerns the run goes to the server, and shows once the server says that it is so.

const SWITCHES = { paused: "paused", clahe: "clahe", legend: "legend", "hud-switch": "hud" };
const VIEW_NAMES = { overlay: "Overlay", mask: "Mask", side: "Side by side", wipe: "Wipe" };
const STEP = 0.05;
const SETTLING_MS = 700;

const byId = (id) => document.getElementById(id);

export class Controls {
  #connection;
  #settings = null;
  #views = [];
  #trustFrom = 0;

  constructor(connection) {
    this.#connection = connection;
    for (const [id, name] of Object.entries(SWITCHES)) byId(id).onclick = () => this.#toggle(name);
    byId("alpha").oninput = ({ target }) => this.#set({ alpha: Number(target.value) });
    byId("full-screen").onclick = () => this.#toggleFullScreen();
    byId("full-screen").hidden = !document.fullscreenEnabled; // phones may have it for videos only
    byId("snapshot").onclick = () => nameSnapshot();
    byId("quit").onclick = () => byId("quit-dialog").showModal();
    byId("quit-dialog").onclose = ({ target }) => this.#closed(target);
    byId("help").onclick = () => byId("help-dialog").showModal();
    addEventListener("keydown", (event) => this.#pressed(event));
  }

  // views: names, in the order that a key goes through them.
  begin(views) {
    this.#views = views;
    byId("views").replaceChildren(...views.map((view) => this.#viewChoice(view)));
  }

  // settings: as the server says they are. Just after a change here they may still be older.
  update(settings) {
    if (performance.now() > this.#trustFrom) this.#show(settings);
  }

  #show(settings) {
    this.#settings = settings;
    for (const [id, name] of Object.entries(SWITCHES)) byId(id).ariaPressed = String(settings[name]);
    for (const choice of byId("views").querySelectorAll("input")) choice.checked = choice.value === settings.view;
    byId("alpha").value = settings.alpha;
    byId("alpha-text").value = byId("alpha").ariaValueText = `${Math.round(100 * settings.alpha)} %`;
    byId("classes").hidden = !settings.legend;
    byId("hud").hidden = !settings.hud;
  }

  #viewChoice(view) {
    const [label, input, text] = ["label", "input", "span"].map((tag) => document.createElement(tag));
    Object.assign(input, { type: "radio", name: "view", value: view, onchange: () => this.#set({ view }) });
    text.textContent = VIEW_NAMES[view] ?? view;
    label.append(input, text);
    return label;
  }

  #set(values) {
    if (this.#settings === null) return;
    this.#connection.send({ type: "set", ...values });
    this.#trustFrom = performance.now() + SETTLING_MS;
    this.#show({ ...this.#settings, ...values });
  }

  #toggle(name) {
    if (this.#settings !== null) this.#set({ [name]: !this.#settings[name] });
  }

  #nextView() {
    const place = this.#views.indexOf(this.#settings?.view) + 1;
    this.#set({ view: this.#views[place % this.#views.length] });
  }

  #strengthen(step) {
    const alpha = (this.#settings?.alpha ?? 0) + step;
    this.#set({ alpha: Math.round(100 * Math.min(1, Math.max(0, alpha))) / 100 });
  }

  #toggleFullScreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else if (document.fullscreenEnabled) byId("stage").requestFullscreen();
  }

  #closed(dialog) {
    if (dialog.returnValue === "stop") this.#connection.send({ type: "quit" });
    dialog.returnValue = "";
  }

  #keys = {
    " ": () => this.#toggle("paused"),
    v: () => this.#nextView(),
    "+": () => this.#strengthen(STEP),
    "=": () => this.#strengthen(STEP),
    "-": () => this.#strengthen(-STEP),
    c: () => this.#toggle("clahe"),
    l: () => this.#toggle("legend"),
    h: () => this.#toggle("hud"),
    s: () => byId("snapshot").click(),
    f: () => this.#toggleFullScreen(),
    q: () => byId("quit").click(),
    "?": () => byId("help").click(),
  };

  #pressed(event) {
    const busy = document.querySelector("dialog[open]") || event.ctrlKey || event.metaKey || event.altKey;
    const typed = event.key === " " && event.target.closest("button, a, input, select"); // there, space presses
    const action = this.#keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (busy || typed || !action) return;
    event.preventDefault();
    action();
  }
}

function nameSnapshot() {
  const time = new Date().toISOString().slice(0, 19).replaceAll(":", "-").replace("T", "_");
  byId("snapshot").download = `streamseg_${time}.jpg`;
}
