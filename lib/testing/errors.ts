import { RqError, formatDuration } from '../job/index.js';

/** What can go wrong with the kit itself, beside what can go wrong with jobs. */

/** The versions of js-redis-server that the kit is tested with: 0.3.x. */
export const EMBEDDED_REDIS_LINE = '0.3';

/** Why there is no embedded server: `found` is the version that is installed. */
export type EmbeddedRedisProblem =
  | { readonly kind: 'missing' }
  | { readonly kind: 'version'; readonly found: string }
  | { readonly kind: 'start'; readonly message: string };

/** The embedded server is not installed, in another version than the kit needs, or does not start. */
export class EmbeddedRedisError extends RqError {
  readonly code = 'RQ_EMBEDDED_REDIS';

  constructor(problem: EmbeddedRedisProblem) {
    super(embeddedRedisMessage(problem));
  }
}

function embeddedRedisMessage(problem: EmbeddedRedisProblem): string {
  const install = `Install it: npm install --save-dev js-redis-server@${EMBEDDED_REDIS_LINE}`;
  switch (problem.kind) {
    case 'missing':
      return `RqTestingModule needs the package js-redis-server, which is not installed. ${install}`;
    case 'version':
      return (
        `RqTestingModule needs js-redis-server ${EMBEDDED_REDIS_LINE}.x, and ${problem.found} is installed. ` +
        install
      );
    case 'start':
      return (
        `RqTestingModule could not start its embedded Redis: ${problem.message.replace(/\.$/, '')}. ` +
        'Reinstall the packages of this project; if that does not help, report it to nestjs-rq.'
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
