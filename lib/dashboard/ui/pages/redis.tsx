import type { RedisAnswer } from '../../server/answers.js';
import { change, useAnswer } from '../api.js';
import { askFirst } from '../dialog.js';
import { Button, Card, Copy, Fact, Facts, Loading, Trouble } from '../parts.js';
import { Link, queueHref } from '../router.js';
import { may } from '../state.js';
import { bytes, t } from '../words.js';

/** The server that holds everything: whether it is fit for that. */
export function RedisPage() {
  const { answer, problem, reload } = useAnswer<RedisAnswer>('redis', {}, 10_000);
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
      {problem && !answer ? (
        <Trouble problem={problem} retry={reload} />
      ) : !answer ? (
        <Loading />
      ) : (
        <>
          <Card title={t('findings')}>
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
                    <span lang="en">
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
          <Card title={t('redis.server')}>
            <Facts>
              <Fact name="redis.memory">
                {answer.usedMemory === null ? '–' : bytes(answer.usedMemory)}
                {answer.maxMemory ? <span class="dim"> / {bytes(answer.maxMemory)}</span> : null}
              </Fact>
              <Fact name="redis.policy">{answer.evictionPolicy ?? '–'}</Fact>
              <Fact name="redis.file">{t(answer.appendsToFile ? 'yes' : 'no')}</Fact>
              <Fact name="redis.role">{answer.role ?? '–'}</Fact>
            </Facts>
          </Card>
        </>
      )}
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
