/** Follows the state: whenever the bridge says that it changed, the live part of the page is fetched anew. */

let source: { close(): void } | undefined;

/** Where the bridge has keys: the one that the person typed in. It stays here, and goes with the page. */
let key = '';
const unlock = document.querySelector<HTMLFormElement>('#unlock');
unlock?.addEventListener('submit', (event) => {
  event.preventDefault();
  key = unlock.querySelector('input')?.value.trim() ?? '';
  followWhileSeen();
});

/** A page that nobody sees follows nothing: the bridge would have Puter asked every second on its behalf. */
function followWhileSeen(): void {
  source?.close();
  source = document.visibilityState === 'visible' ? follow() : undefined;
}
document.addEventListener('visibilitychange', followWhileSeen);
followWhileSeen();

function follow(): typeof source {
  if (!unlock) return followByEvents();
  if (key === '') return undefined;
  const stop = new AbortController();
  void followByFetch(stop.signal);
  return { close: () => stop.abort() };
}

function followByEvents(): EventSource {
  const source = new EventSource('/api/status');
  // What cannot be fetched is gone, and the source says so itself.
  source.addEventListener('message', () => void refresh().catch(() => {}));
  // The bridge went away; EventSource keeps trying, and the next message refreshes everything.
  source.addEventListener('error', () => {
    if (source.readyState === EventSource.CLOSED) void followAnew();
    else showGone();
  });
  return source;
}

/**
 * EventSource does not try again by itself after an answer that is no stream, of another program on the port for
 * example. Nor does it say what the answer was: the bridge may have keys by now, and a new page asks for one.
 */
async function followAnew(): Promise<void> {
  const answer = await ask('/api/status', 'application/json').catch(() => null);
  if (answer?.status === 401) return location.reload();
  showGone();
  setTimeout(followWhileSeen, 1000);
}

/** The same with a key, which EventSource cannot send. */
async function followByFetch(signal: AbortSignal): Promise<void> {
  try {
    const response = await ask('/api/status', 'text/event-stream', signal);
    if (response.status === 401 || response.status === 429) return lockAgain();
    const reader = response.body?.getReader();
    for (let piece = await reader?.read(); piece?.done === false; piece = await reader?.read()) await refresh();
  } catch {
    // Gone, as it is when the stream ends.
  }
  if (signal.aborted) return;
  showGone();
  setTimeout(followWhileSeen, 1000);
}

function lockAgain(): void {
  key = '';
  const wrong = document.querySelector<HTMLElement>('#wrong');
  if (wrong) wrong.hidden = false;
  // The form gave way to the state: the key was revoked since.
  else location.reload();
}

async function refresh(): Promise<void> {
  const response = await ask('/', 'text/html');
  const page = new DOMParser().parseFromString(await response.text(), 'text/html');
  const fresh = page.querySelector('#live');
  const isLocked = page.querySelector('#unlock') !== null;
  // The bridge got its first key since.
  if (isLocked && !unlock) return location.reload();
  if (fresh && !isLocked) show(fresh);
}

function ask(path: string, type: string, signal: AbortSignal | null = null): Promise<Response> {
  return fetch(path, { headers: { Accept: type, ...(key !== '' && { Authorization: `Bearer ${key}` }) }, signal });
}

function showGone(): void {
  const gone = document.querySelector<HTMLTemplateElement>('#gone');
  if (gone) show(document.importNode(gone.content, true));
}

/** Leaves alone what did not change, so that screen readers announce the rest and nothing on the page jumps. */
function show(fresh: ParentNode): void {
  const live = document.querySelector('#live');
  const [children, shown] = [[...fresh.children], [...(live?.children ?? [])]];
  if (children.length !== shown.length) return live?.replaceChildren(...children);
  for (const [at, child] of children.entries())
    if (!child.isEqualNode(shown[at] ?? null)) shown[at]?.replaceWith(child);
}
