import { every } from '../../observe/index.js';
import type { Call } from './call.js';
import { type Change, type Live, jsonOf } from './live.js';
import { Refused } from './problems.js';

/** Open pages hear of changes as server-sent events: each gets the rows that changed, of the queues it may see. */
export class Streams {
  readonly #open = new Set<() => void>();

  constructor(private readonly live: Live) {}

  get size(): number {
    return this.#open.size;
  }

  /** @throws Refused when there are too many */
  async open({ viewer, request, response }: Call): Promise<void> {
    if (this.#open.size >= MOST_STREAMS) {
      throw new Refused('busy', 'too many pages are open: this one looks now and then', 503);
    }
    let visible = new Set<string>();
    const told = new Set<string>();
    let chartAt = 0;
    const sees = (queue: string) => visible.has(queue);
    const send = async (change: Change) => {
      const { queues } = this.live;
      if (queues.some((queue) => !visible.has(queue))) {
        visible = new Set(await viewer.visible(queues));
      }
      const isDue = change.at - chartAt >= CHART_EVERY_MS || change.at < chartAt;
      if (isDue) chartAt = change.at;
      const chart = isDue ? { chart: this.live.chart([...visible]) } : {};
      if (!response.writableEnded) response.write(`data: ${jsonOf(change, sees, chart, told)}\n\n`);
    };
    // What somebody may see can change while they look.
    const asking = every(ASK_EVERY_MS, () => {
      viewer.forget();
      visible = new Set();
    }).unref();
    const follower = (change: Change) => void send(change).catch(end);
    const unfollow = this.live.follow(follower);
    const close = () => {
      asking.cancel();
      unfollow();
      this.#open.delete(end);
    };
    const end = () => {
      close();
      response.end();
    };
    this.#open.add(end);
    request.once('close', close);
    response.once('close', close);
    response.writeHead(200, {
      'Content-Type': 'text/event-stream; charset=utf-8',
      'X-Accel-Buffering': 'no',
      Connection: 'keep-alive',
    });
    await send(await this.live.now());
  }

  /** Ends all of them, so that a server that closes waits for none. */
  close(): void {
    for (const end of this.#open) end();
  }
}

const MOST_STREAMS = 50;
const ASK_EVERY_MS = 60_000;
const CHART_EVERY_MS = 10_000;
