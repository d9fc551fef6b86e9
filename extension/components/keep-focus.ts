/**
 * A button that goes away when it has done its work takes the place of the keyboard with it: then that moves to what
 * says how things are now. Returns how to stop.
 */
export function keepFocus(): () => void {
  const stop = new AbortController();
  const { signal } = stop;
  let last: Element | null = null;
  document.addEventListener('focusin', () => void (last = document.activeElement), { signal });
  const forgetLeft = ({ target }: FocusEvent) =>
    // An element that is taken away says so, too, while it is still there.
    queueMicrotask(() => {
      if (target instanceof Element && target === last && target.isConnected) last = null;
    });
  document.addEventListener('focusout', forgetLeft, { signal });
  const observer = new MutationObserver(() => {
    if (last === null || last.isConnected) return;
    last = null;
    const place = document.querySelector<HTMLElement>('#light') ?? document.querySelector('h1');
    if (place) place.tabIndex = -1;
    place?.focus();
  });
  observer.observe(document.body, { childList: true, subtree: true });
  return () => {
    stop.abort();
    observer.disconnect();
  };
}
