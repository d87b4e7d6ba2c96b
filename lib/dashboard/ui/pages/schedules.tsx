import type { ScheduleAnswer } from '../../server/answers.js';
import { Answered } from '../answered.js';
import { change, useAnswer } from '../api.js';
import { cronWords } from '../cron-words.js';
import { askFirst } from '../dialog.js';
import { wearLaterStyle } from '../later-style.js';
import { ActionsHead, Button, Card, Empty, Tag, When } from '../parts.js';
import { Link, jobHref, queueHref } from '../router.js';
import { may } from '../state.js';
import { duration, number, t } from '../words.js';

wearLaterStyle();

/** What the clock enqueues: when next, when last, and whether anything was left out. */
export function Schedules() {
  const asked = useAnswer<ScheduleAnswer[]>('schedules', {}, 5000);
  const { reload } = asked;
  return (
    <>
      <header class="page-head">
        <h1>{t('nav.schedules')}</h1>
      </header>
      <Card flush>
        <Answered
          of={asked}
          empty={(all) =>
            all.length === 0 && (
              <Empty title={t('schedules.none')}>{t('schedules.none.hint')}</Empty>
            )
          }
        >
          {(all) => (
            <table class="table stacked">
              <thead>
                <tr>
                  <th scope="col">{t('schedules.id')}</th>
                  <th scope="col">{t('job')}</th>
                  <th scope="col">{t('schedules.when')}</th>
                  <th scope="col">{t('schedules.next')}</th>
                  <th scope="col">{t('schedules.last')}</th>
                  <th scope="col" class="num low">
                    {t('schedules.missed')}
                  </th>
                  {may('schedule') && <ActionsHead />}
                </tr>
              </thead>
              <tbody>
                {all.map((schedule) => (
                  <Row key={schedule.id} schedule={schedule} reload={reload} />
                ))}
              </tbody>
            </table>
          )}
        </Answered>
      </Card>
    </>
  );
}

function Row({ schedule, reload }: { readonly schedule: ScheduleAnswer; reload: () => void }) {
  const { id, queue, name, cron, every, tz, next, last, lastJobId, missed, skipped, paused } =
    schedule;
  const words =
    cron !== null
      ? cronWords(cron)
      : every === null
        ? undefined
        : t('schedules.every', { time: duration(every * 1000) });
  const act = async (what: string, done: string) => {
    await change('schedule', { id, queue, do: what }, done);
    reload();
  };
  return (
    <tr data-row class={paused ? 'edge-late' : ''}>
      <th scope="row">
        <bdi>{id}</bdi> {paused && <Tag tone="late">{t('paused')}</Tag>}{' '}
        {schedule.from === 'code' && <Tag tone="quiet">{t('schedules.code')}</Tag>}
      </th>
      <td>
        <bdi>{name ?? '–'}</bdi>{' '}
        <Link class="plain dim" href={queueHref(queue)}>
          <bdi>{queue}</bdi>
        </Link>
      </td>
      <td>
        {words ?? (cron === null ? '–' : <code dir="ltr">{cron}</code>)}
        {(tz ?? (words && cron)) && (
          <div class="sub">
            {words && cron && <code dir="ltr">{cron}</code>} {tz}
          </div>
        )}
      </td>
      <td data-label={t('schedules.next')}>
        <When at={next} />
      </td>
      <td data-label={t('schedules.last')}>
        {lastJobId ? (
          <Link class="plain" href={jobHref(lastJobId)}>
            <When at={last} />
          </Link>
        ) : (
          <When at={last} />
        )}
      </td>
      <td class="num low">
        {missed + skipped > 0 ? (
          <span class="late">{number(missed + skipped)}</span>
        ) : (
          <span class="dim">0</span>
        )}
      </td>
      {may('schedule') && (
        <td class="row-action">
          <Button kind="ghost" onClick={() => act('run', t('schedules.ran', { id }))}>
            {t('schedules.run')}
          </Button>
          <Button
            kind="ghost"
            onClick={() =>
              act(
                paused ? 'resume' : 'pause',
                t(paused ? 'schedules.resumed' : 'schedules.paused', { id }),
              )
            }
          >
            {t(paused ? 'resume' : 'pause')}
          </Button>
          {schedule.from === 'api' && (
            <Button kind="ghost" onClick={() => askRemove(schedule, reload)}>
              {t('action.delete')}
            </Button>
          )}
        </td>
      )}
    </tr>
  );
}

function askRemove({ id, queue }: ScheduleAnswer, reload: () => void): void {
  askFirst({
    title: t('schedules.remove.title', { id }),
    action: t('action.delete'),
    isDangerous: true,
    body: <p>{t('schedules.remove.hint')}</p>,
    go: async () => {
      const done = await change(
        'schedule',
        { id, queue, do: 'remove' },
        t('schedules.removed', { id }),
      );
      reload();
      return done !== undefined;
    },
  });
}
