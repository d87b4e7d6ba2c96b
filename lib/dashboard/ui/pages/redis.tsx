import type { RedisAnswer } from '../../server/answers.js';
import { Answered } from '../answered.js';
import { change, useAnswer } from '../api.js';
import { askFirst } from '../dialog.js';
import { Button, Card, Copy, Figure } from '../parts.js';
import { Link, queueHref } from '../router.js';
import { may } from '../state.js';
import { bytes, t } from '../words.js';

/** The server that holds everything: whether it is fit for that. */
export function RedisPage() {
  const asked = useAnswer<RedisAnswer>('redis', {}, 10_000);
  const { answer, reload } = asked;
  return (
    <>
      <header class="page-head">
        <h1>Redis {answer?.version && <span class="h1-note">{answer.version}</span>}</h1>
        <div class="page-actions">
          {answer && may('suspend') && !answer.suspended && (
            <Button kind="danger" onClick={() => askSuspend(reload)}>
              {t('suspend')}
            </Button>
          )}
        </div>
      </header>
      <Answered of={asked}>
        {(answer) => (
          <>
            <ul class="figures is-few">
              <Figure
                name="redis.memory"
                value={
                  (answer.usedMemory === null ? '–' : bytes(answer.usedMemory)) +
                  (answer.maxMemory ? ` / ${bytes(answer.maxMemory)}` : '')
                }
              />
              <Figure name="redis.policy" value={answer.evictionPolicy ?? '–'} />
              <Figure name="redis.file" value={t(answer.appendsToFile ? 'yes' : 'no')} />
              <Figure name="redis.role" value={answer.role ?? '–'} />
            </ul>
            <Card title={t('findings')} flush={answer.findings.length > 0}>
              {answer.findings.length === 0 ? (
                <p class="all-well">
                  <span class="dot" aria-hidden="true" />
                  {t('findings.none')}
                </p>
              ) : (
                <ul class="troubles">
                  {answer.findings.map(({ code, sentence, fix, queue, level }) => (
                    <li
                      key={`${queue} ${code}`}
                      class={level === 'problem' ? 'trouble is-bad' : 'trouble is-late'}
                    >
                      <span class="trouble-word">
                        {t(level === 'problem' ? 'trouble.word.bad' : 'trouble.word.late')}
                      </span>
                      <span class="trouble-text" lang="en">
                        {queue !== null && (
                          <>
                            <Link href={queueHref(queue)}>
                              <bdi>{queue}</bdi>
                            </Link>
                            {': '}
                          </>
                        )}
                        {sentence}
                        <span class="finding-fix">{fix}</span>
                      </span>
                      <Copy text={fix} />
                    </li>
                  ))}
                </ul>
              )}
            </Card>
          </>
        )}
      </Answered>
    </>
  );
}

function askSuspend(done: () => void): void {
  askFirst({
    title: t('suspend.title'),
    action: t('suspend'),
    isDangerous: true,
    body: <p>{t('suspend.hint')}</p>,
    go: async () => {
      const answer = await change('suspend', { on: true }, t('suspend.done'));
      done();
      return answer !== undefined;
    },
  });
}
