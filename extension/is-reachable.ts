/** Whether anything answers at `url`, whatever it is: pages of others let nobody read more than that. */
export const isReachable = (url: string, signal: AbortSignal): Promise<boolean> =>
  fetch(url, { mode: 'no-cors', cache: 'no-store', signal }).then(
    () => true,
    () => false,
  );
