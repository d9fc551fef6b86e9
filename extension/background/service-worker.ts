/**
 * Chrome's background entry. It only supervises: Chrome stops it after 30 s of silence, so everything that must
 * last, the socket and the lanes, lives in the offscreen page.
 */

import { askOffscreen, listenAsBackground } from '../messages.ts';
import { forgetSession, onContextChanged, readContext } from '../storage.ts';
import { showLight } from './badge.ts';
import { superviseOffscreen } from './offscreen-supervisor.ts';
import { signIn } from './sign-in.ts';

const supervisor = superviseOffscreen();

listenAsBackground({
  context: readContext,
  signIn,
  async signOut() {
    await forgetSession();
    return null;
  },
  async showLight(light) {
    await showLight(light);
    return null;
  },
  async wake() {
    await supervisor.ensure();
    return null;
  },
});

onContextChanged(
  () =>
    void readContext()
      .then((context) => askOffscreen('contextChanged', context))
      .catch(() => supervisor.ensure()),
);
