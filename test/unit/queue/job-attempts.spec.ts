import { attemptsOf } from '../../../lib/queue/job-attempts.js';
import { JobRecord, type ResultEntry } from '../../../lib/wire/index.js';

function record(fields: Record<string, string>): JobRecord {
  const all = { data: '["f",null,[],{}]', ...fields };
  const reply = Object.entries(all).flatMap(([name, value]) => [
    Buffer.from(name),
    Buffer.from(value),
  ]);
  return new JobRecord('id1', reply);
}

const attempt = (outcome: string, parts: object = {}) =>
  JSON.stringify({
    outcome,
    error: 'Error',
    message: 'boom',
    startedAt: '2026-01-01T00:00:00.000Z',
    endedAt: '2026-01-01T00:00:01.000Z',
    ...parts,
  });

const streamed = (type: 'finished' | 'failed', parts: Partial<ResultEntry> = {}): ResultEntry => ({
  type,
  at: new Date(5000),
  ...parts,
});

describe("a job's history", () => {
  it('is empty for a job that never ran', () => {
    expect(attemptsOf(record({ status: 'queued' }), [])).toEqual([]);
  });

  it('has failed attempts, then the result', () => {
    const job = record({
      status: 'finished',
      nrq_attempts: '2',
      'nrq_attempt:1': attempt('retrying', { delay: 250, stack: 'Error: boom\n at f' }),
      'nrq_attempt:2': attempt('lost', { startedAt: undefined }),
      result: '{"a":1}',
      ended_at: '2026-01-01T00:00:09.000000Z',
    });
    expect(attemptsOf(job, [])).toMatchObject([
      {
        attempt: 1,
        outcome: 'retrying',
        error: 'Error: boom',
        delay: 250,
        stack: 'Error: boom\n at f',
        startedAt: new Date('2026-01-01T00:00:00Z'),
        endedAt: new Date('2026-01-01T00:00:01Z'),
      },
      { attempt: 2, outcome: 'lost', startedAt: undefined },
      {
        attempt: 3,
        outcome: 'finished',
        value: { a: 1 },
        endedAt: new Date('2026-01-01T00:00:09Z'),
      },
    ]);
  });

  it('has null for a result that is none', () => {
    const finished = attemptsOf(record({ status: 'finished' }), []);
    expect(finished).toMatchObject([{ outcome: 'finished', value: null }]);
  });

  it("has the last failure's stack from the job itself", () => {
    const job = record({
      status: 'failed',
      'nrq_attempt:1': attempt('failed'),
      exc_info: 'Error: boom\n    at g',
    });
    expect(attemptsOf(job, [])).toMatchObject([
      { outcome: 'failed', stack: 'Error: boom\n    at g' },
    ]);
  });

  it("has the runs of a Python worker from RQ's stream", () => {
    const failure = 'Traceback (most recent call last):\n  ...\nValueError: x\n';
    const job = record({ status: 'finished' });
    expect(
      attemptsOf(job, [streamed('failed', { failure }), streamed('finished', { value: 7 })]),
    ).toEqual([
      expect.objectContaining({
        attempt: undefined,
        outcome: 'failed',
        error: 'ValueError: x',
        stack: failure,
        endedAt: new Date(5000),
      }),
      expect.objectContaining({ attempt: undefined, outcome: 'finished', value: 7 }),
    ]);
  });

  it('does not tell a failure twice that stands in both places', () => {
    const job = record({ status: 'failed', 'nrq_attempt:1': attempt('failed'), exc_info: 'x' });
    expect(attemptsOf(job, [streamed('failed', { failure: 'x' })])).toHaveLength(1);
  });
});
