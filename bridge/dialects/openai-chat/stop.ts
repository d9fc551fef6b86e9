/**
 * Ends a text before the first of `stops`, wherever the pieces of the text begin and end: what could still become a
 * stop is held back until the next piece tells.
 */
export interface StopFilter {
  /** What of the text may go out. `isOver`: a stop was found, and nothing after it counts. */
  add(piece: string): { text: string; isOver: boolean };
  /** What was held back, where the text ended without a stop. */
  rest(): string;
}

export function createStopFilter(stops: readonly string[]): StopFilter {
  let held = '';

  return {
    add(piece) {
      held += piece;
      const found = stops.map((stop) => held.indexOf(stop)).filter((at) => at !== -1);
      if (found.length > 0) {
        const text = held.slice(0, Math.min(...found));
        held = '';
        return { text, isOver: true };
      }
      const keep = Math.max(0, ...stops.map((stop) => beginningAtEnd(held, stop)));
      const text = held.slice(0, held.length - keep);
      held = held.slice(held.length - keep);
      return { text, isOver: false };
    },
    rest() {
      const text = held;
      held = '';
      return text;
    },
  };
}

/** The length of the longest beginning of `stop` that `text` ends with. */
function beginningAtEnd(text: string, stop: string): number {
  for (let length = Math.min(stop.length - 1, text.length); length > 0; length -= 1) {
    if (text.endsWith(stop.slice(0, length))) return length;
  }
  return 0;
}
