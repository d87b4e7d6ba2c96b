import { ReplyError } from 'ioredis';
import { RedisReplyError, RqConnectionError } from '../../../lib/job/index.js';
import { isDemoted, replyText, translated } from '../../../lib/redis/client-errors.js';

/** A minifier gives classes other names, and redis-errors gives each error its class's name. */
class T extends (ReplyError as ErrorConstructor) {}

describe('in a minified bundle', () => {
  it('what Redis has answered is still known', () => {
    const error = new T("READONLY You can't write against a read only replica.");
    expect(error.name).toBe('T');
    expect(isDemoted(String(replyText(error)))).toBe(true);
    expect(translated('write', error)).toBeInstanceOf(RqConnectionError);
    expect(translated('write', new T('ERR no such key'))).toBeInstanceOf(RedisReplyError);
  });

  it.each([
    'Reached the max retries per request limit (which is 0). Refer to "maxRetriesPerRequest" option for details.',
    'Command aborted due to connection close',
  ])('a lost link is still known: %s', (message) => {
    const error = translated('write', Object.assign(new Error(message), { name: 'a' }));
    expect(error).toMatchObject({ name: 'RqConnectionError', uncertain: true });
    expect(error.message).toContain('the connection was lost');
  });
});
