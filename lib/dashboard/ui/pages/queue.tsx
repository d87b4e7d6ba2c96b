import type { ListAnswer, Place, PointAnswer, QueueDetailAnswer } from '../../server/answers.js';
import { Answered } from '../answered.js';
import { change, useAnswer } from '../api.js';
import { askBulk, togglePause } from '../bulk.js';
import { ByName } from '../by-name.js';
import { Chart, type Series } from '../charts.js';
import { askFirst } from '../dialog.js';
import { ACTIONS, JobList, Pager } from '../job-list.js';
import { Limits } from '../limits.js';
import { Later } from '../later.js';
import { Needs } from '../needs.js';
import { Button, Card, Empty, Figure, Segments, Tag, Trouble } from '../parts.js';
import { Link, hrefOf, place, setQuery } from '../router.js';
import { queues, starts } from '../state.js';
import { compact, duration, number, percent, t } from '../words.js';
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
    return (
      <Card>
        <Trouble problem={detail.problem} retry={detail.reload} />
      </Card>
    );
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
      <Needs queue={name} />
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
          points={detail.answer?.chart.points}
          series={outcomes()}
          format={compact}
          marks={starts(name)}
        />
        <Chart
          title={t('chart.depth')}
          kind="lines"
          stepMs={detail.answer?.chart.stepMs ?? 60_000}
          points={detail.answer?.chart.points}
          series={depth()}
          empty={t('empty.queued')}
          format={compact}
          marks={starts(name)}
        />
      </div>
      <Jobs name={name} row={row} />
      {detail.answer && <ByName jobs={detail.answer.chart.jobs} />}
      {detail.answer && detail.answer.chart.jobs.length > 0 && (
        <Later
          load={async () => (await import('../heat.js')).Heat}
          props={{ queue: name, last, jobs: detail.answer.chart.jobs }}
        />
      )}
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
  const asked = useAnswer<ListAnswer>('list', { queue: name, in: shown, from, limit: PAGE }, 4000);
  const { reload } = asked;
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
      <Answered
        of={asked}
        empty={({ jobs }) => jobs.length === 0 && <Empty title={t(`empty.${shown}`)} />}
      >
        {(answer) => (
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
      </Answered>
    </Card>
  );
}

/** Where one looks first: at what waits, else at what runs or has failed. */
function firstOf(row: Readonly<Record<Place, number>> | undefined): Place {
  const places = ['queued', 'started', 'failed', 'scheduled', 'finished'] as const;
  return (row && places.find((one) => row[one] > 0)) ?? 'queued';
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
