import { useState } from 'preact/hooks';
import type { AlertAnswer, TroubleAnswer } from '../server/answers.js';
import { ask, change } from './api.js';
import { askBulk, togglePause } from './bulk.js';
import { askFirst } from './dialog.js';
import { Button, Segments } from './parts.js';
import { Link, hrefOf, jobHref, queueHref } from './router.js';
import { type Need, hear, isWatched, may, needs, now, queues, workers } from './state.js';
import { type Key, clock, duration, isKey, number, t } from './words.js';

/**
 * What needs a human, a sentence each, the worst first: alerts, and what is wrong without being an alert yet. Muted alerts
 * stand last. @param queue only what concerns it
 */
export function Needs({ queue }: { readonly queue?: string }) {
  const all = needs.value.filter((need) => queue === undefined || need.queue === queue);
  const isAnyAlert = all.some(({ alert }) => alert);
  return (
    <>
      {queue === undefined && queues.value.length > 0 && all.every(({ isMuted }) => isMuted) && (
        <p class="all-well">
          <span class="dot" aria-hidden="true" />
          {t('troubles.none', { n: workers.value.filter(({ isAlive }) => isAlive).length })}
        </p>
      )}
      {all.length > 0 && (
        <ul class="troubles" aria-label={t('troubles')}>
          {all.map((need) => (
            <Row key={need.key} need={need} showsQueue={queue === undefined} />
          ))}
          {isAnyAlert && !isWatched.value && <li class="card-note">{t('alerts.unwatched')}</li>}
        </ul>
      )}
    </>
  );
}

function Row({ need, showsQueue }: { readonly need: Need; readonly showsQueue: boolean }) {
  const { queue, rule, alert, trouble, isBad, isMuted } = need;
  const [isOpen, setOpen] = useState(false);
  const fix = `fix.${rule === 'backlog' ? 'oldest' : rule}`;
  const tone = isMuted ? 'is-muted' : isBad ? 'is-bad' : 'is-late';
  return (
    <li class={`trouble ${tone}`}>
      <span class="trouble-word">
        {t(isMuted ? 'muted' : isBad ? 'trouble.word.bad' : 'trouble.word.late')}
      </span>
      <div class="trouble-text">
        {showsQueue && (
          <>
            <Link href={queueHref(queue)}>
              <bdi>{queue}</bdi>
            </Link>
            {': '}
          </>
        )}
        {alert ? alertText(alert) : trouble && troubleText(trouble)}
        {alert?.lastFailure && (
          <>
            {' · '}
            <Link href={jobHref(alert.lastFailure.jobId)}>
              <bdi>{alert.lastFailure.reason}</bdi>
            </Link>
          </>
        )}
        {alert && (
          <span class="dim nowrap">
            {' · '}
            {alert.mutedUntil === null
              ? t('since', { time: duration(Math.max(0, now.value - alert.since)) })
              : t('muted.until', { at: clock(alert.mutedUntil, now.value, false) })}
          </span>
        )}
        {isKey(fix) && (
          <button
            type="button"
            class="text-button"
            aria-expanded={isOpen}
            onClick={() => setOpen(!isOpen)}
          >
            {t('fix')}
          </button>
        )}
        {isOpen && isKey(fix) && (
          <p class="finding-fix">
            {t(fix)} <Where rule={rule} queue={queue} />
          </p>
        )}
      </div>
      <div class="trouble-actions">
        {rule === 'paused' && may('pause') && (
          <Button onClick={() => togglePause(queue, true)}>{t('resume')}</Button>
        )}
        {rule === 'overdue' && may('requeue') && (
          <Button
            onClick={() =>
              askBulk('promote', { queue, in: 'scheduled' }, t('trouble.overdue.about'))
            }
          >
            {t('promote')}
          </Button>
        )}
        {alert &&
          may('mute') &&
          (isMuted ? (
            <Button kind="ghost" onClick={() => mute(alert, 0, 'unmuted')}>
              {t('unmute')}
            </Button>
          ) : (
            <Button kind="ghost" onClick={() => askMute(alert)}>
              {t('mute')}…
            </Button>
          ))}
      </div>
    </li>
  );
}

/** The page that helps. */
function Where({ rule, queue }: { readonly rule: string; readonly queue: string }) {
  if (FAILURES.has(rule))
    return <Link href={hrefOf('failures', { queue })}>{t('nav.failures')}</Link>;
  if (rule === 'paused') return null;
  return <Link href={hrefOf('workers')}>{t('nav.workers')}</Link>;
}

const FAILURES: ReadonlySet<string> = new Set(['retrying', 'exhausted', 'critical']);
const TIMES: ReadonlySet<string> = new Set(['oldest', 'overdue', 'paused']);

function alertText({ rule, value, limit, job, sentence }: AlertAnswer): string {
  const key = rule === 'workers' && value === 0 ? 'alert.workers.none' : `alert.${rule}`;
  if (!isKey(key)) return sentence;
  const isTime = TIMES.has(rule);
  return t(key, {
    n: value,
    time: duration(value),
    limit: isTime ? duration(limit) : number(limit),
    job: job ?? '',
  });
}

function troubleText({ code, count, ms, sentence }: TroubleAnswer): string {
  const key = `trouble.${code}`;
  return isKey(key) ? t(key, { n: count, time: duration(ms) }) : sentence;
}

function askMute(alert: AlertAnswer): void {
  const choice = { minutes: '60' };
  askFirst({
    title: t('mute.title'),
    action: t('mute'),
    body: (
      <>
        <p class="about">
          <bdi>{alert.queue}</bdi>: {alertText(alert)}
        </p>
        <HowLong choice={choice} />
        <p class="hint">{t('mute.hint')}</p>
      </>
    ),
    go: () => mute(alert, Number(choice.minutes), 'mute.done'),
  });
}

function HowLong({ choice }: { readonly choice: { minutes: string } }) {
  const [minutes, setMinutes] = useState(choice.minutes);
  return (
    <Segments
      label={t('mute.for')}
      value={minutes}
      options={[60, 240, 1440, 7 * 1440].map(
        (one) => [String(one), duration(one * 60_000)] as const,
      )}
      onChange={(value) => {
        choice.minutes = value;
        setMinutes(value);
      }}
    />
  );
}

async function mute({ id, queue }: AlertAnswer, minutes: number, said: Key): Promise<boolean> {
  const done = await change('alert/mute', { id, queue, minutes }, t(said));
  if (done) hear(await ask('overview'), true);
  return done !== undefined;
}
