import {
  DEFAULT_WEBHOOK_SECONDS,
  LONGEST_WEBHOOKS,
  LONGEST_WEBHOOK_SECONDS,
  MOST_WEBHOOKS,
  type Webhook,
  headersOf,
  isMethod,
  isMoment,
  isObject,
  urlOf,
} from '../job/index.js';

/**
 * RQ's field `webhooks`: a JSON list of `url, job_status, method, headers, timeout`. Anybody may have written it: what
 * cannot be sent is left out, and one sentence says why.
 */
export function decodeWebhooks(text: string): {
  readonly webhooks: readonly Webhook[];
  /** A clause without any of the text; undefined: all could be read. */
  readonly problem: string | undefined;
} {
  if (text.length > LONGEST_WEBHOOKS) return nothing('they are too long');
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch {
    return nothing('they are no JSON');
  }
  if (!Array.isArray(list)) return nothing('they are no list');
  const webhooks: Webhook[] = [];
  let problem = list.length > MOST_WEBHOOKS ? `there are more than ${MOST_WEBHOOKS}` : undefined;
  for (const stored of list.slice(0, MOST_WEBHOOKS) as unknown[]) {
    const webhook = webhookIn(stored);
    if (typeof webhook === 'string') problem = webhook;
    else webhooks.push(webhook);
  }
  return { webhooks, problem };
}

const nothing = (problem: string) => ({ webhooks: [], problem });

/** The webhook, or why it cannot be sent. */
function webhookIn(stored: unknown): Webhook | string {
  if (!isObject(stored)) return 'one is no object';
  const { job_status: on, method = 'GET', timeout = DEFAULT_WEBHOOK_SECONDS } = stored;
  const url = urlOf(stored['url']);
  const headers = headersOf(stored['headers'] ?? {});
  if (!url) return 'the URL of one is not http or https, or has a user';
  if (!isMoment(on)) return 'the job_status of one is neither finished nor failed';
  if (!isMethod(method)) return 'the method of one is neither GET nor POST';
  if (!headers) return 'a header of one must not be sent';
  if (typeof timeout !== 'number' || !(timeout > 0))
    return 'the timeout of one is no number above 0';
  return { url, on, method, headers, timeoutMs: 1000 * Math.min(timeout, LONGEST_WEBHOOK_SECONDS) };
}
