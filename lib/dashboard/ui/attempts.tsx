import { useState } from 'preact/hooks';
import type { AttemptAnswer, JobAnswer } from '../server/answers.js';
import { Card, Length } from './parts.js';
import { Stack } from './stack.js';
import { type Key, clock, duration, isKey, t } from './words.js';

/** The job's way, from left to right: when it was enqueued, each attempt and how it ended, the pauses between them. */
export function Attempts({ job }: { readonly job: JobAnswer }) {
  const [chosen, setChosen] = useState<number | undefined>();
  const { attemptList: attempts } = job;
  const shown = chosen === undefined ? undefined : attempts[chosen];
  const isRunning = job.status === 'started';
  return (
    <Card title={t('way')}>
      <ol class="way">
        <li class="way-step">
          <span class="way-dot" aria-hidden="true" />
          <span class="way-name">{t('status.enqueued')}</span>
          <span class="dim">{job.createdAt === null ? '–' : clock(job.createdAt)}</span>
        </li>
        {attempts.map((attempt, index) => (
          <li key={index} class={`way-step way-${attempt.outcome}`}>
            <span class="way-dot" aria-hidden="true" />
            <button
              type="button"
              class="way-name"
              aria-expanded={chosen === index}
              onClick={() => setChosen(chosen === index ? undefined : index)}
            >
              {outcomeText(attempt.outcome)}
            </button>
            <span class="dim">{attempt.endedAt === null ? '–' : clock(attempt.endedAt)}</span>
            <span class="dim">
              {attempt.startedAt !== null &&
                attempt.endedAt !== null &&
                duration(Math.max(0, attempt.endedAt - attempt.startedAt))}
              {attempt.delay !== null && ` · ${t('way.pause', { time: duration(attempt.delay) })}`}
            </span>
          </li>
        ))}
        {(isRunning ||
          attempts.length === 0 ||
          job.status === 'queued' ||
          job.status === 'scheduled') &&
          job.status !== 'finished' && (
            <li class={`way-step way-now way-${job.status}`} aria-current="step">
              <span class="way-dot" aria-hidden="true" />
              <span class="way-name">{t(`status.${job.status}` as Key)}</span>
              <span class="dim">
                {isRunning && job.startedAt !== null ? clock(job.startedAt) : ''}
              </span>
            </li>
          )}
      </ol>
      {shown && <AttemptDetails attempt={shown} />}
    </Card>
  );
}

function AttemptDetails({ attempt }: { readonly attempt: AttemptAnswer }) {
  const length =
    attempt.startedAt !== null && attempt.endedAt !== null
      ? attempt.endedAt - attempt.startedAt
      : null;
  return (
    <div class="attempt">
      <p>
        {attempt.attempt !== null && <b>{t('attempt', { n: attempt.attempt })}</b>}{' '}
        <Length ms={length} />
      </p>
      {attempt.error && (
        <p class="failure">
          <bdi>{attempt.error}</bdi>
        </p>
      )}
      {attempt.stack && <Stack text={attempt.stack} />}
    </div>
  );
}

function outcomeText(outcome: string): string {
  const key = `outcome.${outcome}`;
  return isKey(key) ? t(key) : outcome;
}
