import { useEffect, useState } from 'preact/hooks';

/** Something to show for `ms` milliseconds, and how to show it or take it back. */
export function useBriefly(ms: number): [isShown: boolean, show: (isShown: boolean) => void] {
  const [isShown, show] = useState(false);
  useEffect(() => {
    if (!isShown) return undefined;
    const timer = setTimeout(() => show(false), ms);
    return () => clearTimeout(timer);
  }, [isShown]);
  return [isShown, show];
}
