import { Segments } from './parts.js';
import { t } from './words.js';

export interface RequeueChoices {
  fresh: boolean;
  front: boolean;
}

/** How jobs run again: with which retries, and at which end of the queue. */
export function RequeueChoice({
  shown,
  set,
}: {
  readonly shown: RequeueChoices;
  set: (next: Partial<RequeueChoices>) => void;
}) {
  return (
    <>
      <div>
        <span class="label">{t('bulk.retries')}</span>
        <Segments
          label={t('bulk.retries')}
          value={shown.fresh ? 'fresh' : 'spent'}
          options={[
            ['spent', t('bulk.spent')],
            ['fresh', t('bulk.fresh')],
          ]}
          onChange={(value) => set({ fresh: value === 'fresh' })}
        />
        <p class="hint">{t(shown.fresh ? 'bulk.fresh.hint' : 'bulk.spent.hint')}</p>
      </div>
      <div>
        <span class="label">{t('bulk.place')}</span>
        <Segments
          label={t('bulk.place')}
          value={shown.front ? 'front' : 'back'}
          options={[
            ['back', t('bulk.back')],
            ['front', t('bulk.front')],
          ]}
          onChange={(value) => set({ front: value === 'front' })}
        />
      </div>
    </>
  );
}
