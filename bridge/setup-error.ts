/** What the person set up cannot work. The message says how to mend it. */
export class SetupError extends Error {
  override readonly name = 'SetupError';
}
