import type { LaneAnswer, LimitAnswer, QueueDetailAnswer } from '../server/answers.js';
import { change } from './api.js';
import { askFirst } from './dialog.js';
import { ActionsHead, Button, Card, Tag, When } from './parts.js';
import { type Key, isKey, number, t } from './words.js';

/** What limits the jobs of a queue, and the lanes in which they wait for their turn. */
export function Limits({
  queue,
  detail,
  changed,
}: {
  readonly queue: string;
  readonly detail: QueueDetailAnswer;
  readonly changed: () => void;
}) {
  const { limits, lanes, may } = detail;
  const maySet = may.includes('limit');
  if (limits.length === 0 && lanes.length === 0 && !maySet) return null;
  return (
    <Card
      title={t('limits')}
      flush
      aside={
        maySet && (
          <Button kind="ghost" onClick={() => askLimit(queue, undefined, changed)}>
            {t('limits.set')}
          </Button>
        )
      }
    >
      {limits.length === 0 ? (
        <p class="card-note">{t('limits.none')}</p>
      ) : (
        <table class="table stacked">
          <thead>
            <tr>
              <th scope="col">{t('limits.of')}</th>
              <th scope="col" class="num">
                {t('limits.total')}
              </th>
              <th scope="col" class="num">
                {t('limits.perKey')}
              </th>
              <th scope="col">{t('limits.rate')}</th>
              <th scope="col">{t('limits.from')}</th>
              {maySet && <ActionsHead />}
            </tr>
          </thead>
          <tbody>
            {limits.map((limit) => (
              <LimitRow
                key={`${limit.from} ${limit.handler} ${limit.key}`}
                limit={limit}
                {...(maySet && { set: () => askLimit(queue, limit, changed) })}
              />
            ))}
          </tbody>
        </table>
      )}
      {lanes.length > 0 && <Lanes lanes={lanes} />}
    </Card>
  );
}

function LimitRow({ limit, set }: { readonly limit: LimitAnswer; readonly set?: () => void }) {
  const rate = (max: number | null, per: number | null) =>
    max === null || per === null
      ? undefined
      : t('limits.rate.text', { max: number(max), per: number(per) });
  const rates = [
    rate(limit.rateMax, limit.ratePer),
    rate(limit.keyRateMax, limit.keyRatePer),
  ].filter(Boolean);
  return (
    <tr>
      <th scope="row">
        <bdi>{limit.handler ?? t('limits.queue')}</bdi>
        {limit.key !== null && <code class="id">{limit.key}</code>}
      </th>
      <td class="num" data-label={t('limits.total')}>
        {limit.total === null ? '–' : number(limit.total)}
      </td>
      <td class="num" data-label={t('limits.perKey')}>
        {limit.perKey === null ? '–' : number(limit.perKey)}
      </td>
      <td data-label={t('limits.rate')}>{rates.length > 0 ? rates.join(', ') : '–'}</td>
      <td>
        <Tag tone={limit.from === 'declared' ? 'quiet' : 'late'}>
          {t(`limits.from.${limit.from}`)}
        </Tag>
        {limit.until !== null && (
          <>
            {' '}
            <When at={limit.until} />
          </>
        )}
      </td>
      {set && (
        <td class="row-action">
          <Button kind="ghost" onClick={set}>
            {t('change')}
          </Button>
        </td>
      )}
    </tr>
  );
}

function Lanes({ lanes }: { readonly lanes: readonly LaneAnswer[] }) {
  return (
    <table class="table stacked">
      <caption class="table-title">{t('lanes')}</caption>
      <thead>
        <tr>
          <th scope="col">{t('job')}</th>
          <th scope="col">{t('lanes.key')}</th>
          <th scope="col" class="num">
            {t('col.waiting')}
          </th>
          <th scope="col" class="num">
            {t('col.running')}
          </th>
          <th scope="col">{t('lanes.why')}</th>
        </tr>
      </thead>
      <tbody>
        {lanes.map((lane) => (
          <tr key={`${lane.handler} ${lane.key}`}>
            <th scope="row">
              <bdi>{lane.handler}</bdi>
            </th>
            <td>
              <code class="id">{lane.key || '–'}</code>
            </td>
            <td class="num" data-label={t('col.waiting')}>
              {number(lane.waiting)}
            </td>
            <td class="num" data-label={t('col.running')}>
              {number(lane.running)}
            </td>
            <td>
              {lane.why === null ? <span class="dim">{t('lanes.next')}</span> : whyText(lane.why)}
              {lane.opensAt !== null && (
                <>
                  {' '}
                  · <When at={lane.opensAt} />
                </>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function whyText(why: string): string {
  const key = `lanes.why.${why}`;
  return isKey(key) ? t(key) : why;
}

/** Numbers that win over what the code says, for a while or until they are set anew. */
function askLimit(queue: string, limit: LimitAnswer | undefined, changed: () => void): void {
  const values: Record<string, string> = {
    handler: limit?.handler ?? '',
    key: limit?.key ?? '',
    total: text(limit?.total),
    perKey: text(limit?.perKey),
    max: text(limit?.rateMax),
    per: text(limit?.ratePer),
    minutes: '',
  };
  const field = (name: string, label: Key, isNumber = true) => (
    <label class="field">
      <span>{t(label)}</span>
      <input
        inputMode={isNumber ? 'numeric' : 'text'}
        defaultValue={values[name] ?? ''}
        onInput={(event) => (values[name] = event.currentTarget.value)}
      />
    </label>
  );
  askFirst({
    title: t('limits.title', { queue }),
    action: t('limits.do'),
    body: (
      <>
        <p class="hint">{t('limits.hint')}</p>
        <div class="fields">
          {field('handler', 'limits.handler', false)}
          {field('key', 'lanes.key', false)}
          {field('total', 'limits.total')}
          {field('perKey', 'limits.perKey')}
          {field('max', 'limits.max')}
          {field('per', 'limits.per')}
          {field('minutes', 'limits.minutes')}
        </div>
      </>
    ),
    go: async () => {
      const body = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ''));
      const done = await change('queue/limits', { queue, ...body }, t('limits.done'));
      if (done) changed();
      return done !== undefined;
    },
  });
}

function text(value: number | null | undefined): string {
  return value === null || value === undefined ? '' : String(value);
}
