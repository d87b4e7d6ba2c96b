import type { InjectionToken } from '@nestjs/common';
import {
  type Duration,
  RqError,
  ShortForm,
  assertQueueName,
  durationAboveZero,
  formatDuration,
  optionTable,
  optional,
  readOptions,
  wholeNumber,
} from '../../job/index.js';
import { after } from '../../time/timer.js';
import type { RqRoot } from '../root/rq-root.js';
import { DEFAULT_ROOT } from '../tokens.js';

/**
 * Answers whether this process, its Redis and its queues are well, in the form that Terminus takes:
 *
 * ```ts
 * @Get('live') @HealthCheck() live() { return this.terminus.check([() => this.health.worker()]); }
 * @Get('ready') @HealthCheck() ready() { return this.terminus.check([() => this.health.redis()]); }
 * ```
 *
 * Each answer comes within a second, and stands for a second: whoever asks more often gets the same one. It never throws,
 * and holds no secret. Without Terminus, answer with status 503 when `status` is `down`.
 */
export class RqHealth extends ShortForm {
  readonly #root: RqRoot;
  readonly #known = new Map<string, { readonly at: number; readonly answer: Promise<State> }>();

  /** @internal */
  constructor(root: RqRoot) {
    super();
    this.#root = root;
  }

  /**
   * The worker of this process. For liveness: it is down from the moment on at which the application begins to close, when
   * its event loop is blocked for a third of the lease, and when it cannot show itself for a minute although Redis answers.
   * While Redis is away it is up: no restart cures that. Up, too, where there is no worker to look after.
   */
  async worker(key = 'worker'): Promise<RqHealthResult> {
    return { [key]: await this.answer('worker', () => this.ofWorker()) };
  }

  /** Redis answers, and can hold jobs: it is no replica, takes writes, and has memory left. For readiness. */
  async redis(key = 'redis'): Promise<RqHealthResult> {
    return { [key]: await this.answer('redis', () => this.ofRedis()) };
  }

  /**
   * A queue is within limits. For readiness or an alert, never for liveness: a restart cures no backlog.
   *
   * @param limits what is too much: `oldest`, for how long the oldest job that may start has been ready; `backlog`, jobs that
   * wait; `retrying`, jobs that wait for a retry; and `workers`, how many at least
   * @param key default: the name of the queue
   */
  async queue(name: string, limits: QueueHealthLimits = {}, key = name): Promise<RqHealthResult> {
    const known = `queue ${name} ${JSON.stringify(limits)}`;
    return { [key]: await this.answer(known, () => this.ofQueue(name, limits)) };
  }

  /** What JSON and logs show of it: the root's name. */
  toJSON(): { readonly root: string } {
    return { root: this.#root.name };
  }

  private answer(what: string, look: () => Promise<State>): Promise<State> {
    const now = performance.now();
    const known = this.#known.get(what);
    // Its end is told at once.
    if (known && now - known.at < STANDS_MS && !this.#root.isClosing) return known.answer;
    const answer = inTime(look);
    this.#known.set(what, { at: now, answer });
    return answer;
  }

  private async ofWorker(): Promise<State> {
    const { worker, isClosing, isStarted, options } = this.#root;
    if (isClosing) return down('the application is closing');
    if (!worker) {
      if (options.worker !== false && !isStarted) return down('the application is starting');
      return { status: 'up', message: 'there is no worker in this process' };
    }
    const { isStopping, lagMs, leaseMs, sinceLookMs, sinceShownMs } = worker.vitals();
    const { queues, running } = worker;
    if (isStopping) return down('the worker has stopped, or is about to');
    const late = Math.max(lagMs, sinceLookMs - LOOK_MS);
    if (late > leaseMs / 3) {
      return down(`the event loop was blocked for ${formatDuration(late)}`, { running });
    }
    if (sinceShownMs > UNSEEN_MS && (await this.isRedisThere())) {
      return down(`it could not show itself for ${formatDuration(sinceShownMs)}`, { running });
    }
    return { status: 'up', queues: [...queues], running };
  }

  private async isRedisThere(): Promise<boolean> {
    try {
      await this.#root.store.figures.now();
      return true;
    } catch {
      return false;
    }
  }

  private async ofRedis(): Promise<State> {
    const { figures } = this.#root.store;
    await figures.now();
    const findings = await figures.findings();
    const bad = findings.filter(({ severity }) => severity !== 'warning');
    if (bad.length === 0) return { status: 'up' };
    return down(bad.map(({ sentence, fix }) => `${sentence}: ${fix}`).join('; '));
  }

  private async ofQueue(name: string, given: QueueHealthLimits): Promise<State> {
    const where = `health of queue "${name}"`;
    assertQueueName(name, where);
    const limits = readOptions(given, LIMITS, where);
    const { figures } = this.#root.store;
    const [[state], all] = await Promise.all([figures.overview([name]), figures.workers()]);
    if (!state) return down('nothing is known of it');
    const workers = all.filter((one) => one.isAlive && one.queues.includes(name)).length;
    const { queued, retrying, mayStart, oldestMs = 0 } = state;
    const oldest = mayStart ? oldestMs : 0;
    const { oldest: longest = Infinity, backlog = Infinity, workers: least = 0 } = limits;
    const wrong = [
      oldest > longest && `the oldest job has waited for ${formatDuration(oldest)}`,
      queued > backlog && `${queued} jobs wait`,
      retrying > (limits.retrying ?? Infinity) && `${retrying} jobs wait for a retry`,
      workers < least && `${workers} workers serve it`,
    ].filter((text) => text !== false);
    const figuresOfIt = { queued, oldestMs: oldest, retrying, workers };
    return wrong.length > 0
      ? down(wrong.join(', '), figuresOfIt)
      : { status: 'up', ...figuresOfIt };
  }
}

/** What is too much of a queue; default: anything is well. */
export interface QueueHealthLimits {
  readonly oldest?: Duration;
  readonly backlog?: number;
  readonly retrying?: number;
  readonly workers?: number;
}

const LIMITS = optionTable<QueueHealthLimits>()({
  oldest: optional(durationAboveZero),
  backlog: optional(wholeNumber(0)),
  retrying: optional(wholeNumber(0)),
  workers: optional(wholeNumber(1)),
});

/** An answer under its key, as Terminus's `HealthIndicatorResult`. */
export type RqHealthResult = Record<string, State>;

type State = { readonly status: 'up' | 'down' } & Record<string, unknown>;

function down(message: string, rest: Record<string, unknown> = {}): State {
  return { status: 'down', message, ...rest };
}

/** Never rejects, never takes longer than a second. */
function inTime(look: () => Promise<State>): Promise<State> {
  return new Promise((resolve) => {
    const timer = after(LONGEST_MS, () => resolve(down('it did not answer within a second')));
    const end = (state: State) => {
      timer.cancel();
      resolve(state);
    };
    look().then(end, (error: unknown) => {
      end(down(error instanceof RqError ? error.message : 'it could not be looked at'));
    });
  });
}

const LONGEST_MS = 1000;
const STANDS_MS = 1000;
/** How often a worker looks at itself, milliseconds. */
const LOOK_MS = 1000;
const UNSEEN_MS = 60_000;

/**
 * The token under which a root's `RqHealth` is injected: the class itself for the root without a name.
 *
 * @param root the `name` given to `RqModule.forRoot`
 */
export function getRqHealthToken(root: string = DEFAULT_ROOT): InjectionToken<RqHealth> {
  return root === DEFAULT_ROOT ? RqHealth : `RqHealth:${root}`;
}
