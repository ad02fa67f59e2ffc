// What to say about the run, in a word and, where something is wrong, in a sentence.

// visitorsCamera: whether the source is the camera of one of the pages, which is no trouble to wait for.
// Returns {state: "live" | "waiting" | "lost", text, banner: null where all is well}.
export function describe({ health, settings, source }, visitorsCamera) {
  const live = source.live;
  if (visitorsCamera && live?.state !== "playing") return { state: "waiting", text: "no camera", banner: null };
  if (live?.state === "reconnecting") return reconnecting(live, source);
  if (health === "starting") return { state: "waiting", text: "waiting", banner: null };
  if (health === "stalled") return { state: "lost", text: "no frames", banner: "No frames have come for a while." };
  if (settings.paused) return { state: "waiting", text: "paused", banner: null };
  return { state: "live", text: "live", banner: null };
}

function reconnecting({ for_s, reason, next_try_s }, { address, kind }) {
  const next = next_try_s ? `, next try in ${Math.ceil(next_try_s)} s` : ", trying now";
  const lost = `Reconnecting to ${address} for ${Math.round(for_s)} s${next}`;
  return { state: "lost", text: "reconnecting", banner: reason ? `${lost}. ${sentence(reason)}` : `${lost}.` };
}

function sentence(text) {
  return `${text[0].toUpperCase()}${text.slice(1)}${text.endsWith(".") ? "" : "."}`;
}
