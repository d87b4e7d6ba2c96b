import type { JobAnswer } from '../../server/answers.js';
import { change, useAnswer } from '../api.js';
import { Attempts } from '../attempts.js';
import { askAnew, askDelete, askRequeue } from '../job-questions.js';
import { wearLaterStyle } from '../later-style.js';
import { Button, Card, Copy, Fact, Facts, Loading, Status, Trouble, When } from '../parts.js';
import { Link, hrefOf, jobHref, queueHref } from '../router.js';
import { now } from '../state.js';
import { Stack } from '../stack.js';
import { Tree } from '../tree.js';
import { type Key, duration, number, t } from '../words.js';

wearLaterStyle();

/** One job: what it is, what became of it, and what can be done. */
export function Job({ id }: { readonly id: string }) {
  const { answer: job, problem, reload } = useAnswer<JobAnswer>('job', { id }, 1000);
  if (!job)
    return (
      <Card>{problem ? <Trouble problem={problem} retry={reload} /> : <Loading rows={10} />}</Card>
    );
  const lastStack = job.attemptList.findLast(({ stack }) => stack !== null)?.stack;
  const hasFailed = job.status === 'failed' || job.status === 'stopped';
  return (
    <>
      {problem?.code === 'missing' && <p class="banner banner-late">{t('job.gone')}</p>}
      <header class="page-head">
        <div>
          <p class="crumbs">
            <Link href={queueHref(job.queue)}>
              <bdi>{job.queue}</bdi>
            </Link>
          </p>
          <h1>
            <bdi>{job.name ?? job.description ?? t('job.unnamed')}</bdi>{' '}
            <Status status={job.status} />
          </h1>
          <p class="job-id">
            <code class="id">{job.id}</code>
            <Copy text={job.id} />
          </p>
        </div>
        <JobActions job={job} reload={reload} />
      </header>
      <p class="sentence">
        <Story job={job} />
      </p>
      <Attempts job={job} />
      <div class={hasFailed ? 'pair pair-uneven' : 'pair'}>
        {(job.failure || lastStack) && (
          <Card
            title={t('error')}
            aside={
              job.cause && (
                <Link
                  class="text-button"
                  href={hrefOf(`failures/${job.cause}`, { queue: job.queue })}
                >
                  {t('cause.others')}
                </Link>
              )
            }
          >
            <p class="failure big">
              <bdi>{job.failure}</bdi>
            </p>
            {lastStack && <Stack text={lastStack} />}
          </Card>
        )}
        <Data job={job} />
      </div>
      <div class="pair">
        <Card title={t('job.about')}>
          <Facts>
            <Fact name="created">
              <When at={job.createdAt} />
            </Fact>
            <Fact name="col.attempts">
              {number(job.attempts)}
              {job.retriesLeft !== null && (
                <span class="dim"> · {t('retries.left', { n: job.retriesLeft })}</span>
              )}
            </Fact>
            {job.repeatsLeft !== null && <Fact name="repeats">{number(job.repeatsLeft)}</Fact>}
            <Fact name="worker">
              {job.worker ? (
                <Link href={hrefOf('workers')}>
                  <bdi>{job.worker}</bdi>
                </Link>
              ) : (
                <span class="dim">–</span>
              )}
            </Fact>
            {job.schedule && (
              <Fact name="nav.schedules">
                <Link href={hrefOf('schedules')}>{job.schedule}</Link>
              </Fact>
            )}
            {job.trace && (
              <Fact name="trace">
                <a href={job.trace} rel="noreferrer">
                  {t('open')} ↗
                </a>
              </Fact>
            )}
            {job.logsLink && (
              <Fact name="logs">
                <a href={job.logsLink} rel="noreferrer">
                  {t('open')} ↗
                </a>
              </Fact>
            )}
          </Facts>
        </Card>
        <Related job={job} />
      </div>
      {job.logs && job.logs.length > 0 && (
        <Card title={t('logs')}>
          <pre class="log" tabIndex={0} aria-label={t('logs')}>
            {job.logs.join('\n')}
          </pre>
        </Card>
      )}
    </>
  );
}

/** How it stands, in a sentence. */
function Story({ job }: { readonly job: JobAnswer }) {
  const { status, enqueuedAt, startedAt, endedAt, createdAt, dueAt, position } = job;
  const waitedSince = enqueuedAt ?? createdAt;
  const waited =
    waitedSince !== null && startedAt !== null && startedAt >= waitedSince
      ? startedAt - waitedSince
      : undefined;
  const ran =
    startedAt !== null && endedAt !== null && endedAt >= startedAt
      ? endedAt - startedAt
      : undefined;
  const parts: string[] = [];
  if (status === 'started' && startedAt !== null)
    parts.push(t('story.running', { time: duration(Math.max(0, now.value - startedAt)) }));
  if (status === 'queued' && waitedSince !== null)
    parts.push(t('story.waiting', { time: duration(Math.max(0, now.value - waitedSince)) }));
  if (position !== null) parts.push(t('story.position', { n: position + 1 }));
  for (const { what, until } of job.heldUpBy) {
    parts.push(t('story.waitsFor', { what }));
    if (until !== null)
      parts.push(t('story.due', { time: duration(Math.max(0, until - now.value)) }));
  }
  if (status === 'scheduled' && dueAt !== null)
    parts.push(t('story.due', { time: duration(Math.max(0, dueAt - now.value)) }));
  if (waited !== undefined) parts.push(t('story.waited', { time: duration(waited) }));
  if (ran !== undefined) parts.push(t('story.ran', { time: duration(ran) }));
  if (job.reason) parts.push(job.reason);
  return (
    <>
      {endedAt !== null && <When at={endedAt} />}
      {endedAt !== null && parts.length > 0 && ' · '}
      {parts.join(' · ')}
    </>
  );
}

function JobActions({ job, reload }: { readonly job: JobAnswer; reload: () => void }) {
  const { status, may, id } = job;
  const is = (...statuses: string[]) => statuses.includes(status);
  const tell = async (path: string, done: Key) => {
    await change(`job/${path}`, { id }, t(done));
    reload();
  };
  return (
    <div class="page-actions">
      {is('failed', 'stopped', 'canceled', 'finished') && may.includes('requeue') && (
        <Button kind="main" shortcut="r" onClick={() => askRequeue(job, reload)}>
          {t('action.requeue')}
        </Button>
      )}
      {is('scheduled', 'deferred') && may.includes('requeue') && (
        <Button kind="main" shortcut="r" onClick={() => tell('promote', 'job.promoted')}>
          {t('action.promote')}
        </Button>
      )}
      {may.includes('edit') && may.includes('view:data') && !job.unreadable && (
        <Button shortcut="e" onClick={() => askAnew(job)}>
          {t('anew')}
        </Button>
      )}
      {is('started') && may.includes('stop') && (
        <Button kind="danger" onClick={() => tell('stop', 'job.stopped')}>
          {t('action.stop')}
        </Button>
      )}
      {is('queued', 'scheduled', 'deferred', 'started') && may.includes('cancel') && (
        <Button shortcut="c" onClick={() => tell('cancel', 'job.canceled')}>
          {t('action.cancel')}
        </Button>
      )}
      {may.includes('delete') && (
        <Button kind="danger" shortcut="⌫" onClick={() => askDelete(job)}>
          {t('action.delete')}
        </Button>
      )}
    </div>
  );
}

function Data({ job }: { readonly job: JobAnswer }) {
  if (job.unreadable) {
    return (
      <Card title={t('data')}>
        <p>{t('data.unreadable')}</p>
        <p class="dim">{job.description}</p>
      </Card>
    );
  }
  if (job.logs === undefined)
    return (
      <Card title={t('data')}>
        <p class="dim">{t('data.hidden')}</p>
      </Card>
    );
  const isCall = (job.args?.length ?? 0) > 0 || Object.keys(job.kwargs ?? {}).length > 0;
  const hasMeta =
    typeof job.meta === 'object' && job.meta !== null && Object.keys(job.meta).length > 0;
  const json = JSON.stringify(
    isCall ? { args: job.args, kwargs: job.kwargs } : (job.data ?? null),
    null,
    2,
  );
  return (
    <Card
      title={t('data')}
      aside={
        <span>
          {job.name !== null && <Copy text={codeOf(job, isCall)}>{t('copy.code')}</Copy>}
          <Copy text={json} label={t('copy.data')} />
        </span>
      }
    >
      <Tree value={isCall ? { args: job.args, kwargs: job.kwargs } : job.data} />
      {job.hasResult && (
        <>
          <h3>{t('result')}</h3>
          <Tree value={job.result} />
        </>
      )}
      {job.progress !== undefined && job.progress !== null && (
        <>
          <h3>{t('progress')}</h3>
          <Tree value={job.progress} />
        </>
      )}
      {hasMeta && (
        <>
          <h3>{t('meta')}</h3>
          <Tree value={job.meta} />
        </>
      )}
    </Card>
  );
}

/** The call that enqueues such a job. */
function codeOf({ queue, name, data, args, kwargs }: JobAnswer, isCall: boolean): string {
  const text = (value: unknown) => JSON.stringify(value ?? {}, null, 2);
  const call = isCall ? 'enqueueCall' : 'enqueue';
  return `await rq.queue(${text(queue)}).${call}(${text(name)}, ${text(isCall ? { args, kwargs } : data)});`;
}

/** What it waits for, and what waits for it. */
function Related({ job }: { readonly job: JobAnswer }) {
  const { waitsFor, waitsForGroup, dependents } = job;
  return (
    <Card title={t('dependencies')}>
      {waitsFor.length + dependents.length === 0 && waitsForGroup === null && (
        <p class="dim">{t('dependencies.none')}</p>
      )}
      {waitsForGroup !== null && <p>{t('dependencies.group', { group: waitsForGroup })}</p>}
      {waitsFor.length > 0 && <h3>{t('dependencies.waitsFor', { n: waitsFor.length })}</h3>}
      <RelatedList jobs={waitsFor} />
      {dependents.length > 0 && <h3>{t('dependencies.dependents', { n: dependents.length })}</h3>}
      <RelatedList jobs={dependents} />
    </Card>
  );
}

function RelatedList({ jobs }: { readonly jobs: JobAnswer['waitsFor'] }) {
  if (jobs.length === 0) return null;
  return (
    <ul class="related">
      {jobs.map(({ id, name, status }) => (
        <li key={id}>
          {status === null ? (
            <code class="id">{id}</code>
          ) : (
            <Link href={jobHref(id)}>
              <bdi>{name ?? id}</bdi>
            </Link>
          )}
          {status === null ? (
            <span class="dim">{t('job.gone.short')}</span>
          ) : (
            <Status status={status} />
          )}
        </li>
      ))}
    </ul>
  );
}
