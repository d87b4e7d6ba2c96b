import { type Duration, toWholeSeconds } from './duration.js';
import { InvalidOptionError } from './errors.js';
import { checkOptions, isObject } from './option-checks.js';
import type { OptionRule } from './option-table.js';

/**
 * Webhooks: a request that a worker makes when a job has finished or failed. They are RQ's (from 2.10 on), stored with
 * the job, so that workers of both languages send them. What a worker here sends is limited to origins that the
 * application allows: whoever can write a job could otherwise have the worker ask anything of its network.
 */

/** A request to be made when a job ends. */
export interface WebhookOptions {
  /** `http://` or `https://`, without user and password. The worker must be allowed to send to its origin. */
  url: string;
  /** `finished`, or `failed`: for good, not at an attempt that is retried. */
  on: 'finished' | 'failed';
  /** Default `GET`, as in RQ, which has no body; `POST` sends JSON that says what became of the job. */
  method?: 'GET' | 'POST';
  /** Further headers: texts by name. They are stored with the job, readable for whoever can read Redis. */
  headers?: Readonly<Record<string, string>>;
  /** How long the answer may take, in whole seconds; default 10 seconds, at most a minute. */
  timeout?: Duration;
}

/** A webhook as it is sent. */
export interface Webhook {
  readonly url: URL;
  readonly on: 'finished' | 'failed';
  readonly method: 'GET' | 'POST';
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly timeoutMs: number;
}

/** The most webhooks of a job. */
export const MOST_WEBHOOKS = 20;
/** The most characters of all webhooks of a job, as they are stored. */
export const LONGEST_WEBHOOKS = 64 * 1024;
export const DEFAULT_WEBHOOK_SECONDS = 10;
export const LONGEST_WEBHOOK_SECONDS = 60;

/**
 * Checks the webhooks of a job and gives their text as RQ stores it; undefined: there are none.
 * @throws InvalidOptionError naming the key; no URL and no header is in its message
 */
export function readWebhooks(value: unknown, where: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  const refuse = (option: string, problem: string): never => {
    throw new InvalidOptionError({ option, problem, where });
  };
  if (!Array.isArray(value)) return refuse('webhooks', 'must be a list');
  if (value.length > MOST_WEBHOOKS) refuse('webhooks', `must be at most ${MOST_WEBHOOKS}`);
  const stored = (value as unknown[]).map((webhook, index) => {
    const path = `webhooks[${index}]`;
    checkOptions(webhook, WEBHOOK_KEYS, path, where);
    const { url, on, method = 'GET', headers, timeout } = webhook as WebhookOptions;
    if (!urlOf(url)) refuse(`${path}.url`, URL_PROBLEM);
    if (!isMoment(on)) refuse(`${path}.on`, "must be 'finished' or 'failed'");
    if (!isMethod(method)) refuse(`${path}.method`, "must be 'GET' or 'POST'");
    if (headers !== undefined && !headersOf(headers)) refuse(`${path}.headers`, HEADERS_PROBLEM);
    const seconds =
      timeout === undefined
        ? DEFAULT_WEBHOOK_SECONDS
        : toWholeSeconds(timeout, `${path}.timeout`, where);
    if (seconds < 1 || seconds > LONGEST_WEBHOOK_SECONDS) {
      refuse(`${path}.timeout`, `must be from 1 to ${LONGEST_WEBHOOK_SECONDS} seconds`);
    }
    return { url, job_status: on, method, headers: headers ?? null, timeout: seconds };
  });
  if (stored.length === 0) return undefined;
  const text = JSON.stringify(stored);
  if (text.length > LONGEST_WEBHOOKS) {
    refuse('webhooks', `must not be longer than ${LONGEST_WEBHOOKS} characters in all`);
  }
  return text;
}

const WEBHOOK_KEYS: ReadonlySet<string> = new Set(['url', 'on', 'method', 'headers', 'timeout']);

/** The URL, if a request may go there at all. */
export function urlOf(text: unknown): URL | undefined {
  if (typeof text !== 'string' || text.length > LONGEST_URL || !URL.canParse(text))
    return undefined;
  const url = new URL(text);
  const isHttp = url.protocol === 'http:' || url.protocol === 'https:';
  return isHttp && url.username === '' && url.password === '' ? url : undefined;
}

export const URL_PROBLEM =
  'must be a URL that begins with http:// or https://, without user and password';

export function isMoment(on: unknown): on is Webhook['on'] {
  return on === 'finished' || on === 'failed';
}

export function isMethod(method: unknown): method is Webhook['method'] {
  return method === 'GET' || method === 'POST';
}

/** The headers, if all of them may be sent. */
export function headersOf(headers: unknown): Webhook['headers'] | undefined {
  if (!isObject(headers)) return undefined;
  const entries = Object.entries(headers);
  const mayBeSent = entries.every(
    ([name, value]) =>
      HEADER_NAME.test(name) &&
      !RESERVED.test(name) &&
      typeof value === 'string' &&
      HEADER_VALUE.test(value),
  );
  return entries.length <= MOST_HEADERS && mayBeSent ? (entries as [string, string][]) : undefined;
}

export const HEADERS_PROBLEM =
  'must be texts by name, without line breaks, and none that steers the connection (Host, Content-Length, ...)';

const LONGEST_URL = 8192;
const MOST_HEADERS = 50;
const HEADER_NAME = /^[\w!#$%&'*+.^`|~-]{1,200}$/;
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]{0,8192}$/;
/** What tells where a request goes and where it ends: that is not the job's business. */
const RESERVED =
  /^(host|content-length|transfer-encoding|connection|keep-alive|proxy-.*|upgrade|te|trailer|expect)$/i;

/** Where a worker may send webhooks, in the form of `URL.origin`: each is a scheme, a host and maybe a port. */
export const allowedOrigins: OptionRule<readonly string[]> = (value = [], option, where) => {
  if (!Array.isArray(value)) {
    throw new InvalidOptionError({ option, problem: 'must be a list of origins', where });
  }
  return (value as unknown[]).map((given, index) => {
    const url = urlOf(given);
    const isOrigin = url?.pathname === '/' && url.search === '' && url.hash === '';
    if (url && isOrigin && !url.hostname.includes('*')) return url.origin;
    const problem =
      "must be an origin such as 'https://hooks.example.org': no path, no user, no pattern";
    throw new InvalidOptionError({ option: `${option}[${index}]`, problem, where });
  });
};
