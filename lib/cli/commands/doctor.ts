import type { QueueFinding } from '../../observe/index.js';
import { EXIT } from '../exit-codes.js';
import { bold, dim, green, red, yellow } from '../output.js';
import type { AddCommand, Runner } from '../program.js';
import { assertKnownQueue } from '../queue-names.js';
import type { CommonFlags, Session } from '../run.js';
import { bytes } from '../words.js';

/** `nestjs-rq doctor`: what is wrong, and what to do about it. */
export function addDoctorCommand(add: AddCommand, run: Runner): void {
  add('doctor', 'what is wrong with Redis, queues and workers, each with what to do about it')
    .argument('[queues...]', 'only these')
    .action((queues: string[], flags: CommonFlags) =>
      run(flags, (session) => doctor(session, queues)),
    );
}

async function doctor(session: Session, queues: readonly string[]): Promise<number> {
  const { inspector, output, json } = session;
  for (const queue of queues) await assertKnownQueue(inspector, queue);
  const [server, findings] = await Promise.all([
    inspector.server(),
    inspector.findings(queues.length > 0 ? { queues } : {}),
  ]);
  const code = findings.length > 0 ? EXIT.problem : EXIT.done;
  if (json) {
    for (const finding of findings) output.json(finding);
    return code;
  }
  const { version = '?', role = '?', usedMemory } = server;
  const used = usedMemory === undefined ? '' : `, ${bytes(usedMemory)}`;
  output.line(green('✓ '), `Redis ${version}, ${role === 'master' ? 'primary' : role}${used}`);
  for (const finding of findings) print(session, finding);
  if (findings.length === 0) output.line(green('✓ '), 'Nothing is wrong.');
  else output.line(dim(`${findings.length} findings`));
  return code;
}

function print({ output }: Session, { severity, queue, sentence, fix }: QueueFinding): void {
  const mark = severity === 'warning' ? yellow('! ') : red('✗ ');
  const place = queue === undefined ? [] : [bold(queue), ': '];
  output.line(mark, ...place, sentence, dim(' → '), fix);
}
