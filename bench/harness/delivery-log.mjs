// Who ran, how often, and when it was enough. Every job carries its number `n`; a run counts only if each number was
// handled exactly as often as it should be, by the id under which it was enqueued.

const STALLED_AFTER = 20_000;

/** A run that proves nothing: something was lost, repeated or left behind. */
export class VoidRun extends Error {
  name = 'VoidRun';
}

export class DeliveryLog {
  /** Handler calls so far. */
  calls = 0;
  /** `performance.now()` of the first call that is measured. */
  warmAt = 0;
  #counts;
  #ids;
  #jobs;
  #warmUp;
  #waiting = new Map();

  /**
   * @param {number} jobs how many there are, numbered from 0
   * @param {{ runsPerJob?: number, warmUp?: number }} options `warmUp`: calls not measured
   */
  constructor(jobs, { runsPerJob = 1, warmUp = 0 } = {}) {
    this.#jobs = jobs;
    this.runsPerJob = runsPerJob;
    this.#warmUp = warmUp;
    this.#counts = new Uint8Array(jobs);
    this.#ids = Array.from({ length: jobs });
  }

  /** Called by the handler; answers with how often this job has run, this time included. */
  record(n, id) {
    const runs = ++this.#counts[n];
    if (runs === 1) this.#ids[n] = id;
    this.calls += 1;
    if (this.calls === this.#warmUp + 1) this.warmAt = performance.now();
    const resolve = this.#waiting.get(this.calls);
    if (resolve) resolve(performance.now());
    return runs;
  }

  /** The time at which the handler was called for the `calls`th time; a VoidRun when nothing moves any more. */
  reached(calls) {
    if (this.calls >= calls) return Promise.resolve(performance.now());
    return new Promise((resolve, reject) => {
      let seen = -1;
      const watch = setInterval(() => {
        if (this.calls === seen) {
          finish();
          reject(new VoidRun(`stalled: ${this.calls} of ${calls} handler calls`));
        }
        seen = this.calls;
      }, STALLED_AFTER);
      const finish = () => {
        clearInterval(watch);
        this.#waiting.delete(calls);
      };
      this.#waiting.set(calls, (time) => {
        finish();
        resolve(time);
      });
    });
  }

  /** @param {string[]} ids as enqueued, by number @param {boolean} all whether every job must have run */
  verify(ids, all = true) {
    if (new Set(ids).size !== ids.length) throw new VoidRun('two jobs were given one id');
    for (let n = 0; n < this.#jobs; n += 1) {
      const runs = this.#counts[n];
      if (runs === 0 && !all) continue;
      if (runs !== this.runsPerJob) {
        throw new VoidRun(`job ${n} ran ${runs} times, not ${this.runsPerJob}`);
      }
      if (this.#ids[n] !== ids[n]) throw new VoidRun(`job ${n} ran under a foreign id`);
    }
  }
}
