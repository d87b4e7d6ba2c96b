import { useState } from 'preact/hooks';
import type { JobRowAnswer } from '../server/answers.js';
import { type BulkAction, askBulk } from './bulk.js';
import { Button, Status, When } from './parts.js';
import { Link, jobHref, queueHref } from './router.js';
import { now } from './state.js';
import { type Key, duration, number, t } from './words.js';

/** Jobs as rows that can be chosen, and what can be done to the chosen ones. */

interface JobListProps {
  readonly jobs: readonly JobRowAnswer[];
  /** Of the list as a whole. */
  readonly may: readonly string[];
  /** Undefined: of several queues. */
  readonly queue?: string;
  /** Which actions make sense there. */
  readonly actions: readonly BulkAction[];
  /** All that match, beyond those on the page. */
  readonly all?: { readonly count: number; act: (action: BulkAction) => void };
  readonly changed: () => void;
}

export function JobList({ jobs, may, queue, actions, all, changed }: JobListProps) {
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [last, setLast] = useState<number>(0);
  const usable = actions.filter((action) =>
    may.includes(action === 'promote' ? 'requeue' : action),
  );
  const here = jobs.filter(({ id }) => chosen.has(id));
  const toggle = (index: number, isRange: boolean) => {
    const next = new Set(chosen);
    const id = jobs[index]?.id ?? '';
    const isOn = !next.has(id);
    const [from, to] = isRange ? [Math.min(last, index), Math.max(last, index)] : [index, index];
    for (const job of jobs.slice(from, to + 1)) {
      if (isOn) next.add(job.id);
      else next.delete(job.id);
    }
    setLast(index);
    setChosen(next);
  };
  const act = async (action: BulkAction) => {
    const of = [...new Set(here.map((job) => job.queue))];
    for (const one of of) {
      const ids = here.filter((job) => job.queue === one).map(({ id }) => id);
      await askBulk(
        action,
        { queue: one, ids },
        ids.length === 1 ? (ids[0] ?? '') : t('selected', { n: ids.length }),
        () => {
          setChosen(new Set());
          changed();
        },
      );
    }
  };
  return (
    <>
      {usable.length > 0 && (
        <div class={here.length > 0 ? 'selection is-on' : 'selection'}>
          <label class="check">
            <input
              type="checkbox"
              checked={here.length > 0 && here.length === jobs.length}
              onChange={(event) =>
                setChosen(new Set(event.currentTarget.checked ? jobs.map(({ id }) => id) : []))
              }
            />
            {here.length > 0 ? t('selected', { n: here.length }) : t('select.all')}
          </label>
          {here.length > 0
            ? usable.map((action) => (
                <Button
                  key={action}
                  kind={action === 'delete' ? 'danger' : 'plain'}
                  onClick={() => act(action)}
                >
                  {t(`action.${action}` as Key)}
                </Button>
              ))
            : all &&
              all.count > 0 &&
              usable.map((action) => (
                <Button key={action} kind="ghost" onClick={() => all.act(action)}>
                  {t(`all.${action}` as Key, { n: all.count })}
                </Button>
              ))}
        </div>
      )}
      <ul class="jobs">
        {jobs.map((job, index) => (
          <JobItem
            key={job.id}
            job={job}
            showsQueue={queue === undefined}
            isChosen={chosen.has(job.id)}
            {...(usable.length > 0 && { toggle: (isRange: boolean) => toggle(index, isRange) })}
          />
        ))}
      </ul>
    </>
  );
}

function JobItem({
  job,
  showsQueue,
  isChosen,
  toggle,
}: {
  job: JobRowAnswer;
  showsQueue: boolean;
  isChosen: boolean;
  toggle?: (isRange: boolean) => void;
}) {
  const name = job.name ?? job.description ?? t('job.unnamed');
  const line = job.failure ?? job.reason ?? (job.name === null ? null : job.description);
  return (
    <li class={`job-row ${isChosen ? 'is-chosen' : ''}`} data-row>
      {toggle && (
        <input
          type="checkbox"
          checked={isChosen}
          aria-label={t('select.one', { name, id: job.id })}
          onClick={(event) => toggle(event.shiftKey)}
        />
      )}
      <div class="job-main">
        <div class="job-title">
          <Link href={jobHref(job.id)} title={name} data-row-link>
            <bdi>{name}</bdi>
          </Link>
          <code class="id" title={job.id}>
            {job.id}
          </code>
          {showsQueue && (
            <Link class="plain dim" href={queueHref(job.queue)}>
              <bdi>{job.queue}</bdi>
            </Link>
          )}
        </div>
        {line && (
          <div class={job.failure ? 'job-line failure' : 'job-line'} title={line}>
            <bdi>{line}</bdi>
          </div>
        )}
      </div>
      <div class="job-facts">
        <Status status={job.status} />
        <span class="job-when">
          <JobTime job={job} />
        </span>
        <span class="job-attempts dim">
          {job.attempts > 0 ? t('attempts.short', { n: job.attempts }) : ''}
        </span>
      </div>
    </li>
  );
}

/** What one wants to know of the time of a job in its state. */
function JobTime({ job }: { readonly job: JobRowAnswer }) {
  if (job.status === 'started' && job.startedAt !== null) {
    return <>{t('since', { time: duration(Math.max(0, now.value - job.startedAt)) })}</>;
  }
  if (job.status === 'scheduled') return <When at={job.dueAt} />;
  if (job.status === 'queued') return <When at={job.enqueuedAt ?? job.createdAt} />;
  return <When at={job.endedAt ?? job.createdAt} />;
}

/** Pages of a list. */
export function Pager({
  from,
  count,
  total,
  go,
}: {
  from: number;
  count: number;
  total: number;
  readonly go: (from: number) => void;
}) {
  if (total <= count && from === 0) return null;
  const size = Math.max(count, 1);
  return (
    <nav class="pager" aria-label={t('pager')}>
      <span class="dim">
        {t('pager.of', {
          from: number(Math.min(from + 1, total)),
          to: number(from + count),
          total: number(total),
        })}
      </span>
      <Button disabled={from === 0} onClick={() => go(Math.max(0, from - 50))}>
        {t('pager.previous')}
      </Button>
      <Button disabled={from + size >= total} onClick={() => go(from + size)}>
        {t('pager.next')}
      </Button>
    </nav>
  );
}

/** What makes sense for jobs of a place. */
export const ACTIONS: Readonly<Record<string, readonly BulkAction[]>> = {
  queued: ['cancel', 'delete'],
  started: ['cancel'],
  scheduled: ['promote', 'cancel', 'delete'],
  deferred: ['promote', 'cancel', 'delete'],
  finished: ['requeue', 'delete'],
  failed: ['requeue', 'delete'],
  canceled: ['requeue', 'delete'],
};
