import type { ListAnswer, Place, PointAnswer, QueueDetailAnswer } from '../../server/answers.js';
import { change, useAnswer } from '../api.js';
import { askBulk, togglePause } from '../bulk.js';
import { Chart, type Series } from '../charts.js';
import { askFirst } from '../dialog.js';
import { ACTIONS, JobList, Pager } from '../job-list.js';
import { Limits } from '../limits.js';
import { Button, Card, Empty, Length, Loading, Segments, Tag, Trouble } from '../parts.js';
import { Link, hrefOf, place, setQuery } from '../router.js';
import { queues } from '../state.js';
import { type Key, compact, duration, number, percent, t } from '../words.js';
import { outcomes } from './overview.js';

const PLACES: readonly Place[] = [
  'queued',
  'started',
  'scheduled',
  'deferred',
  'failed',
  'finished',
  'canceled',
];
const PAGE = 50;

/** One queue: how it stands, what became of its jobs, its jobs by place, and what limits it. */
export function QueuePage({ name }: { readonly name: string }) {
  const { query } = place.value;
  const last = query.get('last') ?? '1h';
  const detail = useAnswer<QueueDetailAnswer>('queue', { queue: name, last }, 10_000);
  const row = queues.value.find(({ queue }) => queue === name) ?? detail.answer?.queue ?? undefined;
  const may = detail.answer?.may ?? [];
  if (detail.problem && !detail.answer && detail.problem.code !== 'redis') {
    return <Trouble problem={detail.problem} retry={detail.reload} />;
  }
  return (
    <>
      <header class="page-head">
        <div>
          <p class="crumbs">
            <Link href={hrefOf('')}>{t('queues')}</Link>
          </p>
          <h1>
            <bdi>{name}</bdi> {row?.paused && <Tag tone="late">{t('paused')}</Tag>}
          </h1>
        </div>
        <div class="page-actions">
          {row && may.includes('pause') && (
            <Button shortcut="p" onClick={() => togglePause(name, row.paused)}>
              {t(row.paused ? 'resume' : 'pause')}
            </Button>
          )}
          {row && row.queued > 0 && may.includes('empty') && (
            <Button kind="danger" onClick={() => askEmpty(name, row.queued)}>
              {t('empty.do')}
            </Button>
          )}
        </div>
      </header>
      {row && (
        <ul class="figures">
          <Figure name="col.waiting" value={compact(row.queued)} />
          <Figure
            name="col.oldest"
            value={row.queued > 0 && row.oldestMs !== null ? duration(row.oldestMs) : '–'}
            tone={(row.oldestMs ?? 0) > 600_000 ? 'late' : ''}
          />
          <Figure name="col.running" value={`${number(row.started)} / ${number(row.slots)}`} />
          <Figure name="col.retrying" value={compact(row.retrying)} />
          <Figure name="col.rate" value={row.perMinute === null ? '–' : compact(row.perMinute)} />
          <Figure
            name="col.failing"
            value={row.failing === null ? '–' : percent(row.failing)}
            tone={(row.failing ?? 0) >= 0.05 ? 'late' : ''}
          />
          <Figure name="col.p95" value={row.p95 === null ? '–' : duration(row.p95)} />
          <Figure
            name="col.workers"
            value={row.workers > 0 ? number(row.workers) : t('none')}
            tone={row.workers === 0 && row.queued > 0 ? 'bad' : ''}
          />
        </ul>
      )}
      <div class="chart-tools">
        <Segments
          label={t('range')}
          value={last}
          options={(['1h', '6h', '24h', '7d'] as const).map(
            (one) => [one, rangeText(one)] as const,
          )}
          onChange={(value) => setQuery({ last: value === '1h' ? undefined : value })}
        />
      </div>
      <div class="pair">
        <Chart
          title={t('chart.attempts')}
          kind="bars"
          stepMs={detail.answer?.chart.stepMs ?? 60_000}
          points={detail.answer?.chart.points ?? []}
          series={outcomes()}
          format={compact}
        />
        <Chart
          title={t('chart.depth')}
          kind="lines"
          stepMs={detail.answer?.chart.stepMs ?? 60_000}
          points={detail.answer?.chart.points ?? []}
          series={depth()}
          format={compact}
        />
      </div>
      <Jobs name={name} row={row} />
      {detail.answer && detail.answer.chart.jobs.length > 0 && <ByName detail={detail.answer} />}
      {detail.answer && <Limits queue={name} detail={detail.answer} changed={detail.reload} />}
    </>
  );
}

export function rangeText(range: string): string {
  const size = range.endsWith('h') ? 3_600_000 : 86_400_000;
  return duration(Number.parseInt(range, 10) * size);
}

function depth(): Series<PointAnswer>[] {
  return [
    { key: 'queued', label: t('col.waiting'), tone: 'accent', value: (point) => point.queued },
  ];
}

function Figure({
  name,
  value,
  tone = '',
}: {
  readonly name: Key;
  readonly value: string;
  readonly tone?: string;
}) {
  return (
    <li>
      <span class="label">{t(name)}</span>
      <span class={`figure ${tone}`}>{value}</span>
    </li>
  );
}

/** The jobs of one place, the newest first; of waiting ones the next first. */
function Jobs({
  name,
  row,
}: {
  readonly name: string;
  readonly row: Readonly<Record<Place, number>> | undefined;
}) {
  const { query } = place.value;
  const shown = (query.get('in') as Place | null) ?? firstOf(row);
  const from = Number(query.get('from') ?? 0) || 0;
  const { answer, problem, reload } = useAnswer<ListAnswer>(
    'list',
    { queue: name, in: shown, from, limit: PAGE },
    4000,
  );
  const actions = ACTIONS[shown] ?? [];
  return (
    <Card flush>
      <div class="tabs" role="tablist" aria-label={t('jobs.by.place')}>
        {PLACES.map((one) => (
          <button
            key={one}
            type="button"
            role="tab"
            aria-selected={one === shown}
            onClick={() => setQuery({ in: one, from: undefined })}
          >
            {t(`status.${one}`)}
            {row && row[one] > 0 && (
              <span class={one === 'failed' ? 'count is-bad' : 'count'}>{compact(row[one])}</span>
            )}
          </button>
        ))}
      </div>
      {problem && !answer ? (
        <Trouble problem={problem} retry={reload} />
      ) : !answer ? (
        <Loading />
      ) : answer.jobs.length === 0 ? (
        <Empty title={t(`empty.${shown}`)} />
      ) : (
        <>
          <JobList
            jobs={answer.jobs}
            may={answer.may}
            queue={name}
            actions={actions}
            all={{
              count: answer.total,
              act: (action) =>
                void askBulk(action, { queue: name, in: shown }, t(`status.${shown}`), reload),
            }}
            changed={reload}
          />
          <Pager
            from={from}
            count={answer.jobs.length}
            total={answer.total}
            go={(next) => setQuery({ from: next ? String(next) : undefined }, false)}
          />
        </>
      )}
    </Card>
  );
}

/** Where one looks first: at what waits, else at what runs or has failed. */
function firstOf(row: Readonly<Record<Place, number>> | undefined): Place {
  const places = ['queued', 'started', 'failed', 'scheduled', 'finished'] as const;
  return (row && places.find((one) => row[one] > 0)) ?? 'queued';
}

function ByName({ detail }: { readonly detail: QueueDetailAnswer }) {
  return (
    <Card title={t('by.name')} flush>
      <table class="table">
        <thead>
          <tr>
            <th scope="col">{t('job')}</th>
            <th scope="col" class="num">
              {t('col.attempts')}
            </th>
            <th scope="col" class="num">
              {t('outcome.failed')}
            </th>
            <th scope="col" class="num">
              {t('outcome.retrying')}
            </th>
            <th scope="col" class="num">
              {t('run')} p50
            </th>
            <th scope="col" class="num">
              {t('run')} p95
            </th>
          </tr>
        </thead>
        <tbody>
          {detail.chart.jobs.map((job) => (
            <tr key={job.name}>
              <th scope="row">
                <bdi>{job.name ?? t('other')}</bdi>
              </th>
              <td class="num">{compact(job.attempts)}</td>
              <td class="num">
                {job.failed > 0 ? compact(job.failed) : <span class="dim">0</span>}
              </td>
              <td class="num">
                {job.retrying > 0 ? compact(job.retrying) : <span class="dim">0</span>}
              </td>
              <td class="num">
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

function askEmpty(queue: string, count: number): void {
  askFirst({
    title: t('empty.title', { n: count, queue }),
    action: t('empty.do'),
    isDangerous: true,
    body: <p>{t('empty.hint')}</p>,
    go: () =>
      change('queue/empty', { queue }, t('empty.done', { queue })).then(
        (done) => done !== undefined,
      ),
  });
}
