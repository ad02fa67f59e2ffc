// Puts the parts of the page together.

import { CameraSender } from "./camera.js";
import { Connection } from "./connection.js";
import { Controls } from "./controls.js";
import { Figures } from "./figures.js";
import { PictureView } from "./picture.js";
import { Shares } from "./shares.js";
import { describe } from "./state.js";

const MESSAGE_MS = 8000;

const byId = (id) => document.getElementById(id);

const connection = new Connection();
const controls = new Controls(connection);
const camera = new CameraSender(connection);
const figures = new Figures();
const shares = new Shares(byId("shares"));
new PictureView(byId("picture"), connection, (lag, age) => figures.shown(lag, age));

function tell({ state, text, banner }) {
  byId("state").dataset.state = state;
  if (byId("state").textContent !== text) byId("state").textContent = text; // else it would be read out again
  byId("banner").hidden = !banner;
  if (byId("banner").textContent !== banner) byId("banner").textContent = banner ?? "";
}

function on(kind, act) {
  connection.addEventListener(kind, ({ detail }) => act(detail));
}

on("hello", (hello) => {
  byId("source").textContent = byId("source-fact").textContent = hello.source;
  document.title = `${hello.source} · streamseg`;
  controls.begin(hello.views);
  shares.begin(hello.classes);
  camera.begin(hello.camera);
  figures.restart();
});
on("open", () => connection.send({ type: "watch", on: !document.hidden }));
on("state", (state) => {
  controls.update(state.settings);
  shares.update(state.shares);
  camera.update(state.source.live?.state === "playing");
  const told = describe(state, camera.wanted);
  figures.update(state, told.state !== "waiting");
  tell(told);
});
on("lost", () => tell({ state: "lost", text: "no connection", banner: "The connection to streamseg is lost. Trying again…" }));
on("ended", () => tell({ state: "lost", text: "ended", banner: "The run has ended." }));
on("error", ({ message }) => {
  byId("message").textContent = message;
  setTimeout(() => (byId("message").textContent = ""), MESSAGE_MS);
});

document.addEventListener("visibilitychange", () => connection.send({ type: "watch", on: !document.hidden }));
byId("theme").onclick = () => {
  const dark = getComputedStyle(document.documentElement).colorScheme === "dark" || (
    !document.documentElement.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches
  );
  document.documentElement.dataset.theme = dark ? "light" : "dark";
  localStorage.setItem("theme", document.documentElement.dataset.theme);
};
connection.open();
