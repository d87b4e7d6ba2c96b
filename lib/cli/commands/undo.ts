import { audited } from '../audited.js';
import { EXIT } from '../exit-codes.js';
import type { AddCommand, Runner } from '../program.js';
import { assertKnownQueues } from '../queue-names.js';
import type { CommonFlags, Session } from '../run.js';
import { jobs } from '../words.js';

/** `nestjs-rq undo`: gives back what a delete has taken. */
export function addUndoCommand(add: AddCommand, run: Runner): void {
  add('undo', 'gives back what a delete of the last hour has taken, as far as that had ended')
    .argument('<queue>')
    .argument('<id>', 'as the delete has told it')
    .action((queue: string, id: string, flags: CommonFlags) =>
      run(flags, (session) => undo(session, queue, id)),
    );
}

async function undo(session: Session, queue: string, id: string) {
  const { inspector, output, json } = session;
  await assertKnownQueues(session, [queue]);
  const { restored, refused } = await audited(
    session,
    { action: 'undo', queue, what: id },
    () => inspector.undoDelete(queue, id),
    (undone) => undone.restored,
  );
  if (json) output.json({ restored, refused });
  else {
    output.line(`${jobs(restored)} given back.`);
    if (refused > 0) {
      output.line(`${jobs(refused)} not: another job has the id, or its time is over.`);
    }
  }
  return restored === 0 ? EXIT.notFound : EXIT.done;
}
