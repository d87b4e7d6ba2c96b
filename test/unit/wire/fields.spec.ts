import { inflateSync } from 'node:zlib';
import { resolveDefaults, resolveJobOptions, type JobOptions } from '../../../lib/job/index.js';
import {
  encodeAttempt,
  optionFields,
  ownRetry,
  streamedFailure,
  streamedResult,
} from '../../../lib/wire/fields.js';

const DEFAULTS = resolveDefaults(undefined);

function fields(options?: JobOptions, queue = 'q'): Record<string, string> {
  const list = optionFields(queue, resolveJobOptions(options, DEFAULTS));
  expect(list.length % 2).toBe(0);
  const pairs = list.flatMap((name, at) => (at % 2 === 0 ? [[name, list[at + 1]]] : []));
  return Object.fromEntries(pairs) as Record<string, string>;
}

describe("a job's options as RQ's fields", () => {
  it('are few for a job without options', () => {
    expect(fields()).toEqual({ origin: 'q', timeout: '180' });
  });

  it.each<[JobOptions, Record<string, string>]>([
    [{ timeout: '5m' }, { timeout: '300', nrq_given: 't' }],
    [{ timeout: false }, { timeout: '-1', nrq_given: 't' }],
    [{ timeout: 2.5 }, { timeout: '3', nrq_timeout: '2500', nrq_given: 'tx' }],
    [{ timeout: '100ms' }, { timeout: '1', nrq_timeout: '100', nrq_given: 'tx' }],
    [{ ttl: 60 }, { ttl: '60' }],
    [{ ttl: 0.5 }, { ttl: '1' }],
    [{ resultTtl: 0 }, { result_ttl: '0' }],
    [{ resultTtl: '1d' }, { result_ttl: '86400' }],
    [{ resultTtl: 'forever' }, { result_ttl: '-1' }],
    [{ failureTtl: -1 }, { failure_ttl: '-1' }],
    [{ failureTtl: 1.2 }, { failure_ttl: '2' }],
    [{ delay: 5, atFront: true }, { enqueue_at_front: '1' }],
  ])('%j', (options, expected) => {
    expect(fields(options)).toMatchObject(expected);
  });

  it('say retries as RQ does', () => {
    expect(fields({ retry: { max: 3, interval: [10, 60] } })).toMatchObject({
      retries_left: '3',
      retry_intervals: '[10,60,60]',
      nrq_given: 'rx',
    });
    expect(fields({ retry: { max: 2, interval: 0 } })).toMatchObject({
      retries_left: '2',
      retry_intervals: '[0]',
    });
    expect(fields({ retry: { max: 2 } })).toMatchObject({ retry_intervals: '[3,9]' });
    expect(fields({ retry: false })).toMatchObject({ nrq_given: 'r' });
    expect(fields({ retry: false })).not.toHaveProperty('retries_left');
    expect(fields({ retry: { max: 1, interval: '1500ms', front: true } })).toMatchObject({
      retry_intervals: '[1.5]',
      enqueue_at_front_on_retry: '1',
    });
  });

  it('add a field of ours only for what RQ cannot say', () => {
    const interval = { type: 'exponential', delay: 1, factor: 3, max: 10, jitter: 0.2 } as const;
    const own = fields({ retry: { max: 4, interval, within: '1h' } });
    expect(own['retry_intervals']).toBe('[1,3,9,10]');
    expect(JSON.parse(own['nrq_retry'] ?? '')).toEqual({
      jitter: 0.2,
      longest: 10_000,
      within: 3_600_000,
    });
    expect(fields({ retry: { max: 4, interval: 1 } })).not.toHaveProperty('nrq_retry');
    expect(ownRetry({ jitter: 0, within: undefined })).toBe('');
  });

  it('hold integers only where RQ reads integers: a fraction makes a Python worker quit', () => {
    const options: JobOptions = {
      timeout: 1.5,
      ttl: 2.5,
      resultTtl: 3.5,
      failureTtl: 4.5,
      retry: { max: 2, interval: 0.5 },
    };
    const written = fields(options);
    for (const name of ['timeout', 'ttl', 'result_ttl', 'failure_ttl', 'retries_left']) {
      expect(written[name]).toMatch(/^-?\d+$/);
    }
  });

  it('are made once for all jobs that share them, and anew for another queue', () => {
    const { plainJob } = DEFAULTS;
    expect(optionFields('q', plainJob)).toBe(optionFields('q', plainJob));
    expect(optionFields('other', plainJob)[1]).toBe('other');
    expect(optionFields('q', plainJob)[1]).toBe('q');
  });

  it('take the caller for the giver, not the defaults', () => {
    const defaults = resolveDefaults({ timeout: 5, retry: { max: 1 } });
    const list = optionFields('q', resolveJobOptions({}, defaults));
    expect(list[list.indexOf('nrq_given') + 1]).toBe('x');
    expect(list[list.indexOf('timeout') + 1]).toBe('5');
    expect(list[list.indexOf('retries_left') + 1]).toBe('1');
  });
});

describe('the record of a failed attempt', () => {
  const failure = { name: 'Error', message: 'm'.repeat(5000), stack: 's'.repeat(9000) };
  const times = { startedAt: 0, endedAt: 1500 };

  it('is short JSON with its times; the stack of the last attempt stands beside the job', () => {
    const retried: unknown = JSON.parse(encodeAttempt('retrying', failure, times, 250));
    expect(retried).toEqual({
      outcome: 'retrying',
      error: 'Error',
      message: 'm'.repeat(1000),
      startedAt: '1970-01-01T00:00:00.000Z',
      endedAt: '1970-01-01T00:00:01.500Z',
      delay: 250,
      stack: 's'.repeat(4000),
    });
    expect(JSON.parse(encodeAttempt('failed', failure, times))).not.toHaveProperty('stack');
  });
});

describe("texts of RQ's result streams", () => {
  it('are base64 of JSON, and base64 of a deflated traceback', () => {
    expect(streamedResult('{"a":"ü"}')).toBe('eyJhIjoiw7wifQ==');
    const deflated = Buffer.from(streamedFailure('Error: ü\n    at f'), 'base64');
    expect(inflateSync(deflated).toString()).toBe('Error: ü\n    at f');
  });
});
