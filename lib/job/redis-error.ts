import { RqError } from './errors.js';

/** Redis answered a command with an error: a key of another type, a script that it could not run. */
export class RedisReplyError extends RqError {
  readonly code = 'RQ_REDIS_REPLY';
  /** The first word of Redis's answer: `WRONGTYPE`, `ERR`, ... */
  readonly reply: string;

  /**
   * @param details.action what was tried, as in "could not ...": `enqueue on queue "images"`
   * @param details.reply what Redis answered, without the command
   */
  constructor(details: { action: string; reply: string }) {
    const text = details.reply.slice(0, 500).split('\n', 1)[0] ?? '';
    super(`Could not ${details.action}: Redis answered with an error: ${text}`);
    this.reply = /^[A-Z]+/.exec(text)?.[0] ?? 'ERR';
  }
}
