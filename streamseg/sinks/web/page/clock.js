// What the server's clock says, from questions and answers. Of the last few, the one that took the shortest time is
// believed, as in NTP (RFC 5905, clock filter): it waited least on its way. All times in milliseconds.

const REMEMBERED = 12;

export class ServerClock {
  #answers = [];

  // asked, received: performance.now() here; server: the server's clock in between.
  compare(asked, server, received) {
    const there_and_back = received - asked;
    this.#answers.push({ there_and_back, offset: server - (asked + there_and_back / 2) });
    if (this.#answers.length > REMEMBERED) this.#answers.shift();
  }

  get #best() {
    return this.#answers.reduce((best, each) => (each.there_and_back < best.there_and_back ? each : best), {
      there_and_back: Infinity,
      offset: NaN,
    });
  }

  // NaN before the first answer.
  fromPage(time) {
    return time + this.#best.offset;
  }

  // How long a small message takes there and back; 0 before the first answer.
  get thereAndBack() {
    const { there_and_back } = this.#best;
    return Number.isFinite(there_and_back) ? there_and_back : 0;
  }
}
