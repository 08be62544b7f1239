// @ts-check
/** Before the game: who plays, and where. */

const KEY = "tickwire.name";
const MOST_BYTES = 24;

/**
 * What the page's address asks for.
 * @param {string} search as in `location.search`
 * @returns {{name: string | null, auto: boolean, room: string | null}}
 */
export function wishes(search) {
  const asked = new URLSearchParams(search);
  const name = asked.get("name");
  return { name: name === null ? null : fit(name), auto: asked.get("auto") === "1", room: asked.get("room") };
}

/** A name in one line, cut to what the server takes. @param {string} name */
export function fit(name) {
  const encoder = new TextEncoder();
  let short = "";
  for (const char of name.replace(/\s+/g, " ").trim()) {
    if (encoder.encode(short + char).length > MOST_BYTES) break;
    short += char;
  }
  return short.trim();
}

export class Start {
  /**
   * @param {HTMLFormElement} form
   * @param {HTMLInputElement} field
   * @param {(name: string) => void} play
   */
  constructor(form, field, play) {
    this.form = form;
    this.field = field;
    this.play = play;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.go();
    });
  }

  /** @param {{name: string | null, auto: boolean}} asked */
  open({ name, auto }) {
    this.field.value = name ?? localStorage.getItem(KEY) ?? "";
    if (auto) this.go();
    else this.field.focus({ preventScroll: true });
  }

  /** Close the card and start. */
  go() {
    const name = fit(this.field.value);
    if (name) localStorage.setItem(KEY, name);
    this.form.hidden = true;
    this.play(name);
  }
}
