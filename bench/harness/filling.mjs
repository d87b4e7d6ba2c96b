// How jobs come into a queue: numbered, in lists of 1000 or by callers who wait for each. Answers with the ids by number.

const BULK = 1000;
const LARGE = 'x'.repeat(10_000);

/** About 50 bytes of JSON, or 10 KB. */
export function jobData(n, large = false) {
  return large ? { n, text: LARGE } : { n, path: '/images/upload/photo.jpg' };
}

/** Enqueues jobs numbered from `from` and answers with their ids in order. */
export async function fill(producer, jobs, { from = 0, large = false } = {}) {
  const ids = [];
  for (let first = 0; first < jobs; first += BULK) {
    const list = Array.from({ length: Math.min(BULK, jobs - first) }, (_, index) =>
      jobData(from + first + index, large),
    );
    for (const job of await producer.addMany(list)) ids.push(job.id);
  }
  return ids;
}

/** Each caller enqueues a job, waits until it is acknowledged, and takes the next. */
export async function byCallers(producer, jobs, callers, { large = false } = {}) {
  const ids = [];
  let next = 0;
  const caller = async () => {
    while (next < jobs) {
      const n = next++;
      ids[n] = (await producer.add(jobData(n, large))).id;
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return ids;
}
