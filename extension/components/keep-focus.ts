/**
 * A button that goes away when it has done its work takes the place of the keyboard with it: then it moves to
 * `target`. Returns how to stop.
 */
export function keepFocus(target: HTMLElement): () => void {
  const stop = new AbortController();
  let last: Element | null = null;
  document.addEventListener('focusin', () => void (last = document.activeElement), { signal: stop.signal });
  const observer = new MutationObserver(() => {
    if (last === null || last.isConnected) return;
    last = null;
    target.focus();
  });
  observer.observe(document.body, { childList: true, subtree: true });
  return () => {
    stop.abort();
    observer.disconnect();
  };
}
