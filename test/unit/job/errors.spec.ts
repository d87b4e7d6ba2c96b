import * as job from '../../../lib/job/index.js';

const everyError: [string, job.RqError][] = [
  ['RQ_INVALID_OPTION', new job.InvalidOptionError({ option: 'timeout', problem: 'must be x' })],
  ['RQ_CONNECTION', new job.RqConnectionError({ action: 'enqueue' })],
  ['RQ_REDIS_REPLY', new job.RedisReplyError({ action: 'enqueue', reply: 'WRONGTYPE x' })],
  [
    'RQ_UNUSABLE_REDIS',
    new job.UnusableRedisError({
      findings: [
        { severity: 'fatal', code: 'replica', sentence: 'it is a replica', fix: 'leave it' },
      ],
    }),
  ],
  ['RQ_DUPLICATE_JOB', new job.DuplicateJobError({ jobId: 'j1', queue: 'q' })],
  [
    'RQ_ENQUEUE_MANY',
    new job.EnqueueManyError({ queue: 'q', stored: 1, jobIds: ['j1', 'j2'], cause: undefined }),
  ],
  [
    'RQ_DUPLICATE_HANDLER',
    new job.DuplicateHandlerError({ queue: 'q', name: 'n', owners: ['A.a', 'B.b'] }),
  ],
  ['RQ_UNKNOWN_JOB', new job.UnknownJobError({ queue: 'q', name: 'n', known: [] })],
  ['RQ_MALFORMED_JOB', new job.MalformedJobError({ jobId: 'j1', problem: 'its data is a pickle' })],
  ['RQ_JOB_TIMEOUT', new job.JobTimeoutError({ jobId: 'j1', timeout: 1500 })],
  ['RQ_UNSERIALIZABLE_DATA', new job.UnserializableDataError({ name: 'n', queue: 'q' })],
  ['RQ_UNSERIALIZABLE_RESULT', new job.UnserializableResultError({ jobId: 'j1' })],
  ['RQ_PAYLOAD_TOO_LARGE', new job.PayloadTooLargeError({ what: 'data', limit: 10 })],
  ['RQ_JOB_FAILED', new job.JobFailedError({ jobId: 'j1', reason: 'Error: x' })],
  ['RQ_JOB_CANCELED', new job.JobCanceledError({ jobId: 'j1' })],
  ['RQ_JOB_STOPPED', new job.JobStoppedError({ jobId: 'j1' })],
  ['RQ_JOB_NOT_FOUND', new job.JobNotFoundError({ jobId: 'j1' })],
  [
    'RQ_INVALID_JOB_STATE',
    new job.InvalidJobStateError({ jobId: 'j1', action: 'requeue', status: 'queued' }),
  ],
  ['RQ_RESULT_TIMEOUT', new job.ResultTimeoutError({ jobId: 'j1', timeout: 5000 })],
  ['RQ_QUEUE_FULL', new job.QueueFullError({ queue: 'images', maxLength: 5, length: 5 })],
  [
    'RQ_CIRCULAR_DEPENDENCY',
    new job.CircularDependencyError({ jobId: 'j1', queue: 'q', group: 'g' }),
  ],
  ['RQ_GROUP_TIMEOUT', new job.GroupTimeoutError({ group: 'g', pending: 2, timeout: 5000 })],
  ['RQ_LOST_LEASE', new job.LostLeaseError({ jobId: 'j1' })],
  ['RQ_SHUTDOWN', new job.ShutdownError()],
  [
    'RQ_PARENT_RESULT',
    new job.ParentResultError({ jobId: 'j1', status: 'missing', size: 100_000 }),
  ],
  [
    'RQ_KEY_FUNCTION',
    new job.KeyFunctionError({ jobId: 'j1', name: 'n', cause: new Error('no tenant') }),
  ],
  ['RQ_BATCH_RESULT', new job.BatchResultError({ name: 'n', jobs: 5, results: 3 })],
  [
    'RQ_NOT_REPLICATED',
    new job.NotReplicatedError({
      action: 'enqueue on queue "images"',
      replicas: 2,
      reached: 1,
      timeout: 1000,
      jobIds: ['a'],
    }),
  ],
  ['RQ_POISON_JOB', new job.PoisonJobError({ jobId: 'j1', crashes: 3 })],
];

describe('every error', () => {
  it.each(everyError)('%s has its code, its class as name, and a sentence', (code, error) => {
    expect(error).toBeInstanceOf(job.RqError);
    expect(error).toBeInstanceOf(Error);
    expect(error.code).toBe(code);
    expect(error.name).toBe(error.constructor.name);
    expect(error.message).not.toMatch(/undefined|NaN|\[object/);
    expect(error.stack).toMatch(new RegExp(`^${error.name}: `));
  });

  it('says which job it is about', () => {
    const ofOneJob = everyError.map(([, error]) => error).filter((error) => 'jobId' in error);
    expect(ofOneJob).toHaveLength(15);
    for (const error of ofOneJob) {
      expect(error.jobId).toBe('j1');
      expect(error.message).toContain('"j1"');
    }
  });

  it('is listed here', () => {
    const classes = Object.values(job).filter(
      (value) => typeof value === 'function' && value.prototype instanceof job.RqError,
    );
    expect(everyError.map(([, error]) => error.constructor)).toEqual(
      expect.arrayContaining(classes),
    );
    expect(new Set(everyError.map(([code]) => code)).size).toBe(classes.length);
  });
});

describe('InvalidOptionError', () => {
  it('tells place, key, what is allowed and what was given', () => {
    const error = new job.InvalidOptionError({
      option: 'retry.max',
      problem: 'must be a whole number from 1 to 1000',
      value: 0,
      where: 'enqueue("processImage") on queue "images"',
    });
    expect(error.message).toBe(
      'enqueue("processImage") on queue "images": retry.max must be a whole number from 1 to 1000, got 0',
    );
    expect(error.option).toBe('retry.max');
  });

  it.each([
    ['text', '"text"'],
    ['x'.repeat(1000), `"${'x'.repeat(60)}…"`],
    [5n, '5n'],
    [-0.5, '-0.5'],
    [null, 'null'],
    [undefined, 'undefined'],
    [Symbol('s'), 'Symbol(s)'],
    [() => 'secret', 'a function'],
    [{ password: 'secret' }, 'an object'],
    [['secret'], 'an array'],
  ])('shows %p in short and without the content of objects', (value, shown) => {
    const error = new job.InvalidOptionError({ option: 'x', problem: 'is wrong', value });
    expect(error.message).toBe(`x is wrong, got ${shown}`);
  });
});

describe('RqConnectionError', () => {
  it.each(['WRONGPASS invalid username-password pair', 'NOAUTH Authentication required.'])(
    'tells where to look when Redis does not let us in: %s',
    (refusal) => {
      const error = new job.RqConnectionError({ action: 'connect', reason: new Error(refusal) });
      expect(error.message).toMatch(/: (WRONGPASS|NOAUTH) .*\. Check the user and the password/);
    },
  );

  it('holds neither URL nor password of the client error', () => {
    const reason = Object.assign(
      new Error('connect failed: redis://user:hunter2@redis.example:6379/0'),
      { command: { name: 'auth', args: ['hunter2'] } },
    );
    const error = new job.RqConnectionError({ action: 'enqueue on queue "images"', reason });
    const everything = JSON.stringify(error) + String(error) + error.stack + String(error.cause);
    expect(everything).not.toContain('hunter2');
    expect(everything).not.toContain('redis.example');
    expect(error.message).toMatch(/^Could not enqueue on queue "images": connect failed: <url>\./);
  });

  it('falls back to the system code when the client error has no message', () => {
    const reason = Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' });
    expect(new job.RqConnectionError({ action: 'connect', reason }).message).toMatch(
      /^Could not connect: ECONNREFUSED\. Check /,
    );
  });

  it('says that an uncertain command may be repeated with the same id', () => {
    const error = new job.RqConnectionError({ action: 'enqueue', uncertain: true });
    expect(error.uncertain).toBe(true);
    expect(error.message).toContain('repeating it is harmless');
    const one = error.of(['j1']);
    expect(one.jobIds).toEqual(['j1']);
    expect(one.message).toContain('with the same id, enqueue(name, data, { id: error.jobIds[0] })');
    expect(error.of(['j1', 'j2']).message).toContain('{ id: error.jobIds[index] } for each job');
    expect(new job.RqConnectionError({ action: 'enqueue' }).uncertain).toBe(false);
  });
});

describe('JobFailedError', () => {
  it('has the telling line of a JavaScript stack, and keeps all of it', () => {
    const reason = 'TypeError: no such image\n    at processImage (images.js:1:1)';
    const error = new job.JobFailedError({ jobId: 'j1', reason });
    expect(error.message).toBe('Job "j1" failed: TypeError: no such image');
    expect(error.reason).toBe(reason);
  });

  it('has the telling line of a Python traceback', () => {
    const reason =
      'Traceback (most recent call last):\n  File "tasks.py", line 1, in f\nValueError: no such image\n';
    expect(new job.JobFailedError({ jobId: 'j1', reason }).message).toBe(
      'Job "j1" failed: ValueError: no such image',
    );
  });

  it('says so when no reason was recorded', () => {
    expect(new job.JobFailedError({ jobId: 'j1', reason: '' }).message).toBe(
      'Job "j1" failed: no reason was recorded',
    );
  });
});

describe('the other messages', () => {
  it('UnknownJobError lists the known names, not all of thousands', () => {
    const message = (known: string[]) =>
      new job.UnknownJobError({ queue: 'images', name: 'resize', known }).message;
    expect(message(['processImage', 'thumbnail'])).toMatch(
      /^No handler for job "resize" on queue "images"\. Known here: processImage, thumbnail\. /,
    );
    expect(message(Array.from({ length: 30 }, (_, index) => `job${index}`))).toContain(
      'job19 and 10 more',
    );
  });

  it('DuplicateHandlerError names both methods', () => {
    const error = new job.DuplicateHandlerError({
      queue: 'images',
      name: 'processImage',
      owners: ['ImageJobs.processImage', 'OtherJobs.run'],
    });
    expect(error.message).toContain('ImageJobs.processImage and OtherJobs.run');
  });

  it('EnqueueManyError tells from where to go on', () => {
    const cause = new job.RqConnectionError({ action: 'enqueue' });
    const jobIds = Array.from({ length: 2500 }, (_, number) => `j${number}`);
    const error = new job.EnqueueManyError({ queue: 'images', stored: 2000, jobIds, cause });
    expect(error.jobIds).toEqual(jobIds);
    expect(error.stored).toBe(2000);
    expect(error.cause).toBe(cause);
    expect(error.message).toContain('stored the first 2000 of 2500 jobs: Could not enqueue');
    expect(error.message).toContain('from index 2000');
  });

  it('InvalidJobStateError tells in which states it would be possible', () => {
    const error = new job.InvalidJobStateError({
      jobId: 'j1',
      action: 'requeue',
      status: 'started',
      allowed: ['failed', 'stopped'],
    });
    expect(error.message).toBe(
      'Cannot requeue job "j1": it is started. Possible only when it is failed or stopped.',
    );
  });

  it('UnserializableDataError passes on what JSON disliked', () => {
    const cause = new TypeError('Do not know how to serialize a BigInt');
    const error = new job.UnserializableDataError({ name: 'processImage', queue: 'q', cause });
    expect(error.message).toContain('as JSON (Do not know how to serialize a BigInt). Pass plain');
    expect(error.cause).toBe(cause);
  });

  it('PayloadTooLargeError names size, limit and option', () => {
    expect(
      new job.PayloadTooLargeError({ what: 'data', size: 11, limit: 10, option: 'maxDataSize' })
        .message,
    ).toBe(
      'The data is too large (11 bytes): at most 10 bytes are allowed. ' +
        'Keep large content elsewhere and pass a reference, or raise maxDataSize.',
    );
  });
});
