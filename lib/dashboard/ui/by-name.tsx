import type { ChartAnswer } from '../server/answers.js';
import { Card, Length } from './parts.js';
import { Link, queueHref } from './router.js';
import { compact, t } from './words.js';

/** What became of jobs, by their name, the most frequent first. */
export function ByName({
  jobs,
  showsQueue = false,
}: {
  readonly jobs: ChartAnswer['jobs'];
  readonly showsQueue?: boolean;
}) {
  if (jobs.length === 0) return null;
  const most = Math.max(1, ...jobs.map(({ attempts }) => attempts));
  return (
    <Card title={t('by.name')} flush>
      <table class="table">
        <thead>
          <tr>
            <th scope="col">{t('job')}</th>
            <th scope="col" class="num">
              {t('col.attempts')}
            </th>
            <th scope="col" class="mid">
              <span class="spoken">{t('col.attempts')}</span>
            </th>
            <th scope="col" class="num">
              {t('outcome.failed')}
            </th>
            <th scope="col" class="num mid">
              {t('outcome.retrying')}
            </th>
            <th scope="col" class="num mid">
              {t('run')} p50
            </th>
            <th scope="col" class="num">
              {t('run')} p95
            </th>
          </tr>
        </thead>
        <tbody>
          {jobs.map((job, index) => (
            <tr key={index}>
              <th scope="row">
                <bdi>{job.name ?? t('other')}</bdi>{' '}
                {showsQueue && (
                  <Link class="plain dim" href={queueHref(job.queue)}>
                    <bdi>{job.queue}</bdi>
                  </Link>
                )}
              </th>
              <td class="num">{compact(job.attempts)}</td>
              <td class="mid" aria-hidden="true">
                <span class="share-bar is-long">
                  <span style={{ inlineSize: `${(job.attempts / most) * 100}%` }} />
                </span>
              </td>
              <Count value={job.failed} />
              <Count value={job.retrying} css="mid" />
              <td class="num mid">
                <Length ms={job.runP50} />
              </td>
              <td class="num">
                <Length ms={job.runP95} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Card>
  );
}

function Count({ value, css = '' }: { readonly value: number; readonly css?: string }) {
  return <td class={`num ${css}`}>{value > 0 ? compact(value) : <span class="dim">0</span>}</td>;
}
