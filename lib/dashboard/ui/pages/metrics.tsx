import type { ChartAnswer, PointAnswer } from '../../server/answers.js';
import { useAnswer } from '../api.js';
import { Chart, type Series } from '../charts.js';
import { Card, Length, Segments, Trouble } from '../parts.js';
import { place, setQuery } from '../router.js';
import { queues } from '../state.js';
import { compact, duration, t } from '../words.js';
import { outcomes, waits } from './overview.js';
import { rangeText } from './queue.js';

/** What became of jobs, an hour to ninety days back, of all queues or one. */
export function Metrics() {
  const { query } = place.value;
  const last = query.get('last') ?? '24h';
  const queue = query.get('queue') ?? '';
  const { answer, problem, reload } = useAnswer<ChartAnswer>('history', { last, queue }, 15_000);
  const shared = { stepMs: answer?.stepMs ?? 60_000, points: answer?.points ?? [] };
  return (
    <>
      <header class="page-head">
        <h1>{t('nav.metrics')}</h1>
        <div class="page-actions">
          <label class="inline">
            <span>{t('queue')}</span>
            <select
              value={queue}
              onChange={(event) => setQuery({ queue: event.currentTarget.value || undefined })}
            >
              <option value="">{t('all')}</option>
              {queues.value.map(({ queue: name }) => (
                <option key={name} value={name}>
                  {name}
                </option>
              ))}
            </select>
          </label>
          <Segments
            label={t('range')}
            value={last}
            options={(['1h', '6h', '24h', '7d', '30d', '90d'] as const).map(
              (one) => [one, rangeText(one)] as const,
            )}
            onChange={(value) => setQuery({ last: value })}
          />
        </div>
      </header>
      {problem && !answer ? (
        <Trouble problem={problem} retry={reload} />
      ) : (
        <>
          <div class="pair">
            <Chart
              title={t('chart.attempts')}
              kind="bars"
              series={outcomes()}
              format={compact}
              {...shared}
            />
            <Chart
              title={t('chart.wait')}
              kind="lines"
              series={waits()}
              format={duration}
              {...shared}
              note={queue ? '' : t('chart.slowest')}
            />
            <Chart
              title={t('chart.run')}
              kind="lines"
              series={runs()}
              format={duration}
              {...shared}
              note={queue ? '' : t('chart.slowest')}
            />
            <Chart
              title={t('chart.depth')}
              kind="lines"
              series={depth()}
              format={compact}
              {...shared}
            />
          </div>
          {answer && answer.jobs.length > 0 && <Names jobs={answer.jobs} />}
        </>
      )}
    </>
  );
}

function runs(): Series<PointAnswer>[] {
  return [
    { key: 'p95', label: 'p95', tone: 'accent', value: (point) => point.runP95 },
    { key: 'p50', label: 'p50', tone: 'quiet', value: (point) => point.runP50 },
  ];
}

function depth(): Series<PointAnswer>[] {
  return [
    { key: 'queued', label: t('col.waiting'), tone: 'accent', value: (point) => point.queued },
  ];
}

function Names({ jobs }: { readonly jobs: ChartAnswer['jobs'] }) {
  const most = Math.max(1, ...jobs.map(({ attempts }) => attempts));
  return (
    <Card title={t('by.name')} flush>
      <table class="table">
        <thead>
          <tr>
            <th scope="col">{t('job')}</th>
            <th scope="col" class="wide">
              {t('col.attempts')}
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
                <bdi>{job.name ?? t('other')}</bdi>
              </th>
              <td class="wide">
                <span class="share">
                  <span class="share-bar is-long" aria-hidden="true">
                    <span style={{ inlineSize: `${(job.attempts / most) * 100}%` }} />
                  </span>
                  {compact(job.attempts)}
                </span>
              </td>
              <td class="num">
                {job.failed > 0 ? compact(job.failed) : <span class="dim">0</span>}
              </td>
              <td class="num mid">
                {job.retrying > 0 ? compact(job.retrying) : <span class="dim">0</span>}
              </td>
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
