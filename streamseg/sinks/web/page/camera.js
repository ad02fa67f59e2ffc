// This device's camera as the source: asked for, sent picture by picture, never more under way than the way takes.

const QUALITY = 0.85;
const MOST_UNDER_WAY = 8;

const byId = (id) => document.getElementById(id);

export class CameraSender {
  #connection;
  #wish = null;
  #stream = null;
  #sent = 0;
  #taken = 0;

  constructor(connection) {
    this.#connection = connection;
    byId("camera-start").onclick = () => this.#start();
    byId("camera-stop").onclick = () => this.#stop();
    connection.addEventListener("taken", ({ detail }) => (this.#taken = Math.max(this.#taken, detail.count)));
    connection.addEventListener("camera", ({ detail }) => this.#answered(detail));
    connection.addEventListener("lost", () => this.#end());
  }

  // wish: {width, height, fps} to ask the camera for; null where the run has another source.
  begin(wish) {
    this.#wish = wish;
    this.#sent = this.#taken = 0;
    this.#offer();
  }

  // Whether the run takes the camera of a page.
  get wanted() {
    return this.#wish !== null;
  }

  get sending() {
    return this.#stream !== null;
  }

  // playing: whether somebody's camera is being shown.
  update(playing) {
    if (this.wanted) byId("camera").hidden = this.sending || playing;
  }

  #offer() {
    byId("camera").hidden = !this.wanted || this.sending;
    byId("camera-stop").hidden = !this.sending;
    if (this.wanted && !navigator.mediaDevices) this.#refuse(insecure());
  }

  async #start() {
    const { width, height, fps } = this.#wish;
    const device = byId("camera-device").value;
    const which = device ? { deviceId: { exact: device } } : { facingMode: { ideal: "environment" } };
    const video = { width: { ideal: width }, height: { ideal: height }, frameRate: { ideal: fps }, ...which };
    byId("camera-start").disabled = true;
    try {
      this.#stream = await navigator.mediaDevices.getUserMedia({ video, audio: false });
      await this.#listCameras();
      this.#connection.send({ type: "camera", on: true });
    } catch (error) {
      this.#say(reasonOf(error));
    } finally {
      byId("camera-start").disabled = false;
    }
  }

  // Names of cameras are only told once one may be used.
  async #listCameras() {
    const devices = (await navigator.mediaDevices.enumerateDevices()).filter(({ kind }) => kind === "videoinput");
    const using = this.#stream.getVideoTracks()[0].getSettings().deviceId;
    const options = devices.map(({ label, deviceId }) => new Option(label, deviceId, false, deviceId === using));
    byId("camera-device").replaceChildren(...options);
    byId("camera-choice").hidden = options.length < 2;
  }

  #answered({ on, reason }) {
    if (on && this.sending) this.#send(this.#stream.getVideoTracks()[0]);
    else this.#end();
    if (reason) this.#say(reason);
    this.#offer();
  }

  #stop() {
    this.#connection.send({ type: "camera", on: false });
    this.#end();
  }

  #end() {
    this.#stream?.getTracks().forEach((track) => track.stop());
    this.#stream = null;
    this.#offer();
  }

  async #send(track) {
    const canvas = new OffscreenCanvas(1, 1);
    const context = canvas.getContext("2d", { alpha: false });
    const pictures = "MediaStreamTrackProcessor" in globalThis ? fromTrack(track) : fromVideo(this.#stream);
    for await (const { image, width, height, captured } of pictures) {
      if (this.#stream?.getVideoTracks()[0] !== track || !this.#connection.isOpen) break;
      if (this.#sent - this.#taken >= this.#mostUnderWay) continue;
      if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
      context.drawImage(image, 0, 0, width, height);
      this.#sent += 1;
      const jpeg = await canvas.convertToBlob({ type: "image/jpeg", quality: QUALITY });
      await this.#connection.sendCameraPicture(await jpeg.arrayBuffer(), captured);
    }
    if (this.sending && track.readyState === "ended") this.#stop();
  }

  get #mostUnderWay() {
    const seconds = this.#connection.clock.thereAndBack / 1000;
    return Math.min(2 + Math.floor(seconds * this.#wish.fps), MOST_UNDER_WAY);
  }

  #refuse(reason) {
    this.#say(reason);
    byId("camera-start").hidden = true;
  }

  #say(text) {
    byId("camera-text").textContent = text;
  }
}

// Pictures of a track as they are captured. The newest wins while one is being dealt with.
async function* fromTrack(track) {
  const reader = new MediaStreamTrackProcessor({ track, maxBufferSize: 1 }).readable.getReader();
  try {
    for (;;) {
      const { value: frame, done } = await reader.read();
      if (done) return;
      const captured = performance.now();
      try {
        yield { image: frame, width: frame.displayWidth, height: frame.displayHeight, captured };
      } finally {
        frame.close();
      }
    }
  } finally {
    await reader.cancel();
  }
}

// The same by way of a video element, for browsers that do not hand out the frames of a track.
async function* fromVideo(stream) {
  const video = Object.assign(document.createElement("video"), { srcObject: stream, muted: true, playsInline: true });
  await video.play();
  while (stream.active) {
    const captured = await new Promise((resolve) => video.requestVideoFrameCallback(resolve));
    yield { image: video, width: video.videoWidth, height: video.videoHeight, captured };
  }
}

function reasonOf(error) {
  const reasons = {
    NotAllowedError: "The browser was not allowed to use the camera. Allow it for this page, and start again.",
    NotFoundError: "This device has no camera that the browser can see.",
    NotReadableError: "The camera is being used by another program. Close that, and start again.",
  };
  return reasons[error.name] ?? `The camera could not be started: ${error.message}`;
}

function insecure() {
  const port = location.port || "80";
  return (
    "Browsers give the camera only to https pages and to this device's own. On this device, run " +
    `ssh -L ${port}:localhost:${port} ${location.hostname} and open http://localhost:${port}/ instead.`
  );
}
