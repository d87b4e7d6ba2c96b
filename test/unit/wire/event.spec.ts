import type { JobEvent } from '../../../lib/job/index.js';
import { decodeEvent, encodeEvent } from '../../../lib/wire/event.js';

const about = { queue: 'q', jobId: 'a', name: 'work', attempt: 2, at: new Date(1_764_000_000_000) };
const error = { name: 'RangeError', message: 'too far' };
const EVENTS: JobEvent[] = [
  { type: 'started', ...about },
  { type: 'progress', ...about, progress: { percent: 10 } },
  { type: 'retrying', ...about, error, delay: 5000, retriesLeft: 1 },
  { type: 'finished', ...about, result: [1, null], duration: 12, repeatsLeft: 2 },
  { type: 'exhausted', ...about, error },
  { type: 'failed', ...about, error },
  { type: 'canceled', ...about, reason: 'not needed' },
  { type: 'lost', ...about },
];

describe('an event on its way through Redis', () => {
  it.each(EVENTS)('$type arrives as it was', (event) => {
    expect(decodeEvent('q', encodeEvent(event))).toEqual(event);
  });

  it('is of the queue whose channel it comes over, whatever it says', () => {
    const forged = JSON.stringify({ ...JSON.parse(encodeEvent(EVENTS[0]!)), queue: 'other' });
    expect(decodeEvent('q', forged)?.queue).toBe('q');
  });

  it.each([
    '',
    'no JSON',
    'null',
    '[]',
    '{}',
    '{"type":"started"}',
    '{"type":"constructor","jobId":"a","name":"n","attempt":1,"at":1}',
    '{"type":"started","jobId":1,"name":"n","attempt":1,"at":1}',
    '{"type":"started","jobId":"a","name":"n","attempt":"1","at":1}',
    '{"type":"started","jobId":"a","name":"n","attempt":1,"at":"now"}',
    '{"type":"started","jobId":"a","name":"n","attempt":1,"at":1e99}',
  ])('that is none is dropped: %s', (message) => {
    expect(decodeEvent('q', message)).toBeUndefined();
  });

  it('with fields of wrong types has them empty', () => {
    const common = { jobId: 'a', name: 'n', attempt: 1, at: 1 };
    const failed = JSON.stringify({ ...common, type: 'failed', error: 'boom' });
    expect(decodeEvent('q', failed)).toMatchObject({ error: { name: 'Error', message: '' } });
    const retrying = JSON.stringify({ ...common, type: 'retrying', delay: 'soon' });
    expect(decodeEvent('q', retrying)).toMatchObject({ delay: 0, retriesLeft: 0 });
    const canceled = JSON.stringify({ ...common, type: 'canceled', reason: 7 });
    expect(decodeEvent('q', canceled)).toMatchObject({ reason: '' });
  });
});
