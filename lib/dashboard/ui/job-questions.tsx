import { useState } from 'preact/hooks';
import type { JobAnswer } from '../server/answers.js';
import { change } from './api.js';
import { askFirst } from './dialog.js';
import { RequeueChoice, type RequeueChoices } from './requeue-choices.js';
import { go, jobHref, queueHref } from './router.js';
import { say } from './state.js';
import { t } from './words.js';

/** Questions before something is done to one job. */

export function askRequeue(job: JobAnswer, done: () => void): void {
  const choices = { fresh: false, front: false };
  const isFinished = job.status === 'finished';
  askFirst({
    title: t('requeue.title'),
    action: t('action.requeue'),
    body: <RequeueForm choices={choices} isFinished={isFinished} />,
    go: async () => {
      const body = { id: job.id, ...choices, ...(isFinished && { finished: true }) };
      const answer = await change('job/requeue', body, t('job.requeued'));
      done();
      return answer !== undefined;
    },
  });
}

function RequeueForm({ choices, isFinished }: { choices: RequeueChoices; isFinished: boolean }) {
  const [shown, setShown] = useState({ ...choices });
  const set = (next: Partial<RequeueChoices>) => {
    Object.assign(choices, next);
    setShown({ ...choices });
  };
  return (
    <div class="choices">
      {isFinished && <p class="hint">{t('requeue.finished')}</p>}
      <RequeueChoice shown={shown} set={set} />
    </div>
  );
}

export function askDelete(job: JobAnswer): void {
  const waiting = job.dependents.length;
  askFirst({
    title: t('delete.title'),
    action: t('action.delete'),
    isDangerous: true,
    body: (
      <>
        <p>{t('delete.hint')}</p>
        {waiting > 0 && <p>{t('delete.dependents', { n: waiting })}</p>}
      </>
    ),
    go: async () => {
      const answer = await change('job/delete', { id: job.id }, t('job.deleted'));
      if (answer)
        go(queueHref(job.queue, { in: job.status === 'stopped' ? 'failed' : job.status }));
      return answer !== undefined;
    },
  });
}

/** Other data, another id: the old job stays as it is. */
export function askAnew(job: JobAnswer): void {
  const isCall = (job.args?.length ?? 0) > 0 || Object.keys(job.kwargs ?? {}).length > 0;
  const value = isCall ? { args: job.args, kwargs: job.kwargs } : job.data;
  let text = JSON.stringify(value ?? null, null, 2);
  askFirst({
    title: t('anew.title', { name: job.name ?? '' }),
    action: t('anew.do'),
    body: (
      <>
        <p class="hint">{t(job.redacted ? 'anew.redacted' : 'anew.hint')}</p>
        <textarea
          class="code"
          aria-label={t('data')}
          rows={14}
          spellcheck={false}
          defaultValue={text}
          onInput={(event) => (text = event.currentTarget.value)}
        />
      </>
    ),
    go: async () => {
      let data: unknown;
      try {
        data = JSON.parse(text);
      } catch (error) {
        say(t('anew.noJson', { why: (error as Error).message }), 'problem');
        return false;
      }
      const made = await change<{ id: string }>('job/anew', { id: job.id, data }, t('anew.done'));
      if (made) go(jobHref(made.id));
      return made !== undefined;
    },
  });
}
