import type { ExchangeReply } from '../../store/index.js';
import type { JobReporter } from '../report/job-reporter.js';
import { type Trouble, jobsNotClaimed } from '../report/troubles.js';
import type { Claim, ClaimBudget } from './claim-budget.js';
import type { JobStarter } from './job-starter.js';
import type { OutcomeQueue, SentOutcomes } from './outcome-queue.js';
import type { QueueWaiter } from './queue-waiter.js';

/**
 * What to do with Redis's reply to an exchange: the last of the consumer's three pieces.
 *
 * 1. Each outcome that was sent: written down, refused, or to be tried again (see OutcomeQueue).
 * 2. Jobs that Redis dropped, since nothing but their id was left, are told to the observers.
 * 3. What the reply says about the queue (paused, empty, more to come) decides how much the next exchange claims.
 * 4. The claimed jobs start in the slots that were reserved for them (see JobStarter).
 * 5. The queue is asked again when its next scheduled job is due; a paused one after a second.
 * 6. While the queue as a whole may start no more, whoever waits is told when it may; it is asked now and then all the same.
 */
export class ReplyHandler {
  private readonly trouble: Trouble;

  constructor(
    private readonly queue: string,
    private readonly reporter: JobReporter,
    private readonly outcomes: Pick<OutcomeQueue, 'conclude'>,
    private readonly budget: ClaimBudget,
    private readonly starter: Pick<JobStarter, 'receive'>,
    private readonly waiter: Pick<QueueWaiter, 'askIn' | 'wakeIn'>,
  ) {
    this.trouble = jobsNotClaimed(queue);
  }

  handle(sent: SentExchange, reply: ExchangeReply): void {
    const { claimed, dropped, nextDue } = reply;
    this.outcomes.conclude(sent.settled, reply.refused);
    for (const { id, reason } of dropped) {
      this.reporter.tell('jobDropped', { queue: this.queue, jobId: id, reason });
    }
    const { problem, solved } = this.trouble;
    if (reply.failure === undefined) this.reporter.problemSolved(problem, solved);
    else this.reporter.problem(problem, new Error(reply.failure), this.queue);
    this.budget.answered(sent, claimed.length + dropped.length, reply);
    this.starter.receive(claimed, sent.reserved);
    if (nextDue !== undefined) this.waiter.askIn(nextDue);
    if (reply.opensIn != null) this.waiter.wakeIn(reply.opensIn);
    if (this.budget.isPaused) this.waiter.askIn(PAUSE_CHECK_MS);
    if (this.budget.isLimited) this.waiter.wakeIn(LIMIT_CHECK_MS);
  }
}

/** What an exchange has taken along. */
export interface SentExchange extends Claim {
  readonly settled: SentOutcomes;
  /** Jobs that a blocking read has moved out of the queue. */
  readonly woken: readonly string[];
}

const PAUSE_CHECK_MS = 1000;
/** Should the message be lost that there is room again. */
const LIMIT_CHECK_MS = 10_000;
