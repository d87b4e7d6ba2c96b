import type { Webhook } from '../../job/index.js';
import { decodeWebhooks } from '../../wire/index.js';
import type { JobReporter } from './job-reporter.js';
import * as troubles from './troubles.js';
import { type EndedJob, payloadOf } from './webhook-payload.js';
import { WebhookLine } from './webhook-line.js';

/**
 * Sends the webhooks of jobs.
 *
 * 1. Redis has acknowledged that a job has finished or failed. Its webhooks for that end are taken, if it has any.
 * 2. Those whose origin is not allowed are dropped, with one warning per origin. Nothing else of job data decides where a
 *    request goes: no redirect is followed.
 * 3. The others are sent in the background, at most once each, some at a time per origin. A slow endpoint holds no slot of
 *    the worker, and none of another origin.
 * 4. What goes wrong is told to the log. The job is as it was.
 * 5. When the worker stops, those under way have a moment to arrive.
 */
export class Webhooks {
  private readonly lines = new Map<string, WebhookLine>();
  private readonly refused = new Set<string>();
  private isClosed = false;

  /** @param allowed origins, as `URL.origin` has them */
  constructor(
    private readonly allowed: readonly string[],
    private readonly reporter: Pick<JobReporter, 'problem' | 'problemSolved'>,
  ) {}

  send(ended: EndedJob): void {
    if (this.isClosed) return;
    const { webhooks, problem } = decodeWebhooks(ended.webhooks);
    if (problem !== undefined) {
      const reason = `job "${ended.jobId}": ${problem}`;
      this.reporter.problem(troubles.webhooksUnreadable, new Error(reason));
    }
    for (const webhook of webhooks) {
      if (webhook.on === ended.status) this.sendOne(webhook, ended);
    }
  }

  /** Resolves when all that were to be sent are. */
  async allSent(): Promise<void> {
    await Promise.all([...this.lines.values()].map((line) => line.idle()));
  }

  /** What is not sent by now is not sent at all. */
  close(): void {
    this.isClosed = true;
    let unsent = 0;
    for (const line of this.lines.values()) unsent += line.abort();
    if (unsent > 0) this.reporter.problem(troubles.webhooksUnsent(unsent));
  }

  private sendOne(webhook: Webhook, ended: EndedJob): void {
    const { origin } = webhook.url;
    if (!this.allowed.includes(origin)) {
      this.refuse(origin);
      return;
    }
    let line = this.lines.get(origin);
    if (!line) {
      line = new WebhookLine(troubles.webhooksFail(origin), this.reporter);
      this.lines.set(origin, line);
    }
    line.add({ webhook, jobId: ended.jobId, body: bodyOf(webhook, ended) });
  }

  /** Origins come out of Redis: after some of them nothing new is learned. */
  private refuse(origin: string): void {
    if (this.refused.has(origin) || this.refused.size >= MOST_REFUSED) return;
    this.refused.add(origin);
    this.reporter.problem(troubles.webhookNotAllowed(origin));
  }
}

const MOST_REFUSED = 20;

function bodyOf({ method }: Webhook, ended: EndedJob): string | undefined {
  return method === 'POST' ? JSON.stringify(payloadOf(ended)) : undefined;
}
