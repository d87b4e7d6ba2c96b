import type { ChartAnswer, PointAnswer } from '../../server/answers.js';
import { useAnswer } from '../api.js';
import { Chart, type Series } from '../charts.js';
import { QueueChoice } from '../choices.js';
import { ByName } from '../by-name.js';
import { Segments, Trouble } from '../parts.js';
import { place, setQuery } from '../router.js';
import { queues, starts } from '../state.js';
import { type Key, compact, duration, t } from '../words.js';
import { outcomes, waits } from './overview.js';
import { rangeText } from './queue.js';

/** What became of jobs, an hour to ninety days back, of all queues or one. */
export function Metrics() {
  const { query } = place.value;
  const last = query.get('last') ?? '24h';
  const queue = query.get('queue') ?? '';
  const compare = COMPARED[last];
  const isCompared = query.get('compare') === '1' && compare !== undefined;
  const { answer, problem, reload } = useAnswer<ChartAnswer>(
    'history',
    { last, queue, compare: isCompared ? 1 : undefined },
    15_000,
  );
  const before = isCompared ? answer?.before : undefined;
  const shared = {
    stepMs: answer?.stepMs ?? 60_000,
    points: answer?.points,
    marks: starts(queue),
    ...(before && compare && { before: { label: t(compare), points: before.points } }),
  };
  return (
    <>
      <header class="page-head">
        <h1>{t('nav.metrics')}</h1>
        <div class="page-actions">
          <QueueChoice names={queues.value.map(({ queue: name }) => name)} />
          {compare && (
            <label class="check">
              <input
                type="checkbox"
                checked={isCompared}
                onChange={() => setQuery({ compare: isCompared ? undefined : '1' })}
              />
              {t('compare', { with: t(compare) })}
            </label>
          )}
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
              empty={t('empty.queued')}
              format={compact}
              {...shared}
            />
          </div>
          {answer && <ByName jobs={answer.jobs} showsQueue={queue === ''} />}
        </>
      )}
    </>
  );
}

/** What a range is compared with. */
const COMPARED: Readonly<Record<string, Key>> = {
  '1h': 'compare.day',
  '6h': 'compare.day',
  '24h': 'compare.day',
  '7d': 'compare.week',
  '30d': 'compare.month',
};

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
