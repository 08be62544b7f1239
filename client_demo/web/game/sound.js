// @ts-check
/** Sounds, made on the spot from oscillators and noise: no files to load. */

const KEY = "tickwire.sound";
const VOLUME = 0.22;

export class Sound {
  /** @type {AudioContext | null} */
  #audio = null;
  /** @type {GainNode | null} */
  #out = null;
  /** @type {AudioBuffer | null} */
  #noise = null;
  /** @type {GainNode | null} */
  #engine = null;
  #on = localStorage.getItem(KEY) !== "off";

  get on() {
    return this.#on;
  }

  /** Browsers allow sound only after the player has done something; call it then. */
  wake() {
    if (this.#audio) {
      if (this.#audio.state === "suspended") void this.#audio.resume();
      return;
    }
    const audio = new AudioContext();
    this.#audio = audio;
    this.#out = new GainNode(audio, { gain: this.#on ? VOLUME : 0 });
    this.#out.connect(audio.destination);
    this.#noise = noise(audio);
    this.#engine = this.#startEngine(audio, this.#noise, this.#out);
  }

  /** Switch on or off, and remember it. @returns {boolean} whether it is on now */
  toggle() {
    this.#on = !this.#on;
    localStorage.setItem(KEY, this.#on ? "on" : "off");
    if (this.#audio && this.#out) this.#out.gain.setTargetAtTime(this.#on ? VOLUME : 0, this.#audio.currentTime, 0.02);
    return this.#on;
  }

  /** The hum of the own engine. @param {boolean} burns */
  engine(burns) {
    if (this.#audio) this.#engine?.gain.setTargetAtTime(burns ? 0.28 : 0, this.#audio.currentTime, 0.06);
  }

  /** @param {number} near 0 .. 1, how loud */
  shot(near) {
    this.#tone("square", 780, 190, 0.11, 0.16 * near);
  }

  /** @param {number} near */
  hit(near) {
    this.#tone("triangle", 320, 90, 0.14, 0.55 * near);
    this.#burst(0.1, 2400, 0.35 * near);
  }

  /** The own bullet reached someone. */
  tick() {
    this.#tone("sine", 1250, 1500, 0.07, 0.35);
  }

  /** @param {number} near */
  explosion(near) {
    this.#burst(0.8, 900, 1.1 * near);
    this.#tone("sine", 120, 32, 0.6, 0.9 * near);
  }

  /** A repair. */
  mend() {
    this.#tone("sine", 520, 1040, 0.22, 0.4);
  }

  /** A round is over. */
  fanfare() {
    for (const [index, pitch] of [523, 659, 784, 1047].entries()) this.#tone("triangle", pitch, pitch, 0.3, 0.35, index * 0.12);
  }

  /**
   * @param {OscillatorType} type
   * @param {number} from Hz
   * @param {number} to Hz
   * @param {number} seconds
   * @param {number} gain
   * @param {number} [delay] seconds
   */
  #tone(type, from, to, seconds, gain, delay = 0) {
    if (!this.#ready() || !this.#audio || !this.#out || gain < 0.01) return;
    const start = this.#audio.currentTime + delay;
    const tone = new OscillatorNode(this.#audio, { type, frequency: from });
    tone.frequency.setValueAtTime(from, start);
    tone.frequency.exponentialRampToValueAtTime(to, start + seconds);
    tone.connect(this.#fade(this.#audio, this.#out, start, seconds, gain));
    tone.start(start);
    tone.stop(start + seconds);
  }

  /** @param {number} seconds @param {number} cutoff Hz @param {number} gain */
  #burst(seconds, cutoff, gain) {
    if (!this.#ready() || !this.#audio || !this.#out || gain < 0.01) return;
    const start = this.#audio.currentTime;
    const source = new AudioBufferSourceNode(this.#audio, { buffer: this.#noise });
    const filter = new BiquadFilterNode(this.#audio, { type: "lowpass", frequency: cutoff });
    filter.frequency.exponentialRampToValueAtTime(cutoff / 8, start + seconds);
    source.connect(filter).connect(this.#fade(this.#audio, this.#out, start, seconds, gain));
    source.start(start, Math.random());
    source.stop(start + seconds);
  }

  /** Sounds asked for while suspended would all come at once later. */
  #ready() {
    return this.#on && this.#audio?.state === "running";
  }

  /** @param {AudioContext} audio @param {GainNode} out @param {number} start @param {number} seconds @param {number} gain */
  #fade(audio, out, start, seconds, gain) {
    const fade = new GainNode(audio, { gain: 0 });
    fade.gain.setValueAtTime(gain, start);
    fade.gain.exponentialRampToValueAtTime(0.001, start + seconds);
    fade.connect(out);
    return fade;
  }

  /** @param {AudioContext} audio @param {AudioBuffer} buffer @param {GainNode} out */
  #startEngine(audio, buffer, out) {
    const source = new AudioBufferSourceNode(audio, { buffer, loop: true });
    const filter = new BiquadFilterNode(audio, { type: "lowpass", frequency: 170, Q: 6 });
    const engine = new GainNode(audio, { gain: 0 });
    source.connect(filter).connect(engine).connect(out);
    source.start();
    return engine;
  }
}

/** Two seconds of white noise. @param {AudioContext} audio */
function noise(audio) {
  const buffer = audio.createBuffer(1, audio.sampleRate * 2, audio.sampleRate);
  const samples = buffer.getChannelData(0);
  for (let i = 0; i < samples.length; i++) samples[i] = Math.random() * 2 - 1;
  return buffer;
}
