import type { WorkerAnswer } from '../../server/answers.js';
import { change } from '../api.js';
import { askFirst } from '../dialog.js';
import { wearLaterStyle } from '../later-style.js';
import { Button, Card, Empty, Length, Share, Tag } from '../parts.js';
import { Link, jobHref, queueHref } from '../router.js';
import { may, now, workers } from '../state.js';
import { bytes, compact, duration, fullTime, t } from '../words.js';

wearLaterStyle();

/** Who runs jobs, what each runs now, and how it fares. The longest runs of all come first. */
export function Workers() {
  const all = workers.value;
  const slots = all.reduce((sum, worker) => sum + (worker.isAlive ? (worker.slots ?? 1) : 0), 0);
  const busy = all.reduce(
    (sum, worker) => sum + (worker.isAlive ? (worker.busy ?? worker.running.length) : 0),
    0,
  );
  const running = all
    .flatMap((worker) => worker.running.map((run) => ({ ...run, worker: worker.name })))
    .toSorted((one, other) => one.since - other.since);
  return (
    <>
      <header class="page-head">
        <h1>
          {t('nav.workers')}
          {all.length > 0 && (
            <span class="h1-note">
              {t('workers.count', { n: all.filter(({ isAlive }) => isAlive).length })} ·{' '}
              {t('workers.busy', { busy, slots })}
            </span>
          )}
        </h1>
      </header>
      {all.length === 0 ? (
        <Card>
          <Empty title={t('workers.none')}>{t('workers.none.hint')}</Empty>
        </Card>
      ) : (
        <div class="worker-cards">
          {all.map((worker) => (
            <Worker key={worker.name} worker={worker} />
          ))}
        </div>
      )}
      {running.length > 0 && (
        <Card title={t('workers.runs')} flush>
          <table class="table">
            <thead>
              <tr>
                <th scope="col">{t('job')}</th>
                <th scope="col">{t('queue')}</th>
                <th scope="col" class="mid">
                  {t('worker')}
                </th>
                <th scope="col" class="num">
                  {t('workers.for')}
                </th>
              </tr>
            </thead>
            <tbody>
              {running.slice(0, 100).map((run) => (
                <tr key={run.id} data-row>
                  <th scope="row">
                    <Link href={jobHref(run.id)} data-row-link>
                      <bdi>{run.name || run.id}</bdi>
                    </Link>{' '}
                    <code class="id">{run.id}</code>
                  </th>
                  <td>
                    <Link class="plain" href={queueHref(run.queue)}>
                      <bdi>{run.queue}</bdi>
                    </Link>
                  </td>
                  <td class="mid">
                    <bdi>{run.worker}</bdi>
                  </td>
                  <td class="num">
                    <Length ms={Math.max(0, now.value - run.since)} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </Card>
      )}
    </>
  );
}

function Worker({ worker }: { readonly worker: WorkerAnswer }) {
  const { name, isAlive, kind, slots, busy, silentMs, lagMs, rss, finished, failed, startedAt } =
    worker;
  const isLate = (lagMs ?? 0) > 1000;
  return (
    <section class={`card worker ${isAlive ? '' : 'edge-bad'}`} aria-label={name}>
      <header>
        <h2 title={name}>
          <bdi>{name}</bdi>
        </h2>
        {!isAlive && <Tag tone="bad">{t('workers.silent', { time: duration(silentMs ?? 0) })}</Tag>}
        {isAlive && worker.state === 'suspended' && <Tag tone="late">{t('suspended')}</Tag>}
        {kind === 'python' && <Tag tone="quiet">python</Tag>}
      </header>
      <div class="worker-slots">
        {slots === null ? (
          <Share part={worker.running.length} whole={1} />
        ) : (
          <Share part={busy ?? 0} whole={slots} isFull={busy === slots} />
        )}
        <span class="dim">
          {worker.queues.map((queue, index) => (
            <span key={queue}>
              {index > 0 && ', '}
              <Link class="plain" href={queueHref(queue)}>
                <bdi>{queue}</bdi>
              </Link>
            </span>
          ))}
        </span>
      </div>
      <dl class="worker-facts">
        <div>
          <dt>{t('workers.done')}</dt>
          <dd>{compact(finished)}</dd>
        </div>
        <div>
          <dt>{t('col.failed')}</dt>
          <dd>{compact(failed)}</dd>
        </div>
        <div>
          <dt>{t('workers.lag')}</dt>
          <dd class={isLate ? 'late' : ''}>{lagMs === null ? '–' : duration(lagMs)}</dd>
        </div>
        <div>
          <dt>{t('workers.memory')}</dt>
          <dd>{rss === null ? '–' : bytes(rss)}</dd>
        </div>
      </dl>
      <footer>
        <span class="dim">
          <bdi>{worker.host ?? '?'}</bdi>
          {worker.pid !== null && ` · ${worker.pid}`}
          {worker.version && ` · ${worker.version}`}
          {startedAt !== null && (
            <>
              {' · '}
              <span title={fullTime(startedAt)}>
                {t('workers.since', { time: duration(Math.max(0, now.value - startedAt)) })}
              </span>
            </>
          )}
        </span>
        {may('worker') && isAlive && (
          <Button kind="ghost" onClick={() => askEnd(name)}>
            {t('workers.end')}
          </Button>
        )}
      </footer>
    </section>
  );
}

function askEnd(worker: string): void {
  askFirst({
    title: t('workers.end.title', { worker }),
    action: t('workers.end'),
    isDangerous: true,
    body: <p>{t('workers.end.hint')}</p>,
    go: () =>
      change('worker/end', { worker }, t('workers.end.done')).then((done) => done !== undefined),
  });
}
