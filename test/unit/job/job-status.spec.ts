import { isJobStatus, isSettled, type JobStatus } from '../../../lib/job/index.js';

const settled = ['finished', 'failed', 'stopped', 'canceled'];
const unsettled = ['created', 'queued', 'started', 'deferred', 'scheduled'];

describe('a job status', () => {
  it("is one of RQ's nine words", () => {
    expect([...settled, ...unsettled].every((word) => isJobStatus(word))).toBe(true);
    for (const other of ['', 'Queued', 'retrying', 'toString', '__proto__', undefined, null, 1]) {
      expect(isJobStatus(other)).toBe(false);
    }
  });

  it('is settled when nothing more happens to the job', () => {
    expect(settled.every((status) => isSettled(status as JobStatus))).toBe(true);
    expect(unsettled.some((status) => isSettled(status as JobStatus))).toBe(false);
  });
});
