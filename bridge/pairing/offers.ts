import { codeLifeMs, drawCode, maxWrongCodes, showCode } from '#shared/pairing/code.ts';

/** An extension that is not paired and wants in, by its own words. */
export interface Knocker {
  origin: string;
  browser: string;
}

/** A code that lets one extension in. */
export interface Offer {
  readonly code: string;
}

/** What people are shown of it. */
export interface PairingView extends Knocker {
  since: Date;
  /** As it is typed; null where it is used up or too old, until somebody looks. */
  code: string | null;
}

/**
 * The one code there is, while an extension knocks that is not paired: for one use, two minutes and six wrong tries, of
 * whomever. The first knock makes one, and after that only somebody who looks: nobody reads what a terminal repeats
 * all night.
 */
export interface Offers {
  /** `isWatched` where the person looks at a page of that extension. */
  knock(knocker: Knocker, isWatched: boolean): void;
  /** The code as it counts now; null where there is none. */
  current(): Offer | null;
  /** Says what became of a try with the code of `offer`. */
  judge(offer: Offer, isRight: boolean): 'right' | 'wrong' | 'void' | 'gone';
  /** Null while nobody knocks. */
  view(): PairingView | null;
  close(): void;
}

/** An extension that was turned away dials again sooner than this. */
export const knockMs = 6000;

export function createOffers(options: {
  /** Milliseconds on a clock that only goes forward. */
  now: () => number;
  random: (count: number) => Uint8Array;
  /** Whether somebody looks at the bridge's page. */
  isWatched: () => boolean;
  onChange: () => void;
}): Offers {
  const { now, random, onChange } = options;
  let knocking: (Knocker & { since: Date }) | null = null;
  let offer: (Offer & { until: number; wrong: number }) | null = null;
  let silence: NodeJS.Timeout | undefined;
  let expiry: NodeJS.Timeout | undefined;

  function make(): void {
    offer = { code: drawCode(random), until: now() + codeLifeMs, wrong: 0 };
    clearTimeout(expiry);
    expiry = setTimeout(withdraw, codeLifeMs).unref();
  }

  function withdraw(): void {
    clearTimeout(expiry);
    offer = null;
    onChange();
  }

  /** The clock of the timers may stand still, on a machine that sleeps. */
  const current = () => (offer && now() < offer.until ? offer : null);

  function fallSilent(): void {
    clearTimeout(silence);
    knocking = null;
    onChange();
  }

  return {
    knock({ origin, browser }, isWatched) {
      clearTimeout(silence);
      silence = setTimeout(fallSilent, knockMs).unref();
      const isFirst = knocking === null;
      knocking = { origin, browser, since: knocking?.since ?? new Date() };
      if (!current() && (isFirst || isWatched || options.isWatched())) make();
      onChange();
    },
    current,
    judge(tried, isRight) {
      const counted = current();
      // Another try was quicker, or it took too long.
      if (counted === null || counted !== tried) return 'gone';
      if (isRight) {
        withdraw();
        fallSilent();
        return 'right';
      }
      counted.wrong += 1;
      if (counted.wrong < maxWrongCodes) return 'wrong';
      withdraw();
      return 'void';
    },
    view() {
      const code = current()?.code;
      return knocking && { ...knocking, code: code === undefined ? null : showCode(code) };
    },
    close() {
      clearTimeout(silence);
      clearTimeout(expiry);
    },
  };
}
