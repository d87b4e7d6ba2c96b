import { ClaimedJob } from '../../../lib/wire/claimed-job.js';
import { claimedJob, type Fields } from '../support/claimed-job.js';

/** As Python saves it: it always writes this field. */
const pythons = (fields: Fields) => claimedJob({ success_callback_name: '', ...fields });
/** As we write it when the caller gave options. */
const ours = (fields: Fields) => claimedJob({ nrq_given: 'x', ...fields });

describe('a claimed job', () => {
  it('knows its queue, id, execution and attempt', () => {
    const { queue, id, execution } = pythons({});
    expect([queue, id, execution]).toEqual(['q', 'id1', 'e-id1']);
    expect(pythons({ nrq_attempts: '3' }).attempt).toBe(4);
    expect(pythons({}).attempt).toBe(1);
    expect(pythons({ nrq_attempts: 'many' }).attempt).toBe(1);
  });

  it('has its results read by Python when Python saved it', () => {
    expect(pythons({}).isSavedByPython).toBe(true);
    expect(ours({}).isSavedByPython).toBe(false);
    expect(ours({ success_callback_name: '' }).isSavedByPython).toBe(true);
  });

  it.each<[Fields, number | undefined]>([
    [{}, undefined],
    [{ timeout: '180' }, 180_000],
    [{ timeout: '-1' }, -1],
    [{ timeout: '0' }, -1],
    [{ timeout: '90s' }, 90_000],
    [{ timeout: '3m' }, 180_000],
    [{ timeout: '2H' }, 7_200_000],
    [{ timeout: '1d' }, 86_400_000],
    [{ timeout: '' }, undefined],
    [{ timeout: 'soon' }, undefined],
    [{ timeout: '1.5' }, undefined],
    [{ timeout: 'NaN' }, undefined],
    [{ timeout: '3', nrq_timeout: '2500' }, 2500],
    [{ timeout: '3', nrq_timeout: 'x' }, 3000],
    [{ timeout: '3', nrq_timeout: '-5' }, 3000],
  ])('%j: its timeout', (fields, timeout) => {
    expect(pythons(fields).timeout).toBe(timeout);
  });

  it("has a timeout of its own when its enqueuer gave one; Python's always did", () => {
    expect(ours({ timeout: '180' }).timeoutGiven).toBe(false);
    expect(ours({ timeout: '30', nrq_given: 'tr' }).timeoutGiven).toBe(true);
    expect(pythons({ timeout: '180' }).timeoutGiven).toBe(true);
    expect(claimedJob({ timeout: '180' }).timeoutGiven).toBe(false);
  });

  it('has the retry policy that is stored with it', () => {
    const job = ours({
      retries_left: '2',
      retry_intervals: '[1, 2.5]',
      enqueue_at_front_on_retry: '1',
      nrq_retry: '{"jitter":0.5,"within":1000}',
    });
    expect(job.retry).toEqual({
      max: 2,
      intervals: [1, 2.5],
      jitter: 0.5,
      within: 1000,
      front: true,
    });
    expect(ours({}).retry).toBeUndefined();
  });

  it.each<[string, Fields]>([
    ['of a count that is none', { retries_left: 'many' }],
    ['of a fraction', { retries_left: '1.5' }],
    ['of NaN', { retries_left: 'nan' }],
    ['of an empty count', { retries_left: '' }],
    ['of a number too large to count', { retries_left: '99999999999999999999' }],
  ])('has no policy because %s', (_, fields) => {
    expect(pythons(fields).retry).toBeUndefined();
  });

  it.each([
    ['no JSON', '[1, 2', []],
    ['no list', '{"a": 1}', []],
    ['a number', '5', []],
    ['odd members', '[1, "x", null, -5, 2]', [1, 0, 0, 0, 2]],
  ])('intervals that are %s do no harm', (_, retry_intervals, intervals) => {
    expect(pythons({ retries_left: '1', retry_intervals }).retry?.intervals).toEqual(intervals);
  });

  it.each(['{', 'null', '5', '"x"', '{"jitter":"much","within":null,"front":"yes"}'])(
    'own retry fields that are %s do no harm',
    (nrq_retry) => {
      expect(ours({ retries_left: '1', nrq_retry }).retry).toEqual({
        max: 1,
        intervals: [],
        jitter: 0,
        within: undefined,
        front: false,
      });
    },
  );

  it('has finite numbers only, whatever was stored', () => {
    const hundredYears = 36_500 * 86_400;
    const stored = {
      retries_left: '1',
      retry_intervals: '[1e999, -1, 1e300, null]',
      nrq_retry: '{"jitter":1e999,"longest":1e999,"within":1e999}',
      result_ttl: '9007199254740991',
      failure_ttl: '-7',
    };
    const job = pythons(stored);
    expect(job.retry).toEqual({
      max: 1,
      intervals: [hundredYears, 0, hundredYears, 0],
      jitter: 1,
      longest: hundredYears * 1000,
      within: hundredYears * 1000,
      front: false,
    });
    expect([job.resultTtl, job.failureTtl]).toEqual([-1, -1]);
    expect(pythons({ timeout: '9'.repeat(60) }).timeout).toBe(-1);
    expect(pythons({ timeout: '9'.repeat(500) }).timeout).toBeUndefined();
    expect(ours({ retries_left: '1', nrq_retry: '{"jitter":-1,"within":-1}' }).retry).toMatchObject(
      {
        jitter: 0,
        within: undefined,
      },
    );
  });

  it("takes its handler's policy only while nobody has decided otherwise", () => {
    expect(ours({}).retryDecided).toBe(false);
    expect(pythons({}).retryDecided).toBe(false);
    // Of a queue's or the root's defaults: the handler's wins.
    expect(ours({ retries_left: '3' }).retryDecided).toBe(false);
    expect(ours({ retries_left: '3', nrq_given: 'r' }).retryDecided).toBe(true);
    // `retry: false`: given, and none.
    expect(ours({ nrq_given: 'r' }).retryDecided).toBe(true);
    expect(ours({ nrq_given: 'r' }).retry).toBeUndefined();
    expect(pythons({ retries_left: '3' }).retryDecided).toBe(true);
    expect(claimedJob({ retries_left: '3' }).retryDecided).toBe(false);
    expect(ours({ retries_left: '3', nrq_retry: '{"by":"handler"}' }).retryDecided).toBe(true);
  });

  it('reads the rest, and ignores what makes no sense', () => {
    expect(
      rest({
        result_ttl: '-1',
        failure_ttl: '60',
        number_of_retries: '2',
        created_at: '2026-01-02T03:04:05.123456Z',
        meta: '{"a":1}',
      }),
    ).toEqual({
      resultTtl: -1,
      failureTtl: 60,
      returnedRetries: 2,
      createdAt: Date.UTC(2026, 0, 2, 3, 4, 5, 123),
      meta: { a: 1 },
    });
    expect(
      rest({
        result_ttl: '1.5',
        failure_ttl: 'x',
        number_of_retries: '',
        created_at: 'yesterday',
        meta: '?',
      }),
    ).toEqual({
      resultTtl: undefined,
      failureTtl: undefined,
      returnedRetries: 0,
      createdAt: undefined,
      meta: {},
    });
  });

  function rest(fields: Fields) {
    const job = pythons(fields);
    const { resultTtl, failureTtl, returnedRetries, createdAt } = job;
    const meta = job.meta(100);
    return { resultTtl, failureTtl, returnedRetries, createdAt, meta };
  }

  it('can be made of names only, to be given back', () => {
    const { queue, id, execution } = ClaimedJob.unread('jobs', 'id2', 'e2');
    expect([queue, id, execution]).toEqual(['jobs', 'id2', 'e2']);
  });
});

describe('since when it has been ready to run', () => {
  const createdAt = '2026-03-01T09:00:00.123Z';
  it.each([
    [{ created_at: createdAt }, Date.parse(createdAt)],
    [{ created_at: createdAt, nrq_given: 't' }, Date.parse(createdAt)],
    [{ created_at: createdAt, nrq_given: 'l' }, undefined],
    [
      { created_at: createdAt, nrq_given: 'l', enqueued_at: '2026-03-01T10:00:00Z' },
      Date.parse('2026-03-01T10:00:00Z'),
    ],
    [{ created_at: 'never' }, undefined],
    [{}, undefined],
  ])('%j', (fields, time) => expect(claimedJob(fields).readyAt).toBe(time));
});
