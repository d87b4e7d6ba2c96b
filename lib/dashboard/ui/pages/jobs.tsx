import type { SearchAnswer } from '../../server/answers.js';
import { Answered } from '../answered.js';
import { addressOf, useAnswer } from '../api.js';
import { askBulk } from '../bulk.js';
import { LookFurther } from '../choices.js';
import { ACTIONS, JobList } from '../job-list.js';
import { Card, Empty, Trouble } from '../parts.js';
import { place, setQuery } from '../router.js';
import { may } from '../state.js';
import { type Key, compact, t } from '../words.js';

/** Jobs of all queues, as they are searched for. */
export function Jobs() {
  const { query } = place.value;
  const q = query.get('q') ?? '';
  const budget = query.get('budget') ?? undefined;
  const asked = useAnswer<SearchAnswer>('search', { q, budget }, q === '' ? 5000 : undefined);
  const { answer, problem, reload, isLoading } = asked;
  const status = /(?:^|\s)status:(\w+)/.exec(q)?.[1] ?? '';
  const { selection } = answer ?? {};
  return (
    <>
      <header class="page-head">
        <h1>{t('nav.jobs')}</h1>
        <div class="page-actions">
          {may('export') && answer && answer.jobs.length > 0 && (
            <a class="button button-plain" href={addressOf('export', { q })} download>
              {t('export')}
            </a>
          )}
        </div>
      </header>
      <div class="filters" role="group" aria-label={t('filter')}>
        {['', 'failed', 'started', 'queued', 'scheduled', 'deferred', 'finished', 'canceled'].map(
          (one) => (
            <button
              key={one}
              type="button"
              class="chip"
              aria-pressed={one === status}
              onClick={() => setQuery({ q: withStatus(q, one), budget: undefined }, false)}
            >
              {one === '' ? t('all') : t(`status.${one}` as Key)}
            </button>
          ),
        )}
      </div>
      <Card flush>
        {problem?.code === 'option' ? (
          <Empty title={problem.message}>
            <Grammar />
          </Empty>
        ) : (
          <Answered
            of={asked}
            rows={10}
            empty={({ jobs }) =>
              problem ? (
                <Trouble problem={problem} />
              ) : (
                jobs.length === 0 && (
                  <Empty title={t(q ? 'search.none' : 'jobs.none')}>{q ? <Grammar /> : null}</Empty>
                )
              )
            }
          >
            {({ jobs, may: allowed, total }) => (
              <JobList
                jobs={jobs}
                may={allowed}
                actions={ACTIONS[status] ?? ['requeue', 'delete']}
                {...(selection && {
                  all: {
                    count: total,
                    act: (action) => void askBulk(action, selection, q, reload),
                  },
                })}
                changed={reload}
              />
            )}
          </Answered>
        )}
        {answer && problem?.code !== 'option' && (
          <footer class="card-foot" aria-busy={isLoading}>
            <span class="dim">
              {t(answer.complete ? 'search.whole' : 'search.part', {
                n: answer.jobs.length,
                looked: compact(answer.looked),
                total: compact(answer.total),
              })}
            </span>
            {!answer.complete && answer.jobs.length < 100 && <LookFurther />}
          </footer>
        )}
      </Card>
    </>
  );
}

function withStatus(q: string, status: string): string {
  const rest = q.replace(/(?:^|\s)status:\S+/, '').trim();
  return status === '' ? rest : `status:${status} ${rest}`.trim();
}

function Grammar() {
  const examples = [
    'queue:mail',
    'name:charge',
    'status:failed',
    'error:Timeout',
    'cause:0a1b2c3d4e',
    'worker:web-1',
    'attempts:>3',
    'age:>1h',
    'data.user.id:42',
  ];
  return (
    <span class="grammar">
      {examples.map((one) => (
        <button key={one} type="button" class="chip" onClick={() => setQuery({ q: one }, false)}>
          <code>{one}</code>
        </button>
      ))}
    </span>
  );
}
