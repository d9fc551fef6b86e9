import type { BridgeError } from '#shared/errors.ts';

/** That a caller goes before it was answered, for those who care: an `AbortSignal` at a fraction of its size. */
export class HangUp {
  /** Null while the caller is there. */
  reason: BridgeError | null = null;
  readonly #listeners: ((reason: BridgeError) => void)[] = [];

  /** Calls back when the caller goes, and not where it has gone already. */
  on(listener: (reason: BridgeError) => void): void {
    this.#listeners.push(listener);
  }

  /** It goes, once. */
  tell(reason: BridgeError): void {
    if (this.reason) return;
    this.reason = reason;
    for (const listener of this.#listeners) listener(reason);
  }
}
