import type { PointAnswer, QueueAnswer } from '../../server/answers.js';
import { togglePause } from '../bulk.js';
import { Chart, type Series } from '../charts.js';
import { Needs } from '../needs.js';
import { ActionsHead, Button, Card, Empty, Length, Share, Tag } from '../parts.js';
import { Link, hrefOf, queueHref } from '../router.js';
import { Spark } from '../sparks.js';
import { heardAt, hourChart, may, queues, starts, troubles } from '../state.js';
import { type Key, compact, duration, number, percent, t } from '../words.js';

/** What needs a human, how it goes, and all queues. */
export function Overview() {
  const chart = hourChart.value;
  return (
    <>
      <h1 class="spoken">{t('nav.overview')}</h1>
      <Needs />
      {queues.value.length === 0 && heardAt.value > 0 ? (
        <Card>
          <Empty title={t('overview.empty')}>{t('overview.empty.hint')}</Empty>
        </Card>
      ) : (
        <>
          <div class="pair">
            <Chart
              title={t('chart.throughput')}
              kind="bars"
              stepMs={60_000}
              points={chart?.points}
              series={outcomes()}
              format={compact}
              note={t('chart.hour')}
              marks={starts()}
            />
            <Chart
              title={t('chart.wait')}
              kind="lines"
              stepMs={60_000}
              points={chart?.points}
              series={waits()}
              format={duration}
              note={t('chart.slowest')}
              marks={starts()}
            />
          </div>
          <QueueTable queues={queues.value} />
        </>
      )}
    </>
  );
}

export function outcomes(): Series<PointAnswer>[] {
  return [
    {
      key: 'finished',
      label: t('outcome.finished'),
      tone: 'calm',
      value: (point) => point.finished,
    },
    {
      key: 'retrying',
      label: t('outcome.retrying'),
      tone: 'late',
      value: (point) => point.retrying,
    },
    { key: 'failed', label: t('outcome.failed'), tone: 'bad', value: (point) => point.failed },
  ];
}

export function waits(): Series<PointAnswer>[] {
  return [
    { key: 'p95', label: 'p95', tone: 'accent', value: (point) => point.waitP95 },
    { key: 'p50', label: 'p50', tone: 'quiet', value: (point) => point.waitP50 },
  ];
}

type Column = readonly [key: Key, css: string];
const COLUMNS: readonly Column[] = [
  ['queue', ''],
  ['col.waiting', 'num'],
  ['col.oldest', 'num'],
  ['col.running', 'wide'],
  ['col.retrying', 'num low'],
  ['col.scheduled', 'num low'],
  ['col.failed', 'num'],
  ['col.rate', 'num mid'],
  ['col.failing', 'num low'],
  ['col.p95', 'num low'],
  ['col.workers', 'num mid'],
  ['col.hour', 'low'],
];

function QueueTable({ queues: all }: { readonly queues: readonly QueueAnswer[] }) {
  const mayPause = may('pause');
  return (
    <div class="card card-flush">
      <table class="table queues">
        <caption class="spoken">{t('queues')}</caption>
        <thead>
          <tr>
            {COLUMNS.map(([key, css]) => (
              <th key={key} scope="col" class={css}>
                {t(key)}
              </th>
            ))}
            {mayPause && <ActionsHead css="mid" />}
          </tr>
        </thead>
        <tbody>
          {all.map((queue) => (
            <QueueRow key={queue.queue} {...queue} mayPause={mayPause} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function QueueRow(queue: QueueAnswer & { readonly mayPause: boolean }) {
  const {
    queue: name,
    queued,
    oldestMs,
    started,
    slots,
    retrying,
    scheduled,
    failed,
    workers: serving,
  } = queue;
  const codes = troubles.value.filter((trouble) => trouble.queue === name).map(({ code }) => code);
  const edge = codes.includes('no-worker') ? 'edge-bad' : codes.length > 0 ? 'edge-late' : '';
  const isLate = codes.includes('behind');
  const failing = queue.failing;
  return (
    <tr class={edge} data-row>
      <th scope="row">
        <Link href={queueHref(name)} data-row-link>
          <bdi>{name}</bdi>
        </Link>
        {queue.paused && <Tag tone="late">{t('paused')}</Tag>}
      </th>
      <Num value={queued} />
      <td class={isLate ? 'num late' : 'num'}>
        <Length ms={queued > 0 ? oldestMs : null} />
      </td>
      <td class="wide">
        {slots > 0 || started > 0 ? (
          <Share
            part={started}
            whole={Math.max(slots, started)}
            isFull={slots > 0 && started >= slots}
          />
        ) : (
          <span class="dim">–</span>
        )}
      </td>
      <Num value={retrying} css="low" />
      <Num value={scheduled - retrying} css="low" />
      <td class="num">
        {failed > 0 ? (
          <Link class="plain" href={hrefOf('failures', { queue: name })}>
            {compact(failed)}
          </Link>
        ) : (
          <span class="dim">0</span>
        )}
      </td>
      <td class="num mid">
        {queue.perMinute === null ? (
          <span class="dim">–</span>
        ) : queue.perMinute > 0 ? (
          compact(queue.perMinute)
        ) : (
          <span class="dim">0</span>
        )}
      </td>
      <td class={failing !== null && failing >= 0.05 ? 'num low late' : 'num low'}>
        {failing === null ? <span class="dim">–</span> : percent(failing)}
      </td>
      <td class="num low">
        <Length ms={queue.p95} />
      </td>
      <td class="num mid">
        {serving > 0 ? (
          number(serving)
        ) : queued + started > 0 || codes.includes('no-worker') ? (
          <b class="bad">{t('none')}</b>
        ) : (
          <span class="dim">{t('none')}</span>
        )}
      </td>
      <td class="low">
        <Spark values={queue.spark} label={t('chart.spark', { queue: name })} />
      </td>
      {queue.mayPause && (
        <td class="row-action mid">
          <Button
            kind="ghost"
            aria-label={`${t(queue.paused ? 'resume' : 'pause')} ${name}`}
            onClick={() => togglePause(name, queue.paused)}
          >
            {t(queue.paused ? 'resume' : 'pause')}
          </Button>
        </td>
      )}
    </tr>
  );
}

function Num({ value, css = '' }: { readonly value: number; readonly css?: string }) {
  return <td class={`num ${css}`}>{value > 0 ? compact(value) : <span class="dim">0</span>}</td>;
}
