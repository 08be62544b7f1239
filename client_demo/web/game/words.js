// @ts-check
/** Words from a player, made to fit what the server takes. */

/**
 * One line without surrounding space, cut to so many bytes at a whole character.
 * @param {string} words
 * @param {number} mostBytes
 */
export function fit(words, mostBytes) {
  const encoder = new TextEncoder();
  let short = "";
  for (const char of words.replace(/\s+/g, " ").trim()) {
    if (encoder.encode(short + char).length > mostBytes) break;
    short += char;
  }
  return short.trim();
}
