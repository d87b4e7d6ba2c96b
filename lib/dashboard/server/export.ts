import type { Call } from './call.js';
import type { Context } from './context.js';
import { jobRow } from './job-answers.js';
import { readSearch } from './search-words.js';
import { search } from './searching.js';

/** Found jobs as a file, a line of JSON each: without data, and as blanked as on the page. */
export async function exportJobs(call: Call, { inspector, settings }: Context): Promise<void> {
  const { query, viewer, response } = call;
  const words = readSearch(query.text('q') ?? '');
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const { redaction } = settings;
  const limits = { most: 10_000, budget: 100_000, time: 20_000, signal: gone.signal };
  const { jobs } = await search(words, limits, { inspector, viewer, redaction });
  await inspector.desk.audit.add({
    who: viewer.who,
    action: 'export',
    count: jobs.length,
    result: 'done',
    ...(words.queue === undefined ? {} : { queue: words.queue }),
    ...(viewer.ip === undefined ? {} : { ip: viewer.ip }),
  });
  response.setHeader('Content-Type', 'application/x-ndjson; charset=utf-8');
  response.setHeader('Content-Disposition', 'attachment; filename="jobs.ndjson"');
  for (const job of jobs) {
    const seesData = await viewer.may('view:data', job.queue);
    response.write(`${JSON.stringify(jobRow(job, redaction, seesData))}\n`);
  }
  response.end();
}
