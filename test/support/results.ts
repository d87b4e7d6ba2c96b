// What a job gives, for tests in which links are cut: a read may meet one that is closed just then.
import { RqConnectionError } from '../../lib/job/index.js';
import type { RqJob } from '../../lib/queue/index.js';

/** The job's result; asked for again, five times at most, when the link was away meanwhile. */
export async function resultOf(job: RqJob): Promise<unknown> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await job.result({ timeout: 20 });
    } catch (error) {
      if (!(error instanceof RqConnectionError) || tries === 5) throw error;
    }
  }
}
