import { useState } from 'preact/hooks';
import type { OperationAnswer } from '../server/answers.js';
import { ask, change, tell, wordsOf } from './api.js';
import { askFirst } from './dialog.js';
import { Segments } from './parts.js';
import { RequeueChoice, type RequeueChoices } from './requeue-choices.js';
import { hear, say } from './state.js';
import { type Key, number, t } from './words.js';

/** Something to be done to many jobs: how many they are is found out first, and said in the question. */

export type BulkAction = 'requeue' | 'promote' | 'cancel' | 'delete';

export interface Selection {
  readonly queue: string;
  readonly ids?: readonly string[];
  readonly in?: string;
  readonly name?: string;
  readonly cause?: string;
  readonly error?: string;
}

interface Choices extends RequeueChoices {
  rate: number;
}

/** Counts, asks, and begins. @param about what the jobs are, in short */
export async function askBulk(
  action: BulkAction,
  selection: Selection,
  about: string,
  done?: () => void,
): Promise<void> {
  let count: number;
  try {
    ({ count } = await tell<{ count: number }>(`jobs/${action}`, { ...selection, dryRun: true }));
  } catch (error) {
    say(wordsOf(error), 'problem');
    return;
  }
  const choices: Choices = { fresh: false, front: false, rate: 0 };
  askFirst({
    title: t(`bulk.${action}.title` as Key, { n: count }),
    action: t(`bulk.${action}.do` as Key, { n: count }),
    isDangerous: action === 'delete' || action === 'cancel',
    body: (
      <BulkForm
        action={action}
        about={about}
        count={count}
        choices={choices}
        queue={selection.queue}
      />
    ),
    go: async () => {
      const { fresh, front, rate } = choices;
      const body = {
        ...selection,
        ...(fresh && { fresh }),
        ...(front && { front }),
        ...(rate > 0 && { rate }),
      };
      const begun = await change<OperationAnswer>(`jobs/${action}`, body, t('bulk.begun'));
      if (!begun) return false;
      hear(await ask('overview'), true);
      done?.();
      return true;
    },
  });
}

function BulkForm({
  action,
  about,
  count,
  choices,
  queue,
}: {
  action: BulkAction;
  about: string;
  count: number;
  choices: Choices;
  queue: string;
}) {
  const [shown, setShown] = useState({ ...choices });
  const set = (next: Partial<Choices>) => {
    Object.assign(choices, next);
    setShown({ ...choices });
  };
  return (
    <>
      <p class="about">
        <bdi>{about}</bdi> · {queue}
      </p>
      {action === 'requeue' && (
        <div class="choices">
          <RequeueChoice shown={shown} set={set} />
        </div>
      )}
      {count > 10 && (
        <div>
          <span class="label">{t('bulk.rate')}</span>
          <Segments
            label={t('bulk.rate')}
            value={String(shown.rate)}
            options={[
              ['0', t('bulk.rate.none')],
              ['10', `${number(10)}/s`],
              ['50', `${number(50)}/s`],
              ['500', `${number(500)}/s`],
            ]}
            onChange={(value) => set({ rate: Number(value) })}
          />
        </div>
      )}
      {action === 'delete' && <p class="hint">{t('bulk.delete.hint')}</p>}
    </>
  );
}

/** Pauses or resumes a queue. */
export async function togglePause(queue: string, isPaused: boolean): Promise<void> {
  const path = isPaused ? 'queue/resume' : 'queue/pause';
  const done = await change(
    path,
    { queue },
    t(isPaused ? 'queue.resumed' : 'queue.paused', { queue }),
  );
  if (done) hear(await ask('overview'), true);
}
