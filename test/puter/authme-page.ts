import { refuse, type Refusal } from './refusals.ts';

/**
 * Puter's page where a person gives an application a token of their account: `/?action=authme&redirectURL=…`.
 *
 * Puter mints the token from its own page and leaves by `location.href`, so the page here does the same with a request
 * to itself. A person who cancels stays where they are: Puter closes the question and shows its desktop, and whoever
 * waits for the redirect learns nothing until the window is closed.
 */
export function authmePage(username: string, target: URL): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Authorize – Puter stand-in</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; display: grid; place-items: center; min-height: 100vh; margin: 0;
    background: #eef1f6; color: #1b2230 }
  main { background: #fff; padding: 2rem; border-radius: 12px; max-width: 22rem; box-shadow: 0 4px 24px #0002 }
  h1 { font-size: 1.2rem; margin: 0 0 .5rem }
  code { overflow-wrap: anywhere }
  button { font: inherit; padding: .5rem 1.2rem; border-radius: 6px; border: 1px solid #c5ccd8; background: #fff }
  #approve { background: #3b5bfd; border-color: #3b5bfd; color: #fff }
  small { color: #667 }
</style>
<main>
  <h1>Allow access to your account?</h1>
  <p>Signed in as <strong id="username">${escape(username)}</strong></p>
  <p><code>${escape(target.host)}</code> asks for a token of this account.</p>
  <p id="choice"><button id="approve">Allow</button> <button id="deny">Cancel</button></p>
  <small>This is a stand-in for Puter, for tests and the demo. No account is involved.</small>
</main>
<script>
  const choice = document.getElementById('choice');
  document.getElementById('approve').onclick = async () => {
    const response = await fetch('/authme/approve' + location.search, { method: 'POST' });
    location.href = (await response.json()).location;
  };
  document.getElementById('deny').onclick = () => {
    choice.textContent = 'Access was not given. You can close this window.';
  };
</script>
`;
}

/** What a guard before Puter may show instead: solving it takes a person, and leads to the page that was asked for. */
export function challengePage(): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>One moment – Puter stand-in</title>
<main>
  <h1>Are you a person?</h1>
  <button id="solve">Yes</button>
</main>
<script>
  document.getElementById('solve').onclick = async () => {
    await fetch('/challenge/solved', { method: 'POST' });
    location.reload();
  };
</script>
`;
}

/** Where the token goes. Only http(s) is allowed: a `chrome-extension:` address is refused, as Puter's backend does. */
export function redirectTarget(url: URL): URL | Refusal {
  const target = URL.parse(url.searchParams.get('redirectURL') ?? '');
  if (target && /^https?:$/.test(target.protocol)) return target;
  return refuse('bad_request', 'Invalid origin URL');
}

/** The target with the token appended; its other query parameters stay. */
export function withToken(target: URL, token: string): string {
  const location = new URL(target);
  location.searchParams.set('token', token);
  return location.href;
}

const escape = (text: string): string => text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
