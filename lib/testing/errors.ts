import { RqError, formatDuration } from '../job/index.js';

/** What can go wrong with the kit itself, beside what can go wrong with jobs. */

/** The embedded server is not installed, or does not start. */
export class EmbeddedRedisError extends RqError {
  readonly code = 'RQ_EMBEDDED_REDIS';

  /** @param details.isMissing the package is not installed; @param details.message what the thread said */
  constructor(details: { isMissing: boolean; message: string }) {
    super(
      details.isMissing
        ? 'RqTestingModule needs the package js-redis-server, an optional peer of nestjs-rq, which is not installed. ' +
            'Install it: npm install --save-dev js-redis-server'
        : `RqTestingModule could not start its embedded Redis: ${details.message.replace(/\.$/, '')}. ` +
            'Check that the installed js-redis-server is the version that nestjs-rq names as its peer.',
    );
  }
}

/** The jobs did not come to rest in time: a handler hangs, or each run enqueues the next. */
export class DrainTimeoutError extends RqError {
  readonly code = 'RQ_DRAIN_TIMEOUT';
  /** Jobs that run, as `mail: sendMail (id)`. */
  readonly started: readonly string[];
  /** Jobs that wait and are due, in the same form. */
  readonly waiting: readonly string[];

  /** @param details.timeout in milliseconds */
  constructor(details: {
    timeout: number;
    started: readonly string[];
    waiting: readonly string[];
  }) {
    const { timeout, started, waiting } = details;
    const running = started.length > 0 ? `Still running: ${started.join(', ')}. ` : '';
    const left = waiting.length > 0 ? `Still waiting: ${waiting.join(', ')}. ` : '';
    super(
      `The jobs did not come to rest within ${formatDuration(timeout)}. ${running}${left}` +
        'Look for a handler that hangs or for jobs that go on enqueuing each other, or give a longer timeout.',
    );
    this.started = started;
    this.waiting = waiting;
  }
}
