/** Follows the state: whenever the bridge says that it changed, the live part of the page is fetched anew. */

let source: EventSource | undefined;

/** A page that nobody sees follows nothing: the bridge would have Puter asked every second on its behalf. */
function followWhileSeen(): void {
  source?.close();
  source = document.visibilityState === 'visible' ? follow() : undefined;
}
document.addEventListener('visibilitychange', followWhileSeen);
followWhileSeen();

function follow(): EventSource {
  const source = new EventSource('/api/status');
  // What cannot be fetched is gone, and the source says so itself.
  source.addEventListener('message', () => void refresh().catch(() => {}));
  // The bridge went away; EventSource keeps trying, and the next message refreshes everything.
  source.addEventListener('error', () => {
    const gone = document.querySelector<HTMLTemplateElement>('#gone');
    if (gone) show(document.importNode(gone.content, true));
    // It does not try again by itself after an answer that is no stream, of another program on the port for example.
    if (source.readyState === EventSource.CLOSED) setTimeout(followWhileSeen, 1000);
  });
  return source;
}

async function refresh(): Promise<void> {
  const response = await fetch('/', { headers: { Accept: 'text/html' } });
  const page = new DOMParser().parseFromString(await response.text(), 'text/html');
  const fresh = page.querySelector('#live');
  if (fresh) show(fresh);
}

/** Leaves alone what did not change, so that screen readers announce the rest and nothing on the page jumps. */
function show(fresh: ParentNode): void {
  const live = document.querySelector('#live');
  const [children, shown] = [[...fresh.children], [...(live?.children ?? [])]];
  if (children.length !== shown.length) return live?.replaceChildren(...children);
  for (const [at, child] of children.entries())
    if (!child.isEqualNode(shown[at] ?? null)) shown[at]?.replaceWith(child);
}
