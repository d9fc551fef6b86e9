/** Follows the state: whenever the bridge says that it changed, the live part of the page is fetched anew. */

const source = new EventSource('/api/status');
source.addEventListener('message', () => void refresh());
// The bridge went away; EventSource keeps trying, and the next message refreshes everything.
source.addEventListener('error', () => document.querySelector('#live')?.replaceChildren(gone()));

async function refresh(): Promise<void> {
  const response = await fetch('/');
  const page = new DOMParser().parseFromString(await response.text(), 'text/html');
  const fresh = page.querySelector('#live');
  // The section itself stays, so that screen readers announce what changed in it.
  if (fresh) document.querySelector('#live')?.replaceChildren(...fresh.childNodes);
}

function gone(): HTMLElement {
  const line = document.createElement('p');
  line.className = 'overall red';
  line.textContent = 'The bridge does not answer. Start it with “npm start”; this page follows by itself.';
  return line;
}
