import type { Webhook } from '../../job/index.js';
import { after } from '../../time/timer.js';
import type { JobReporter } from './job-reporter.js';
import type { Trouble } from './troubles.js';

/**
 * The webhooks to one origin: a few are under way at once, the others wait. Of many that wait the later ones are dropped,
 * so that an endpoint that stands still does not fill the memory.
 */
export class WebhookLine {
  private readonly waiting: SentWebhook[] = [];
  private readonly underWay = new Set<AbortController>();
  private readonly onIdle: (() => void)[] = [];

  constructor(
    private readonly trouble: Trouble,
    private readonly reporter: Pick<JobReporter, 'problem' | 'problemSolved'>,
  ) {}

  add(webhook: SentWebhook): void {
    if (this.waiting.length >= MOST_WAITING) {
      this.failed(webhook, 'too many wait already');
      return;
    }
    this.waiting.push(webhook);
    this.sendNext();
  }

  /** Resolves when all are sent. */
  async idle(): Promise<void> {
    if (this.isIdle) return;
    await new Promise<void>((resolve) => this.onIdle.push(resolve));
  }

  /** Gives up what is not sent; answers how many. */
  abort(): number {
    const unsent = this.waiting.splice(0).length + this.underWay.size;
    for (const controller of this.underWay) controller.abort();
    return unsent;
  }

  private get isIdle(): boolean {
    return this.waiting.length === 0 && this.underWay.size === 0;
  }

  private sendNext(): void {
    while (this.underWay.size < AT_ONCE) {
      const next = this.waiting.shift();
      if (!next) break;
      const controller = new AbortController();
      this.underWay.add(controller);
      void this.send(next, controller).finally(() => {
        this.underWay.delete(controller);
        this.sendNext();
        if (this.isIdle) for (const resolve of this.onIdle.splice(0)) resolve();
      });
    }
  }

  private async send(sent: SentWebhook, controller: AbortController): Promise<void> {
    const { webhook, body } = sent;
    const { timeoutMs } = webhook;
    let isTooLate = false;
    const timer = after(timeoutMs, () => {
      isTooLate = true;
      controller.abort();
    });
    try {
      const status = await request(webhook, body, controller.signal);
      if (status >= 200 && status < 300) {
        this.reporter.problemSolved(this.trouble.problem, this.trouble.solved);
      } else {
        this.failed(sent, `it answered ${status}${isRedirect(status) ? REDIRECT : ''}`);
      }
    } catch (error) {
      const isGivenUp = controller.signal.aborted && !isTooLate;
      if (isTooLate) this.failed(sent, `no answer within ${timeoutMs / 1000} s`);
      else if (!isGivenUp) this.failed(sent, reasonOf(error));
    } finally {
      timer.cancel();
    }
  }

  private failed({ jobId }: SentWebhook, reason: string): void {
    this.reporter.problem(this.trouble.problem, new Error(`job "${jobId}": ${reason}`));
  }
}

/** A webhook on its way. */
export interface SentWebhook {
  readonly webhook: Webhook;
  readonly jobId: string;
  readonly body: string | undefined;
}

/** The status of the answer; nothing else of it is read. */
async function request(
  { url, method, headers: given }: Webhook,
  body: string | undefined,
  signal: AbortSignal,
): Promise<number> {
  const headers = new Headers({ 'user-agent': 'nestjs-rq' });
  if (body !== undefined) headers.set('content-type', 'application/json');
  for (const [name, value] of given) headers.set(name, value);
  const response = await fetch(url, { method, headers, body, signal, redirect: 'manual' });
  // The link is cut, however much would come.
  response.body?.cancel().catch(() => undefined);
  return response.status;
}

const isRedirect = (status: number) => status >= 300 && status < 400;
const REDIRECT = ', and redirects are not followed';

/** A code: messages of errors may hold what was sent. */
function reasonOf(error: unknown): string {
  const { cause, code } = error as { cause?: { code?: unknown }; code?: unknown };
  for (const known of [cause?.code, code]) {
    if (typeof known === 'string' && /^[A-Z][A-Z0-9_]{1,60}$/.test(known)) return known;
  }
  return 'the request could not be made';
}

/** Requests to one origin. */
const AT_ONCE = 10;
const MOST_WAITING = 1000;
