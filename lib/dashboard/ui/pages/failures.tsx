import type { FailureAnswer, FailuresAnswer, SearchAnswer } from '../../server/answers.js';
import { Answered } from '../answered.js';
import { useAnswer } from '../api.js';
import { askBulk } from '../bulk.js';
import { LookFurther, QueueChoice } from '../choices.js';
import { ACTIONS, JobList } from '../job-list.js';
import { Button, Card, Empty, Tag, When } from '../parts.js';
import { Link, hrefOf, jobHref, place, queueHref, setQuery } from '../router.js';
import { Trend } from '../sparks.js';
import { queues } from '../state.js';
import { compact, number, t } from '../words.js';

type Order = 'most' | 'newest' | 'oldest';

/** Failed jobs by their cause; one cause with its jobs. */
export function Failures({ cause }: { readonly cause: string | undefined }) {
  const { query } = place.value;
  const queue = query.get('queue') ?? '';
  const order = (query.get('order') as Order | null) ?? 'most';
  const budget = query.get('budget') ?? undefined;
  const asked = useAnswer<FailuresAnswer>('failures', { queue, budget }, 10_000);
  const { answer, reload } = asked;
  const groups =
    answer?.groups.filter((group) => cause === undefined || group.cause === cause) ?? [];
  const sorted = groups.toSorted((one, other) =>
    order === 'newest'
      ? (other.last ?? 0) - (one.last ?? 0)
      : order === 'oldest'
        ? (one.first ?? 0) - (other.first ?? 0)
        : other.count - one.count,
  );
  const withFailed = queues.value
    .filter(({ failed, queue: name }) => failed > 0 || name === queue)
    .map(({ queue: name }) => name);
  return (
    <>
      <header class="page-head">
        <div>
          {cause !== undefined && (
            <p class="crumbs">
              <Link href={hrefOf('failures', { queue })}>{t('nav.failures')}</Link>
            </p>
          )}
          <h1>
            {cause === undefined ? t('nav.failures') : (groups[0]?.error ?? t('nav.failures'))}
            {answer && cause === undefined && (
              <span class="h1-note">
                {t('failures.groups', { n: groups.length })} ·{' '}
                {t('jobs.count', { n: answer.total })}
              </span>
            )}
          </h1>
        </div>
        <div class="page-actions">
          <QueueChoice names={withFailed} />
          {cause === undefined && (
            <label class="inline">
              <span>{t('order')}</span>
              <select
                value={order}
                onChange={(event) => setQuery({ order: event.currentTarget.value })}
              >
                {(['most', 'newest', 'oldest'] as const).map((one) => (
                  <option key={one} value={one}>
                    {t(`order.${one}`)}
                  </option>
                ))}
              </select>
            </label>
          )}
        </div>
      </header>
      <Card flush>
        <Answered
          of={asked}
          empty={() =>
            sorted.length === 0 && (
              <Empty title={t('failures.none')}>{t('failures.none.hint')}</Empty>
            )
          }
        >
          {({ may }) => (
            <ul class="groups">
              {sorted.map((group) => (
                <Group
                  key={`${group.queue} ${group.cause}`}
                  group={group}
                  may={may}
                  isWhole={cause !== undefined}
                  reload={reload}
                />
              ))}
            </ul>
          )}
        </Answered>
        {answer && !answer.complete && (
          <footer class="card-foot">
            <span class="dim">
              {t('failures.part', { looked: compact(answer.looked), total: compact(answer.total) })}
            </span>
            <LookFurther />
          </footer>
        )}
      </Card>
      {cause !== undefined && groups[0] && <GroupJobs group={groups[0]} />}
    </>
  );
}

function Group({
  group,
  may,
  isWhole,
  reload,
}: {
  group: FailureAnswer;
  may: readonly string[];
  isWhole: boolean;
  readonly reload: () => void;
}) {
  const { cause, queue, error, message, name, count, first, last } = group;
  const selection = { queue, in: 'failed', cause };
  const about = `${error} · ${name ?? ''}`;
  const act = (action: 'requeue' | 'delete') => askBulk(action, selection, about, reload);
  return (
    <li class="group" data-row>
      <div class="group-main">
        <div class="group-title">
          <Link href={hrefOf(`failures/${cause}`, { queue })} data-row-link>
            <bdi>{error}</bdi>
          </Link>
          <span class="group-message" title={message}>
            <bdi>{message}</bdi>
          </span>
          {group.python && <Tag tone="quiet">python</Tag>}
        </div>
        <div class="group-facts">
          <code>
            <bdi>{name ?? t('job.unnamed')}</bdi>
          </code>{' '}
          {t('in')}{' '}
          <Link class="plain" href={queueHref(queue)}>
            <bdi>{queue}</bdi>
          </Link>
          {' · '}
          {t('failures.last')} <When at={last} />
          {(last ?? 0) - (first ?? 0) > 60_000 && (
            <>
              {' · '}
              {t('failures.first')} <When at={first} />
            </>
          )}
          {' · '}
          <Link class="plain" href={jobHref(group.sample.id)}>
            {t('failures.sample')}
          </Link>
        </div>
      </div>
      <Trend
        values={group.trend}
        label={t('failures.trend', { n: group.trend.reduce((sum, one) => sum + one, 0) })}
      />
      <b class="group-count">{number(count)}</b>
      <div class="group-actions">
        {may.includes('requeue') && (
          <Button onClick={() => act('requeue')}>{t('action.requeue')}…</Button>
        )}
        {(isWhole || !may.includes('requeue')) && may.includes('delete') && (
          <Button kind="danger" onClick={() => act('delete')}>
            {t('action.delete')}…
          </Button>
        )}
      </div>
    </li>
  );
}

/** The jobs of one cause, the newest first. */
function GroupJobs({ group }: { readonly group: FailureAnswer }) {
  const q = `queue:"${group.queue}" status:failed cause:${group.cause}`;
  const asked = useAnswer<SearchAnswer>('search', { q }, 10_000);
  return (
    <Card title={t('nav.jobs')} flush>
      <Answered of={asked}>
        {({ jobs, may }) => (
          <JobList
            jobs={jobs}
            may={may}
            queue={group.queue}
            actions={ACTIONS['failed'] ?? []}
            changed={asked.reload}
          />
        )}
      </Answered>
    </Card>
  );
}
