import type { JobStatus } from '../job/index.js';
import { RqLogger } from '../nest/rq-logger.js';
import type { RunControl } from './run-control.js';
import type { ResolvedTestingOptions } from './testing-options.js';

/**
 * Says what a test has to do when somebody waits for a result that the test itself holds back.
 *
 * For example an endpoint that awaits `job.result()`: in `mode: 'manual'` its job runs when the test calls `drain()`,
 * and not before. After two seconds one line says so, for a test is mostly over before `result()` gives up. When it does
 * give up, its error says the same.
 */
export class HeldResults {
  private readonly logger = new RqLogger('RqTesting');
  /** Since when somebody waits for a job that is held back, by its id; Infinity: it was said. */
  private readonly since = new Map<string, number>();

  constructor(
    private readonly mode: ResolvedTestingOptions['mode'],
    private readonly runs: RunControl,
  ) {}

  /** What to do so that a job of this status can run; undefined: the test does not hold it back. */
  adviceFor(status: JobStatus): string | undefined {
    if (status === 'scheduled') return SCHEDULED;
    if (status === 'deferred') return DEFERRED;
    return status === 'queued' && this.mode === 'manual' ? QUEUED : undefined;
  }

  /** Somebody who waits for the job has looked at it, and looks again in a moment. */
  looked(id: string, status: JobStatus): void {
    const advice = this.runs.isOpen ? undefined : this.adviceFor(status);
    const since = this.since.get(id) ?? performance.now();
    this.since.set(id, since);
    if (advice === undefined) this.since.delete(id);
    else if (performance.now() - since > SAID_AFTER_MS) {
      this.since.set(id, Infinity);
      this.logger.error(`The result of job ${id} is awaited, and the job is ${status}. ${advice}`);
    }
  }
}

const SAID_AFTER_MS = 2000;

const QUEUED =
  "In this test (mode: 'manual') jobs run only while the test calls drain() or advance() of RqTesting: call drain() " +
  "while the result is awaited, or use RqTestingModule.forRoot({ mode: 'inline' }), which runs each job as it is enqueued.";

const DEFERRED =
  'It waits for other jobs, and in this test it runs when they have: job.refresh() says for which (waitsFor), and drain() ' +
  'or advance() of RqTesting runs them.';

const SCHEDULED =
  'In this test it runs when the clock of its Redis is moved: call advance() of RqTesting, with the time that it waits for.';
