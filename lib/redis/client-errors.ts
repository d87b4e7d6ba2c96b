import { ReplyError } from 'ioredis';
import { RedisReplyError, RqConnectionError, RqError } from '../job/index.js';

/**
 * Errors of the client, made ours. ioredis hangs each command's arguments on its error: passwords, and the data of jobs,
 * also other callers' that went in the same call. Nothing of that leaves this room.
 *
 * @param action what was tried, as in "could not ..."
 * @param reply better words for what Redis has answered
 */
export function translated(action: string, error: unknown, reply?: string): Error {
  if (error instanceof RqError) return error;
  const text = replyText(error);
  if (text !== undefined) {
    const words = reply ?? text;
    if (REFUSAL.test(text)) return new RqConnectionError({ action, reason: new Error(words) });
    return new RedisReplyError({ action, reply: words });
  }
  const message = error instanceof Error ? error.message : '';
  // Not written at all: Redis cannot have carried it out.
  const certain = message.includes("isn't writeable");
  const isLost = certain || LOST.test(message);
  const reason = isLost ? new Error('the connection was lost') : error;
  return new RqConnectionError({ action, reason, uncertain: !certain });
}

/** The same error without the command that it was about. */
export function cleaned(error: unknown): Error {
  const clean = new Error(replyText(error) ?? (error instanceof Error ? error.message : 'failed'));
  const code: unknown = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? Object.assign(clean, { code }) : clean;
}

/** Redis has become a replica, or a replica without its primary: whoever wants to write has to go elsewhere. */
export function isDemoted(text: string): boolean {
  return DEMOTED.test(text);
}

/** What Redis itself has answered; undefined when the error is the client's. */
export function replyText(error: unknown): string | undefined {
  // By its class and not by its name: in a minified bundle the classes of the client have other names.
  if (!isReplyError(error)) return undefined;
  // Why a transaction was not run stands in the answers to its commands.
  const { previousErrors } = error as { previousErrors?: unknown };
  const first: unknown = Array.isArray(previousErrors) ? previousErrors[0] : undefined;
  const { message } = first instanceof Error ? first : error;
  // Redis repeats what it did not understand.
  return message.replace(/,? with args beginning with:.*$/s, '');
}

function isReplyError(error: unknown): error is Error {
  return error instanceof (ReplyError as ErrorConstructor);
}

/** The client's errors about a link that ended before the answer; it does not export their classes. */
const LOST = /^(Reached the max retries per request limit|Command aborted due to connection close)/;

/** Redis is there and takes no such command now. Before Redis 7 the word stands inside the text of a script's error. */
const REFUSAL =
  /(^|[ -])(OOM|READONLY|LOADING|MASTERDOWN|NOPERM|NOAUTH|CLUSTERDOWN|MISCONF|BUSY|NOREPLICAS|UNBLOCKED) /;

const DEMOTED = /(^|[ -])(READONLY|MASTERDOWN|UNBLOCKED) /;
