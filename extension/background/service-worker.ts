/**
 * Chrome's background entry. It only supervises: Chrome stops it after 30 s of silence, so everything that must
 * last, the socket and the lanes, lives in the offscreen page.
 */

import { askStation } from '../messages.ts';
import { onContextChanged, readContext } from '../storage.ts';
import { answerPages } from './answer-pages.ts';
import { createBadge } from './badge.ts';
import { superviseOffscreen } from './offscreen-supervisor.ts';

const supervisor = superviseOffscreen();
answerPages({
  showState: createBadge().show,
  beginSignIn: () => askStation('beginSignIn'),
  wake: supervisor.ensure,
  // In Chrome a message that waits for its answer does that.
  hold: () => () => {},
  // It asks for `reload` by a message.
  reloadOnceIdle: () => askStation('reloadOnceIdle'),
});

onContextChanged(
  () =>
    void readContext()
      .then((context) => askStation('contextChanged', context))
      .catch(() => supervisor.ensure()),
);
