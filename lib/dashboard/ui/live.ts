import { effect } from '@preact/signals';
import type { LiveAnswer } from '../server/answers.js';
import { addressOf, ask } from './api.js';
import { downSince, hear, heardAt, isLive } from './state.js';

/**
 * Keeps the live rows true. One tab of a browser holds the stream and tells the others; hidden tabs hear nothing; where no
 * stream gets through, the page asks every few seconds.
 */
export function startLive(): void {
  const channel = new BroadcastChannel(`rq:${document.baseURI}`);
  channel.onmessage = ({ data }: MessageEvent<LiveAnswer>) => {
    if (wants()) hear(data);
  };
  let stop: (() => void) | undefined;
  const wants = () => isLive.peek() && !document.hidden;
  const change = () => {
    if (wants() && !stop) stop = follow(channel);
    else if (!wants()) {
      stop?.();
      stop = undefined;
    }
  };
  effect(() => {
    void isLive.value;
    change();
  });
  document.addEventListener('visibilitychange', change);
}

function follow(channel: BroadcastChannel): () => void {
  const gone = new AbortController();
  let source: EventSource | undefined;
  const open = () =>
    new Promise<void>((resolve) => {
      source = new EventSource(addressOf('live'));
      source.onmessage = ({ data }: MessageEvent<string>) => {
        const answer = JSON.parse(data) as LiveAnswer;
        hear(answer);
        channel.postMessage(answer);
      };
      gone.signal.addEventListener('abort', () => {
        source?.close();
        resolve();
      });
    });
  if ('locks' in navigator) {
    const name = `rq:${document.baseURI}`;
    navigator.locks.request(name, { signal: gone.signal }, open).catch(() => undefined);
  } else {
    void open();
  }
  // Whatever was missed meanwhile; and while no word comes at all.
  const look = async () => {
    try {
      hear(await ask<LiveAnswer>('overview', {}, gone.signal), true);
    } catch {
      if (!gone.signal.aborted) downSince.value ??= Date.now();
    }
  };
  if (heardAt.peek() === 0 || Date.now() - heardAt.peek() > SILENT_MS / 2) void look();
  const timer = setInterval(() => {
    if (Date.now() - heardAt.peek() > SILENT_MS) void look();
  }, SILENT_MS);
  return () => {
    clearInterval(timer);
    gone.abort();
  };
}

/** The server says something every six seconds at least. */
const SILENT_MS = 9000;
