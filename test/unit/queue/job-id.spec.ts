import { assertJobId } from '../../../lib/job/index.js';
import { newJobId } from '../../../lib/queue/job-id.js';

describe('a new job id', () => {
  it('is short, of letters and digits, which RQ accepts and no command line misreads', () => {
    for (let count = 0; count < 1000; count += 1) {
      const id = newJobId();
      expect(() => assertJobId(id)).not.toThrow();
      expect(id).toMatch(/^[0-9a-z]{16,32}$/);
    }
  });

  it('is never given twice', () => {
    const ids = new Set(Array.from({ length: 100_000 }, newJobId));
    expect(ids.size).toBe(100_000);
  });

  it('is one of many even within one millisecond: it cannot be guessed from another', () => {
    const ids = Array.from({ length: 1000 }, newJobId);
    const ends = ids.map((id) => id.slice(-6));
    expect(new Set(ends).size).toBeGreaterThan(990);
  });
});
