import type { IncomingMessage } from 'node:http';
import { Refused } from './problems.js';

/**
 * Nobody acts through a page of somebody else: a change is a POST of JSON that the browser itself says comes from this
 * origin. No token is needed, so any pod may answer. It holds whatever CORS rules the application has.
 * @param origins others that count as ours, behind a proxy that changes the host
 * @throws Refused
 */
export function assertOwnPage(request: IncomingMessage, origins: readonly string[]): void {
  const { headers } = request;
  const type = headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json') throw new Refused('type', 'send JSON', 415);
  const site = headers['sec-fetch-site'];
  const { origin } = headers;
  if (origin !== undefined && origins.includes(origin)) return;
  if (site !== undefined) {
    if (site === 'same-origin') return;
    throw new Refused('origin', 'the request comes from another site');
  }
  if (origin === undefined || !URL.canParse(origin) || new URL(origin).host !== headers.host) {
    throw new Refused('origin', 'the request does not say that it comes from this page');
  }
}

/**
 * The body of a request, as the framework has parsed it, or read here.
 * @throws Refused when it is not an object, or too long
 */
export async function bodyOf(
  request: IncomingMessage,
  parsed: unknown,
): Promise<Record<string, unknown>> {
  const body = parsed === undefined && !request.readableEnded ? await readJson(request) : parsed;
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) {
    return body as Record<string, unknown>;
  }
  throw new Refused('body', 'send an object', 400);
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > LONGEST_BODY) throw new Refused('body', 'the body is longer than 1 MB', 413);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString()) as unknown;
  } catch {
    throw new Refused('body', 'the body is no JSON', 400);
  }
}

const LONGEST_BODY = 1024 * 1024;
