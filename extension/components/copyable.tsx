import { useEffect, useRef } from 'preact/hooks';

import { say } from './say.ts';
import { useBriefly } from './use-briefly.ts';

/** A line to take along, with a button that says when it was taken. */
export function Copyable({ text, label, hasFocus = false }: { text: string; label: string; hasFocus?: boolean }) {
  const code = useRef<HTMLElement>(null);
  // It stands where a button was that had the focus.
  useEffect(() => void (hasFocus && code.current?.focus()), [hasFocus]);
  return (
    <div class="copyable row grow">
      <code ref={code} class="grow" tabIndex={0} aria-label={label} role="group">
        {text}
      </code>
      <CopyButton text={text} about={label} />
    </div>
  );
}

export function CopyButton({ text, about, children }: { text: string; about?: string; children?: string }) {
  const [copied, setCopied] = useBriefly(1500);
  const copy = () => void navigator.clipboard.writeText(text).then(() => setCopied(true));
  return (
    <button type="button" class="copy" onClick={copy} aria-label={about && say('copy_this', about)}>
      <span aria-live="polite">{copied ? say('copied') : (children ?? say('copy'))}</span>
    </button>
  );
}
