import { deflateSync } from 'node:zlib';
import { decodeResults, decodeStreamedResult, JobRecord } from '../../../lib/wire/job-record.js';

function record(fields: Record<string, string | Buffer>): JobRecord {
  const reply = Object.entries(fields).flatMap(([name, value]) => [
    Buffer.from(name),
    Buffer.isBuffer(value) ? value : Buffer.from(value),
  ]);
  return new JobRecord('id1', reply);
}

const GETTERS = [
  'status',
  'origin',
  'createdAt',
  'enqueuedAt',
  'startedAt',
  'endedAt',
  'attempts',
  'retriesLeft',
  'workerName',
  'description',
  'result',
  'failure',
] as const;

/** What the record tells, as a plain object that can be compared. */
function seen(job: JobRecord): object {
  const values = GETTERS.map((name) => [name, job[name]]);
  return { ...Object.fromEntries(values), meta: job.meta(1000) };
}

describe("a job's record", () => {
  it('is one only with data', () => {
    expect(record({}).exists).toBe(false);
    expect(record({ status: 'queued' }).exists).toBe(false);
    expect(record({ data: '' }).exists).toBe(true);
  });

  it('has what RQ wrote', () => {
    const job = record({
      data: deflateSync('["f", null, [1], {}]'),
      status: 'started',
      origin: 'jobs',
      created_at: '2026-01-02T03:04:05.123456Z',
      enqueued_at: '2026-01-02T03:04:06Z',
      started_at: '2026-01-02T03:04:07.5Z',
      ended_at: '',
      worker_name: 'w1',
      description: 'f(1)',
      retries_left: '2',
      meta: '{"a": NaN}',
    });
    expect(seen(job)).toMatchObject({
      status: 'started',
      origin: 'jobs',
      createdAt: new Date('2026-01-02T03:04:05.123Z'),
      enqueuedAt: new Date('2026-01-02T03:04:06Z'),
      startedAt: new Date('2026-01-02T03:04:07.500Z'),
      endedAt: undefined,
      workerName: 'w1',
      description: 'f(1)',
      retriesLeft: 2,
      attempts: 1,
      meta: { a: null },
    });
    expect(job.call(1000)).toEqual({ name: 'f', args: [1], kwargs: {} });
  });

  it('is readable when hardly anything is there, or nonsense', () => {
    expect(seen(record({ data: '[]' }))).toMatchObject({
      status: 'queued',
      origin: '',
      createdAt: undefined,
      workerName: undefined,
      retriesLeft: undefined,
      result: undefined,
      failure: undefined,
      meta: {},
    });
    const nonsense = record({
      data: '[]',
      status: 'dancing',
      created_at: 'x',
      retries_left: 'many',
      nrq_attempts: 'y',
      result: 'gASVBgAAAAAAAABLKi4=',
      'nrq_attempt:1': '{broken',
      'nrq_attempt:2': 'null',
    });
    expect(seen(nonsense)).toMatchObject({
      status: 'queued',
      createdAt: undefined,
      retriesLeft: undefined,
      attempts: 0,
      result: undefined,
    });
    expect([...nonsense.failedAttempts.keys()]).toEqual([]);
  });

  it('lists its failed attempts in order', () => {
    const attempt = (message: string) =>
      JSON.stringify({ outcome: 'retrying', error: 'Error', message });
    const job = record({
      data: '[]',
      'nrq_attempt:10': attempt('tenth'),
      'nrq_attempt:9': attempt('ninth'),
      'nrq_attempt:x': attempt('none'),
    });
    expect([...job.failedAttempts]).toMatchObject([
      [9, { message: 'ninth' }],
      [10, { message: 'tenth' }],
    ]);
  });

  it.each([
    ['our text', 'Error: boom\n    at f', 'Error: boom\n    at f'],
    ['a deflated traceback of an old RQ', deflateSync('Traceback: boom'), 'Traceback: boom'],
    ["the deflated nothing that RQ's requeue writes", deflateSync(''), undefined],
    ['text that begins like deflated data', 'x is not a function', 'x is not a function'],
  ])('has a failure: %s', (_, exc_info, failure) => {
    expect(record({ data: '[]', exc_info }).failure).toBe(failure);
  });
});

describe("RQ's result stream", () => {
  const entry = (id: string, fields: Record<string, string>): [Buffer, Buffer[]] => [
    Buffer.from(id),
    Object.entries(fields).flatMap(([name, value]) => [Buffer.from(name), Buffer.from(value)]),
  ];
  const base64 = (data: string | Buffer) => Buffer.from(data).toString('base64');

  it('is read as Python writes it', () => {
    const traceback = base64(deflateSync('Traceback ...\nValueError: x'));
    expect(
      decodeResults([
        entry('1000-0', { type: '2', exc_string: traceback, worker_name: '' }),
        entry('2000-0', { type: '1', return_value: base64('{"a": NaN}'), worker_name: 'w' }),
        entry('3000-0', { type: '1' }),
        entry('4000-0', { type: '5', exc_string: traceback }),
      ]),
    ).toEqual([
      { type: 'failed', at: new Date(1000), failure: 'Traceback ...\nValueError: x' },
      { type: 'finished', at: new Date(2000), value: { a: null } },
      { type: 'finished', at: new Date(3000), value: null },
      { type: 'failed', at: new Date(4000), failure: 'Traceback ...\nValueError: x' },
    ]);
  });

  it('may hold entries that are unknown, pickled or damaged', () => {
    expect(
      decodeResults([
        entry('1-0', { type: '4' }),
        entry('2-0', { type: '99' }),
        entry('3-0', {}),
        entry('4-0', { type: '1', return_value: base64(Buffer.from('80054b2a2e', 'hex')) }),
        entry('5-0', { type: '2', exc_string: 'no base64 !' }),
        entry('6-0', { type: '2' }),
      ]),
    ).toEqual([
      { type: 'finished', at: new Date(4), value: undefined },
      { type: 'failed', at: new Date(5), failure: '' },
      { type: 'failed', at: new Date(6), failure: '' },
    ]);
    expect(decodeStreamedResult('')).toBeUndefined();
  });
});
