// What replicas have of ends of jobs, when the question itself is lost on its way.
import { describe, expect, it } from '@jest/globals';
import { RqConnectionError } from '../../../lib/index.js';
import { ReplicatedEnds } from '../../../lib/queue/replicated-ends.js';

const CUT = new RqConnectionError({ action: 'read job "1"', uncertain: true });
const AWAY = new RqConnectionError({ action: 'read job "1"' });

function endsWith(...answers: (Error | 'known')[]) {
  const ends = new ReplicatedEnds({ replicated: {} as never }, { replicas: 1, timeout: 1 });
  const ask = () => {
    const answer = answers.shift();
    return answer === 'known' ? Promise.resolve(answer) : Promise.reject(answer as Error);
  };
  return ends.ask(ask, performance.now() + 10_000);
}

describe('the ends that replicas have', () => {
  it('are asked for again when a link was lost with the question', async () => {
    await expect(endsWith(CUT, 'known')).resolves.toBe('known');
  });

  it('are not asked for again and again', async () => {
    await expect(endsWith(CUT, CUT, 'known')).rejects.toBe(CUT);
  });

  it('are not asked for again when Redis is away', async () => {
    await expect(endsWith(AWAY, 'known')).rejects.toBe(AWAY);
  });
});
