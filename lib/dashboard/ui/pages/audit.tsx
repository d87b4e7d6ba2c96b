import { useState } from 'preact/hooks';
import type { AuditAnswer } from '../../server/answers.js';
import { Answered } from '../answered.js';
import { ask, useAnswer } from '../api.js';
import { Button, Card, Empty, Tag, When } from '../parts.js';
import { Link, queueHref } from '../router.js';
import { type Key, isKey, number, t } from '../words.js';

/** Who did what, refused attempts included. */
export function Audit() {
  const asked = useAnswer<AuditAnswer[]>('audit', {}, 10_000);
  const { answer } = asked;
  const [older, setOlder] = useState<readonly AuditAnswer[]>([]);
  // What was begun and has ended is one line: the end.
  const entries = [...(answer ?? []), ...older].filter(
    ({ result }) => result !== 'begun' || older.length > 0,
  );
  const last = older.at(-1) ?? answer?.at(-1);
  return (
    <>
      <header class="page-head">
        <h1>{t('nav.audit')}</h1>
      </header>
      <Card flush>
        <Answered
          of={asked}
          empty={() =>
            entries.length === 0 && <Empty title={t('audit.none')}>{t('audit.none.hint')}</Empty>
          }
        >
          {() => (
            <table class="table stacked">
              <thead>
                <tr>
                  <th scope="col">{t('time')}</th>
                  <th scope="col">{t('audit.who')}</th>
                  <th scope="col">{t('audit.what')}</th>
                  <th scope="col" class="mid">
                    {t('queue')}
                  </th>
                  <th scope="col" class="num mid">
                    {t('audit.count')}
                  </th>
                  <th scope="col">{t('audit.result')}</th>
                  <th scope="col" class="low">
                    {t('audit.ip')}
                  </th>
                </tr>
              </thead>
              <tbody>
                {entries.map((entry) => (
                  <tr key={entry.id}>
                    <td class="nowrap">
                      <When at={entry.at} />
                    </td>
                    <th scope="row" class="cut" title={entry.who}>
                      <bdi>{entry.who}</bdi>
                    </th>
                    <td>
                      <span class="nowrap">{actionText(entry.action)}</span>{' '}
                      <span class="dim break">
                        <bdi>{entry.what}</bdi>
                      </span>
                    </td>
                    <td class="mid">
                      {entry.queue ? (
                        <Link class="plain" href={queueHref(entry.queue)}>
                          <bdi>{entry.queue}</bdi>
                        </Link>
                      ) : (
                        <span class="dim">–</span>
                      )}
                    </td>
                    <td class="num mid">
                      {entry.count === null ? <span class="dim">–</span> : number(entry.count)}
                    </td>
                    <td>
                      <Tag
                        tone={
                          entry.result === 'refused' || entry.result === 'failed' ? 'bad' : 'quiet'
                        }
                      >
                        {resultText(entry.result)}
                      </Tag>
                      {entry.why && (
                        <span class="dim">
                          {' '}
                          <bdi>{entry.why}</bdi>
                        </span>
                      )}
                    </td>
                    <td class="low dim">{entry.ip}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
        </Answered>
        {last && (answer?.length ?? 0) >= 100 && (
          <footer class="card-foot">
            <Button
              kind="ghost"
              onClick={async () =>
                setOlder([...older, ...(await ask<AuditAnswer[]>('audit', { before: last.id }))])
              }
            >
              {t('audit.older')}
            </Button>
          </footer>
        )}
      </Card>
    </>
  );
}

function actionText(action: string): string {
  const last = action.split('/').at(-1) ?? action;
  for (const key of [`act.${action}`, `action.${last}`]) if (isKey(key)) return t(key as Key);
  return action;
}

function resultText(result: string): string {
  const key = `audit.${result}`;
  return isKey(key) ? t(key) : result;
}
