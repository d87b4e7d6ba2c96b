import {
  JobFailedError,
  PoisonJobError,
  errorOfFailure,
  poisonFailure,
} from '../../../lib/job/index.js';

describe('a job that kept killing its workers', () => {
  it('is recognised by what Redis keeps of it', () => {
    const { name, message } = poisonFailure(3);
    // As it stands in Redis, also of jobs that failed long ago.
    expect(`${name}: ${message}`).toBe(
      'PoisonJobError: the worker that ran this job died 3 times; it is not tried again. Requeue it when the cause is known.',
    );
    const error = errorOfFailure({ jobId: 'j1', reason: `${name}: ${message}` });
    expect(error).toBeInstanceOf(PoisonJobError);
    expect(error).toBeInstanceOf(JobFailedError);
    expect(error).toMatchObject({ code: 'RQ_POISON_JOB', jobId: 'j1', crashes: 3 });
    expect(error.reason).toBe(`${name}: ${message}`);
    expect(error.message).toMatch(
      /^Job "j1" failed: PoisonJobError: .* died 3 times; .*requeue it/i,
    );
  });

  it.each([
    ['', 'nothing was recorded'],
    ['Error: boom\n    at f', 'another error'],
    ['PoisonJobError: Job "other" failed: PoisonJobError: ...', "a handler's wait for such a job"],
    ['Error: PoisonJobError: the worker that ran this job died 3 times; ', 'a quotation'],
  ])('is not mistaken for one that failed: %j', (reason) => {
    const error = errorOfFailure({ jobId: 'j1', reason });
    expect(error.constructor).toBe(JobFailedError);
    expect(error.code).toBe('RQ_JOB_FAILED');
  });
});
